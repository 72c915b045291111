"""Histograms in files of other programs: ROOT's TH1 and TH2, and JSON by the schema of UHI (hist, boost-histogram).

``"file.root:h_mass"``, ``"file.root:folder"``, ``"file.root"`` with nothing but histograms; ``"hists.json"`` with one
histogram, or an object of several. Each is converted when it is looked up, so that a damaged one does no harm before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from pytest_ganvalid._extras import imported
from pytest_ganvalid._json import Node
from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError, placed
from pytest_ganvalid.histograms.sums import BinSums, possibly_empty

_HISTOGRAM = re.compile(r"TH[12][CSIFDL]")
_FOLDER = re.compile(r"TDirectory(File)?|TFile")
_TREE = re.compile(r"TTree|TNtuple\w*|TChain|ROOT::(Experimental::)?RNTuple")
_ROOT = "a ROOT file"
_YODA = (".yoda", ".yoda.gz", ".yoda.h5")
_UHI = "uhi_schema"
_ARRAYS = {"edges", "index", "values", "variances", "counts", "sum_of_weights", "sum_of_weights_squared"}
_MAX_BINS = 10_000_000
_AVERAGES = ("mean", "weighted_mean")


class Unconverted(Mapping[str, BinSums]):
    """Histograms by name, each converted when it is looked up; they may hold no events."""

    def __init__(self, conversions: Mapping[str, Callable[[], BinSums]], *places: str) -> None:
        """Keep the conversion of each histogram.

        Args:
            conversions: Name -> function that returns the histogram, or raises an error that says why it cannot.
            places: Where they are, the widest place first, for error messages.
        """
        self._conversions, self._places = conversions, places
        self._converted: dict[str, BinSums] = {}

    def __getitem__(self, name: str) -> BinSums:
        """Convert a histogram, once.

        Raises:
            InputError: If the histogram cannot be read, or its contents are impossible.
            InputTypeError: If the histogram is of another kind.
        """
        if name not in self._converted:
            with ExitStack() as stack:
                for place in self._places:
                    stack.enter_context(placed(place))
                self._converted[name] = self._conversions[name]()
        return self._converted[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a histogram of this name, without converting it."""
        return name in self._conversions

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._conversions)

    def __len__(self) -> int:
        """Return the number of histograms."""
        return len(self._conversions)


def refuse_yoda(name: str) -> None:
    """Refuse files of YODA.

    Raises:
        InputError: If the name is that of one.
    """
    if name.endswith(_YODA):
        msg = f"{name}: files of YODA are not read; convert it with YODA's own yoda2root, and give the ROOT file"
        raise InputError(msg)


@dataclass(frozen=True, slots=True, eq=False)
class RootHistograms:
    """What a ROOT file, or a folder of it, holds.

    Attributes:
        sums: Name -> histogram.
        others: Name -> class of whatever else there is but folders: profiles, histograms in three dimensions.
    """

    sums: Mapping[str, BinSums]
    others: Mapping[str, str] = field(default_factory=dict)


def root_histograms(path: str, inside: str, side: str) -> RootHistograms | None:
    """Read the histograms of a ROOT file; ``None`` if ``inside`` names events.

    Args:
        path: Of the file.
        inside: A histogram or folder in it; empty for the whole file.
        side: ``"generated"`` or ``"reference"``, for error messages.

    Raises:
        InputError: If the file cannot be read, or ``inside`` names neither histograms nor events.
        MissingExtraError: If uproot is not installed.
    """
    uproot = imported("uproot", feature="a ROOT file", extra="hep")
    place = f"{path}:{inside}" if inside else path
    with _blamed(place, _ROOT), uproot.open({path: None}) as file:
        kinds = {name: str(kind) for name, kind in file.classnames(recursive=True, cycle=False).items()}
        plain = inside.strip("/").partition(";")[0]
        kind = kinds.get(plain, "TFile" if not plain else "")
        if not kind or _TREE.fullmatch(kind):
            return None  # whoever reads events knows best what is missing
        if _HISTOGRAM.fullmatch(kind):
            return RootHistograms(Unconverted({plain: _of_root(file, inside, side, place)}, side))
        if not _FOLDER.fullmatch(kind):
            msg = f"this is a {kind}; expected a TH1 or TH2, a folder of them, or a tree of events"
            raise InputError(msg)
        members = {name: kind for name, kind in kinds.items() if name.startswith(f"{plain}/" if plain else "")}
        if any(_TREE.fullmatch(kind) for kind in members.values()):
            return None
        names = [name for name, kind in members.items() if _HISTOGRAM.fullmatch(kind)]
        if not names:
            msg = (
                f"there is no TH1 or TH2; there are {sorted(f'{name} ({kind})' for name, kind in members.items())[:10]}"
            )
            raise InputError(msg)
        start = len(plain) + 1 if plain else 0
        sums = {name[start:]: _of_root(file, name, f"{side}: {name}", place) for name in names}
        others = {name: kind for name, kind in members.items() if name not in names and not _FOLDER.fullmatch(kind)}
        return RootHistograms(Unconverted(sums, side), {name[start:]: kind for name, kind in others.items()})


def _of_root(file: Any, name: str, side: str, place: str) -> Callable[[], BinSums]:  # noqa: ANN401 - uproot's
    """Read a histogram while its file is open, and return what converts it, or tells why it cannot be read."""
    histogram, damage = None, None
    try:
        histogram = file[name]
    except Exception as error:  # noqa: BLE001 - uproot fails in as many ways as there are bytes
        damage = error

    def convert() -> BinSums:
        with _blamed(place, _ROOT):
            if damage is not None:
                raise damage
            return possibly_empty(histogram, side)

    return convert


def is_uhi_document(document: Node) -> bool:
    """Tell whether JSON is a histogram by the schema of UHI, or an object of several."""
    value = document.value
    if not isinstance(value, dict) or not value:
        return False
    return _UHI in value or all(isinstance(item, dict) and _UHI in item for item in value.values())


def uhi_histograms(document: Node, side: str, source: str) -> Unconverted:
    """Read the histograms of a JSON document; the name of a single one is empty.

    Args:
        document: See `is_uhi_document`.
        side: ``"generated"`` or ``"reference"``, for error messages.
        source: Name of the document, likewise.

    Raises:
        MissingExtraError: If boost-histogram is not installed.
    """
    nodes = {"": document} if _UHI in document.value else document.members()
    conversions = {name: partial(_of_uhi, node, f"{side}: {name}" if name else side) for name, node in nodes.items()}
    return Unconverted(conversions, side, source)


def _of_uhi(node: Node, side: str) -> BinSums:
    serialization = imported("boost_histogram.serialization", feature="a histogram in JSON", extra="hep")
    members = node.members()
    for name in (_UHI, "axes", "storage"):
        if name not in members:
            node.refuse(f"a histogram by the schema of UHI, with {name!r}")
    members[_UHI].whole(1, 1)
    _check_size(members["axes"], members["storage"])
    _refuse_averages(members["storage"], side)
    value = node.value
    if "index" in members["storage"].members():
        value = {**value, "storage": _dense(members["storage"], _shape(members["axes"]))}
    with _blamed(node.path, "a histogram by the schema of UHI"):
        histogram = serialization.from_uhi(_with_arrays(value))
        return possibly_empty(histogram, side)


def _refuse_averages(storage: Node, side: str) -> None:
    kind = storage.members().get("type")
    if kind is not None and kind.value in _AVERAGES:
        msg = (
            f"{side}: {kind.path}: a histogram whose storage is {kind.value!r} holds averages (it is a profile), not "
            "events; expected 'int', 'double' or 'weighted'"
        )
        raise InputTypeError(msg)


def _shape(axes: Node) -> tuple[int, ...]:
    """Return the number of bins along each axis, flow bins included."""
    sizes = []
    for axis in axes.items():
        members = axis.members()
        flow = sum(members[name].value is True for name in ("underflow", "overflow", "flow") if name in members)
        if "bins" in members:
            sizes.append(members["bins"].whole(1, _MAX_BINS) + flow)
        elif "edges" in members:
            sizes.append(len(members["edges"].items()) - 1 + flow)
        else:
            sizes.append(len(members["categories"].items()) + flow if "categories" in members else 2)
    return tuple(sizes)


def _dense(storage: Node, shape: tuple[int, ...]) -> dict[str, Any]:
    """Put the bins of a sparse storage, of which ``index`` names the positions, axis by axis, among empty ones.

    Raises:
        InputError: If a position is outside the histogram or occurs twice, or the values are not as many as positions.
    """
    members = storage.members()
    axes = members["index"].items(len(shape))
    positions = [
        [item.whole(0, bins - 1) for item in axis.items(len(axes[0].items()))]
        for axis, bins in zip(axes, shape, strict=True)
    ]
    indices = list(zip(*positions, strict=True))
    if len(set(indices)) < len(indices):
        members["index"].refuse("positions that differ")
    dense: dict[str, Any] = {name: node.value for name, node in members.items() if name not in _ARRAYS}
    for name in sorted(_ARRAYS.intersection(members) - {"index"}):
        contents = np.zeros(shape)
        contents[tuple(np.array(axis, dtype=np.intp) for axis in positions)] = members[name].reals(len(indices))
        dense[name] = contents
    return dense


def _check_size(axes: Node, storage: Node) -> None:
    """Refuse axes that would take all memory, before they do."""
    size = 1
    for axis in axes.items():
        members = axis.members()
        if "bins" in members:
            size *= members["bins"].whole(0, _MAX_BINS) + 2
        else:
            node = next((members[name] for name in ("edges", "categories") if name in members), None)
            size *= 2 if node is None else len(node.items()) + 1
    if size > _MAX_BINS:
        axes.refuse(f"at most {_MAX_BINS:,} bins")
    storage.members()


def _with_arrays(value: Any) -> Any:  # noqa: ANN401 - JSON is untyped
    """Turn the arrays that boost-histogram expects as such into those."""
    if not isinstance(value, Mapping):
        return [_with_arrays(item) for item in value] if isinstance(value, list) else value
    return {
        name: np.asarray(item) if name in _ARRAYS and isinstance(item, list) else _with_arrays(item)
        for name, item in value.items()
    }


@contextmanager
def _blamed(place: str, kind: str) -> Iterator[None]:
    """Turn whatever a library makes of damaged data into an error that names the place."""
    try:
        yield
    except GanvalidError as error:
        if isinstance(error, ImportError):
            raise
        msg = f"{place}: {error}" if place else str(error)
        raise type(error)(msg) from None
    except Exception as error:  # both libraries fail in as many ways as there are bytes
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        msg = f"{place or 'the document'}: cannot be read as {kind} ({reason}); is it damaged, or cut short?"
        raise InputError(msg) from error


def single_histogram(histograms: Mapping[str, BinSums], name: str) -> BinSums:
    """Return the only histogram of a file.

    Raises:
        InputError: If there are several.
    """
    if len(histograms) != 1:
        msg = (
            f"{name}: there are {len(histograms)} histograms, {sorted(histograms)[:10]}; name one (file.root:name), or "
            "compare all with validate"
        )
        raise InputError(msg)
    return next(iter(histograms.values()))
