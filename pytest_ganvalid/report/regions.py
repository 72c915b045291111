"""The regions of a comparison in words: where the generator may be used, and where it is wrong."""

from __future__ import annotations

from pytest_ganvalid.results import Comparison, Region, at_most
from pytest_ganvalid.statistics.reasons import count, percent

_MAX_LISTED = 3  # biased regions
_MIN_SHARE = 0.5  # of the reference, for a region to be mentioned in a summary


def usable_region(comparison: Comparison) -> Region | None:
    """Return the largest region that is ROBUST where the whole is not, if it has at least half of the events."""
    region = comparison.robust_region
    return region if region is not None and not comparison.robust and region.share >= _MIN_SHARE else None


def region_words(comparison: Comparison) -> tuple[str, ...]:
    """Describe the largest region that is ROBUST, the smallest that are BIASED, and the weakest.

    Returns:
        Sentences such as ``use it for pt < 80 GeV: ...``; none where no region was looked at.
    """
    robust, biased, weakest = comparison.robust_region, comparison.biased_regions, comparison.weakest_region
    if weakest is None:
        return ()
    words = [] if comparison.robust else ["no region is shown to be ROBUST by itself"]
    if robust is not None and not comparison.robust:
        words = [_usable(comparison, robust)]
    if biased:
        worst = sorted(biased, key=lambda region: region.n_equivalent / max(region.n_required, 1.0))
        labels = [in_words(comparison, region) for region in worst[:_MAX_LISTED]]
        rest = [f"{len(worst) - _MAX_LISTED} more"] * (len(worst) > _MAX_LISTED)
        words.append(f"BIASED by itself, the worst first: {'; '.join(labels + rest)}")
    words.append(
        f"least is known of {in_words(comparison, weakest)}: worth at least {at_most(weakest.n_equivalent)} of the "
        f"{count(weakest.n_required)} events required there"
    )
    return tuple(words)


def in_words(comparison: Comparison, region: Region) -> str:
    """Return the range of a region, with the name of the column and its unit, such as ``pt < 80 GeV``."""
    label = region.label
    if not _is_range(comparison, label):
        return label
    between = " " if label[0] in "<>=" else " in "
    return f"{comparison.axes[0].label or 'values'}{between}{with_unit(comparison, label)}"


def with_unit(comparison: Comparison, label: str) -> str:
    """Return the label of a range of one column with its unit, such as ``[20, 30) GeV``, and any other as it is."""
    unit = comparison.axes[0].unit if _is_range(comparison, label) else ""
    return f"{label} {unit}" if unit and label.endswith((")", "]", *"0123456789")) else label


def _is_range(comparison: Comparison, label: str) -> bool:
    """Tell whether a label is of a range of the first column, all of the second column if there is one."""
    axes = comparison.axes
    return bool(axes and axes[0].edges) and (len(axes) == 1 or " x " not in label)


def _usable(comparison: Comparison, region: Region) -> str:
    return (
        f"use it for {in_words(comparison, region)}: ROBUST there at its share of n_required, "
        f"{count(region.n_required)} of {count(comparison.n_required)} events, and worth at least "
        f"{at_most(region.n_equivalent)} there; what is shown to agree is the distribution inside, not how many events "
        f"are there ({percent(region.generated_share)} of the generated, {percent(region.share)} of the reference "
        "sample)"
    )
