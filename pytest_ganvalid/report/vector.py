"""Plots as SVG elements of a page: of a comparison, small ones for an index, and figure 1 of the paper.

They hold no colour: each part has a class that the style sheet of the page gives a colour, light or dark, on a screen
or in print. They are drawn a hundred times faster than by matplotlib, as a page may have very many. Each has its
content in words as well, for those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import printable
from pytest_ganvalid.report.figure import UncertaintyFigure
from pytest_ganvalid.report.plots import OPEN, Bins, Cells, Scale, map_of, short
from pytest_ganvalid.report.regions import in_words, with_unit
from pytest_ganvalid.results import Comparison, EstimateComparison, at_most
from pytest_ganvalid.statistics.reasons import count, measured, rounded

FloatArray = NDArray[np.floating[Any]]
Drawable = Comparison | EstimateComparison

MAX_BINS, _GROUPS = 400, 100
_WIDTH, _LEFT, _MIDDLE, _RIGHT = 480, 62, 270, 470
_THUMB = (120, 48)
_LOG_AXIS_RATIO = 30  # ratio of largest to smallest content from which a logarithmic axis tells more
_VISIBLE_SHARE = 0.9  # share of the bins whose ratio is to be in view
_MAX_TICKS, _MAX_LETTERS = 5, 76
_MAX_CELLS = 40  # across and along, at most, that are drawn of a pair
_MAX_REGIONS = 3  # BIASED regions that are described
_MAX_LABELS = 5.0  # of a logarithmic axis
_MAX_NAME = 24  # letters, in a legend
_ROW = 16  # height of a line of a legend
_HATCH = 9  # distance of the lines of a hatch


def thumbnail(name: str, c: Drawable) -> str:
    """Draw the local bias of all bins, or the bias of a number, against what is allowed."""
    width, height = _THUMB
    if isinstance(c, EstimateComparison):
        reach = 1.3 * max(c.max_bias, min(c.bias.upper, 20 * c.max_bias))
        x = Axis(-reach, reach, 2, width - 2)
        side = -1 if c.difference < 0 else 1
        ends = [x(side * min(limit, reach)) for limit in (c.bias.lower, c.bias.upper)]
        parts = [
            _rect("band", x(-c.max_bias), 2, x(c.max_bias), height - 2),
            _line("axis", x(0), 2, x(0), height - 2),
            _line("generated thick", ends[0], height / 2, ends[1], height / 2),
            _circle("generated", x(side * min(c.bias.estimate, reach)), height / 2, 3.5),
        ]
        return _svg(width, height, parts, describe(name, c), "thumb")
    bias = np.array(c.contents.bias)
    if bias.size > width:  # the largest of neighbours, so that none is lost
        starts = np.linspace(0, bias.size, width, endpoint=False).astype(np.int64)
        highest, lowest = np.maximum.reduceat(bias, starts), np.minimum.reduceat(bias, starts)
        bias = np.where(highest > -lowest, highest, lowest)
    reach = max(1.5, 1.05 * float(np.abs(bias).max()))
    x, y = Axis(0, bias.size, 0, width), Axis(-reach, reach, height - 1, 1)
    parts = [
        _rect("band", 0, y(1), width, y(-1)),
        _line("axis", 0, y(0), width, y(0)),
        f'<path class="fill generated" d="{_steps(np.arange(bias.size + 1.0), bias, x, y, base=0)}"/>',
    ]
    if c.max_local_bias <= reach:
        parts += [_line("limit", 0, y(sign * c.max_local_bias), width, y(sign * c.max_local_bias)) for sign in (1, -1)]
    return _svg(width, height, parts, describe(name, c), "thumb")


def plot(name: str, c: Drawable) -> str:
    """Draw contents, ratio and local bias above each other; a map of a pair; or two numbers."""
    if isinstance(c, EstimateComparison):
        return _estimates(name, c)
    cells = map_of(c)
    if cells is not None and cells.bias.size <= _MAX_CELLS**2:
        return _map(name, c, cells)
    bins = Bins.to_draw(c, MAX_BINS, _GROUPS)
    edges = bins.scale.edges
    x = Axis(float(edges[0]), float(edges[-1]), _LEFT, _RIGHT, bins.scale.logarithmic)
    parts = [
        *_contents(c, bins, x, (24, 168)),
        *_ratio(c, bins, x, (196, 272)),
        *_bias(c, bins, x, (300, 376)),
        *_ticks_below(x, bins.scale, 376),
        _text(4, 412, short(bins.scale.title, _MAX_LETTERS)),
    ]
    entries = _legend(c, bins, beyond=any('class="beyond"' in part for part in parts))
    for i, (glyph, words) in enumerate(entries):
        left, top = (_LEFT, _MIDDLE)[i % 2], 424 + _ROW * (i // 2)
        parts += [*glyph(left, top), _text(left + 17, top + 9, words)]
    return _svg(_WIDTH, 426 + _ROW * math.ceil(len(entries) / 2), parts, describe(name, c), "plot")


def _legend(c: Comparison, bins: Bins, *, beyond: bool) -> list[tuple[Callable[[float, float], list[str]], str]]:
    """List what draws each sign, given its left and upper end, and what it is the sign of."""
    worst = c.worst_bins[0]
    entries: list[tuple[Callable[[float, float], list[str]], str]] = [
        (
            lambda left, top: [_circle("worst", left + 6, top + 5, 5)],
            f"worst: {short(with_unit(c, worst.label), _MAX_NAME)}, {worst.bias:+.3g}",
        )
    ]
    if beyond:
        entries.append((lambda left, top: [_triangle(left + 6, top + 5, 1)], "out of view"))
    if bins.scale.open:
        entries.append((lambda left, top: [_hatched(left, top, left + 12, top + 10)], OPEN))
    if c.robust_region is not None:
        label = f"ROBUST: {short(with_unit(c, c.robust_region.label), _MAX_NAME)}"
        entries.append((lambda left, top: [_rect("key robust", left, top + 3, left + 12, top + 7)], label))
    if c.biased_regions:
        entries.append((lambda left, top: [_rect("key biased", left, top + 3, left + 12, top + 7)], "BIASED by itself"))
    return entries


def describe(name: str, c: Drawable) -> str:
    """Say what a plot shows."""
    if isinstance(c, EstimateComparison):
        return (
            f"{name}: generated {measured(c.generated)}, reference {measured(c.reference)}; the bias is "
            f"{rounded(c.bias.lower)} to {rounded(c.bias.upper)} error bars of {count(c.n_required)} events, allowed "
            f"{c.max_bias:g}"
        )
    worst = c.worst_bins[0] if c.worst_bins else None
    largest = (
        f"; the largest local bias is {worst.bias:+.3g} error bars, in {with_unit(c, worst.label)}" if worst else ""
    )
    return (
        f"{name}: generated and reference distribution in {c.bins:,} bins, their ratio, and the local bias in error "
        f"bars of {count(c.n_required)} events{largest}; allowed {c.max_local_bias:g}{_strips(c)}"
    )


def _strips(c: Comparison) -> str:
    """Say what the marked regions are."""
    robust = "" if c.robust_region is None else f"; ROBUST by itself (marked): {in_words(c, c.robust_region)}"
    biased = [in_words(c, region) for region in c.biased_regions]
    rest = f" and {len(biased) - _MAX_REGIONS} more" if len(biased) > _MAX_REGIONS else ""
    return robust + (f"; BIASED by itself: {', '.join(biased[:_MAX_REGIONS])}{rest}" if biased else "")


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps values to positions on the page.

    Attributes:
        low: Value at ``start``.
        high: Value at ``end``.
        start: Position on the page, in pixels.
        end: Likewise.
        logarithmic: Whether equal ratios are equal distances.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: Any) -> Any:  # noqa: ANN401 - a number or an array of them
        """Return the position of a value, not beyond the ends by more than a pixel."""
        if self.logarithmic:
            low, high = math.log10(self.low), math.log10(self.high)
            value = np.log10(np.maximum(value, self.low * 1e-3))
        else:
            low, high = self.low, self.high
        share = np.clip((value - low) / (high - low or 1.0), -0.01, 1.01)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Choose a few round values."""
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            step = max(1, math.ceil((last - first) / _MAX_LABELS))
            return [10.0**power for power in range(first, last + 1, step)] or [self.low]
        rough = (self.high - self.low) / _MAX_TICKS or 1.0
        unit = 10.0 ** math.floor(math.log10(rough))
        width = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / width - 1e-9), math.floor(self.high / width + 1e-9)
        return [width * position for position in range(first, last + 1)]


def _contents(c: Comparison, bins: Bins, x: Axis, extent: tuple[int, int]) -> list[str]:
    """Draw the reference filled and the generated sample as steps with errors."""
    widths = bins.widths
    with np.errstate(invalid="ignore", divide="ignore"):
        reference, generated = bins.reference / widths, bins.generated / widths
        errors = bins.generated_errors / widths
    values = np.concatenate([reference, generated])
    values = values[np.isfinite(values)]
    positive = values[values > 0]
    if positive.size and values.min() >= 0 and positive.max() > _LOG_AXIS_RATIO * positive.min():
        y = Axis(float(positive.min()) / 2, float(positive.max()) * 2, extent[1], extent[0], logarithmic=True)
    else:
        maximum = float(values.max()) if values.size else 1.0
        y = Axis(min(0.0, 1.1 * float(values.min(initial=0.0))), 1.1 * maximum or 1.0, extent[1], extent[0])
    keys = (
        ("fill reference", f"reference, {count(c.n_reference)}"),
        ("line generated", f"generated, {count(c.n_generated)}"),
    )
    parts = [
        *_frame(y, extent, bins.scale.density or "fraction of events"),
        f'<path class="fill reference" d="{_steps(bins.edges, reference, x, y, base=y.low)}"/>',
        f'<path class="line generated" d="{_steps(bins.edges, generated, x, y)}"/>',
        _errors(bins.centres, generated, errors, x, y),
        *_open_bins(bins, x, extent),
    ]
    for position, (kind, words) in enumerate(keys):
        left = _RIGHT - 150 * (2 - position)
        parts += [_rect(kind, left, 2, left + 12, 10), _text(left + 17, 10, words)]
    return parts


def _open_bins(bins: Bins, x: Axis, extent: tuple[int, int]) -> list[str]:
    """Hatch the bins that have one end only, and write the shares of both samples into them: they have no height."""
    parts = []
    for position in bins.scale.open:
        index = int(np.searchsorted(bins.positions, position))
        left, right = (float(x(edge)) for edge in bins.scale.edges[position : position + 2])
        centre = float(x(bins.centres[index]))
        parts.append(_hatched(left, extent[0], right, extent[1]))
        for kind, share, height in (("reference", bins.reference, 0.73), ("generated", bins.generated, 0.27)):
            words, middle = f"{100 * share[index]:.3g} %", extent[0] + height * (extent[1] - extent[0])
            parts.append(_rect("paper", centre - 7, middle - 3.2 * len(words), centre + 7, middle + 3.2 * len(words)))
            parts.append(_upright(centre + 4, middle, words, f"share {kind}" if kind == "generated" else "share"))
    return parts


def _ratio(c: Comparison, bins: Bins, x: Axis, extent: tuple[int, int]) -> list[str]:
    """Draw generated over reference with the error bars that n_required events would have."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = bins.generated / bins.reference
        errors = np.hypot(bins.generated_errors, np.abs(ratio) * bins.reference_errors) / np.abs(bins.reference)
        band = 1 / np.sqrt(c.n_required * np.maximum(bins.reference, 0.0))
    seen = np.isfinite(ratio) & (bins.reference > 0)
    distances = np.concatenate([np.abs(ratio[seen] - 1) + errors[seen], np.minimum(band[seen], 1.0)])
    reach = float(np.clip(1.3 * np.quantile(distances, _VISIBLE_SHARE), 0.02, 1.0)) if seen.any() else 1.0
    y = Axis(1 - reach, 1 + reach, extent[1], extent[0])
    upper, lower = np.minimum(1 + band, 1 + reach), np.maximum(1 - band, 1 - reach)
    ratio, errors = np.where(seen, ratio, np.nan), np.where(seen, errors, np.nan)
    beyond = [
        _triangle(float(x(bins.centres[i])), float(y(1 + sign * 0.93 * reach)), sign)
        for sign in (1, -1)
        for i in np.flatnonzero(seen & (sign * (ratio - 1) > reach))
    ]
    return [
        f'<path class="band" d="{_band(bins.edges, lower, upper, x, y)}"/>',
        *_frame(y, extent, f"generated / reference; shaded: error bars of {count(c.n_required)} events"),
        _line("axis", _LEFT, y(1), _RIGHT, y(1)),
        f'<path class="line generated" d="{_steps(bins.edges, ratio, x, y)}"/>',
        _errors(bins.centres, ratio, errors, x, y),
        *beyond,
    ]


def _bias(c: Comparison, bins: Bins, x: Axis, extent: tuple[int, int]) -> list[str]:
    reach = max(1.5, 1.15 * float(np.abs(bins.bias).max()))
    y = Axis(-reach, reach, extent[1], extent[0])
    worst = int(np.argmax(np.abs(bins.bias)))
    limits = c.max_local_bias <= reach
    words = f"local bias in error bars of {count(c.n_required)} events; shaded: ±1"
    robust = [] if c.robust_region is None else [c.robust_region]
    strips = [
        _rect(
            f"strip {region.verdict.lower()}",
            x(left),
            extent[1] - (9 if region.robust else 4),
            x(right),
            extent[1] - up,
        )
        for region, up in (*((region, 6) for region in robust), *((region, 1) for region in c.biased_regions))
        for left, right in bins.scale.spans(c.inside(region))
    ]
    parts = [
        _rect("band", _LEFT, y(1), _RIGHT, y(-1)),
        *strips,
        *_frame(y, extent, f"{words}, dashed: limit" if limits else words),
        _line("axis", _LEFT, y(0), _RIGHT, y(0)),
        f'<path class="line generated" d="{_steps(bins.edges, bins.bias, x, y)}"/>',
        _errors(bins.centres, bins.bias, bins.bias_errors, x, y),
        _circle("worst", x(bins.centres[worst]), y(bins.bias[worst]), 6),
    ]
    if limits:
        parts += [_line("limit", _LEFT, y(s * c.max_local_bias), _RIGHT, y(s * c.max_local_bias)) for s in (1, -1)]
    return parts


def _map(name: str, c: Comparison, cells: Cells) -> str:
    """Draw the local bias of each cell of a pair of columns: the more opaque, the larger; two colours for the signs."""
    left, right, bottom, top = cells.corners
    x = Axis(float(left.min()), float(right.max()), _LEFT, _RIGHT)
    y = Axis(float(bottom.min()), float(top.max()), 330, 24)
    reach = max(1.0, float(np.abs(cells.bias).max()))
    parts = []
    for index, bias in enumerate(cells.bias):
        kind = "cell generated" if bias < 0 else "cell worse"
        box = x(left[index]), y(top[index]), x(right[index]), y(bottom[index])
        parts.append(_rect(kind, *box, opacity=abs(float(bias)) / reach))
    robust = () if c.robust_region is None else np.flatnonzero(np.isin(cells.bin_of, c.inside(c.robust_region)))
    parts += [_rect("within", x(left[i]), y(top[i]), x(right[i]), y(bottom[i])) for i in robust]
    worst = int(np.argmax(np.abs(cells.bias)))
    centre = x((left[worst] + right[worst]) / 2), y((bottom[worst] + top[worst]) / 2)
    parts += [
        *_frame(y, (24, 330), cells.titles[1]),
        *_ticks_below(x, None, 330),
        _text(
            _LEFT, 366, f"{short(cells.titles[0], 30)}  ({c.bins:,} bins{'; those at the rim open' * cells.open_rim})"
        ),
        _circle("halo", *centre, 6),
        _circle("ring", *centre, 6),
        _text(
            _LEFT, 384, f"colour: local bias in error bars of {count(c.n_required)} events, full at {rounded(reach)};"
        ),
        _rect("cell generated", _LEFT, 391, _LEFT + 12, 399),
        _text(_LEFT + 17, 399, "too few generated"),
        _rect("cell worse", _LEFT + 150, 391, _LEFT + 162, 399),
        _text(_LEFT + 167, 399, f"too many; circle: worst, {cells.bias[worst]:+.3g}"),
    ]
    if c.robust_region is not None:
        parts += [_rect("within", _LEFT, 407, _LEFT + 12, 415), _text(_LEFT + 17, 415, "ROBUST by itself")]
    return _svg(_WIDTH, 406 if c.robust_region is None else 422, parts, describe(name, c), "plot")


def _estimates(name: str, c: EstimateComparison) -> str:
    """Draw both numbers and the limits of the bias around the reference, in error bars of n_required events."""
    difference, side = c.difference / c.required_error, -1 if c.difference < 0 else 1
    errors = [estimate.error / c.required_error for estimate in (c.reference, c.generated)]
    reach = 1.3 * max(c.max_bias, abs(difference) + max(errors), c.bias.upper)
    x, rows = Axis(-reach, reach, _LEFT + 30, _RIGHT), (34, 68, 102)
    parts = [_rect("band", x(-c.max_bias), 12, x(c.max_bias), 124), _line("axis", x(0), 12, x(0), 124)]
    for label, value, error, row, kind in zip(
        ("reference", "generated"), (0.0, difference), errors, rows, ("ink", "generated"), strict=False
    ):
        estimate = c.reference if label == "reference" else c.generated
        parts += [
            _text(4, row + 4, label),
            _line(f"{kind} thick", x(value - error), row, x(value + error), row),
            _circle(kind, x(value), row, 4),
            _text(x(value), row - 8, measured(estimate), "middle"),
        ]
    ends = x(side * c.bias.lower), x(side * c.bias.upper)
    parts += [
        _text(4, rows[2] + 4, "limits of bias"),
        _line("worse thick", ends[0], rows[2], ends[1], rows[2]),
        *_ticks_below(x, None, 124),
        _text(4, 160, f"generated - reference, in error bars of {count(c.n_required)} events; shaded: allowed"),
    ]
    return _svg(_WIDTH, 168, parts, describe(name, c), "plot")


def figure1(figure: UncertaintyFigure) -> str:
    """Draw figure 1 of the paper: the total uncertainty of simulated and of generated events, and the star."""
    f = figure
    curves = (f.simulation_total, f.generated_least, f.generated_most, f.generated_total)
    values = [value for curve in curves for value in curve if 0 < value < math.inf]
    x = Axis(f.n_events[0], f.n_events[-1], _LEFT, _RIGHT, logarithmic=True)
    y = Axis(min(values) / 1.5, max(values) * 1.5, 270, 24, logarithmic=True)
    n_events = np.array(f.n_events)

    def curve(numbers: Sequence[float]) -> str:
        return "M" + "L".join(_points(x(n_events), y(np.array(numbers))))

    band = (
        curve(f.generated_least) + "L" + "L".join(_points(x(n_events[::-1]), y(np.array(f.generated_most[::-1])))) + "Z"
    )
    percent = f.probability < 1
    parts = [
        f'<path class="band" d="{band}"/>',
        *_frame(y, (24, 270), "relative uncertainty of a bin", (lambda v: f"{100 * v:g} %") if percent else None),
        f'<path class="line ink" d="{curve(f.simulation_total)}"/>',
        f'<path class="line generated" d="{curve(f.generated_total)}"/>',
        _line("limit", x(f.n_required), 24, x(f.n_required), 270),
        *_ticks_below(x, None, 270, _power),
        _text(_LEFT, 306, "number of events, simulated or generated; dashed: n_required"),
        _line("ink", _LEFT, 320, _LEFT + 14, 320),
        _text(_LEFT + 19, 324, "true simulation"),
        _line("generated", _LEFT + 130, 320, _LEFT + 144, 320),
        _text(_LEFT + 149, 324, "generated; shaded: limits of n_equivalent"),
    ]
    if math.isfinite(f.n_star):
        symbol = "n_train" if f.n_train is not None else "n_equivalent"
        parts += [_star(x(f.n_star), y(f.star), 9), _star(_LEFT + 7, 338, 7)]
        parts.append(_text(_LEFT + 19, 342, f"star: inherited from {symbol} = {count(f.n_star)}"))
    return _svg(_WIDTH, 350, parts, describe_figure1(f), "plot")


def describe_figure1(f: UncertaintyFigure) -> str:
    """Say what figure 1 shows."""
    simulated, generated, lower, upper = (
        f"{100 * f.at_required(name):.3g} %"
        for name in ("simulation_total", "generated_total", "generated_least", "generated_most")
    )
    star = ""
    if math.isfinite(f.n_star):
        symbol = "n_train" if f.n_train is not None else "n_equivalent"
        star = f" The star is at {symbol} = {count(f.n_star)}, where the uncertainty is {100 * f.star:.3g} %."
    worth = f"{at_most(f.n_equivalent.lower)} to {count(f.n_equivalent.upper)}"
    return (
        f"{f.title}: at n_required {count(f.n_required)} the relative uncertainty of a bin is {simulated} for "
        f"simulated events and {generated} for generated ones ({lower} to {upper}), which stop improving at "
        f"n_equivalent = {count(f.n_equivalent.estimate)} ({worth}).{star}"
    )


# Parts.


def _svg(width: float, height: float, parts: Iterable[str], words: str, kind: str) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{_safe(words)}">{"".join(parts)}</svg>'
    )


def _safe(words: str) -> str:
    return escape(printable(words))


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    attribute = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{attribute}>{_safe(words)}</text>'


def _upright(x: float, y: float, words: str, kind: str) -> str:
    """Write from below upwards, the middle at a place."""
    turn = f'transform="rotate(-90 {x:.1f} {y:.1f})" text-anchor="middle"'
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" {turn}>{_safe(words)}</text>'


def _triangle(x: float, y: float, sign: int) -> str:
    """Draw a triangle that points up, or down if the sign is negative."""
    return f'<path class="beyond" d="M{x - 4:.1f},{y + 3 * sign:.1f}H{x + 4:.1f}L{x:.1f},{y - 4 * sign:.1f}Z"/>'


def _hatched(left: float, top: float, right: float, bottom: float) -> str:
    """Draw parallel lines that rise to the right, within a rectangle."""
    offsets = np.arange(left + top + _HATCH / 2, right + bottom, _HATCH)  # x + y of each line
    starts, stops = np.maximum(left, offsets - bottom), np.minimum(right, offsets - top)
    lines = (
        f"M{a:.1f},{s - a:.1f}L{b:.1f},{s - b:.1f}"
        for s, a, b in zip(offsets.tolist(), starts.tolist(), stops.tolist(), strict=True)
    )
    return f'<path class="line hatch" d="{"".join(lines)}"/>'


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="line {kind}" d="M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}"/>'


def _rect(kind: str, left: float, top: float, right: float, bottom: float, opacity: float = 1.0) -> str:
    attribute = "" if opacity == 1 else f' fill-opacity="{opacity:.2f}"'
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{max(right - left, 0):.1f}" '
        f'height="{max(bottom - top, 0):.1f}"{attribute}/>'
    )


def _circle(kind: str, x: float, y: float, radius: float) -> str:
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'


def _star(x: float, y: float, radius: float) -> str:
    turns = [math.pi * k / 5 - math.pi / 2 for k in range(10)]
    radii = [radius, 0.42 * radius] * 5
    points = (f"{x + r * math.cos(t):.1f},{y + r * math.sin(t):.1f}" for r, t in zip(radii, turns, strict=True))
    return f'<path class="star" d="M{"L".join(points)}Z"/>'


def _frame(y: Axis, extent: tuple[int, int], words: str, formatter: Callable[[float], str] | None = None) -> list[str]:
    """Draw a vertical axis with its ticks, and say above it what it shows."""
    parts = [_line("axis", _LEFT, extent[0], _LEFT, extent[1]), _text(4, extent[0] - 6, short(words, _MAX_LETTERS))]
    if words.startswith(("1/N", "fraction")):  # the key stands beside it
        parts[1] = _text(4, extent[0] - 14, short(words, 26))
    for value in y.ticks():
        height = y(value)
        label = _tick_label(value) if formatter is None else formatter(value)
        parts += [_line("axis", _LEFT - 4, height, _LEFT, height), _text(_LEFT - 7, height + 4, label, "end")]
    return parts


def _ticks_below(x: Axis, scale: Scale | None, y: float, formatter: Callable[[float], str] | None = None) -> list[str]:
    """Draw a horizontal axis with its ticks, or the names of few categories."""
    parts = [_line("axis", x.start, y, x.end, y)]
    if scale is not None and scale.names and not scale.density:
        step = math.ceil(len(scale.names) / 6)
        chosen = list(scale.names.items())[::step]
        letters = _MAX_LETTERS // max(len(chosen), 1)
        rows = 1 + any(len(name) > letters for _, name in chosen)  # of names that are too long every other is lower
        return parts + [
            _text(x(i), y + 14 + 11 * (k % rows), short(name, rows * letters), "middle")
            for k, (i, name) in enumerate(chosen)
        ]
    for value in x.ticks():
        label = _tick_label(value) if formatter is None else formatter(value)
        parts += [_line("axis", x(value), y, x(value), y + 4), _text(x(value), y + 17, label, "middle")]
    return parts


def _tick_label(value: float) -> str:
    return f"{value:.4g}" if value else "0"


def _power(value: float) -> str:
    """Spell a power of ten."""
    power = str(round(math.log10(value)))
    return "10" + power.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _points(x: FloatArray, y: FloatArray) -> list[str]:
    return [f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]


def _steps(edges: FloatArray, values: FloatArray, x: Axis, y: Axis, base: float | None = None) -> str:
    """Draw a step per bin; those without a value are left out. With a base the area down to it is closed."""
    left, right = x(edges[:-1]), x(edges[1:])
    tops = y(values)
    path, connected = [], False
    for a, b, top, finite in zip(
        left.tolist(), right.tolist(), tops.tolist(), np.isfinite(values).tolist(), strict=True
    ):
        if not finite:
            connected = False
            continue
        if base is not None:
            path.append(f"M{a:.1f},{y(base):.1f}V{top:.1f}H{b:.1f}V{y(base):.1f}Z")
        else:
            path.append(f"V{top:.1f}H{b:.1f}" if connected else f"M{a:.1f},{top:.1f}H{b:.1f}")
        connected = True
    return "".join(path)


def _band(edges: FloatArray, lower: FloatArray, upper: FloatArray, x: Axis, y: Axis) -> str:
    corners = zip(x(edges[:-1]).tolist(), x(edges[1:]).tolist(), y(lower).tolist(), y(upper).tolist(), strict=True)
    return "".join(f"M{a:.1f},{low:.1f}V{high:.1f}H{b:.1f}V{low:.1f}Z" for a, b, low, high in corners)


def _errors(centres: FloatArray, values: FloatArray, errors: FloatArray, x: Axis, y: Axis) -> str:
    """Draw a vertical line per bin that has a value."""
    finite = np.isfinite(values) & np.isfinite(errors)
    centre, low, high = x(centres[finite]), y((values - errors)[finite]), y((values + errors)[finite])
    path = (f"M{a:.1f},{b:.1f}V{c:.1f}" for a, b, c in zip(centre.tolist(), low.tolist(), high.tolist(), strict=True))
    return f'<path class="line generated thin" d="{"".join(path)}"/>'
