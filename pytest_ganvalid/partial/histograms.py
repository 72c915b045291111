"""Histograms of some of the events; those of others add up to those of all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.bins import Unlabelled
from pytest_ganvalid.histograms.exact import Total
from pytest_ganvalid.histograms.filling import Filled
from pytest_ganvalid.partial.recipe import Content, Recipe
from pytest_ganvalid.samples.coincidence import p_again
from pytest_ganvalid.samples.fingerprint import Fingerprint
from pytest_ganvalid.streaming import Found

_SURELY = (
    1e-12  # probability, below which two parts of the same content are one: thousands of jobs are millions of pairs
)
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Part:
    """Some events, all of one file.

    Attributes:
        source: The name of the file.
        id: Digest of the values of all events in single precision, the same for any order of them and any name of the
            file.
        events: Their number.
        chance: Probability, at most, that other independent events have the same digest: such of few distinct values.
    """

    source: str
    id: str
    events: int
    chance: float

    @classmethod
    def of(cls, source: str, printed: Fingerprint) -> Part:
        """Recognise events by their fingerprint."""
        narrow = printed.narrow  # so that they are the same in whatever precision they are stored
        held = json.dumps([printed.columns, printed.rows, narrow.digests, narrow.counts]).encode()
        chance = p_again(np.array(narrow.counts, np.int64), sum(narrow.counts))
        return cls(source=source, id=hashlib.sha256(held).hexdigest()[:32], events=printed.rows, chance=chance)

    def same(self, other: Part) -> bool:
        """Tell whether two parts are the same events, and not others that happen to look the same."""
        return self.id == other.id and (self.source == other.source or max(self.chance, other.chance) < _SURELY)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histograms:
    """Histograms of some events, in a few kilobytes: all that a verdict is made of.

    Attributes:
        parts: Which events, in order.
        recipe: What is filled, and how.
        events: Number of events in each bin of the condition.
        weights: Their weight, shape (strata,).
        contents: Name -> histogram.
        fingerprint: Of all events, by which they are recognised.
        row_chance: Probability, at most, that two independent events are equal.
    """

    parts: tuple[Part, ...]
    recipe: Recipe
    events: tuple[int, ...]
    weights: Total
    contents: Mapping[str, Filled]
    fingerprint: Fingerprint
    row_chance: float

    def __eq__(self, other: object) -> bool:
        """Tell whether all is the same, to the last bit."""
        return isinstance(other, Histograms) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        """Return a number that equal histograms share."""
        return hash((self.parts, self.events))

    def __add__(self, other: Histograms) -> Histograms:
        """Add the histograms of other events.

        Raises:
            InputError: If they were filled in another way, or share a part.
        """
        return total((self, other))

    @property
    def n_events(self) -> int:
        """Number of events."""
        return sum(self.events)

    @property
    def source(self) -> str:
        """Where the events come from, in words."""
        return named(self.parts)

    def found(self) -> Found:
        """Return the contents as a pass over the events leaves them."""
        bins = Unlabelled((len(self.events),))
        events = Filled(bins, Total.of(np.array(self.events, np.float64)))
        return Found(events, Filled(bins, self.weights), self.contents)

    def to_json(self, indent: int | None = None) -> str:
        """Write as a JSON text; `from_json` restores an equal object.

        Its member ``histograms`` holds them as other programs read them, by the UHI schema.
        """
        from pytest_ganvalid.partial.codec import written

        return written(self, indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Histograms:
        """Read what `to_json` wrote.

        Raises:
            InputError: If the text is not that of histograms of this version; the message names the field.
        """
        from pytest_ganvalid.partial.codec import restored

        return restored(text)


def of_found(
    found: Found, recipe: Recipe, parts: Iterable[Part], printed: Fingerprint, row_chance: float
) -> Histograms:
    """Make histograms of what a pass over some events has left.

    Args:
        found: That.
        recipe: How they were filled.
        parts: Which events.
        printed: The fingerprint of all.
        row_chance: Probability, at most, that two independent ones are equal.

    Raises:
        InputError: If events have several entries where the recipe knows of one.
    """
    contents = {}
    for name, content in recipe.contents():
        filled = found.histograms.get(name)
        contents[name] = (
            _empty(content, weighted=recipe.weight is not None) if filled is None else _alike(name, filled, content)
        )
    return Histograms(
        parts=tuple(sorted(parts)),
        recipe=recipe,
        events=tuple(int(number) for number in found.events.sumw.value),
        weights=found.weights.sumw,
        contents=contents,
        fingerprint=printed,
        row_chance=row_chance,
    )


def total(some: Iterable[Histograms]) -> Histograms:
    """Add up the histograms of different events, in whatever number.

    Raises:
        InputError: If there are none, some were filled in another way, or two share a part.
    """
    return total_of(("", one) for one in some)


def total_of(some: Iterable[tuple[str, Histograms]]) -> Histograms:
    """Add up histograms with the names of their files, for error messages; see `total`."""
    sum_: Histograms | None = None
    first = ""
    known: dict[str, list[tuple[Part, str]]] = {}
    for name, one in some:
        if sum_ is None:
            first = name or one.source
        else:
            _check_addable(sum_, one, f"{first} and {name or one.source}")
        for part in one.parts:
            check_new(part, name, known.setdefault(part.id, []))
        sum_ = one if sum_ is None else _sum(sum_, one)
    if sum_ is None:
        msg = "there are no histograms to add"
        raise InputError(msg)
    return replace(sum_, parts=tuple(sorted(part for parts in known.values() for part, _ in parts)))


def common_part(ours: Sequence[Part], theirs: Sequence[Part]) -> tuple[Part, Part] | None:
    """Return a part of one side that is also one of the other, as either calls it; ``None`` if there is none."""
    known: dict[str, list[Part]] = {}
    for part in ours:
        known.setdefault(part.id, []).append(part)
    shared = ((mine, part) for part in theirs for mine in known.get(part.id, ()) if mine.same(part))
    return next(shared, None)


def named(parts: Sequence[Part]) -> str:
    """Name the first of some parts, and say how many more there are."""
    names = ", ".join(part.source for part in parts[:_NAMED])
    return names if len(parts) <= _NAMED else f"{names} and {len(parts) - _NAMED:,} more"


def check_new(part: Part, name: str, known: list[tuple[Part, str]]) -> None:
    """Note a part and the file that it is in, unless it is known.

    Raises:
        InputError: If it is.
    """
    again = next(((other, of) for other, of in known if other.same(part)), None)
    if again is not None:
        one, other = (f"{p.source} (in {of})" if of else p.source for p, of in (again, (part, name)))
        msg = (
            f"{one} and {other} hold the same {part.events:,} events (content {part.id[:12]}); expected every event "
            "once: leave one of them out"
        )
        raise InputError(msg)
    known.append((part, name))


def _check_addable(a: Histograms, b: Histograms, names: str) -> None:
    if a.recipe.weight != b.recipe.weight:
        ours, theirs = (_weight(one.recipe) for one in (a, b))
        msg = f"histograms of {names} do not add up: {ours} and {theirs}; fill all with the same weight"
        raise InputError(msg)
    found = a.recipe.difference(b.recipe)
    if found:
        msg = (
            f"histograms of {names} do not add up: {found}; fill all parts like the first: "
            "ganvalid fill EVENTS --like FIRST.json"
        )
        raise InputError(msg)


def _weight(recipe: Recipe) -> str:
    if recipe.weight is None:
        return "unweighted"
    return f"weighted by {recipe.weight!r}" if recipe.weight else "weighted by the weights of a Sample"


def _sum(a: Histograms, b: Histograms) -> Histograms:
    recipe = a.recipe
    if a.recipe.bins_from != b.recipe.bins_from:
        recipe = replace(recipe, bins_from=tuple(sorted({*a.recipe.bins_from, *b.recipe.bins_from})))
    return Histograms(
        parts=a.parts,
        recipe=recipe,
        events=tuple(x + y for x, y in zip(a.events, b.events, strict=True)),
        weights=a.weights + b.weights,
        contents={name: filled + b.contents[name] for name, filled in a.contents.items()},
        fingerprint=a.fingerprint.merge(b.fingerprint),
        row_chance=max(a.row_chance, b.row_chance),
    )


def _empty(content: Content, *, weighted: bool) -> Filled:
    size = int(np.prod(content.bins.shape))
    none = Total.of(np.zeros(size))
    if content.correlated:
        return Filled(content.bins, none, none, np.zeros((size, size)), Total.of(np.zeros(2)))
    return Filled(content.bins, none, none if weighted else None)


def _alike(name: str, filled: Filled, content: Content) -> Filled:
    """Give events of one entry each the covariance that those of several have.

    Raises:
        InputError: If it is the other way round.
    """
    if (filled.products is not None) == content.correlated:
        return filled
    if not content.correlated:
        msg = (
            f"observable {name!r} has several entries per event here, and one in the events that the bins were chosen "
            "from; expected the same of all"
        )
        raise InputError(msg)
    squares = filled.sumw if filled.sumw2 is None else filled.sumw2
    sums = [Total(*(np.array([part.sum()]) for part in (one.leading, one.rest))) for one in (filled.sumw, squares)]
    events = Total(*(np.concatenate([getattr(one, part) for one in sums]) for part in ("leading", "rest")))
    return replace(filled, sumw2=squares, products=np.diag(squares.value), events=events)
