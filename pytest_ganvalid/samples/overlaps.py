"""What a search for shared rows finds: frozen, builtins only, in words and as JSON both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_ganvalid import _json
from pytest_ganvalid.errors import InputError

Row = dict[str, Any]

_NAMED = 6  # columns of a row that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """The rows of one sample that also occur in another.

    Attributes:
        sides: The sample whose rows are counted, and the one in which they occur.
        columns: What makes up a row.
        rows: How many rows are shared; an estimate unless ``exact``.
        rows_lower: Lower confidence limit (95 %, two-sided), ``rows`` if exact.
        rows_upper: Upper confidence limit, ``rows`` if exact.
        distinct: How many different rows are shared; an estimate unless ``exact``.
        of: Number of rows of the first sample.
        expected_by_chance: How many of them independent samples would share: an upper confidence limit (95 %).
        beyond_chance: Whether the samples are shown not to be independent.
        exact: Whether all rows were compared, and not a fingerprint or a sample of them.
        examples: Up to three shared rows, column -> value, or the first few values.
        left_out: Common columns that make up no row, as they only number or label the events.
        single: Whether values were rounded to single precision, which undoes what file formats do to them.
    """

    sides: tuple[str, str]
    columns: tuple[str, ...]
    rows: int
    rows_lower: int
    rows_upper: int
    distinct: int
    of: int
    expected_by_chance: float
    beyond_chance: bool
    exact: bool
    examples: tuple[Row, ...] = ()
    left_out: tuple[str, ...] = ()
    single: bool = False

    def sentence(self) -> str:
        """Say how many rows are shared, which ones, and what to do if they are more than by chance."""
        first, second = self.sides
        estimate = f" (95 % interval {self.rows_lower:,} to {self.rows_upper:,}, from a part of them)"
        found = (
            f"{self.rows:,} of {self.of:,} {first} rows{self._how()} are also in the {second} sample"
            f"{'' if self.exact else estimate}"
        )
        if not self.beyond_chance:
            return f"{found}; chance allows for {self.expected_by_chance:,.3g}"
        limit = f"where chance allows for {self.expected_by_chance:,.3g} at most"
        pattern = "too evenly, or in too many rare rows, for independent samples"
        excess = limit if self.rows > self.expected_by_chance else pattern
        return f"{found}, {excess}{_shown(self.examples)}; {_REMEDIES[self.sides]}"

    def _how(self) -> str:
        said = [f"without {', '.join(map(repr, self.left_out))}"] if self.left_out else []
        said += ["in single precision"] if self.single else []
        return f" ({', '.join(said)})" if said else ""


_REMEDIES = {
    ("reference", "training"): "take a reference that the training has not seen",
    ("generated", "training"): (
        "the generator repeats events that it was trained on: stop its training earlier, make it smaller or train it "
        "on more events"
    ),
    ("generated", "reference"): "generate anew, with a generator that has never seen the reference",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Independence:
    """Which rows the samples of a check share.

    Attributes:
        overlaps: Of each pair of samples that was compared.
        duplicates: Side -> number of its rows that repeat another row of it.
        duplicated: The sides that repeat rows more often than independent events would.
        columns: The columns of the reference that make up a row of it.
        examples: Up to three such rows of the reference.
        notes: What could not be compared, in sentences.
    """

    overlaps: tuple[Overlap, ...]
    duplicates: dict[str, int]
    duplicated: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    examples: tuple[Row, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def independent(self) -> bool:
        """Whether nothing speaks against independent samples.

        That is, no overlap beyond chance, and no reference rows that are repeated beyond chance. What a generator
        repeats of its own is for the comparison with the reference to judge.
        """
        return "reference" not in self.duplicated and not any(overlap.beyond_chance for overlap in self.overlaps)

    def reasons(self) -> tuple[str, ...]:
        """Say what speaks against independence, in sentences; none if nothing does."""
        found = [overlap.sentence() for overlap in self.overlaps if overlap.beyond_chance]
        if "reference" in self.duplicated:
            found.append(
                f"{self.duplicates['reference']:,} reference rows repeat another one, more than independent events "
                f"would{_shown(self.examples)}; was a file read twice? keep each event once"
            )
        return tuple(found)

    def to_json(self, indent: int | None = None) -> str:
        """Write as a JSON text; `from_json` restores an equal object."""
        return _json.dumps("independence", 1, self, indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Independence:
        """Read what `to_json` wrote.

        Raises:
            InputError: If the text is not of this kind and version.
        """
        return cls.from_dict(_json.loads("independence", 1, text))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Independence:
        """Build from the JSON types that `_json.encode` makes of it.

        Raises:
            InputError: If fields are missing, unknown or of another type.
        """
        decoders: dict[str, _json.Decoder] = dict.fromkeys(("duplicated", "columns", "notes"), _json.strings)
        return _json.decode(cls, data, {**decoders, "overlaps": _overlaps, "examples": _rows, "duplicates": _counts})


def _shown(examples: tuple[Row, ...]) -> str:
    """Show some rows; of a fingerprint there are none to show."""
    rows = ", ".join(f"({_columns_shown(row)})" for row in examples)
    return f"; for example {rows}" if rows else ""


def _columns_shown(row: Row) -> str:
    shown = [f"{name} = {_short(value)}" for name, value in list(row.items())[:_NAMED]]
    return ", ".join([*shown, f"and {len(row) - _NAMED} more"] if len(row) > _NAMED else shown)


def _short(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def _overlaps(data: list[dict[str, Any]]) -> tuple[Overlap, ...]:
    decoders: dict[str, _json.Decoder] = {
        "sides": _sides,
        "columns": _json.strings,
        "examples": _rows,
        "left_out": _json.strings,
    }
    return tuple(_json.decode(Overlap, row, decoders) for row in data)


def _sides(values: object) -> tuple[str, str]:
    sides = _json.strings(values)
    if sides not in _REMEDIES:
        msg = f"expected two sides, one of {list(_REMEDIES)}; got {sides}"
        raise InputError(msg)
    return sides[0], sides[1]


def _rows(data: object) -> tuple[Row, ...]:
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        msg = "expected an array of rows"
        raise InputError(msg)
    return tuple(dict(row) for row in data)


def _counts(data: object) -> dict[str, int]:
    if not isinstance(data, dict) or not all(type(count) is int for count in data.values()):
        msg = "expected the number of rows of each side"
        raise InputError(msg)
    return dict(data)
