"""The origins of events: files are recognised by their content, so that no event counts twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._json import Range
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.overlaps.chance import p_repetition
from pytest_ganvalid.overlaps.digests import Words, blocks
from pytest_ganvalid.overlaps.key import Key

# Probability, below which two origins of the same content are one: thousands of jobs are millions of pairs.
_SAME_CHANCE = 1e-12
_Sum = Annotated[int, Range(0, 2**64 - 1)]
MOST_EVENTS = 2**53  # floats hold all integers up to it


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Origin:
    """Some events, all of one file.

    Attributes:
        source: The name of the file.
        id: Digest of the values of all events, the same for any order of them, in whatever precision they are stored,
            and for any name of the file.
        events: Their number.
        chance: Probability, at most, that other independent events have the same digest: such of few distinct values.
        sums: Sums that the digest is made of: of hashes and of their squares, by which several origins are recognised
            as what has been one, or was divided in another way; ``None`` if that was not kept.
    """

    source: str
    id: str
    events: Annotated[int, Range(1, MOST_EVENTS)]
    chance: Annotated[float, Range(0, 1)]
    sums: tuple[_Sum, _Sum] | None = field(default=None, compare=False)

    def same(self, other: Origin) -> bool:
        """Tell whether two origins are the same events, and not others that happen to look the same."""
        return self.id == other.id and (self.source == other.source or max(self.chance, other.chance) < _SAME_CHANCE)


@dataclass(frozen=True, slots=True)
class Tally:
    """Events of an origin that is still being read: their number, and sums of their hashes and of the squares of those.

    Sums do not depend on the order of the events, and are modulo 2⁶⁴.
    """

    events: int
    sum: int = 0
    squares: int = 0

    @classmethod
    def of(cls, hashes: Words) -> Tally:
        """Count some events."""
        total = squares = 0
        for block in blocks(hashes.size):
            long = hashes[block].astype(np.uint64)
            total += int(long.sum())
            squares += int(np.dot(long, long))
        return cls(hashes.size, total % 2**64, squares % 2**64)

    def __add__(self, other: Tally) -> Tally:
        """Count other events, too."""
        return Tally(self.events + other.events, (self.sum + other.sum) % 2**64, (self.squares + other.squares) % 2**64)

    def id(self, key: Key | None) -> str:
        """Digest the events, recognised by ``key``."""
        content = json.dumps([[], 0] if key is None else [key.columns, key.bits])
        return hashlib.sha256(f"{content} {self.events} {self.sum} {self.squares}".encode()).hexdigest()[:32]

    def origin(self, source: str, key: Key | None, counts: NDArray[np.integer]) -> Origin:
        """Give the events an id.

        Args:
            source: The name of their file.
            key: How rows are recognised.
            counts: How often each distinct row of the sample occurs.
        """
        total = int(counts.sum())
        chance = p_repetition(counts, self.events / total) if total and key is not None else 1.0
        sums = self.sum, self.squares
        return Origin(source=source, id=self.id(key), events=self.events, chance=chance, sums=sums)


class OriginList:
    """Origins, each once."""

    def __init__(self) -> None:
        """Start with no origin."""
        self._by_id: dict[str, list[tuple[Origin, str]]] = {}

    def extend(self, origins: Iterable[Origin], name: str = "") -> None:
        """Add origins that are in some file of histograms, or in none.

        Raises:
            InputError: If two origins hold the same events.
        """
        for origin in origins:
            others = self._by_id.setdefault(origin.id, [])
            duplicate = next((pair for pair in others if pair[0].same(origin)), None)
            if duplicate is not None:
                first, second = (
                    f"{o.source} (in {file})" if file else o.source for o, file in (duplicate, (origin, name))
                )
                msg = (
                    f"{first} and {second} hold the same {origin.events:,} events (content {origin.id[:12]}); expected "
                    "every event once: leave one of them out"
                )
                raise InputError(msg)
            others.append((origin, name))

    def sorted(self) -> tuple[Origin, ...]:
        """Return the origins in order."""
        return tuple(sorted(origin for others in self._by_id.values() for origin, _ in others))


def chosen_share(origins: Sequence[Origin], chosen_from: Collection[str], key: Key | None) -> float:
    """Return the share of events that come from some origins, or together are one of them.

    Args:
        origins: Origins of the events.
        chosen_from: Ids of the other origins.
        key: How rows are recognised.
    """
    events = sum(origin.events for origin in origins)
    share = sum(origin.events for origin in origins if origin.id in chosen_from) / max(events, 1)
    sums = [origin.sums for origin in origins if origin.sums is not None]
    if share or len(sums) < len(origins) or not events:
        return share
    total, squares = (sum(terms) % 2**64 for terms in zip(*sums, strict=True))
    return float(Tally(events, total, squares).id(key) in chosen_from)


def common_origin(generated: Sequence[Origin], reference: Sequence[Origin]) -> tuple[Origin, Origin] | None:
    """Return an origin that both sides share, as each side names it; ``None`` if there is none."""
    by_id: dict[str, list[Origin]] = {}
    for origin in generated:
        by_id.setdefault(origin.id, []).append(origin)
    shared = ((first, second) for second in reference for first in by_id.get(second.id, ()) if first.same(second))
    return next(shared, None)
