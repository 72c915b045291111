"""Histograms in files of other programs: ROOT's TH1 and TH2, and JSON by the schema of UHI (hist, boost-histogram).

``"file.root:h_mass"``, ``"file.root:folder"``, ``"file.root"`` with nothing but histograms; ``"hists.json"`` with one
histogram, or an object of several.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pytest_ganvalid._extras import imported
from pytest_ganvalid._json import Node
from pytest_ganvalid.errors import GanvalidError, InputError
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums

_HISTOGRAM = re.compile(r"TH[12][CSIFDL]")
_FOLDER = re.compile(r"TDirectory(File)?|TFile")
_TREE = re.compile(r"TTree|TNtuple\w*|TChain|ROOT::(Experimental::)?RNTuple")
_YODA = (".yoda", ".yoda.gz", ".yoda.h5")
_UHI = "uhi_schema"
_ARRAYS = {"edges", "index", "values", "variances", "counts", "sum_of_weights", "sum_of_weights_squared"}
_MOST_BINS = 10_000_000


def refuse_yoda(name: str) -> None:
    """Refuse files of YODA.

    Raises:
        InputError: If this is the name of one.
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
    """Read the histograms of a ROOT file; ``None`` if what is named are events.

    Args:
        path: Of the file.
        inside: A histogram or folder in it; empty for the whole file.
        side: ``"generated"`` or ``"reference"``, for error messages.

    Raises:
        InputError: If it cannot be read, or is neither histograms nor events.
        MissingExtraError: If uproot is not installed.
    """
    uproot = imported("uproot", feature="a ROOT file", extra="hep")
    with _blamed(f"{path}:{inside}" if inside else path, "a ROOT file"), uproot.open({path: None}) as file:
        kinds = {name: str(kind) for name, kind in file.classnames(recursive=True, cycle=False).items()}
        plain = inside.strip("/").partition(";")[0]
        kind = kinds.get(plain, "TFile" if not plain else "")
        if not kind or _TREE.fullmatch(kind):
            return None  # whoever reads events knows best what is missing
        if _HISTOGRAM.fullmatch(kind):
            return RootHistograms({plain: as_bin_sums(file[inside], side)})
        if not _FOLDER.fullmatch(kind):
            msg = f"this is a {kind}; expected a TH1 or TH2, a folder of them, or a tree of events"
            raise InputError(msg)
        within = {name: one for name, one in kinds.items() if name.startswith(f"{plain}/" if plain else "")}
        if any(_TREE.fullmatch(one) for one in within.values()):
            return None
        names = [name for name, one in within.items() if _HISTOGRAM.fullmatch(one)]
        if not names:
            msg = f"there is no TH1 or TH2; there are {sorted(f'{name} ({one})' for name, one in within.items())[:10]}"
            raise InputError(msg)
        start = len(plain) + 1 if plain else 0
        sums = {name[start:]: as_bin_sums(file[name], f"{side}: {name}") for name in names}
        apart = {name: one for name, one in within.items() if name not in names and not _FOLDER.fullmatch(one)}
        return RootHistograms(sums, {name[start:]: one for name, one in apart.items()})


def is_uhi_document(document: Node) -> bool:
    """Tell whether JSON is a histogram by the schema of UHI, or an object of several."""
    value = document.value
    if not isinstance(value, dict) or not value:
        return False
    return _UHI in value or all(isinstance(one, dict) and _UHI in one for one in value.values())


def uhi_histograms(document: Node, side: str) -> dict[str, BinSums]:
    """Read the histograms of a JSON document; one that has no name is called by nothing.

    Args:
        document: See `is_uhi_document`.
        side: ``"generated"`` or ``"reference"``, for error messages.

    Raises:
        InputError: If one is not by the schema.
        MissingExtraError: If boost-histogram is not installed.
    """
    given = {"": document} if _UHI in document.value else document.members()
    return {name: _of_uhi(node, f"{side}: {name}" if name else side) for name, node in given.items()}


def _of_uhi(node: Node, side: str) -> BinSums:
    serialization = imported("boost_histogram.serialization", feature="a histogram in JSON", extra="hep")
    members = node.members()
    for name in (_UHI, "axes", "storage"):
        if name not in members:
            node.refuse(f"a histogram by the schema of UHI, with {name!r}")
    members[_UHI].whole(1, 1)
    _check_size(members["axes"], members["storage"])
    with _blamed(node.path, "a histogram by the schema of UHI"):
        histogram = serialization.from_uhi(_with_arrays(node.value))
        return as_bin_sums(histogram, side)


def _check_size(axes: Node, storage: Node) -> None:
    """Refuse axes that would take all memory, before they do."""
    size = 1
    for axis in axes.items():
        members = axis.members()
        if "bins" in members:
            size *= members["bins"].whole(0, _MOST_BINS) + 2
        else:
            named = next((members[name] for name in ("edges", "categories") if name in members), None)
            size *= 2 if named is None else len(named.items()) + 1
    if size > _MOST_BINS:
        axes.refuse(f"at most {_MOST_BINS:,} bins")
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


def the_only(found: Mapping[str, BinSums], name: str) -> BinSums:
    """Return the only histogram of a file.

    Raises:
        InputError: If there are several.
    """
    if len(found) != 1:
        msg = (
            f"{name}: there are {len(found)} histograms, {sorted(found)[:10]}; name one (file.root:name), or compare "
            "all with validate"
        )
        raise InputError(msg)
    return next(iter(found.values()))
