"""The bins of a histogram: their shape, their words, and which are neighbours."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._json import Node
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.compiled import kernels
from pytest_ganvalid.histograms.layout import Arrangement, Layout
from pytest_ganvalid.histograms.lookup import lookup, plain

IntArray = NDArray[np.intp]
_ROUNDING = 1e-9  # of the narrowest bin
_SINGLE = 2.0**-24 * (1 + 2.0**-10)  # relative, of numbers that were rounded to single precision, and a bit more
_MAX_SHIFT = 2.0**-10  # of a bin, by which an edge is moved at most: no sum of events in it would tell
_MAX_AXES = 2
_MAX_BINS = 10_000_000  # that are read from a file
_DEFAULT_LABEL = re.compile(r"Axis \d+")  # hist's label of an axis without one


@dataclass(frozen=True, slots=True)
class Nominal:
    """What cells that were chosen from a reference were cut to hold, whatever any sample holds in them.

    Attributes:
        shares: Share of the reference's absolute weight in each cell, by flat position.
        tails: Number of cells that the first and the last equiprobable cell of an axis were halved into; 0 if it was
            not.
        open: Flat positions of cells that no quantiles bound: beyond a repeated value at an end, where one value is
            set apart, of NaN, outside a selection. How often they are filled is not known beforehand.
    """

    shares: tuple[float, ...]
    tails: tuple[int, int] = (0, 0)
    open: tuple[int, ...] = ()

    @classmethod
    def decoded(cls, members: Mapping[str, Node], cells: int) -> Nominal:
        """Read what `binning.encoded_bins` made of it.

        Raises:
            InputError: If the members hold anything else; the message names the place.
        """
        shares = tuple(item.real(0.0, 1.0) for item in members["shares"].items(cells))
        first, last = (item.whole(0, cells) for item in members["tails"].items(2))
        return cls(shares, (first, last), tuple(item.whole(0, cells - 1) for item in members["open"].items()))


class Bins(Protocol):
    """Bins of any kind."""

    @property
    def nominal(self) -> Nominal | None:
        """What the bins were cut to hold; ``None`` if they were given."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of bins along each axis, flow bins included."""
        ...

    def label(self, first: int, last: int) -> str:
        """Return the merged bins ``first`` to ``last`` (flat positions) in words."""
        ...

    def path(self) -> IntArray:
        """Return an order of all flat positions in which consecutive bins are neighbours."""
        ...

    def layout(self) -> Layout:
        """Return how the bins, by flat position, lie to each other."""
        ...


class Fillable(Bins, Protocol):
    """Bins that events can be filled into."""

    def index(self, columns: Sequence[NDArray[Any]]) -> IntArray:
        """Return the flat position of each entry, given one array of shape (entries,) per dimension."""
        ...

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes that the bins are cut along, if any; by these, differences from other bins are described."""
        ...

    def encoded(self) -> Any:  # noqa: ANN401 - JSON is untyped
        """Return the bins as JSON types, from which the class method ``decoded`` makes them again."""
        ...


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: bin i is [edge i-1, edge i), with underflow and overflow where it has them; or categories.

    Attributes:
        edges: Increasing; empty if the axis is of categories.
        categories: Their names; empty if the axis has edges.
        underflow: Whether a bin below the first edge exists.
        overflow: Whether a bin from the last edge on (or of other categories) exists.
        nonfinite: Where NaN and infinite values go: ``"underflow"``, ``"overflow"`` or, in a last bin of their
            own, ``"separate"``; with ``"error"`` they are refused.
        circular: Whether the last edge is the first one, as of an angle.
        given: Whether the user gave the edges, which may be on values then: see `cuts`.
        values: The value that each bin is around, by which it is named, or ``None``; empty if all bins are named by
            their edges.
        title: What is binned, as another program calls it.
    """

    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    underflow: bool = True
    overflow: bool = True
    nonfinite: str = "overflow"
    circular: bool = False
    given: bool = field(default=False, compare=False)
    values: tuple[float | None, ...] = field(default=(), compare=False)
    title: str = field(default="", compare=False)

    @classmethod
    def from_uhi(cls, axis: Any, size: int) -> Axis:  # noqa: ANN401 - any axis with the protocol
        """Read an axis of a histogram that has ``size`` bins along it, flow bins included."""
        items = list(axis)
        continuous = bool(items) and np.size(items[0]) == 2 and not isinstance(items[0], str)  # noqa: PLR2004
        flow = size - len(items)
        below = bool(getattr(getattr(axis, "traits", None), "underflow", False))
        underflow, overflow = flow == 2 or (flow == 1 and below), flow == 2 or (flow == 1 and not below)  # noqa: PLR2004
        title = _title(axis)
        if not continuous:
            return cls((), tuple(str(item) for item in items), underflow, overflow, title=title)
        edges = (float(items[0][0]), *(float(high) for _, high in items))
        circular = bool(getattr(getattr(axis, "traits", None), "circular", False))
        return cls(edges, (), underflow, overflow, circular=circular, title=title)

    @classmethod
    def of_edges(cls, edges: tuple[float, ...], nonfinite: str, *, circular: bool = False) -> Axis:
        """Return an axis to be filled, of edges that the user gave.

        Args:
            edges: Finite, increasing, at least one; at least two of a circular axis.
            nonfinite: Where NaN and infinite values go.
            circular: Whether values are wrapped into the period, from the first edge to the last; there is no underflow
                then, and overflow only for NaN and infinite values.

        Raises:
            InputError: If a circular axis has no period, or no bin where NaN is to go.
        """
        if not circular:
            return cls(edges, nonfinite=nonfinite, given=True)
        if len(edges) < 2 or nonfinite == "underflow":  # noqa: PLR2004
            problem = "one edge, and so no period" if len(edges) < 2 else "no underflow for NaN and infinite values"  # noqa: PLR2004
            msg = f"a circular axis has {problem}; expected at least two edges, and nonfinite='overflow' or 'separate'"
            raise InputError(msg)
        overflow = nonfinite != "separate"  # where it stays empty if they are refused: other programs expect it
        return cls(edges, (), False, overflow, nonfinite, circular=True, given=True)  # noqa: FBT003

    @classmethod
    def decoded(cls, node: Node, nonfinite: str) -> Axis:
        """Read the edges of an axis with both flow bins.

        Raises:
            InputError: If the node holds no edges; the message names the place.
        """
        edges = tuple(node.reals(len(node.items())))
        if not edges or any(a >= b for a, b in itertools.pairwise(edges)):
            node.refuse("at least one edge, increasing")
        return cls(edges, nonfinite=nonfinite)

    @property
    def size(self) -> int:
        """Number of bins, flow bins included."""
        inner = len(self.edges) - 1 if self.edges else len(self.categories)
        return inner + self.underflow + self.overflow + (self.nonfinite == "separate")

    @property
    def cuts(self) -> tuple[float, ...]:
        """The numbers that values are compared with, one for each edge.

        An edge that was given may be on values: 0.7, where one sample holds 0.7 and the other the nearest number of
        single precision, which is less. It is moved down by as much as such rounding makes of it, so that both are on
        it, but by no more than a thousandth of a bin. Edges that were chosen lie between values.
        """
        return _lowered_edges(self.edges) if self.given else self.edges

    @property
    def period(self) -> float:
        """The distance between the first and the last edge of a circular axis."""
        return self.edges[-1] - self.edges[0]

    def index(self, values: NDArray[Any]) -> IntArray:
        """Return the bin of each value; the axis has edges, and both flow bins unless it is circular.

        Args:
            values: Shape (events,).

        Raises:
            InputError: If NaN and infinite values are refused, and there are any.
        """
        if self.circular:
            index = np.clip(lookup(self.cuts).index(self._wrapped(values)) - 1, 0, len(self.edges) - 2)
        else:
            index = lookup(self.cuts).index(values)
        if not _all_finite(values):
            self.place_nonfinite(index, values, np.broadcast_to(self.size - 1, values.shape))
        return index

    def place_nonfinite(self, index: IntArray, values: NDArray[Any], last: NDArray[np.intp]) -> None:
        """Write the bins of NaN and infinite values where they belong.

        Args:
            index: The bin of each value, shape (events,).
            values: Shape (events,).
            last: The last bin for each of them, shape (events,).

        Raises:
            InputError: If NaN and infinite values are refused, and there are any.
        """
        if self.nonfinite == "error":
            refuse_nonfinite(values)
        mask = ~np.isfinite(values)
        index[mask] = 0 if self.nonfinite == "underflow" else last[mask]

    def _wrapped(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return values within the period; those within it already are unchanged, to the last bit."""
        values, first = np.asarray(values, dtype=np.float64), self.cuts[0]
        with np.errstate(all="ignore"):
            wrapped = first + np.mod(values - first, self.period)
        return np.where((values >= first) & (values < first + self.period), values, wrapped)

    def difference(self, other: Axis) -> str:
        """Say where the bins of two axes differ, by more than rounding; empty if they do not.

        Args:
            other: An axis with as many bins.
        """
        match = (self.underflow, self.overflow, len(self.edges)) == (other.underflow, other.overflow, len(other.edges))
        if not match:
            labels, other_labels = ([axis.label(i, i) for i in range(axis.size)] for axis in (self, other))
            return next(
                f"bin {i} is {a!r} and {b!r}"
                for i, (a, b) in enumerate(zip(labels, other_labels, strict=True))
                if a != b
            )
        # Edges computed by two programs differ in the last digit; no event of note lies between them.
        tolerance = _ROUNDING * min(np.diff(self.edges), default=0.0)
        categories = enumerate(zip(self.categories, other.categories, strict=True))
        edges = enumerate(zip(self.edges, other.edges, strict=True))
        differences = [f"category {i} is {a!r} and {b!r}" for i, (a, b) in categories if a != b]
        differences += [f"edge {i} is {a!r} and {b!r}" for i, (a, b) in edges if a != b and not abs(a - b) <= tolerance]
        return next(iter(differences), "")

    def label(self, first: int, last: int) -> str:
        """Return the bins ``first`` to ``last`` in words."""
        if self.values and first == last and (value := self.values[first]) is not None:
            values = [v for v in self.values if v is not None]
            return f"= {_word(values, values.index(value))}"
        first, last = first - self.underflow, last - self.underflow
        if self.edges:
            return self._range_label(first, last)
        names = [self._category(i) for i in sorted({first, last})]
        return " to ".join(names)

    def label_of(self, name: str, i: int) -> str:
        """Return bin ``i`` of a column in words, with the column's name: ``x < 2``, ``x in [2, 3)``."""
        label = self.label(i, i)
        return f"{name} {label}" if label[0] in "<>=" else f"{name} in {label}"

    def _category(self, position: int) -> str:
        if position < 0:
            return "underflow"
        return self.categories[position] if position < len(self.categories) else "overflow"

    def _range_label(self, first: int, last: int) -> str:
        n = len(self.edges) - 1
        nan_bin = n if self.circular else n + 1  # where NaN has a bin of its own
        if (self.nonfinite == "separate" or self.circular) and last >= nan_bin:
            prefix = "" if first >= nan_bin else f"{self._range_label(first, nan_bin - 1)} or "
            return f"{prefix}NaN or infinite"
        low, high = first, last + 1  # the edges at both ends, where they exist
        if low < 0 and high > n:
            return "all"
        if low < 0:
            return f"{'<=' if self._is_after(high) else '<'} {self._word(high)}"
        if high > n:
            return f"{'>' if self._is_after(low) else '>='} {self._word(low)}"
        if high == low + 1 and self._is_after(high):
            return f"= {self._word(low)}"
        opening, closing = "(" if self._is_after(low) else "[", "]" if self._is_after(high) else ")"
        return f"{opening}{self._word(low)}, {self._word(high)}{closing}"

    def _is_after(self, i: int) -> bool:
        """Whether an edge only closes the bin of a single value, the edge before it."""
        return i > 0 and self.edges[i] == math.nextafter(self.edges[i - 1], math.inf)

    def _word(self, i: int) -> str:
        return _word([self.edges[k - 1] if self._is_after(k) else self.edges[k] for k in range(len(self.edges))], i)


@dataclass(frozen=True, slots=True)
class Grid:
    """The product of one or two axes.

    Attributes:
        axes: The axes.
        nominal: What the bins were cut to hold; ``None`` if they were given.
    """

    KEY: ClassVar[str] = "edges"

    axes: tuple[Axis, ...]
    nominal: Nominal | None = field(default=None, compare=False)

    def encoded(self) -> list[tuple[float, ...]]:
        """Return the bins as JSON types."""
        return [axis.edges for axis in self.axes]

    @classmethod
    def decoded(cls, node: Node, columns: Sequence[str], nonfinite: str) -> Grid:
        """Read what `encoded` made.

        Args:
            node: The encoded bins.
            columns: Names of what is binned.
            nonfinite: Where NaN and infinite values go.

        Raises:
            InputError: If the node holds anything else; the message names the place.
        """
        edges = node.items()
        if len(edges) != len(columns) or len(columns) > _MAX_AXES:
            node.refuse(f"bins of {len(columns)} columns")
        grid = cls(tuple(Axis.decoded(item, nonfinite) for item in edges))
        if math.prod(grid.shape) > _MAX_BINS:
            node.refuse(f"at most {_MAX_BINS:,} bins")
        return grid

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of bins along each axis, flow bins included."""
        return tuple(axis.size for axis in self.axes)

    def label(self, first: int, last: int) -> str:
        """Return the merged bins ``first`` to ``last`` in words."""
        ends = zip(np.unravel_index(first, self.shape), np.unravel_index(last, self.shape), strict=True)
        pairs = [(int(low), int(high)) for low, high in ends]
        if len(pairs) > 1 and pairs[0][0] != pairs[0][1]:
            return f"{self.label(first, first)} to {self.label(last, last)}"  # a stretch of the path is no rectangle
        return " x ".join(axis.label(min(pair), max(pair)) for axis, pair in zip(self.axes, pairs, strict=True))

    def path(self) -> IntArray:
        """Return the bins row by row, every other row backwards."""
        return snake(self.shape)

    def layout(self) -> Layout:
        """Return how the bins lie: without order if an axis is of categories."""
        if any(axis.categories for axis in self.axes):
            return Layout.none(math.prod(self.shape))
        layout = Layout.product(self.shape)
        return Layout(Arrangement.CIRCLE, layout.positions) if [a.circular for a in self.axes] == [True] else layout

    def index(self, columns: Sequence[NDArray[Any]]) -> IntArray:
        """Return the flat position of each event.

        Args:
            columns: One array of shape (events,) per axis.
        """
        index = self.axes[0].index(columns[0])
        for axis, values in zip(self.axes[1:], columns[1:], strict=True):
            index = index * axis.size + axis.index(values)
        return index


def _title(axis: Any) -> str:  # noqa: ANN401 - any axis with the protocol
    """Return what is binned, as hist (label or name), uproot (the title) or boost-histogram (the metadata) call it."""
    member = getattr(axis, "member", None)
    name = member("fTitle") if member else getattr(axis, "name", "")  # uproot's axes are named xaxis and yaxis
    candidates = [getattr(axis, "label", ""), getattr(axis, "metadata", ""), name]
    return next(
        (text for text in candidates if isinstance(text, str) and text and not _DEFAULT_LABEL.fullmatch(text)), ""
    )


@functools.lru_cache(maxsize=512)
def _lowered_edges(edges: tuple[float, ...]) -> tuple[float, ...]:
    """Move edges down by the rounding of single precision, and by no more than a little of the bins beside them."""
    array = np.array(edges)
    with np.errstate(over="ignore"):
        widths = np.concatenate([[np.inf], np.diff(array), [np.inf]])
    limit = _MAX_SHIFT * np.minimum(widths[1:], widths[:-1])
    return tuple((array - np.minimum(_SINGLE * np.abs(array), limit)).tolist())


def _all_finite(values: NDArray[Any]) -> bool:
    """Tell whether no value is NaN or infinite; not if their sum is too large, whatever they are."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.add.reduce(values)))


@functools.lru_cache(maxsize=64)
def _rows(cuts: tuple[tuple[float, ...], ...]) -> tuple[NDArray[np.float64], int]:
    """Return the cuts of several axes row by row, with NaN after them, and the length of a row, a power of two."""
    width = 1 << max(len(row) for row in cuts).bit_length()
    table = np.full((len(cuts), width), np.nan)
    for row, numbers in zip(table, cuts, strict=True):
        row[: len(numbers)] = numbers
    return table.ravel(), width


def plain_axis(bins: Bins) -> Axis | None:
    """Return the axis of bins that are those of one axis with edges and both flow bins, else ``None``."""
    axis = bins.axes[0] if isinstance(bins, Grid) and len(bins.axes) == 1 else None
    return axis if axis is not None and axis.edges and axis.underflow and axis.overflow and not axis.circular else None


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """Bins known by their position only, as of `Counts` without edges."""

    shape: tuple[int, ...]

    @property
    def nominal(self) -> None:
        """Nothing: they were given."""
        return

    def label(self, first: int, last: int) -> str:
        """Return the merged bins ``first`` to ``last`` by position."""
        words = [self._position(i) for i in sorted({first, last})]
        return f"bin {words[0]}" if len(words) == 1 else f"bins {words[0]} to {words[1]}"

    def _position(self, flat: int) -> str:
        position = tuple(int(i) for i in np.unravel_index(flat, self.shape))
        return str(position[0] if len(position) == 1 else position)

    def path(self) -> IntArray:
        """Return the bins row by row, every other row backwards."""
        return snake(self.shape)

    def layout(self) -> Layout:
        """Return how the bins lie: in the order in which they were given."""
        return Layout.product(self.shape)


@dataclass(frozen=True, slots=True)
class Slabs:
    """Slabs in x, each cut in y on its own: the equiprobable bins of a pair of columns.

    Attributes:
        x: The axis that is cut first.
        y: For each bin of ``x`` the axis that it is cut along.
        nominal: What the cells were cut to hold; ``None`` if that is not known.
    """

    KEY: ClassVar[str] = "slabs"

    x: Axis
    y: tuple[Axis, ...]
    nominal: Nominal | None = field(default=None, compare=False)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axis that is cut first, and those of its slabs."""
        return (self.x, *self.y)

    def encoded(self) -> dict[str, Any]:
        """Return the bins as JSON types."""
        return {"x": self.x.edges, "y": [axis.edges for axis in self.y]}

    @classmethod
    def decoded(cls, node: Node, columns: Sequence[str], nonfinite: str) -> Slabs:
        """Read what `encoded` made; see `Grid.decoded`."""
        if len(columns) != _MAX_AXES:
            node.refuse("no slabs, as these are bins of two columns")
        fields = node.fields("x", "y")
        x = Axis.decoded(fields["x"], nonfinite)
        return cls(x, tuple(Axis.decoded(item, nonfinite) for item in fields["y"].items(x.size)))

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of cells in all."""
        return (sum(axis.size for axis in self.y),)

    @property
    def offsets(self) -> IntArray:
        """Flat position of the first cell of each slab, shape (slabs,)."""
        sizes = [axis.size for axis in self.y]
        return np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)

    def label(self, first: int, last: int) -> str:
        """Return the merged cells ``first`` to ``last`` in words."""
        offsets = self.offsets
        ends = [int(np.searchsorted(offsets, i, side="right")) - 1 for i in (first, last)]
        if ends[0] != ends[1]:
            return f"{self.label(first, first)} to {self.label(last, last)}"
        slab = ends[0]
        low, high = sorted((first - int(offsets[slab]), last - int(offsets[slab])))
        return f"{self.x.label(slab, slab)} x {self.y[slab].label(low, high)}"

    def path(self) -> IntArray:
        """Return the cells slab by slab, every other slab backwards."""
        rows = np.split(np.arange(self.shape[0]), self.offsets[1:])
        return np.concatenate([row[::-1] if i % 2 else row for i, row in enumerate(rows)])

    def layout(self) -> Layout:
        """Return the slab of each cell, and its position within."""
        sizes = np.array([axis.size for axis in self.y])
        slab = np.repeat(np.arange(sizes.size), sizes)
        position = np.arange(slab.size) - self.offsets[slab]
        return Layout(Arrangement.SLABS, np.stack([slab, position], axis=1))

    def index(self, columns: Sequence[NDArray[Any]]) -> IntArray:
        """Return the flat position of each event.

        Args:
            columns: The arrays x and y of shape (events,).
        """
        x, y = columns
        slab = self.x.index(x)
        table, width = _rows(tuple(axis.cuts for axis in self.y))
        position = np.zeros_like(slab)
        if (loops := kernels()) is not None:
            loops.ranks_in_rows(plain(y), slab, table, width, position)
        else:
            first, step = slab * width - 1, width // 2
            while step:  # halves what is left of the edges, those of all slabs at once
                position += step * (y >= table[first + position + step])
                step //= 2
        if not _all_finite(y):
            sizes = np.array([axis.size for axis in self.y])
            self.y[0].place_nonfinite(position, y, sizes[slab] - 1)
        return self.offsets[slab] + position


@dataclass(frozen=True, slots=True)
class WithOutside:
    """Bins of a selection, and one more for the events outside it.

    Attributes:
        inside: The bins of the selected events.
    """

    inside: Bins

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of bins in all."""
        return (int(np.prod(self.inside.shape)) + 1,)

    @property
    def nominal(self) -> Nominal | None:
        """What the bins inside were cut to hold; how many events are outside is not known beforehand."""
        inside = self.inside.nominal
        if inside is None:
            return None
        return replace(inside, shares=(*inside.shares, 0.0), open=(*inside.open, len(inside.shares)))

    def label(self, first: int, last: int) -> str:
        """Return the merged bins ``first`` to ``last`` in words."""
        outside = self.shape[0] - 1
        if last < outside:
            return self.inside.label(first, last)
        prefix = "" if first == outside else f"{self.inside.label(first, int(self.inside.path()[-1]))} or "
        return f"{prefix}outside the selection"

    def path(self) -> IntArray:
        """Return the path through the bins inside, and then the one outside."""
        return np.append(self.inside.path(), self.shape[0] - 1)

    def layout(self) -> Layout:
        """Return the layout of the bins inside, with the one outside after them."""
        return self.inside.layout().with_last()


def _word(values: Sequence[float], i: int) -> str:
    """Format one of ascending values with as few digits as keep it apart from its neighbours."""
    neighbours = set(values[max(i - 2, 0) : i + 3])
    for digits in range(4, 18):
        if len({f"{value:.{digits}g}" for value in neighbours}) == len(neighbours):
            break
    return f"{values[i]:.{digits}g}"


def refuse_nonfinite(values: NDArray[Any], subject: str = "it") -> None:
    """Refuse NaN and infinite values.

    Args:
        values: Shape (values,).
        subject: What has them, for the message.

    Raises:
        InputError: If there are any.
    """
    nans, infinities = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    if nans or infinities:
        raise nonfinite_error(nans, infinities, values.size, subject)


def nonfinite_error(nans: int, infinities: int, values: int, subject: str = "it") -> InputError:
    """Return the error that there are so many NaN and infinite values among all."""
    return InputError(
        f"{subject} has {nans:,} NaN and {infinities:,} infinite values among {values:,} values; say where "
        "they belong with nonfinite='underflow', 'overflow' or 'separate', or mend the sample"
    )


def snake(shape: tuple[int, ...]) -> IntArray:
    """Return flat positions row by row, every other row backwards, so that consecutive bins are neighbours."""
    positions = np.arange(int(np.prod(shape)), dtype=np.intp)
    if len(shape) == 1:
        return positions
    rows = positions.reshape(-1, shape[-1]).copy()
    rows[1::2] = rows[1::2, ::-1]
    return rows.ravel()
