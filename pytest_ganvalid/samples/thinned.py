"""Whether long samples are independent, judged by the few rows of them that were kept.

The same rows are kept of all samples (`thinning`), so what they share is judged as if they were all there is; numbers
of rows are then scaled to the whole. A share of copied rows is found if a few of those kept are among them: of half a
million kept rows, one in a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scipy import special

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.digests import LARGEST
from pytest_ganvalid.samples.fingerprint import Fingerprint
from pytest_ganvalid.samples.independence import check_independence
from pytest_ganvalid.samples.overlaps import Independence, Overlap
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.samples.spread import Spread
from pytest_ganvalid.samples.thinning import Thinning

_CONFIDENCE = 0.95


def check_thinned(
    generated: Spread,
    reference: Spread,
    training: Sample | Fingerprint | None,
    near: Mapping[str, Spread | None],
    how: Thinning,
) -> Independence:
    """Find the rows that long samples share; see `check_independence`.

    Args:
        generated: The rows that were kept of the generated sample.
        reference: Likewise.
        training: The training events, all of them, or their fingerprint; ``None`` if unknown.
        near: Side -> its rows near the fingerprint, if that is what the training is.
        how: How rows were chosen.
    """
    known = _known(training, how) if isinstance(training, Sample) else None
    spreads = {"generated": generated, "reference": reference} | ({} if known is None else {"training": known})
    limit = min(spread.limit for spread in spreads.values())
    kept = {side: spread.thinned(limit) for side, spread in spreads.items()}
    notes = []
    empty = [side for side, spread in kept.items() if not spread.kept]
    if "generated" in empty or "reference" in empty:
        note = f"shared rows were not looked for: too few different values in {', '.join(how.key)} to choose rows by"
        return Independence(overlaps=(), duplicates={}, notes=(note,))
    samples = {side: Sample(spread.columns) for side, spread in kept.items() if spread.kept}
    other: Sample | Fingerprint | None = training if isinstance(training, Fingerprint) else samples.get("training")
    if known is not None and other is None:
        notes.append("none of the training rows is among those that were chosen to be compared")
    close = {side: spread for side, spread in near.items() if spread is not None}
    found = check_independence(samples["generated"], samples["reference"], other, close)
    if limit == LARGEST:
        return replace(found, notes=(*found.notes, *notes))
    share = limit / LARGEST
    notes.append(f"rows were compared in a sample of 1 in {1 / share:,.4g}, the same of either side")
    return replace(
        found,
        overlaps=tuple(
            overlap
            if overlap.sides[1] == "training" and isinstance(training, Fingerprint)
            else _scaled(overlap, spreads)
            for overlap in found.overlaps
        ),
        duplicates={side: round(number / share) for side, number in found.duplicates.items()},
        notes=(*found.notes, *notes),
    )


def _known(training: Sample, how: Thinning) -> Spread:
    """Return the training rows that are kept.

    Raises:
        InputError: If the training lacks a column by which rows are chosen.
    """
    missing = sorted(set(how.key) - set(training.columns))
    if missing:
        msg = (
            f"the training has no columns {missing}, by which rows are chosen to be compared; there are "
            f"{sorted(training.columns)}"
        )
        raise InputError(msg)
    return how.rows(training)


def _scaled(overlap: Overlap, spreads: Mapping[str, Spread]) -> Overlap:
    """Scale numbers of rows from those kept to the whole, with Clopper-Pearson limits of the share."""
    total, kept = spreads[overlap.sides[0]].total, overlap.of
    hits, tail = overlap.rows, (1 - _CONFIDENCE) / 2
    lower = float(special.betaincinv(hits, kept - hits + 1, tail)) if hits else 0.0
    upper = float(special.betaincinv(hits + 1, kept - hits, 1 - tail)) if hits < kept else 1.0
    estimate = round(hits / kept * total)
    return replace(
        overlap,
        rows=estimate,
        rows_lower=min(round(lower * total), estimate),
        rows_upper=max(round(upper * total), estimate),
        distinct=min(round(overlap.distinct / kept * total), estimate),
        of=total,
        expected_by_chance=overlap.expected_by_chance / kept * total,
        exact=False,
    )
