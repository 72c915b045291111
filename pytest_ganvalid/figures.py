"""Figure 1 of the paper, measured on a toy: by the verdict's n_equivalent, and against the truth, which a toy states.

arXiv:2002.06307. What is measured against the truth checks the curves: they come from a reference, as for any user.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._arguments import check_integer
from pytest_ganvalid.check import validate
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.layout import Layout
from pytest_ganvalid.report.figure import Point, UncertaintyFigure, figure_of
from pytest_ganvalid.results import Report
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.statistics.smooth import smooth_basis

FloatArray = NDArray[np.float64]
BINS = 50
"""Equiprobable bins of the truth."""
SAMPLES = 10
"""Samples of each size, compared with the truth."""
_MAX_EVENTS = 1e12


class Source(Protocol):
    """Anything events can be drawn from."""

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw ``n`` events."""
        ...


def toy_column(toy: object) -> Any:  # noqa: ANN401 - what `validate` takes as an observable
    """Return the number per event whose distribution a toy states exactly, as an observable.

    Raises:
        InputTypeError: If the toy states no distribution of a single column.
    """
    for name in ("x", "mass"):
        if type(toy).__name__ in {"x": ("CamelBack",), "mass": ("DijetMass", "ZLineShape")}[name]:
            return name
    if hasattr(toy, "radii"):
        return "radius", toy.radii
    msg = f"{type(toy).__name__} has no single column of known truth; expected a camel back, ring, shell or mass"
    raise InputTypeError(msg)


def against_truth(
    kind: Literal["simulated", "generated"],
    source: Source,
    toy: Any,  # noqa: ANN401 - a toy that states the distribution of one column
    numbers: Sequence[int],
    *,
    components: int | None = None,
    bins: int = BINS,
    systematic: float = 0.0,
    seed: int = 0,
) -> list[Point]:
    """Measure how far samples are off, in the unit of the relative error of a bin.

    For N independent true events the root mean square is sqrt(bins/N) in expectation, the statistical uncertainty of a
    bin: Σ (q_i - p_i)² / p_i has the expectation (bins - 1)/N, and the square of each smooth component 1/N.

    Args:
        kind: Kind of the events.
        source: Where the events come from.
        toy: The truth.
        numbers: Numbers of events N.
        components: Smooth components of the difference that are looked at; ``None`` for all bins.
        bins: Equiprobable bins of the truth.
        systematic: Relative systematic uncertainty of the simulation, which no comparison with its own truth sees.
        seed: Of all samples.

    Returns:
        A point for each N, from `SAMPLES` samples.
    """
    edges, truth = toy.equiprobable_edges(bins), np.full(bins, 1 / bins)
    basis = None if components is None else smooth_basis(Layout.line(bins), truth, components)
    points = []
    for position, n in enumerate(numbers):
        squares = []
        for index in range(SAMPLES):
            values = _values(toy, source.sample(n, seed=seed + 1_000 * position + index))
            counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=bins)
            difference = counts / n - truth
            pulls = basis.T @ difference if basis is not None else difference * math.sqrt(bins)
            degrees = bins - 1 if components is None else components
            squares.append(bins * float(pulls @ pulls) / degrees + systematic**2)
        root = math.sqrt(math.fsum(squares) / SAMPLES)
        error = float(np.std(squares, ddof=1)) / math.sqrt(SAMPLES) / (2 * root)
        points.append(
            Point(kind=kind, components=components, n_events=float(n), uncertainty=root, error=error, samples=SAMPLES)
        )
    return points


def _values(toy: Any, events: Sample) -> FloatArray:  # noqa: ANN401
    column = toy_column(toy)
    return np.asarray(events[column] if isinstance(column, str) else column[1](events), dtype=float)


def toy_report(
    toy: Any,  # noqa: ANN401
    generator: Source,
    *,
    n_required: float,
    n_train: float,
    events: int,
    bins: int = BINS,
    seed: int = 0,
) -> Report:
    """Validate a generator with as many reference as generated events of a toy, in equiprobable bins of the truth."""
    column = toy_column(toy)
    name = column if isinstance(column, str) else column[0]
    return validate(
        generator.sample(events, seed=seed + 1),
        toy.sample(events, seed=seed),
        n_required=n_required,
        n_train=n_train,
        training=getattr(generator, "fingerprint", None),
        observables=[column],
        bins={name: list(toy.equiprobable_edges(bins))},
    )


def toy_figure(
    toy: Any,  # noqa: ANN401
    generator: Source,
    *,
    n_required: float,
    n_train: float,
    events: int = 1_000_000,
    systematic: float = 0.0,
    seed: int = 0,
    title: str | None = None,
) -> UncertaintyFigure:
    """Compute figure 1 of a generator of a toy, and measure it against the truth.

    Args:
        toy: Whose distribution is known: `CamelBack`, `Ring`, `SphericalShell`, `DijetMass` or `ZLineShape`.
        generator: Trained on ``n_train`` events of the toy.
        n_required: Number of true events a generated sample is to stand in for.
        n_train: Number of training events.
        events: Generated and reference events of the validation, and the largest sample compared with the truth.
        systematic: Relative systematic uncertainty of the toy, if it were a simulation.
        seed: Of all that is drawn here; the training events must come from another.
        title: ``None`` for the names of both.

    Raises:
        InputError: If a number is out of range, or nothing is demonstrated.
        InputTypeError: If the toy states no distribution.
    """
    if check_integer("events", events, minimum=2_000) > _MAX_EVENTS:
        msg = f"events={events} is too large; expected at most {_MAX_EVENTS:g}"
        raise InputError(msg)
    report = toy_report(toy, generator, n_required=n_required, n_train=n_train, events=events, seed=seed)
    title = f"{type(generator).__name__} of {type(toy).__name__}" if title is None else title
    figure = figure_of(report, systematic=systematic, title=title)
    # Between the powers of ten, where the star of a typical n_train would hide them.
    numbers = [n for power in range(3, 19) for n in (2 * 10**power, 5 * 10**power) if n <= events]
    points = []
    for start, components in enumerate(dict.fromkeys((figure.components, None))):
        settings: dict[str, Any] = {"components": components, "systematic": systematic}
        seeds = seed + 100_000 * (2 * start + 1), seed + 100_000 * (2 * start + 2)
        points += against_truth("simulated", toy, toy, numbers, seed=seeds[0], **settings) if not start else []
        points += against_truth("generated", generator, toy, numbers, seed=seeds[1], **settings)
    return figure_of(report, systematic=systematic, title=title, points=points)
