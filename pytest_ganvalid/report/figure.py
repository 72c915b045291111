"""Figure 1 of the paper with measured numbers: how uncertainty falls with the number of events, and where it stops.

arXiv:2002.06307. Uses matplotlib's objects only, never pyplot, so that figures and settings of others are left alone.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from pytest_ganvalid._arguments import check_event_count
from pytest_ganvalid.errors import InputError, absence
from pytest_ganvalid.report.plots import short
from pytest_ganvalid.report.style import BLUE, INK, NORMAL, SMALL, VERMILION, YELLOW, default_style
from pytest_ganvalid.results import Amount, Comparison, Count, Document, Interval, Judgement, Probability, Report
from pytest_ganvalid.statistics.reasons import count
from pytest_ganvalid.statistics.uncertainty import smallest_equivalent, uncertainty_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PICTURES = (".png", ".svg", ".pdf")
CURVES = (
    "n_events",
    "statistical",
    "simulation_systematic",
    "simulation_total",
    "generated_systematic",
    "generated_total",
    "generated_least",
    "generated_most",
)
"""Columns of the CSV file; those of `pytest_ganvalid.statistics.uncertainty.UncertaintyCurves`."""
_PER_DECADE = 20
_LARGEST = 1e17
_DARK_GREEN = "#00543D"  # theirs, but dark: it lies on the vermilion, in print too


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """An uncertainty that was measured on samples of a toy, whose truth is known.

    Attributes:
        kind: Of which events.
        components: Smooth components of the difference that were looked at; ``None`` for all bins.
        n_events: Number of events of each sample.
        uncertainty: Root mean square deviation from the truth, in the unit of the relative error of a bin.
        error: Its standard error, from the spread of the samples.
        samples: Number of samples.
    """

    kind: Literal["simulated", "generated"]
    components: Count | None
    n_events: Amount
    uncertainty: Amount
    error: Amount
    samples: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertaintyFigure(Document):
    """The numbers of figure 1; all uncertainties are relative to the content of a bin.

    Attributes:
        title: What was compared.
        n_train: Number of events the generator was trained on, if known.
        n_required: Number of true events the generated sample is to stand in for.
        n_equivalent: Number of true events the generator was found to be worth, the least of all tests.
        components: Smooth components of the test that says so; ``None`` for all bins, or a number that is no histogram.
        confidence: Confidence level of each limit of n_equivalent.
        systematic: Systematic uncertainty of the true simulation.
        probability: Probability of the bin.
        n_star: The number of events whose uncertainty the generated sample would inherit from a perfect training.
        star: That uncertainty.
        n_events: Numbers of events; n_star and n_required are among them.
        statistical: Of so many events of either kind.
        simulation_systematic: Of the true simulation.
        simulation_total: Likewise.
        generated_systematic: Of the generated sample, by the estimate of n_equivalent.
        generated_total: Likewise.
        generated_least: Total with the upper limit of n_equivalent.
        generated_most: Total with the lower limit.
        points: What was measured against the truth, if that is known.
    """

    KIND: ClassVar[str] = "figure"

    title: str
    n_train: Amount | None
    n_required: Amount
    n_equivalent: Interval
    components: Count | None
    confidence: Probability
    systematic: Amount
    probability: Probability
    n_star: Amount
    star: Amount
    n_events: tuple[float, ...]
    statistical: tuple[float, ...]
    simulation_systematic: tuple[float, ...]
    simulation_total: tuple[float, ...]
    generated_systematic: tuple[float, ...]
    generated_total: tuple[float, ...]
    generated_least: tuple[float, ...]
    generated_most: tuple[float, ...]
    points: tuple[Point, ...] = ()

    def __post_init__(self) -> None:
        """Refuse curves of different lengths.

        Raises:
            InputError: If lengths differ, or n_required is not among the numbers of events.
        """
        if len({len(getattr(self, name)) for name in CURVES}) != 1 or self.n_required not in self.n_events:
            msg = "the curves do not fit together: expected one length, and n_required among n_events"
            raise InputError(msg)

    def at_required(self, curve: str) -> float:
        """Return the value of a curve at n_required."""
        values: tuple[float, ...] = getattr(self, curve)
        return values[self.n_events.index(self.n_required)]

    def to_csv(self) -> str:
        """Write the curves as a table, one row per number of events."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CURVES)
        writer.writerows(zip(*(getattr(self, name) for name in CURVES), strict=True))
        return file.getvalue()


def figure_of(
    result: Judgement | Report,
    *,
    observable: str | None = None,
    n_train: float | None = None,
    n_required: float | None = None,
    systematic: float = 0.0,
    probability: float | None = None,
    points: Sequence[Point] = (),
    title: str | None = None,
) -> UncertaintyFigure:
    """Compute figure 1 from a result.

    Args:
        result: A comparison, or a report.
        observable: Which comparison of a report; ``None`` for that in which the generator is worth least.
        n_train: Number of events the generator was trained on, if the result does not know.
        n_required: Number of events to mark; ``None`` for that of the result.
        systematic: Relative systematic uncertainty of the true simulation.
        probability: Probability of the bin; ``None`` for that of an average bin of the comparison.
        points: Points that were measured against a known truth, to be drawn too.
        title: ``None`` for the name of the observable.

    Raises:
        InputError: If there is no such observable, a number is out of range, or the result demonstrates nothing.
    """
    name, comparison = _selected(result, observable)
    if probability is None:
        probability = 1 / comparison.bins if isinstance(comparison, Comparison) else 1.0
    required = float(check_event_count("n_required", comparison.n_required if n_required is None else n_required))
    n_train = comparison.n_train if n_train is None else n_train
    interval = smallest_equivalent(comparison)[1]
    settings: dict[str, Any] = {"systematic": systematic, "probability": probability}
    star = uncertainty_curves([1.0], n_train=n_train, n_equivalent=interval, **settings)
    numbers = _event_numbers(star.n_star, interval, required, [point.n_events for point in points])
    curves = uncertainty_curves(numbers, n_train=n_train, n_equivalent=interval, **settings)
    return UncertaintyFigure(
        title=name if title is None else title,
        n_train=None if n_train is None else float(n_train),
        n_required=required,
        n_equivalent=interval,
        components=_weakest_test(comparison) if isinstance(comparison, Comparison) else None,
        confidence=comparison.confidence,
        systematic=float(systematic),
        probability=float(probability),
        n_star=curves.n_star,
        star=curves.star,
        points=tuple(points),
        **{column: tuple(getattr(curves, column).tolist()) for column in CURVES},
    )


def _selected(result: Judgement | Report, observable: str | None) -> tuple[str, Judgement]:
    if not isinstance(result, Report):
        return result.name, result
    if observable is None:
        observable = smallest_equivalent(result)[0]
    if observable not in result.comparisons:
        raise InputError(absence("observable", observable, result.comparisons))
    return observable, result.comparisons[observable]


def _weakest_test(c: Comparison) -> int | None:
    """Return the number of components of the test with the smallest lower limit of n_equivalent, d/(2 Δ)."""
    weakest = max(c.tests, key=lambda test: test.separation.upper / (test.components or c.ndf))
    return weakest.components


def _event_numbers(n_star: float, worth: Interval, n_required: float, others: Sequence[float]) -> list[float]:
    """Choose numbers of events, from a decade below the smallest to a decade above the largest number of interest."""
    finite = [n for n in (n_star, worth.lower, worth.estimate, n_required, *others) if math.isfinite(n)]
    low = max(math.floor(math.log10(max(min(finite), 1.0))) - 1, 0)
    high = math.ceil(math.log10(min(max(finite), _LARGEST))) + 1
    marks = {n for n in (n_star, n_required) if 1 <= n < math.inf}
    return sorted(marks.union(np.logspace(low, high, _PER_DECADE * (high - low) + 1).tolist()))


def picture(figure: UncertaintyFigure, suffix: str) -> bytes:
    """Draw a figure as the content of a file.

    Args:
        figure: Its numbers.
        suffix: One of `PICTURES`.

    Returns:
        The same bytes whatever matplotlib style the user has chosen.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    file = io.BytesIO()
    metadata = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[suffix]
    fixed: dict[Any, Any] = {"svg.hashsalt": "ganvalid", "pdf.fonttype": 42}
    with default_style("a figure"):
        from matplotlib import rc_context

        with rc_context(fixed):
            draw(figure).savefig(file, format=suffix[1:], metadata=metadata)
    return file.getvalue()


def draw(figure: UncertaintyFigure) -> Figure:
    """Draw a figure with matplotlib."""
    from matplotlib import figure as matplotlib_figure
    from matplotlib.ticker import LogLocator, NullFormatter

    canvas = matplotlib_figure.Figure(figsize=(6.4, 5.6), dpi=200, layout="constrained")
    axes = canvas.subplots()
    axes.set_xscale("log")
    axes.set_yscale("log")
    _draw_curves(axes, figure)
    _draw_points(axes, figure)
    _draw_marks(axes, figure)
    if figure.probability < 1:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
        axes.yaxis.set_minor_formatter(NullFormatter())  # which would label some in another way
    axes.set_xlim(figure.n_events[0], figure.n_events[-1])
    axes.set_xlabel("number of events N, simulated or generated", fontsize=NORMAL)
    axes.set_ylabel(_unit(figure.probability), fontsize=NORMAL)
    axes.grid(visible=True, which="major", color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=NORMAL - 1)
    canvas.legend(loc="outside lower center", ncols=2, fontsize=SMALL, frameon=False)
    canvas.suptitle(_title(figure), x=0.01, ha="left", fontsize=NORMAL, parse_math=False)
    return canvas


def _draw_curves(axes: Axes, f: UncertaintyFigure) -> None:
    n = f.n_events
    # Without a systematic uncertainty the total of the simulation is its statistical one: dashes on a line show both.
    axes.plot(n, f.simulation_total, color=VERMILION, linewidth=3, label="true simulation, total")
    axes.plot(
        n, f.statistical, color=_DARK_GREEN, linestyle=(0, (4, 3)), linewidth=1.4, label="statistical, of either kind"
    )
    if f.systematic:
        axes.plot(
            n,
            f.simulation_systematic,
            color=VERMILION,
            linestyle=":",
            linewidth=1.8,
            label="true simulation, systematic",
        )
    axes.fill_between(
        n,
        f.generated_least,
        f.generated_most,
        color=BLUE,
        alpha=0.25,
        linewidth=0,
        label=f"limits of n_equivalent, {_range(f.n_equivalent)}",
    )
    axes.plot(n, f.generated_total, color=BLUE, linewidth=1.8, label="generated, total")
    if f.generated_systematic[0]:
        axes.plot(n, f.generated_systematic, color=BLUE, linestyle=":", linewidth=1.8, label="generated, systematic")


def _draw_points(axes: Axes, f: UncertaintyFigure) -> None:
    """Draw the points that were measured against the truth, in shapes that differ in print too."""
    series = dict.fromkeys((point.kind, point.components) for point in f.points)
    for kind, components in series:
        group = [point for point in f.points if (point.kind, point.components) == (kind, components)]
        decisive = components == f.components
        test = "all bins" if components is None else f"{components} components"
        marker, colour = ("o", VERMILION) if kind == "simulated" else ("s" if decisive else "v", BLUE)
        axes.errorbar(
            [point.n_events for point in group],
            [point.uncertainty for point in group],
            [point.error for point in group],
            fmt=marker,
            markersize=5,
            color=colour,
            markerfacecolor=BLUE if kind == "generated" and decisive else "white",
            elinewidth=1.2,
            capsize=2,
            zorder=4,
            label=f"{kind}, against the truth: {test}",
        )


def _draw_marks(axes: Axes, f: UncertaintyFigure) -> None:
    """Mark the star and n_required."""
    if math.isfinite(f.n_star):
        symbol = "n_train" if f.n_train is not None else "n_equivalent"
        axes.plot(
            f.n_star,
            f.star,
            marker="*",
            markersize=15,
            color=YELLOW,  # the black rim shows it in print
            markeredgecolor=INK,
            linestyle="none",
            zorder=5,
            label=f"inherited from {symbol} = {count(f.n_star)}",
        )
    axes.axvline(f.n_required, color=INK, linewidth=1, linestyle="-.", zorder=1)
    axes.annotate(
        f"n_required {count(f.n_required)}",
        (f.n_required, 1),
        (3, -3),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        va="top",
        fontsize=SMALL,
        color=INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )


def _title(f: UncertaintyFigure) -> str:
    simulated, generated, lower, upper = (
        f"{100 * f.at_required(name):#.3g}".removesuffix(".")
        for name in ("simulation_total", "generated_total", "generated_least", "generated_most")
    )
    return (
        f"{short(f.title, 80)}\n"
        f"at n_required the uncertainty is {simulated} % simulated, {generated} % ({lower} to {upper} %) generated"
    )


def _range(worth: Interval) -> str:
    return f"{count(worth.lower)} to {count(worth.upper)}"


def _unit(probability: float) -> str:
    if probability == 1:
        return "uncertainty, relative to that of one event"
    return f"relative uncertainty of a bin with 1/{1 / probability:.4g} of the events"
