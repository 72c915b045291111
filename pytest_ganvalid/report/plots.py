"""A comparison as a picture: both histograms and, below them, the local bias; or two numbers and what is allowed.

Uses matplotlib's objects only, never pyplot, so that figures and settings of the tests are left alone.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import MissingExtraError
from pytest_ganvalid.results import Comparison, EstimateComparison
from pytest_ganvalid.statistics.reasons import count, measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

MAX_WITH_MARKERS = 200
MAX_DRAWN = 2_000
_GROUPS = 300
_WIDE = 30  # ratio of largest to smallest content from which a logarithmic axis tells more
_INK, _BLUE, _VERMILION, _SHADE = "#222222", "#0072B2", "#D55E00", "#E3E3E3"  # of Okabe and Ito, for all eyes
_SMALL, _NORMAL = 8, 10
_COLOURS = 64


def png(name: str, comparison: Comparison | EstimateComparison) -> bytes:
    """Draw a comparison as a PNG file, 1120 by 840 pixels in 64 colours (a third of the bytes, no less sharp).

    Args:
        name: The observable.
        comparison: What was compared.

    Returns:
        The content of the file, the same whatever matplotlib style the tests or the user have chosen.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    try:
        from matplotlib import style
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from PIL import Image
    except ModuleNotFoundError as error:
        feature, package, extra = "a plot", "matplotlib", "report"
        raise MissingExtraError(feature, package, extra) from error
    # A user's style must not leak in: with text.usetex, for one, the name of an observable is a program.
    with style.context("default"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph ")  # a name in letters that the font lacks
        canvas: Any = FigureCanvasAgg(draw(name, comparison))
        canvas.draw()
    picture, file = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"), io.BytesIO()
    picture.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        file, format="PNG", optimize=True
    )
    return file.getvalue()


def draw(name: str, comparison: Comparison | EstimateComparison) -> Figure:
    """Draw a comparison of two histograms or of two numbers."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 4.2), dpi=200, layout="constrained")
    if isinstance(comparison, Comparison):
        title = _draw_histograms(figure, name, comparison)
    else:
        title = _draw_estimates(figure, name, comparison)
    figure.suptitle(title, x=0.01, ha="left", fontsize=_NORMAL, parse_math=False)
    return figure


def _draw_histograms(figure: Figure, name: str, comparison: Comparison) -> str:
    """Draw contents in the upper panel, local bias in the lower, against the bin number; return the title."""
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    bins = _Bins.to_draw(comparison)
    _draw_contents(top, comparison, bins)
    _draw_bias(bottom, comparison, bins)
    bottom.set_xlabel(_bin_axis(comparison), fontsize=_SMALL)
    bottom.set_xlim(bins.edges[0], bins.edges[-1])
    bottom.xaxis.get_major_locator().set_params(integer=True)
    title = _title(name, comparison)
    if bins.at.size < bins.total:
        title += f"\n(drawn: {bins.at.size:,} of {bins.total:,} bins, all extremes among them)"
    return title


def _draw_estimates(figure: Figure, name: str, c: EstimateComparison) -> str:
    """Draw the numbers with their errors, and the limits of the bias, around the reference; return the title.

    The axis is generated minus reference in error bars of n_required events.
    """
    axes = figure.subplots()
    axes.axvspan(-c.max_bias, c.max_bias, color=_SHADE, linewidth=0, zorder=0)
    axes.axvline(0, color=_INK, linewidth=0.4, linestyle=":")
    at = c.difference / c.required_error
    points = (("reference", c.reference, 0.0, _INK), ("generated", c.generated, at, _BLUE))
    for row, (_, estimate, place, colour) in enumerate(points):
        axes.errorbar(place, row, xerr=estimate.error / c.required_error, fmt="o", markersize=4, color=colour)
        _write(axes, measured(estimate), (place, row))
    reach = _draw_limits(axes, c, at)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(2.5, -0.5)
    axes.set_yticks(range(3), [*(label for label, *_ in points), "limits of\nthe bias"], fontsize=_SMALL)
    axes.set_xlabel(
        f"generated - reference, in error bars of {count(c.n_required)} events, {c.required_error:.3g}; "
        f"shaded: allowed, ±{c.max_bias:g}",
        fontsize=_SMALL,
    )
    axes.tick_params(labelsize=_SMALL)
    _open(axes)
    return _title(name, c)


def _draw_limits(axes: Axes, c: EstimateComparison, at: float) -> float:
    """Draw from the lower to the upper limit, on the side of the estimate; return how far the axis must reach."""
    errors = max(c.generated.error, c.reference.error) / c.required_error
    side = -1 if at < 0 else 1
    least, most = side * c.bias.lower, side * c.bias.upper
    axes.plot([least, most], [2, 2], color=_VERMILION, linewidth=2, marker="|")
    _write(axes, f"{c.bias.lower:.3g} to {c.bias.upper:.3g} in magnitude", ((least + most) / 2, 2))
    return 1.3 * max(c.max_bias, abs(at) + errors, c.bias.upper)


def _write(axes: Axes, words: str, place: tuple[float, float]) -> None:
    axes.annotate(words, place, (0, 7), textcoords="offset points", ha="center", fontsize=_SMALL)


@dataclass(frozen=True, slots=True)
class _Bins:
    """The bins that are drawn, out of ``total``; all arrays have their number.

    Attributes:
        at: Their bin numbers, increasing.
        edges: The borders between them, one more.
        total: Number of bins compared.
        generated: Fractions, then ``generated_errors``; likewise ``reference`` and ``bias``.
    """

    at: NDArray[np.int64]
    edges: FloatArray
    total: int
    generated: FloatArray
    generated_errors: FloatArray
    reference: FloatArray
    reference_errors: FloatArray
    bias: FloatArray
    bias_errors: FloatArray

    @classmethod
    def to_draw(cls, c: Comparison) -> _Bins:
        """Choose the bins to draw: all, or of very many the extremes."""
        columns = {field.name: np.array(getattr(c.contents, field.name)) for field in fields(c.contents)}
        generated, reference, bias = columns["generated"], columns["reference"], columns["bias"]
        at = np.arange(bias.size) if bias.size <= MAX_DRAWN else extremes([generated, reference, bias], _GROUPS)
        return cls(
            at=at,
            edges=np.concatenate([[-0.5], (at[1:] + at[:-1]) / 2, [bias.size - 0.5]]),
            total=bias.size,
            bias_errors=_bias_errors(columns, c.n_required)[at],
            **{name: column[at] for name, column in columns.items()},
        )


def _bias_errors(columns: Mapping[str, FloatArray], n_required: float) -> FloatArray:
    """Statistical errors of the local biases, for the sizes of the samples at hand."""
    content = columns["generated"] + columns["reference"]
    variance = columns["generated_errors"] ** 2 + columns["reference_errors"] ** 2
    return np.sqrt(2 * n_required * np.divide(variance, content, out=np.zeros_like(content), where=content > 0))


def extremes(columns: list[FloatArray], groups: int) -> NDArray[np.int64]:
    """Positions of the least and the largest value of each column in each of ``groups`` runs of neighbours.

    Args:
        columns: Each of shape (bins,).
        groups: Number of runs, at most the number of bins.

    Returns:
        Increasing positions, at most 2 len(columns) groups of them.
    """
    borders = np.linspace(0, columns[0].size, groups + 1).astype(np.int64)
    found = [
        start + pick(column[start:stop])
        for column in columns
        for start, stop in pairwise(borders)
        for pick in (np.argmin, np.argmax)
    ]
    return np.unique(np.array(found, dtype=np.int64))


def _draw_contents(axes: Axes, c: Comparison, bins: _Bins) -> None:
    for name, events, values, errors, colour, shift in (
        ("reference", c.n_reference, bins.reference, bins.reference_errors, _INK, -0.12),
        ("generated", c.n_generated, bins.generated, bins.generated_errors, _BLUE, 0.12),
    ):
        axes.stairs(
            values, bins.edges, baseline=None, color=colour, linewidth=1, label=f"{name}, {count(events)} events"
        )
        _draw_points(axes, bins, values, errors, colour, shift)
    _choose_scale(axes, np.concatenate([bins.reference, bins.generated]))
    axes.set_ylabel("fraction of events", fontsize=_SMALL)
    _tidy(axes)


def _draw_bias(axes: Axes, c: Comparison, bins: _Bins) -> None:
    reach = max(1.5, 1.15 * float(np.abs(bins.bias).max()))
    axes.axhspan(-1, 1, color=_SHADE, linewidth=0, zorder=0, label="±1 error bar")
    axes.axhline(0, color=_INK, linewidth=0.6)
    if c.max_local_bias <= reach:
        axes.axhline(c.max_local_bias, color=_VERMILION, linewidth=1, linestyle="--", label="limit")
        axes.axhline(-c.max_local_bias, color=_VERMILION, linewidth=1, linestyle="--")
    axes.stairs(bins.bias, bins.edges, baseline=None, color=_BLUE, linewidth=1)
    _draw_points(axes, bins, bins.bias, bins.bias_errors, _BLUE, 0.0)
    _mark_worst(axes, c, bins)
    axes.set_ylim(-reach, reach)
    axes.set_ylabel(f"local bias\nin error bars of\n{count(c.n_required)} events", fontsize=_SMALL)
    _tidy(axes)


def _draw_points(axes: Axes, bins: _Bins, values: FloatArray, errors: FloatArray, colour: str, shift: float) -> None:
    few = bins.total <= MAX_WITH_MARKERS
    axes.errorbar(
        bins.at + shift * few,
        values,
        yerr=errors,
        fmt="o" if few else "none",
        markersize=2.5,
        color=colour,
        ecolor=colour,
        elinewidth=0.9 if few else 0.4,
        alpha=1 if few else 0.5,
    )


def _mark_worst(axes: Axes, c: Comparison, bins: _Bins) -> None:
    worst = int(np.argmax(np.abs(bins.bias)))
    label = f"worst: {short(c.worst_bins[0].label, 33)}, {bins.bias[worst]:+.3g}"
    axes.plot(
        bins.at[worst], bins.bias[worst], "o", markersize=9, markerfacecolor="none", color=_VERMILION, label=label
    )


def _choose_scale(axes: Axes, values: FloatArray) -> None:
    """Go logarithmic where contents differ by orders of magnitude; negative ones stay visible."""
    axes.ticklabel_format(axis="y", useOffset=False, scilimits=(-9, 9))  # no "1e-5" where the legend is
    positive = values[values > 0]
    least, most = float(positive.min()), float(positive.max())
    if most < _WIDE * least:
        return
    if values.min() < 0:
        axes.set_yscale("symlog", linthresh=10.0 ** np.floor(np.log10(most / 300)))
    else:
        axes.set_yscale("log")
        axes.set_ylim(least / 2, most * 2)


def _tidy(axes: Axes) -> None:
    """Put the legend above the panel, where it hides no data."""
    axes.tick_params(labelsize=_SMALL)
    legend = axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.12, 0.98),
        ncols=3,
        frameon=False,
        fontsize=_SMALL,
        borderpad=0.2,
        columnspacing=1.2,
        handlelength=1.6,
        handletextpad=0.5,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    _open(axes)


def _open(axes: Axes) -> None:
    """Leave out the frame where there is nothing to read off."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _title(name: str, c: Comparison | EstimateComparison) -> str:
    return f"{short(name, 36)}: {c.verdict} at n_required {count(c.n_required)}"


def _bin_axis(c: Comparison) -> str:
    merged = f", {c.merged_bins:,} joined to neighbours" if c.merged_bins else ""
    return f"bin number ({c.bins:,} bins{merged})"


def short(text: str, length: int) -> str:
    """Bring a name to one line of at most ``length`` printable characters; the end of it names the stratum."""
    line = "".join(letter if letter.isprintable() else "?" for letter in text)
    head = length // 2
    return line if len(line) <= length else f"{line[:head]}…{line[len(line) - (length - head - 1) :]}"
