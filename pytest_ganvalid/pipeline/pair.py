"""What is compared, and what two sides come down to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_ganvalid.attempts import SampleDigest
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.observables.strata import Stratum
from pytest_ganvalid.overlaps.findings import Independence
from pytest_ganvalid.results import Estimate
from pytest_ganvalid.statistics.equivalence import Difference

SIDES = ("generated", "reference")
MOST_CONTROLS = 10
"""Columns of one observable for which there is a control: each is another training."""


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """A comparison with a bias that is known.

    Attributes:
        column: The column that is biased.
        generated: Histogram of the biased events.
        reference: Likewise of events without the bias, of the same generator.
    """

    column: str
    generated: BinSums
    reference: BinSums


@dataclass(frozen=True, slots=True, eq=False)
class Controls:
    """The positive controls of a learned observable.

    Attributes:
        columns: Columns that can be biased; the first `MOST_CONTROLS` of them are.
        events: Number of generated events that are biased, and of others.
        scale: Events over those that take the place of the true reference; less than 1 if too few were generated.
        comparisons: The controls, made one after the other, as each is a training.
    """

    columns: tuple[str, ...]
    events: tuple[int, int]
    scale: float
    comparisons: Iterator[Control]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What is compared: do these two agree?

    Attributes:
        name: The observable, and the stratum if there is one.
        generated: Histogram or number of the generated sample.
        reference: Likewise of the reference.
        share: Of n_required: the stratum's.
        used: Shares of the generated and of the reference events that these were made of.
        difference: Of two numbers, the standard error of their difference and its degrees of freedom, and how many
            clusters there are, where some have rows on both sides.
        provenance: How the pair was made, if that took more than filling a histogram.
        controls: Of what is learned: from n_required, the share of it, to the positive controls.
        chosen: Share of the reference events that the bins were chosen from; 0 if the bins were given.
        labels: Names of what is binned, one for each dimension; empty if they are those of the histogram.
    """

    name: str
    generated: BinSums | Estimate
    reference: BinSums | Estimate
    share: float = 1.0
    used: tuple[float, float] = (1.0, 1.0)
    difference: Difference | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    controls: Callable[[float], Controls] | None = None
    chosen: float = 0.0
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What two sides come down to.

    Attributes:
        pairs: What is compared.
        strata: The strata; one without a name if there is no condition.
        independence: Which rows the sides share.
        events: Number of generated and of reference events.
        origins: What is known of where they come from.
        skipped: Columns or histograms that are not compared -> reason.
        training: Number of training events, if known.
        bin_provenance: How bins were chosen, if from a part of the reference.
        notes: What was not looked for, in sentences.
        digests: What tells the generated and the reference sample from others.
        remedies: Comparison -> what to know of it if it is not ROBUST.
        units: Column -> its unit, where the data say so.
    """

    pairs: tuple[Pair, ...]
    strata: tuple[Stratum, ...]
    independence: Independence
    events: tuple[int, int]
    origins: tuple[Mapping[str, Any], Mapping[str, Any]]
    skipped: Mapping[str, str]
    training: int | None = None
    bin_provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    digests: tuple[SampleDigest, SampleDigest]
    remedies: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
