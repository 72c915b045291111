"""What a user said about how two samples are to be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_ganvalid.samples import Sample
from pytest_ganvalid.samples.fingerprint import Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user said, but for the samples.

    Attributes:
        observables: As for `pytest_ganvalid.validate`.
        weights: Of either side: the name of a column, an array, or ``None`` for unweighted events.
        by: As for `pytest_ganvalid.validate`.
        bins: Likewise.
        nonfinite: Likewise.
        seed: Likewise.
        memory: Bytes that events may take.
        training: The training events, or their fingerprint.
    """

    observables: object
    weights: tuple[Any, Any]
    by: object
    bins: object
    nonfinite: object
    seed: int
    memory: float
    training: Sample | Fingerprint | None = None
