"""Histograms of other programs, of whose events nothing is known: which names stand for them, and matching them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_ganvalid._json import parsed
from pytest_ganvalid.errors import InputError, InputTypeError, placed
from pytest_ganvalid.histograms.files import is_uhi_document, refuse_yoda, root_histograms, the_only, uhi_histograms
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums, check_same_bins
from pytest_ganvalid.pipeline.files import add_up, expanded, in_order, names_json, text_of
from pytest_ganvalid.pipeline.summary import KIND, Histograms
from pytest_ganvalid.samples.pieces import pieces_of

EMPTY = "has no events on either side"
"""Why a histogram is left out."""
UNKNOWN = (
    "whether the samples share events cannot be seen: histograms of other programs do not say which events they hold"
)


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """Histograms of another program.

    Attributes:
        sums: Name -> histogram; without a name if it is the only one and has none.
        source: The file.
        others: Name -> class of what else is in it, and is not compared.
    """

    sums: Mapping[str, BinSums]
    source: str
    others: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, side: Histograms | Foreign) -> Foreign:
        """Look at histograms without what is known of their events.

        Raises:
            InputError: If the events are divided into strata.
        """
        if isinstance(side, Foreign):
            return side
        if side.plan.condition is not None:
            msg = (
                f"{side.source}: filled in bins of {side.plan.condition[0]!r}, which histograms of other programs are "
                "not"
            )
            raise InputError(msg)
        return cls({name: content.sums() for name, content in side.contents.items()}, side.source)


def effective_events(sums: Iterable[BinSums]) -> int:
    """Return the largest effective number of events of some histograms, as of their events there is only that."""
    return max(round(some.n_effective) for some in sums)


def filled_already(value: object, side: str) -> Histograms | Foreign | None:
    """Return histograms, or what is in the files of some; ``None`` if these are events.

    Raises:
        InputError: If a file cannot be read; the message names it.
        InputTypeError: If several histograms are given that have not been added up.
    """
    with placed(side):
        if isinstance(value, Histograms):
            return value
        if isinstance(value, list | tuple) and value and all(isinstance(item, Histograms) for item in value):
            msg = "these are several histograms; add them up first"
            raise InputTypeError(msg)
        if names_json(value):
            names: Any = value if isinstance(value, list | tuple) else [value]
            files = expanded(names)
            return _of_json(os.fspath(files[0]), side) if len(files) == 1 else add_up(in_order(files))
        return _of_root(os.fspath(value), side) if isinstance(value, str | os.PathLike) else None


def _of_root(name: str, side: str) -> Foreign | None:
    refuse_yoda(name)
    pieces = pieces_of(name)
    if len(pieces) > 1 or pieces[0].form != "root":
        return None
    piece = pieces[0]
    if "://" not in piece.path and not os.path.isfile(piece.path):  # noqa: PTH113 - an address is no path
        msg = f"{name}: there is no such file; check the name, and the folder you are in"
        raise InputError(msg)
    histograms = root_histograms(piece.path, piece.inside, side)
    return None if histograms is None else Foreign(histograms.sums, os.path.basename(name), histograms.others)  # noqa: PTH119


def _of_json(name: str, side: str) -> Histograms | Foreign:
    content = text_of(name)
    with placed(name):
        document = parsed(content)
        if is_uhi_document(document):
            return Foreign(uhi_histograms(document, side, name), os.path.basename(name))  # noqa: PTH119
        members = document.members()
        if "kind" not in members or members["kind"].value != KIND:
            document.refuse("histograms that 'ganvalid fill' or gv.fill has written, or ones by the schema of UHI")
        return Histograms.from_node(document)


def histogram_from(value: object, side: str) -> object:
    """Read the only histogram of a file, if this is the name of one, for `pytest_ganvalid.compare`.

    Raises:
        InputError: If there are several, or none.
    """
    if not isinstance(value, str | os.PathLike):
        return value
    histograms = filled_already(value, side)
    if histograms is None:
        msg = f"{side}: {os.fspath(value)}: these are events; compare them with validate"
        raise InputError(msg)
    return the_only(Foreign.of(histograms).sums, f"{side}: {os.fspath(value)}")


def matched(gen: Foreign, ref: Foreign, names: Sequence[str] | None = None) -> dict[str, tuple[str, str]]:
    """Match histograms by name; if there is one on either side, they need no common name.

    Args:
        gen: Of the generated sample.
        ref: Of the reference.
        names: Those that are asked for; ``None`` for all.

    Returns:
        Name -> what the histogram is called on both sides; in the order of the reference.

    Raises:
        InputError: If only one side has some of them.
    """
    if len(gen.sums) == len(ref.sums) == 1:
        ours, theirs = next(iter(gen.sums)), next(iter(ref.sums))
        return {theirs or ours or "histogram": (ours, theirs)}
    only = [
        sorted(set(a.sums) - set(b.sums) if names is None else (set(a.sums) - set(b.sums)).intersection(names))
        for a, b in ((gen, ref), (ref, gen))
    ]
    if any(only):
        msg = (
            f"only generated has the histograms {only[0]}, and only reference {only[1]}; expected the same on both "
            "sides: a histogram that is not compared demonstrates nothing (name those to compare: observables=[...])"
        )
        raise InputError(msg)
    return {name: (name, name) for name in ref.sums if name in gen.sums}


def converted(
    ours: BinSums, theirs: BinSums, name: str, sources: tuple[str, str], *, asked: bool
) -> tuple[BinSums, BinSums] | None:
    """Return both sides of a histogram; ``None`` if neither holds events and all histograms are compared.

    Args:
        ours: Of the generated sample.
        theirs: Of the reference.
        name: What it is called, for messages.
        sources: What the sides are in, likewise.
        asked: Whether it was named as one to compare.

    Raises:
        InputError: If it admits no verdict: one side is empty, or both are where it was asked for.
    """
    check_same_bins(ours, theirs)
    places = [f"{side}: {source}" for side, source in zip(("generated", "reference"), sources, strict=True)]
    empty = [place for place, sums in zip(places, (ours, theirs), strict=True) if not sums.populated.any()]
    if len(empty) == 2 and not asked:  # noqa: PLR2004
        return None
    if len(empty) == 1 and not asked:
        msg = (
            f"{empty[0]}: the histogram has no events, and that of the other side has; fill it, or name those to "
            f"compare without {name!r}: observables=[...]"
        )
        raise InputError(msg)
    return as_bin_sums(ours, places[0]), as_bin_sums(theirs, places[1])


def not_compared(ours: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    """Say of what is no TH1 or TH2, on one side or both, that it is left out."""
    skipped = {}
    for name in sorted({*ours, *theirs}):
        kinds = [
            f"a {side[name]}{where}"
            for side, where in ((ours, " in generated"), (theirs, " in reference"))
            if name in side
        ]
        both = ours.get(name) == theirs.get(name)
        skipped[name] = f"is {f'a {ours[name]}' if both else ' and '.join(kinds)}, which is not compared"
    return skipped
