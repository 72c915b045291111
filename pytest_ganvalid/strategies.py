"""Hypothesis strategies: histograms and samples for property tests of generators and analyses.

Needs the extra ``hypothesis``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_ganvalid.errors import MissingExtraError
from pytest_ganvalid.histograms.counts import Counts
from pytest_ganvalid.samples import Sample

try:
    from hypothesis import strategies as st
except ImportError as error:
    _FEATURE, _PACKAGE = "pytest_ganvalid.strategies", "hypothesis"
    raise MissingExtraError(_FEATURE, _PACKAGE, "hypothesis") from error

__all__ = ["histogram_pairs", "histograms", "samples", "weighted_histograms"]


def histograms(
    bins: int | st.SearchStrategy[int] = 10, *, min_count: int = 0, max_count: int = 10_000
) -> st.SearchStrategy[Counts]:
    """Generate counts with at least two populated bins.

    Args:
        bins: Number of bins, at least 2.
        min_count: Least count of a bin.
        max_count: Largest count of a bin.
    """
    counts = st.integers(min_count, max_count)
    return _sizes(bins).flatmap(
        lambda size: (
            st.lists(counts, min_size=size, max_size=size)
            .filter(lambda values: sum(value > 0 for value in values) > 1)
            .map(Counts)
        )
    )


def histogram_pairs(
    bins: int | st.SearchStrategy[int] = 10, *, min_count: int = 0, max_count: int = 10_000
) -> st.SearchStrategy[tuple[Counts, Counts]]:
    """Generate pairs of counts with the same bins; arguments as for `histograms`."""
    return _sizes(bins).flatmap(
        lambda size: st.tuples(*[histograms(size, min_count=min_count, max_count=max_count)] * 2)
    )


@st.composite
def weighted_histograms(draw: st.DrawFn, bins: int = 10, *, min_events: int = 20, max_events: int = 200) -> Counts:
    """Generate sums of weights and of squared weights of events with log-normal weights, a few negative.

    Args:
        draw: Supplied by Hypothesis.
        bins: Number of bins, at least 2.
        min_events: Least number of events in a bin.
        max_events: Largest number of events in a bin.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    events = rng.integers(min_events, max_events, size=bins, endpoint=True)
    index = np.repeat(np.arange(bins), events)
    weight = rng.lognormal(sigma=draw(st.sampled_from([0.0, 0.5])), size=index.size)
    weight *= np.where(rng.random(index.size) < draw(st.sampled_from([0.0, 0.05])), -1, 1)
    return Counts(*(np.bincount(index, w, minlength=bins) for w in (weight, weight**2)))


@st.composite
def samples(
    draw: st.DrawFn, columns: tuple[str, ...] = ("x",), *, min_events: int = 100, max_events: int = 2000
) -> Sample:
    """Generate samples of normally distributed columns.

    Args:
        draw: Supplied by Hypothesis.
        columns: Names of the columns.
        min_events: Least number of events.
        max_events: Largest number of events.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(min_events, max_events))
    return Sample({name: rng.standard_normal(n) for name in columns})


def _sizes(bins: Any) -> st.SearchStrategy[int]:  # noqa: ANN401
    return bins if isinstance(bins, st.SearchStrategy) else st.just(bins)
