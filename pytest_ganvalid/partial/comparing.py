"""From two sides of which at least one is filled already, to the questions that a verdict answers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_ganvalid._schema import Node, parsed
from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError
from pytest_ganvalid.histograms.files import is_uhi_document, refuse_yoda, root_histograms, the_only, uhi_histograms
from pytest_ganvalid.histograms.sums import BinSums, check_same_bins
from pytest_ganvalid.partial.codec import KIND, from_document
from pytest_ganvalid.partial.filling import fill
from pytest_ganvalid.partial.histograms import Histograms, common_part
from pytest_ganvalid.partial.reading import add_up, expanded, in_order, names_json, text_of
from pytest_ganvalid.preparing import DEFAULT_MEMORY, Prepared, prepared
from pytest_ganvalid.questions import DEFAULT_BINS, Question
from pytest_ganvalid.samples.fingerprint import Fingerprint, fingerprint
from pytest_ganvalid.samples.opening import is_streamed
from pytest_ganvalid.samples.overlaps import Independence
from pytest_ganvalid.samples.pieces import pieces_of
from pytest_ganvalid.samples.printed import check_fingerprints
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.streaming import questions_of, shares_of
from pytest_ganvalid.wishes import Wish

_SIDES = ("generated", "reference")
_NAMED = 3
_UNKNOWN = (
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


def prepared_from(generated: object, reference: object, wish: Wish, client: object = None) -> Prepared:
    """Fill what is not filled yet, and look for rows that the sides share.

    Args:
        generated: As for `pytest_ganvalid.validate`.
        reference: Likewise.
        wish: What is asked.
        client: A Dask client that does the work of reading; ``None`` for threads.

    Raises:
        InputError: If the data or settings admit no verdict.
        InputTypeError: If an argument is of a kind that is not understood.
    """
    gen, ref = (_taken(value, side) for value, side in zip((generated, reference), _SIDES, strict=True))
    if gen is None and ref is None:
        return prepared(generated, reference, wish, client)
    _refuse_settings(wish, client, filled=(gen is not None, ref is not None))
    if isinstance(gen, Histograms) and ref is None:
        ref = _filled_like(reference, 1, gen, wish, client)
    elif isinstance(ref, Histograms) and gen is None:
        gen = _filled_like(generated, 0, ref, wish, client)
    if isinstance(gen, Histograms) and isinstance(ref, Histograms):
        return _of_histograms(gen, ref, wish)
    if gen is None or ref is None:
        side = _SIDES[gen is None]
        msg = f"{side} is histograms of another program, and the other side events; fill both into the same bins"
        raise InputError(msg)
    return _of_foreign(_as_foreign(gen), _as_foreign(ref), wish)


def histogram_from(value: object, side: str) -> object:
    """Read the only histogram of a file, if this is the name of one, for `pytest_ganvalid.compare`.

    Raises:
        InputError: If there are several, or none.
    """
    if not isinstance(value, str | os.PathLike):
        return value
    found = _taken(value, side)
    if found is None:
        msg = f"{side}: {os.fspath(value)}: these are events; compare them with validate"
        raise InputError(msg)
    return the_only(_as_foreign(found).sums, f"{side}: {os.fspath(value)}")


def _taken(value: object, side: str) -> Histograms | Foreign | None:
    """Return histograms; ``None`` if these are events."""
    try:
        return _read(value, side)
    except GanvalidError as error:
        if isinstance(error, ImportError) or str(error).startswith(f"{side}: "):
            raise
        msg = f"{side}: {error}"
        raise type(error)(msg) from None


def _read(value: object, side: str) -> Histograms | Foreign | None:
    if isinstance(value, Histograms):
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(one, Histograms) for one in value):
        msg = "these are several histograms; add them up first"
        raise InputTypeError(msg)
    if names_json(value):
        names: Any = value if isinstance(value, list | tuple) else [value]
        files = expanded(names)
        return _of_json(os.fspath(files[0]), side) if len(files) == 1 else add_up(in_order(files))
    if not isinstance(value, str | os.PathLike):
        return None
    name = os.fspath(value)
    refuse_yoda(name)
    pieces = pieces_of(name)
    if len(pieces) > 1 or pieces[0].form != "root":
        return None
    piece = pieces[0]
    if "://" not in piece.path and not os.path.isfile(piece.path):  # noqa: PTH113 - an address is no path
        msg = f"{name}: there is no such file; check the name, and the folder you are in"
        raise InputError(msg)
    found = root_histograms(piece.path, piece.inside, side)
    return None if found is None else Foreign(found.sums, os.path.basename(name), found.others)  # noqa: PTH119


def _of_json(name: str, side: str) -> Histograms | Foreign:
    content = text_of(name)
    try:
        document = parsed(content)
        if is_uhi_document(document):
            return Foreign(uhi_histograms(document, side), os.path.basename(name))  # noqa: PTH119
        _check_kind(document)
        return from_document(document)
    except InputError as error:
        msg = f"{name}: {error}"
        raise InputError(msg) from None


def _check_kind(document: Node) -> None:
    members = document.members()
    if "kind" not in members or members["kind"].value != KIND:
        document.refuse("histograms that 'ganvalid fill' or gv.fill has written, or ones by the schema of UHI")


def _refuse_settings(wish: Wish, client: object, *, filled: tuple[bool, bool]) -> None:
    """Refuse what can only be said of events, to histograms that are filled.

    Raises:
        InputError: If it is said.
    """
    said = {
        "bins": not (isinstance(wish.bins, int) and wish.bins == DEFAULT_BINS),  # edges may be an array
        "by": wish.by is not None,
        "seed": wish.seed != 0,
        "nonfinite": wish.nonfinite != "error",
        "weight": any(weight is not None and done for weight, done in zip(wish.weights, filled, strict=True)),
        "memory": all(filled) and wish.memory != DEFAULT_MEMORY,
        "client": all(filled) and client is not None,
    }
    wrong = [name for name, is_said in said.items() if is_said]
    if wrong:
        msg = (
            f"{', '.join(wrong)} can only be chosen when histograms are filled, and these are; leave it out, or fill "
            "them anew"
        )
        raise InputError(msg)


def _filled_like(events: object, side: int, like: Histograms, wish: Wish, client: object) -> Histograms:
    weight = wish.weights[side]
    if weight is not None and not isinstance(weight, str):
        msg = f"weight is a {type(weight).__name__}; of events that are filled like histograms it must be a column"
        raise InputTypeError(msg)
    given = client if is_streamed(events) else None
    stated: Any = weight
    if weight is None and not (isinstance(events, Sample) and events.weight is not None):
        stated = False
    try:
        return fill(events, like=like, weight=stated, memory=wish.memory, client=given)
    except GanvalidError as error:
        if isinstance(error, ImportError):
            raise
        msg = f"{_SIDES[side]}: {error}"
        raise type(error)(msg) from None


def _of_histograms(gen: Histograms, ref: Histograms, wish: Wish) -> Prepared:
    _check_comparable(gen, ref)
    chosen = _selected(ref.recipe.observables, wish.observables)
    histograms = [one for one in ref.recipe.histograms if one.observable.name in chosen]
    found = gen.found(), ref.found()
    shares = shares_of(ref.recipe.condition, found)
    return Prepared(
        questions=tuple(questions_of(histograms, shares, found)),
        shares=tuple(shares.values()),
        independence=_independence(gen, ref, wish),
        events=(gen.n_events, ref.n_events),
        origins=(_origin(gen), _origin(ref)),
        skipped={name: "not asked for" for name in ref.recipe.observables if name not in chosen},
    )


def _independence(gen: Histograms, ref: Histograms, wish: Wish) -> Independence:
    """Look for rows that the sides share, and note it if what the bins were chosen from is not known."""
    row_chance = max(gen.row_chance, ref.row_chance)
    found = check_fingerprints(gen.fingerprint, ref.fingerprint, _training(wish, ref), row_chance=row_chance)
    chosen_from = {*gen.recipe.bins_from, *ref.recipe.bins_from}
    if not chosen_from or not chosen_from.isdisjoint(part.id for part in ref.parts):
        return found
    ids = sorted(chosen_from)
    contents = ", ".join(one[:12] for one in ids[:_NAMED]) + (", ..." if len(ids) > _NAMED else "")
    note = f"the bins were chosen from events of neither side (content {contents}), which must be true simulation"
    return replace(found, notes=(*found.notes, note))


def _check_comparable(gen: Histograms, ref: Histograms) -> None:
    """Refuse sides that share events, are of other observables, or of bins that the generated events have chosen.

    Raises:
        InputError: If they do, or are.
    """
    shared = common_part(gen.parts, ref.parts)
    if shared is not None:
        mine, other = shared
        msg = (
            f"{mine.source} of the generated and {other.source} of the reference hold the same {mine.events:,} events "
            f"(content {mine.id[:12]}); expected independent samples"
        )
        raise InputError(msg)
    found = gen.recipe.difference(ref.recipe)
    if found:
        msg = (
            f"generated and reference histograms were filled in different ways: {found}; fill the reference, and the "
            "generated events like it: ganvalid fill GENERATED --like REFERENCE.json"
        )
        raise InputError(msg)
    chosen_from = {*gen.recipe.bins_from, *ref.recipe.bins_from}
    own = next((part for part in gen.parts if part.id in chosen_from), None)
    if own is not None:
        msg = (
            f"the bins were chosen from the generated events ({own.source}), which must not choose where they are "
            "looked at; fill the reference first, and the generated events like it"
        )
        raise InputError(msg)


def _selected(names: Sequence[str], wanted: object) -> tuple[str, ...]:
    """Return the observables to compare.

    Raises:
        InputError: If one is not there, or there is none.
        InputTypeError: If they are not names.
    """
    if wanted is None:
        return tuple(names)
    given = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(given, list | tuple | set | frozenset) or not all(isinstance(name, str) for name in given):
        msg = f"observables={wanted!r}: of histograms that are filled only names can be chosen; there are {list(names)}"
        raise InputTypeError(msg)
    missing = sorted(set(given) - set(names))
    if missing or not given:
        msg = (
            f"there is no histogram {missing[0]!r}; there are {list(names)}" if missing else "no observable to compare"
        )
        raise InputError(msg)
    return tuple(name for name in names if name in given)


def _training(wish: Wish, ref: Histograms) -> Fingerprint | None:
    if wish.training is None or isinstance(wish.training, Fingerprint):
        return wish.training
    return fingerprint(wish.training, columns=ref.fingerprint.columns)


def _origin(side: Histograms) -> dict[str, Any]:
    return {"source": side.source, "parts": len(side.parts)}


def _as_foreign(side: Histograms | Foreign) -> Foreign:
    """Look at histograms without what is known of their events.

    Raises:
        InputError: If the events are divided into strata.
    """
    if isinstance(side, Foreign):
        return side
    if side.recipe.condition is not None:
        msg = (
            f"{side.source}: filled in bins of {side.recipe.condition[0]!r}, which histograms of other programs are not"
        )
        raise InputError(msg)
    return Foreign({name: filled.sums() for name, filled in side.contents.items()}, side.source)


def _of_foreign(gen: Foreign, ref: Foreign, wish: Wish) -> Prepared:
    if wish.training is not None:
        msg = "training= takes events; what histograms of another program were filled with is not known: leave it out"
        raise InputError(msg)
    ours, theirs = _matched(gen, ref)
    return Prepared(
        questions=tuple(
            Question(name=name, generated=ours[name], reference=theirs[name])
            for name in _selected(tuple(theirs), wish.observables)
            if _same_bins(name, ours[name], theirs[name])
        ),
        shares=(),
        independence=Independence(overlaps=(), duplicates={}, notes=(_UNKNOWN,)),
        events=(_events(ours), _events(theirs)),
        origins=({"source": gen.source}, {"source": ref.source}),
        skipped=_not_compared(gen.others, ref.others),
    )


def _not_compared(ours: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    """Say of what is no TH1 or TH2, on one side or both, that it is left out."""
    said = {}
    for name in sorted({*ours, *theirs}):
        kinds = [
            f"a {side[name]}{where}"
            for side, where in ((ours, " in generated"), (theirs, " in reference"))
            if name in side
        ]
        both = ours.get(name) == theirs.get(name)
        said[name] = f"is {f'a {ours[name]}' if both else ' and '.join(kinds)}, which is not compared"
    return said


def _matched(gen: Foreign, ref: Foreign) -> tuple[Mapping[str, BinSums], Mapping[str, BinSums]]:
    """Match histograms by name; if there is one on either side, they need no common name.

    Raises:
        InputError: If only one side has some.
    """
    if len(gen.sums) == len(ref.sums) == 1:
        name = next(iter(ref.sums)) or next(iter(gen.sums)) or "histogram"
        return ({name: next(iter(side.sums.values()))} for side in (gen, ref))  # type: ignore[return-value]
    only = [sorted(set(a.sums) - set(b.sums)) for a, b in ((gen, ref), (ref, gen))]
    if any(only):
        msg = (
            f"only generated has the histograms {only[0]}, and only reference {only[1]}; expected the same on both "
            "sides: a histogram that is not compared demonstrates nothing"
        )
        raise InputError(msg)
    return gen.sums, ref.sums


def _same_bins(name: str, generated: BinSums, reference: BinSums) -> bool:
    try:
        check_same_bins(generated, reference)
    except InputError as error:
        msg = f"observable {name!r}: {error}"
        raise InputError(msg) from None
    return True


def _events(sums: Mapping[str, BinSums]) -> int:
    """Return the effective number of events, where there is only that."""
    return max(round(one.n_effective) for one in sums.values())
