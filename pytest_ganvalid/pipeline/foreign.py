"""Histograms of other programs, of whose events nothing is known: reading and matching them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_ganvalid._json import parsed
from pytest_ganvalid.errors import InputError, InputTypeError, placed
from pytest_ganvalid.histograms.files import (
    is_uhi_document,
    refuse_yoda,
    root_histograms,
    single_histogram,
    uhi_histograms,
)
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums, check_same_bins
from pytest_ganvalid.pipeline.files import add_up, expanded, in_order, names_json, text_of
from pytest_ganvalid.pipeline.summary import KIND, Histograms
from pytest_ganvalid.samples.pieces import pieces_of

EMPTY = "has no events on either side"
"""Reason for which a histogram is left out."""
UNKNOWN = (
    "whether the samples share events cannot be seen: histograms of other programs do not say which events they hold"
)


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """Histograms of another program.

    Attributes:
        sums: Name -> histogram; without a name if it is the only one and has none.
        source: The file.
        others: Name -> class of other objects of the file, which are not compared.
    """

    sums: Mapping[str, BinSums]
    source: str
    others: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, side: Histograms | Foreign) -> Foreign:
        """Drop what is known of the events of histograms.

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
    """Return the largest effective number of events of some histograms, whose numbers of events are not known."""
    return max(round(histogram.n_effective) for histogram in sums)


def filled_already(value: object, side: str) -> Histograms | Foreign | None:
    """Return histograms, or read them from their files; ``None`` if the value is events.

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
        InputError: If the file holds several histograms, or none.
    """
    if not isinstance(value, str | os.PathLike):
        return value
    histograms = filled_already(value, side)
    if histograms is None:
        msg = f"{side}: {os.fspath(value)}: these are events; compare them with validate"
        raise InputError(msg)
    return single_histogram(Foreign.of(histograms).sums, f"{side}: {os.fspath(value)}")


def matched(gen: Foreign, ref: Foreign, names: Sequence[str] | None = None) -> dict[str, tuple[str, str]]:
    """Match histograms by name; a single histogram on either side needs no common name.

    Args:
        gen: Histograms of the generated sample.
        ref: Histograms of the reference.
        names: Names that are requested; ``None`` for all.

    Returns:
        Name -> names of the histogram on either side; in the order of the reference.

    Raises:
        InputError: If only one side has some of the histograms.
    """
    if len(gen.sums) == len(ref.sums) == 1:
        generated, reference = next(iter(gen.sums)), next(iter(ref.sums))
        return {reference or generated or "histogram": (generated, reference)}
    exclusive = [
        sorted(set(a.sums) - set(b.sums) if names is None else (set(a.sums) - set(b.sums)).intersection(names))
        for a, b in ((gen, ref), (ref, gen))
    ]
    if any(exclusive):
        msg = (
            f"only generated has the histograms {exclusive[0]}, and only reference {exclusive[1]}; expected the same "
            "on both sides: a histogram that is not compared demonstrates nothing (name those to compare: "
            "observables=[...])"
        )
        raise InputError(msg)
    return {name: (name, name) for name in ref.sums if name in gen.sums}


def converted(
    generated: BinSums, reference: BinSums, name: str, sources: tuple[str, str], *, requested: bool
) -> tuple[BinSums, BinSums] | None:
    """Return both sides of a histogram; ``None`` if neither holds events and all histograms are compared.

    Args:
        generated: Histogram of the generated sample.
        reference: Histogram of the reference.
        name: Name of the histogram, for messages.
        sources: Sources of both sides, likewise.
        requested: Whether the histogram was named as one to compare.

    Raises:
        InputError: If one side is empty, or both are and the histogram was requested.
    """
    check_same_bins(generated, reference)
    locations = [f"{side}: {source}" for side, source in zip(("generated", "reference"), sources, strict=True)]
    empty = [
        location for location, sums in zip(locations, (generated, reference), strict=True) if not sums.populated.any()
    ]
    if len(empty) == 2 and not requested:  # noqa: PLR2004
        return None
    if len(empty) == 1 and not requested:
        msg = (
            f"{empty[0]}: the histogram has no events, and that of the other side has; fill it, or name those to "
            f"compare without {name!r}: observables=[...]"
        )
        raise InputError(msg)
    return as_bin_sums(generated, locations[0]), as_bin_sums(reference, locations[1])


def not_compared(generated: Mapping[str, str], reference: Mapping[str, str]) -> dict[str, str]:
    """Return name -> reason for objects other than TH1 and TH2, which are left out."""
    skipped = {}
    for name in sorted({*generated, *reference}):
        kinds = [
            f"a {side[name]}{suffix}"
            for side, suffix in ((generated, " in generated"), (reference, " in reference"))
            if name in side
        ]
        same = generated.get(name) == reference.get(name)
        skipped[name] = f"is {f'a {generated[name]}' if same else ' and '.join(kinds)}, which is not compared"
    return skipped
