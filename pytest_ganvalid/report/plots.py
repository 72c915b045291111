"""A comparison as a picture: both histograms over what was binned, their ratio and the local bias.

Of a pair of columns it is a map of the local bias with both marginals, of two numbers what is allowed. A picture
is made of the comparison alone, so that it can be drawn again from a report that was stored.

Uses matplotlib's objects only, never pyplot, so that figures and settings of the tests are left alone.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import printable
from pytest_ganvalid.histograms.bins import Axis as BinnedAxis
from pytest_ganvalid.report.layout import wrapped
from pytest_ganvalid.report.measures import decision
from pytest_ganvalid.report.regions import with_unit
from pytest_ganvalid.report.style import (
    BLUE,
    FILL,
    GREEN,
    HATCH,
    INK,
    NORMAL,
    SHADE,
    SMALL,
    VERMILION,
    default_style,
    tidy,
    without_frame,
)
from pytest_ganvalid.results import RATES, AnalysisComparison, Axis, Comparison, EstimateComparison
from pytest_ganvalid.statistics.reasons import count, measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = NDArray[np.floating[Any]]

OPEN = "open bins: % of each"
"""What hatched bins are, in a legend."""
MAX_WITH_MARKERS = 200
MAX_DRAWN = 2_000
_GROUPS = 300
_LOG_AXIS_RATIO = 30  # ratio of largest to smallest content from which a logarithmic axis tells more
_LOG_SCALE_RATIO, _LOG_WIDTH_RATIO = 30.0, 5.0  # of edges and of widths, from which a logarithmic scale shows more
_WIDTHS_PER_RANGE = 20  # the range of a histogram over the width that an open bin, or one without edges, is drawn with
_VISIBLE_SHARE = 0.9  # share of the bins whose ratio is to be in view
_POINT_WIDTH = 2e-4  # of the range of a histogram, below which a bin is of a single value
_MAX_ANNOTATIONS = 6  # bins without a density, at most
_MAX_LETTERS = 60  # letters of names below an axis
_MAX_TITLE, _MAX_DENSITY, _MAX_NAME = 34, 14, 24  # letters of a name below an axis, beside it, and in a legend
_DENSITY_LETTERS = 26  # beside an axis
_TITLE_COLUMNS, _TITLE_LINES = 78, 2
_REGULAR = 1e-6  # relative difference of widths that are one
_COLUMNS = ("generated", "generated_errors", "reference", "reference_errors", "bias")
_COLOURS = 256


def png(name: str, comparison: Comparison | EstimateComparison) -> bytes:
    """Draw a comparison as a PNG file, 1120 pixels wide in 256 colours (two fifths of the bytes, no less sharp).

    Args:
        name: The observable.
        comparison: What was compared.

    Returns:
        The content of the file, the same whatever matplotlib style the tests or the user have chosen.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    with default_style("a plot"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from PIL import Image

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

    figure = Figure(figsize=(5.6, 5.2 if isinstance(comparison, Comparison) else 4.2), dpi=200, layout="constrained")
    if isinstance(comparison, Comparison):
        title = _draw_histograms(figure, name, comparison)
    else:
        title = _draw_estimates(figure, name, comparison)
    figure.suptitle(title, x=0.01, ha="left", fontsize=NORMAL, parse_math=False)
    return figure


def _draw_histograms(figure: Figure, name: str, comparison: Comparison) -> str:
    """Draw contents, their ratio and the local bias above each other, or a map of a pair; return the title."""
    cells = map_of(comparison)
    if cells is not None:
        _draw_map(figure, comparison, cells)
        return _title(name, comparison)
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=(5, 3, 3))
    bins = Bins.to_draw(comparison)
    _draw_contents(top, comparison, bins)
    _draw_ratio(middle, comparison, bins)
    _draw_bias(bottom, comparison, bins)
    _draw_scale(bottom, bins.scale)
    title = _title(name, comparison)
    if bins.positions.size < bins.total:
        title += f"\n(drawn: {bins.positions.size:,} of {bins.total:,} bins, all extremes among them)"
    return title


def _draw_estimates(figure: Figure, name: str, c: EstimateComparison) -> str:
    """Draw the numbers with their errors, and the limits of the bias, around the reference; return the title.

    The axis is generated minus reference in error bars of n_required events.
    """
    axes = figure.subplots()
    axes.axvspan(-c.max_bias, c.max_bias, color=SHADE, linewidth=0, zorder=0)
    axes.axvline(0, color=INK, linewidth=0.4, linestyle=":")
    difference = c.difference / c.required_error
    points = (("reference", c.reference, 0.0, INK), ("generated", c.generated, difference, BLUE))
    for row, (_, estimate, value, colour) in enumerate(points):
        axes.errorbar(value, row, xerr=estimate.error / c.required_error, fmt="o", markersize=4, color=colour)
        _write(axes, measured(estimate), (value, row))
    reach = _draw_limits(axes, c, difference)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(2.5, -0.5)
    axes.set_yticks(range(3), [*(label for label, *_ in points), "limits of\nthe bias"], fontsize=SMALL)
    unit = f"error bars of {count(c.n_required)} events"
    if isinstance(c, AnalysisComparison):
        unit = f"uncertainties of {short(c.parameter, _MAX_NAME)}"
    axes.set_xlabel(
        f"generated - reference, in {unit}, {c.required_error:.3g}; shaded: allowed, ±{c.max_bias:g}",
        fontsize=SMALL,
        parse_math=False,
    )
    axes.tick_params(labelsize=SMALL)
    without_frame(axes)
    return _title(name, c)


def _draw_limits(axes: Axes, c: EstimateComparison, difference: float) -> float:
    """Draw from the lower to the upper limit, on the side of the estimate; return how far the axis must reach."""
    errors = max(c.generated.error, c.reference.error) / c.required_error
    side = -1 if difference < 0 else 1
    lower, upper = side * c.bias.lower, side * c.bias.upper
    axes.plot([lower, upper], [2, 2], color=VERMILION, linewidth=2, marker="|")
    _write(axes, f"{c.bias.lower:.3g} to {c.bias.upper:.3g} in magnitude", ((lower + upper) / 2, 2))
    return 1.3 * max(c.max_bias, abs(difference) + errors, c.bias.upper)


def _write(axes: Axes, words: str, position: tuple[float, float]) -> None:
    axes.annotate(words, position, (0, 7), textcoords="offset points", ha="center", fontsize=SMALL)


@dataclass(frozen=True, slots=True)
class Scale:
    """The horizontal axis of a histogram: where its bins lie.

    Attributes:
        edges: Borders of the bins that are compared, increasing, one more than these.
        title: What is binned, with its unit.
        density: Name of the density, with its unit; empty where bins have no width.
        logarithmic: Whether widths grow with the values.
        names: Position of a bin without edges -> its name.
        open: Positions of the bins that have one end only, or are joined to such: they have no density.
        order: Position of each bin in the contents, in which bins that no quantiles bound come last.
    """

    edges: FloatArray
    title: str
    order: NDArray[np.int64]
    density: str = ""
    logarithmic: bool = False
    names: Mapping[int, str] = field(default_factory=dict)
    open: tuple[int, ...] = ()

    @classmethod
    def of(cls, c: Comparison) -> Scale:
        """Lay out the bins of a comparison: by their edges or names or, where they have none, by their number."""
        axis = c.axes[0] if len(c.axes) == 1 else None
        bins = len(c.contents.bias)
        size = 0 if axis is None else _size(axis)
        merged = np.array(c.contents.merged or range(bins))
        starts = np.flatnonzero(np.diff(merged, prepend=merged[0] - 1))  # bins that are joined are neighbours
        one_to_one = size == merged.size and np.array_equal(np.sort(merged[starts]), np.arange(bins))
        if axis is None or not one_to_one:
            cells = f", cells of {', '.join(short(axis.title, _MAX_NAME) for axis in c.axes)}" if c.axes[1:] else ""
            return cls(np.arange(bins + 1.0) - 0.5, f"bin number ({_bins_in_words(c)}{cells})", np.arange(bins))
        if len(axis.edges) < 2 or c.name.endswith(RATES):  # noqa: PLR2004 - no bin has a width, or none that matters
            names = dict(enumerate(_names(axis, [*starts, size])))
            return cls(np.arange(bins + 1.0) - 0.5, short(axis.title, _MAX_TITLE), merged[starts], names=names)
        return cls._of_edges(c, axis, merged, starts)

    def spans(self, positions: Sequence[int]) -> list[tuple[float, float]]:
        """Return from where to where some bins lie, given by their positions in the contents.

        Bins of single values are drawn beside all others, wherever on the axis they lie.
        """
        inside = np.flatnonzero(np.isin(self.order, positions))
        parts = np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)
        return [(float(self.edges[part[0]]), float(self.edges[part[-1] + 1])) for part in parts]

    @classmethod
    def _of_edges(cls, c: Comparison, axis: Axis, merged: NDArray[np.int64], starts: NDArray[np.intp]) -> Scale:
        """Lay bins out by their edges, and those without on the right of them."""
        edges = np.array(axis.edges)
        low, high = edges[1] - edges[0], edges[-1] - edges[-2]
        logarithmic = bool(edges[0] > 0 and edges[-1] > _LOG_SCALE_RATIO * edges[0] and high > _LOG_WIDTH_RATIO * low)
        step = (edges[-1] - edges[0]) / _WIDTHS_PER_RANGE
        ends = edges[0] - step, edges[-1] + step
        if logarithmic:
            factor = (edges[-1] / edges[0]) ** (1 / _WIDTHS_PER_RANGE)
            ends = edges[0] / factor, edges[-1] * factor
        borders = [*([ends[0]] * axis.underflow), *edges, *([ends[1]] * axis.overflow)]
        inner = len(borders) - 1
        borders += [borders[-1] + step * (i + 1) for i in range(len(axis.values))]
        drawn = np.append(np.array(borders)[starts], borders[-1])
        names = {i: axis.values[k - inner] for i, k in enumerate(starts) if k >= inner}
        last = int(np.searchsorted(starts, inner)) - 1  # of the bins that have an edge
        joined = starts.size > 1 and starts[1] > 1, starts[last] < inner - 1
        # What is joined to a bin that a user gave, or to one of a single value, is next to nothing.
        points = _is_point(edges, logarithmic=logarithmic)
        closed = _is_regular(edges) or points[0], _is_regular(edges) or points[-1]
        is_open = [axis.underflow and not (joined[0] and closed[0]), axis.overflow and not (joined[1] and closed[1])]
        if axis.underflow and not is_open[0]:
            drawn[0] = edges[0]
        if axis.overflow and not is_open[1] and not axis.values:
            drawn[-1] = edges[-1]
        unit = f"1/{axis.unit}" if axis.unit else ""
        return cls(
            drawn,
            f"{short(axis.title, _MAX_TITLE)}  ({_bins_in_words(c)}{_open_in_words(axis)})",
            merged[starts],
            density=f"1/N dN/d({short(axis.label, _MAX_DENSITY)})" + (f" [{unit}]" if unit else ""),
            logarithmic=logarithmic,
            names=names,
            open=tuple(position for position, has_one_end in zip((0, last), is_open, strict=True) if has_one_end),
        )


def _size(axis: Axis) -> int:
    inner = len(axis.edges) - 1 if axis.edges else 0
    return inner + axis.underflow + axis.overflow + len(axis.values)


def _open_in_words(axis: Axis) -> str:
    if axis.underflow and axis.overflow:
        return "; both ends open"
    return "; the first open" if axis.underflow else "; the last open" if axis.overflow else ""


def _is_regular(edges: FloatArray) -> bool:
    """Tell whether bins have one width, or one ratio of their edges, as those cut at quantiles have not."""
    widths = np.diff(edges)
    ratios = edges[1:] / edges[:-1] if edges[0] > 0 else widths
    return any(np.ptp(sizes) <= _REGULAR * float(sizes.max()) for sizes in (widths, ratios))


def _is_point(edges: FloatArray, *, logarithmic: bool) -> NDArray[np.bool_]:
    """Tell which bins are too narrow to be seen, as those of a single value are."""
    widths = np.diff(np.log(edges) if logarithmic else edges)
    return np.asarray(widths < _POINT_WIDTH * widths.sum())


def _names(axis: Axis, starts: Sequence[int]) -> list[str]:
    """Name runs of neighbouring bins of an axis, given where each begins and where the last one ends."""
    binned, inner = BinnedAxis(axis.edges, (), axis.underflow, axis.overflow), _size(axis) - len(axis.values)
    return [
        axis.values[start - inner] if start >= inner else binned.label(int(start), int(stop) - 1)
        for start, stop in pairwise(starts)
    ]


def _bins_in_words(c: Comparison) -> str:
    merged = f", {c.merged_bins:,} joined" if c.merged_bins else ""
    return f"{c.bins:,} bins{merged}"


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins that are drawn, out of ``total``; all arrays have their number.

    Attributes:
        positions: Of the bins that are drawn among all bins, increasing.
        scale: Where the bins lie.
        edges: The borders between the bins, one more than these.
        total: Number of bins compared.
        generated: Fractions, then ``generated_errors``; likewise ``reference`` and ``bias``.
    """

    positions: NDArray[np.int64]
    scale: Scale
    edges: FloatArray
    total: int
    generated: FloatArray
    generated_errors: FloatArray
    reference: FloatArray
    reference_errors: FloatArray
    bias: FloatArray
    bias_errors: FloatArray

    @classmethod
    def to_draw(cls, c: Comparison, max_bins: int = MAX_DRAWN, groups: int = _GROUPS) -> Bins:
        """Choose the bins to draw: all, or of more than ``max_bins`` the extremes of so many groups."""
        scale = Scale.of(c)
        columns = {name: np.array(getattr(c.contents, name))[scale.order] for name in _COLUMNS}
        generated, reference, bias = columns["generated"], columns["reference"], columns["bias"]
        chosen = np.arange(bias.size)
        if bias.size > max_bins:
            chosen = np.union1d(extremes([generated, reference, bias], groups), np.array(scale.open, dtype=np.int64))
        middle = (
            scale.edges[chosen[1:]]
            if bias.size <= max_bins
            else (scale.edges[chosen[1:]] + scale.edges[chosen[:-1] + 1]) / 2
        )
        return cls(
            positions=chosen,
            scale=scale,
            edges=np.concatenate([scale.edges[:1], middle, scale.edges[-1:]]),
            total=bias.size,
            bias_errors=_bias_errors(columns, c.n_required)[chosen],
            **{name: column[chosen] for name, column in columns.items()},
        )

    @property
    def centres(self) -> FloatArray:
        """Where the points of the bins are drawn."""
        low, high = self.scale.edges[self.positions], self.scale.edges[self.positions + 1]
        return np.sqrt(low * high) if self.scale.logarithmic else (low + high) / 2

    @property
    def widths(self) -> FloatArray:
        """Divisors of the contents: widths, NaN of a single value, an open bin and one without edges; or 1 of all."""
        if not self.scale.density:
            return np.ones(self.positions.size)
        widths = np.diff(self.scale.edges)[self.positions]
        without = [*self.scale.names, *self.scale.open]
        points = _is_point(self.scale.edges, logarithmic=self.scale.logarithmic)
        undefined = np.isin(self.positions, without) | points[self.positions]
        return np.where(undefined, np.nan, widths)


@dataclass(frozen=True, slots=True)
class Cells:
    """The rectangles of a pair of columns.

    Attributes:
        corners: Left, right, bottom and top of each rectangle, shape (4, cells).
        bias: Local bias of the bin that each rectangle was joined to.
        generated: Fraction in each rectangle; where rectangles were joined, in equal parts.
        reference: Likewise.
        titles: Of both axes.
        bin_of: The bin that each rectangle was joined to, by its position among the bins that are compared.
        closed: Along each axis, from where to where no rectangle, or hardly any, is open.
    """

    corners: FloatArray
    bias: FloatArray
    generated: FloatArray
    reference: FloatArray
    titles: tuple[str, str]
    bin_of: NDArray[np.int64]
    closed: tuple[tuple[float, float], tuple[float, float]]

    @property
    def open_rim(self) -> bool:
        """Whether a rectangle reaches beyond the edges."""
        ends = zip(self.corners[::2], self.corners[1::2], self.closed, strict=True)
        return any(start.min() < low or stop.max() > high for start, stop, (low, high) in ends)


def map_of(c: Comparison) -> Cells | None:
    """Lay out the bins of a pair of columns as rectangles; ``None`` if these are not such."""
    axes = c.axes
    if len(axes) < 2 or any(len(axis.edges) < 1 or axis.values for axis in axes):  # noqa: PLR2004
        return None
    x, across = axes[0], axes[1:]
    rows = across * _size(x) if len(across) == 1 else across
    if len(rows) != _size(x):
        return None
    sides = _borders([x])[0]
    heights = _borders(rows)
    corners = [
        (sides[i], sides[i + 1], bottom, top) for i, borders in enumerate(heights) for bottom, top in pairwise(borders)
    ]
    merged = np.array(c.contents.merged or range(len(c.contents.bias)))
    if len(corners) != merged.size:
        return None
    parts = np.bincount(merged)
    generated, reference = (np.array(contents) / parts for contents in (c.contents.generated, c.contents.reference))
    titles = x.title, across[0].title
    bias = np.array(c.contents.bias)[merged]
    closed = _closed([x]), _closed(rows)
    return Cells(np.array(corners).T, bias, generated[merged], reference[merged], titles, merged, closed)


def _ends(axes: Sequence[Axis]) -> tuple[float, float]:
    """Return the first and the last edge of axes of one scale."""
    return min(axis.edges[0] for axis in axes), max(axis.edges[-1] for axis in axes)


def _closed(axes: Sequence[Axis]) -> tuple[float, float]:
    """Return from where to where all axes of one scale have edges or, if that is little of it, any of them has."""
    low, high = max(axis.edges[0] for axis in axes), min(axis.edges[-1] for axis in axes)
    first, last = _ends(axes)
    return (low, high) if high - low > (last - first) / 2 else (first, last)


def _borders(axes: Sequence[Axis]) -> list[FloatArray]:
    """Return the borders along axes of one scale, open bins reaching a tenth beyond all edges."""
    low, high = _ends(axes)
    reach = (high - low) / 10 or abs(high) / 10 or 1.0
    return [np.array([*([low - reach] * a.underflow), *a.edges, *([high + reach] * a.overflow)]) for a in axes]


def _draw_map(figure: Figure, c: Comparison, cells: Cells) -> None:
    """Draw the local bias of each cell of a pair of columns, and both marginals of it."""
    from matplotlib.collections import PatchCollection
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    grid = figure.add_gridspec(2, 3, width_ratios=(16, 4, 1), height_ratios=(1, 4))
    axes = figure.add_subplot(grid[1, 0])
    left, right, bottom, top = cells.corners
    patches = [
        Rectangle((x, y), width, height)
        for x, y, width, height in zip(left, bottom, right - left, top - bottom, strict=True)
    ]
    reach = max(1.0, float(np.abs(cells.bias).max()))
    colours = LinearSegmentedColormap.from_list("bias", [BLUE, "white", VERMILION])
    collection = PatchCollection(patches, cmap=colours, edgecolor="white", linewidth=0.5)
    collection.set_array(cells.bias)
    collection.set_clim(-reach, reach)
    axes.add_collection(collection)
    axes.set_xlim(left.min(), right.max())
    axes.set_ylim(bottom.min(), top.max())
    axes.set_xlabel(
        f"{short(cells.titles[0], _MAX_TITLE)}  ({_bins_in_words(c)}{'; those at the rim open' * cells.open_rim})",
        fontsize=SMALL,
        parse_math=False,
    )
    axes.set_ylabel(short(cells.titles[1], _MAX_TITLE), fontsize=SMALL, parse_math=False)
    axes.tick_params(labelsize=SMALL)
    if c.robust_region is not None:
        robust = np.isin(cells.bin_of, c.inside(c.robust_region))
        inside = [patch for patch, here in zip(patches, robust, strict=True) if here]
        axes.add_collection(PatchCollection(inside, facecolor="none", edgecolor=GREEN, linewidth=1.5))
        axes.plot([], [], "s", markersize=7, markerfacecolor="none", color=GREEN, label="ROBUST by itself")
    worst = int(np.argmax(np.abs(cells.bias)))
    centre = (left[worst] + right[worst]) / 2, (bottom[worst] + top[worst]) / 2
    axes.plot(*centre, "o", markersize=9, markerfacecolor="none", color="white", markeredgewidth=3)
    label = f"worst: {short(c.worst_bins[0].label, _MAX_TITLE)}, {cells.bias[worst]:+.3g}"
    axes.plot(*centre, "o", markersize=9, markerfacecolor="none", color=INK, label=label)
    _draw_marginal(figure.add_subplot(grid[0, 0], sharex=axes), cells, upright=False)
    _draw_marginal(figure.add_subplot(grid[1, 1], sharey=axes), cells, upright=True)
    if cells.open_rim:
        corner = figure.add_subplot(grid[0, 1:])
        corner.set_axis_off()
        words = "hatched: open,\n% of reference\nand generated"
        corner.text(0, 0.5, words, fontsize=SMALL, va="center", in_layout=False)
    bar = figure.colorbar(collection, cax=figure.add_subplot(grid[1, 2]))
    bar.set_label(f"local bias [error bars of {count(c.n_required)} events]", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    tidy(axes)


def _draw_marginal(axes: Axes, cells: Cells, *, upright: bool) -> None:
    """Draw the distribution along one axis, each cell spread evenly over its rectangle, and the shares beyond it."""
    ends, (low, high) = cells.corners[2:] if upright else cells.corners[:2], cells.closed[upright]
    outside = (float(ends.min()), low), (high, float(ends.max()))
    borders = np.unique(np.clip(ends, low, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        cumulative = np.clip((borders[:, None] - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0)
    orientation: Any = "horizontal" if upright else "vertical"
    reference, generated = (cumulative @ shares for shares in (cells.reference, cells.generated))
    if borders.size > 1:
        densities = [np.diff(contents) / np.diff(borders) for contents in (reference, generated)]
        axes.stairs(densities[0], borders, orientation=orientation, fill=True, color=FILL)
        axes.stairs(densities[1], borders, orientation=orientation, baseline=None, color=BLUE, linewidth=1)
    below, above = (reference[0], generated[0]), (1 - reference[-1], 1 - generated[-1])
    for (start, stop), shares in zip(outside, (below, above), strict=True):
        if start < stop:
            words = [f"{100 * share:.3g}" for share in shares]
            _hatch(axes, (start, (start + stop) / 2, stop), words, upright=upright)
    axes.tick_params(labelsize=SMALL, labelbottom=False, labelleft=False, left=upright, bottom=not upright)
    without_frame(axes)


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
    positions = [
        start + pick(column[start:stop])
        for column in columns
        for start, stop in pairwise(borders)
        for pick in (np.argmin, np.argmax)
    ]
    return np.unique(np.array(positions, dtype=np.int64))


def _draw_contents(axes: Axes, c: Comparison, bins: Bins) -> None:
    """Draw the reference filled, and the generated sample as points; say how much is in bins that have no density."""
    widths = bins.widths
    reference, generated = bins.reference / widths, bins.generated / widths
    logarithmic = _choose_scale(axes, np.concatenate([reference, generated]))
    baseline = axes.get_ylim()[0] if logarithmic else 0.0
    label = f"reference, {count(c.n_reference)} events"
    axes.stairs(reference, bins.edges, baseline=baseline, fill=True, color=FILL, label=label)
    axes.stairs(reference, bins.edges, baseline=None, color=INK, linewidth=0.8)
    _draw_points(axes, bins, generated, bins.generated_errors / widths, f"generated, {count(c.n_generated)} events")
    words = []
    for i in np.flatnonzero(np.isnan(widths) & ~np.isin(bins.positions, bins.scale.open)):
        name = bins.scale.names.get(int(bins.positions[i])) or f"at {bins.centres[i]:.4g}"
        shares = (f"{100 * share:.3g} %" for share in (bins.reference[i], bins.generated[i]))
        words.append(f"{' and '.join(shares)} {short(name, 24)}")
    rest = [f"and {len(words) - _MAX_ANNOTATIONS} more"] * (len(words) > _MAX_ANNOTATIONS)
    right = [bins.scale.edges[position] for position in bins.scale.open if position > 0]
    end = right[0] if right else bins.scale.edges[-1]
    text = axes.text(end, 0.95, "\n".join(words[:_MAX_ANNOTATIONS] + rest) + " ", fontsize=SMALL, ha="right", va="top")
    text.set(transform=axes.get_xaxis_transform(), parse_math=False, in_layout=False)
    _draw_open_bins(axes, bins)
    density = bins.scale.density
    if len(density) > _DENSITY_LETTERS:
        density = density.replace(" [", "\n[")
    axes.set_ylabel(density or "fraction of events", fontsize=SMALL, parse_math=False)
    tidy(axes)


def _draw_open_bins(axes: Axes, bins: Bins) -> None:
    """Hatch the bins that have one end only, and write the shares of both samples into them: they have no height."""
    for i, position in enumerate(bins.scale.open):
        index = int(np.searchsorted(bins.positions, position))
        low, high = bins.scale.edges[position : position + 2]
        words = [f"{100 * side[index]:.3g} %" for side in (bins.reference, bins.generated)]
        _hatch(axes, (low, bins.centres[index], high), words, OPEN if i == 0 else "_")


def _hatch(
    axes: Axes, place: tuple[float, float, float], words: Sequence[str], label: str = "_", *, upright: bool = False
) -> None:
    """Hatch a panel from one value to another, and write words on both samples across it.

    Args:
        axes: The panel.
        place: From where, where to write, and to where.
        words: On the reference, then on the generated sample.
        label: For the legend.
        upright: Whether the values are on the vertical axis.
    """
    start, centre, stop = place
    span = axes.axhspan if upright else axes.axvspan
    span(start, stop, facecolor="none", edgecolor=HATCH, hatch="////", linewidth=0, zorder=0, label=label)
    for word, height, colour in zip(words, (0.27, 0.73), (INK, BLUE), strict=True):
        text = axes.text(*((height, centre) if upright else (centre, height)), word, fontsize=SMALL, color=colour)
        text.set(rotation=0 if upright else 90, ha="center", va="center", in_layout=False)
        text.set_transform(axes.get_yaxis_transform() if upright else axes.get_xaxis_transform())
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.5})


def _draw_ratio(axes: Axes, c: Comparison, bins: Bins) -> None:
    """Draw generated over reference, with its errors and the error bars that n_required events would have."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = bins.generated / bins.reference
        relative = np.hypot(bins.generated_errors, np.abs(ratio) * bins.reference_errors) / np.abs(bins.reference)
        band = 1 / np.sqrt(c.n_required * np.maximum(bins.reference, 0.0))
    seen = np.isfinite(ratio) & (bins.reference > 0)
    distances = np.abs(ratio[seen] - 1) + relative[seen]
    typical = (
        np.quantile(np.concatenate([distances, np.minimum(band[seen], 1.0)]), _VISIBLE_SHARE) if seen.any() else 1.0
    )
    reach = float(np.clip(1.3 * typical, 0.02, 1.0))
    axes.fill_between(
        np.repeat(bins.edges, 2)[1:-1],
        np.repeat(1 - np.minimum(band, 9.0), 2),
        np.repeat(1 + np.minimum(band, 9.0), 2),
        color=SHADE,
        linewidth=0,
        zorder=0,
        label=f"error bars of {count(c.n_required)} events",
    )
    axes.axhline(1, color=INK, linewidth=0.6)
    _draw_points(axes, bins, np.where(seen, ratio, np.nan), np.where(seen, relative, np.nan), "")
    for sign, marker in ((1, "^"), (-1, "v")):
        beyond = seen & (sign * (ratio - 1) > reach)
        if beyond.any():
            heights = np.full(int(beyond.sum()), 1 + sign * 0.93 * reach)
            axes.plot(
                bins.centres[beyond],
                heights,
                marker,
                markersize=4,
                color=VERMILION,
                label="out of view" if sign > 0 else "_",
            )
    axes.set_ylim(1 - reach, 1 + reach)
    axes.set_ylabel("generated /\nreference", fontsize=SMALL)
    tidy(axes)


def _draw_bias(axes: Axes, c: Comparison, bins: Bins) -> None:
    reach = max(1.5, 1.15 * float(np.abs(bins.bias).max()))
    axes.axhspan(-1, 1, color=SHADE, linewidth=0, zorder=0, label="±1 error bar")
    axes.axhline(0, color=INK, linewidth=0.6)
    if c.max_local_bias <= reach:
        axes.axhline(c.max_local_bias, color=VERMILION, linewidth=1, linestyle="--", label="limit")
        axes.axhline(-c.max_local_bias, color=VERMILION, linewidth=1, linestyle="--")
    _draw_points(axes, bins, bins.bias, bins.bias_errors, "")
    _mark_regions(axes, c, bins.scale)
    _mark_worst(axes, c, bins)
    axes.set_ylim(-reach, reach)
    axes.set_ylabel(f"local bias\n[error bars of\n{count(c.n_required)} events]", fontsize=SMALL)
    tidy(axes)


def _draw_points(axes: Axes, bins: Bins, values: FloatArray, errors: FloatArray, label: str) -> None:
    """Draw a point for each bin, with its error and as wide as it is; of very many only the errors and steps."""
    markers = bins.total <= MAX_WITH_MARKERS
    low, high = bins.scale.edges[bins.positions], bins.scale.edges[bins.positions + 1]
    axes.errorbar(
        bins.centres,
        values,
        xerr=(bins.centres - low, high - bins.centres) if markers else None,
        yerr=errors,
        fmt="o" if markers else "none",
        markersize=2.5,
        color=BLUE,
        ecolor=BLUE,
        elinewidth=0.9 if markers else 0.4,
        alpha=1 if markers else 0.5,
        label=label or "_",
    )
    if not markers:
        axes.stairs(values, bins.edges, baseline=None, color=BLUE, linewidth=0.6)


def _draw_scale(axes: Axes, scale: Scale) -> None:
    """Say what is binned below the lowest panel; whole numbers stay whole."""
    axes.set_xlabel(scale.title, fontsize=SMALL, parse_math=False)
    if scale.logarithmic:
        axes.set_xscale("log")
    else:
        inner = scale.edges[1:-1]
        integer = inner.size > 0 and bool(np.all(np.mod(inner - 0.5, 1) == 0))
        if integer or not scale.density:
            axes.locator_params(axis="x", integer=True)
    axes.set_xlim(scale.edges[0], scale.edges[-1])
    if scale.names and not scale.density:
        axes.set_xticks(list(scale.names), [short(name, 18) for name in scale.names.values()], fontsize=SMALL)
        crowded = sum(len(name) for name in scale.names.values()) > _MAX_LETTERS
        axes.tick_params(axis="x", labelrotation=30 if crowded else 0)
    for label in axes.get_xticklabels():
        label.set_parse_math(bool(scale.density))


def _mark_worst(axes: Axes, c: Comparison, bins: Bins) -> None:
    worst = int(np.argmax(np.abs(bins.bias)))
    label = f"worst: {short(with_unit(c, c.worst_bins[0].label), _MAX_NAME)}, {bins.bias[worst]:+.3g}"
    axes.plot(
        bins.centres[worst], bins.bias[worst], "o", markersize=9, markerfacecolor="none", color=VERMILION, label=label
    )


def _mark_regions(axes: Axes, c: Comparison, scale: Scale) -> None:
    """Underline the largest region that is ROBUST by itself, and the smallest that are BIASED."""
    biased = [(region, "BIASED by itself" if i == 0 else "_") for i, region in enumerate(c.biased_regions)]
    robust = c.robust_region
    largest = [] if robust is None else [(robust, f"ROBUST: {short(with_unit(c, robust.label), _MAX_NAME)}")]
    for region, label in (*biased, *largest):
        colour = GREEN if region.robust else VERMILION
        height = 0.07 if region.robust else 0.02  # of the panel
        for i, ends in enumerate(scale.spans(c.inside(region))):
            legend = label if i == 0 else "_"
            axes.axvspan(*ends, height - 0.02, height + 0.02, color=colour, linewidth=0, zorder=3, label=legend)
            if region.robust:
                axes.axvspan(*ends, color=colour, alpha=0.1, linewidth=0, zorder=0)


def _choose_scale(axes: Axes, values: FloatArray) -> bool:
    """Go logarithmic where contents differ by orders of magnitude; negative ones stay visible. Tell whether it did."""
    axes.ticklabel_format(axis="y", useOffset=False, scilimits=(-9, 9))  # no "1e-5" where the legend is
    values = values[np.isfinite(values)]
    positive = values[values > 0]
    if not positive.size:
        return False
    minimum, maximum = float(positive.min()), float(positive.max())
    if maximum < _LOG_AXIS_RATIO * minimum:
        axes.set_ylim(min(0.0, 1.1 * float(values.min())), 1.1 * maximum)
        return False
    if values.min() < 0:
        axes.set_yscale("symlog", linthresh=10.0 ** np.floor(np.log10(maximum / 300)))
        return False
    axes.set_yscale("log")
    axes.set_ylim(minimum / 2, maximum * 2)
    return True


def _title(name: str, c: Comparison | EstimateComparison) -> str:
    """Say the verdict and, below, the test that decides as the terminal has it; else the first reason, or its head."""
    title = f"{short(name, 36)}: {c.verdict} at n_required {count(c.n_required)}"
    lines = wrapped(printable(decision(c) or next(iter(c.reasons), "")), columns=_TITLE_COLUMNS)
    rest = " …" if len(lines) > _TITLE_LINES else ""
    return "\n".join([title, *lines[:_TITLE_LINES]]) + rest


def short(text: str, length: int) -> str:
    """Bring a name to one line of at most ``length`` printable characters; the end of it names the stratum."""
    line = "".join(letter if letter.isprintable() else "?" for letter in text)
    head = length // 2
    return line if len(line) <= length else f"{line[:head]}…{line[len(line) - (length - head - 1) :]}"
