"""What a search for shared rows comes to: frozen, builtins only, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
_REMEDIES = {
    ("reference", "training"): "take a reference that the training has not seen",
    ("generated", "training"): (
        "the generator repeats events that it was trained on: stop its training earlier, make it smaller or train it "
        "on more events"
    ),
    ("generated", "reference"): "generate anew, with a generator that has never seen the reference",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """The rows of one sample that also occur in another.

    Attributes:
        sides: The sample whose rows are counted, and the one in which they occur.
        columns: What makes up a row.
        precision: In which they are equal: double, single or half.
        rows: How many rows are shared; an estimate unless ``exact``.
        rows_lower: Lower confidence limit (95 %, two-sided), ``rows`` if exact.
        rows_upper: Upper confidence limit, ``rows`` if exact.
        distinct: How many different rows are shared; an estimate unless ``exact``.
        of: Number of rows of the first sample.
        expected_by_chance: How many of them independent samples would share: an upper confidence limit (95 %).
        beyond_chance: Whether the samples are shown not to be independent.
        exact: Whether all rows were compared, and not a sketch of them.
        seen_from: The smallest share of copied rows that would have been seen; above 1 if none would.
        seen_rounded_from: Likewise of rows that were rounded, to three significant digits or more.
        examples: Up to three shared rows: those columns by which they are known not to agree by chance.
    """

    sides: tuple[str, str]
    columns: tuple[str, ...]
    precision: str
    rows: int
    rows_lower: int
    rows_upper: int
    distinct: int
    of: int
    expected_by_chance: float
    beyond_chance: bool
    exact: bool
    seen_from: float
    seen_rounded_from: float
    examples: tuple[Row, ...] = ()

    def sentence(self) -> str:
        """Say how many rows are shared, which ones, and what to do if they are more than by chance."""
        first, second = self.sides
        how = "" if self.precision == "double" else f" (in {self.precision} precision)"
        estimate = f" (95 % interval {self.rows_lower:,} to {self.rows_upper:,}, from a part of them)"
        count = (
            f"{self.rows:,} of {self.of:,} {first} rows{how} are also in the {second} sample"
            f"{'' if self.exact else estimate}"
        )
        if not self.beyond_chance:
            return f"{count}; chance allows for {self.expected_by_chance:,.3g}"
        limit = f"where chance allows for {self.expected_by_chance:,.3g} at most"
        pattern = "too evenly, or in too many rare rows, for independent samples"
        excess = limit if self.rows > self.expected_by_chance else pattern
        return f"{count}, {excess}{_shown(self.examples)}; {_REMEDIES[self.sides]}"

    def sensitivity(self) -> str:
        """Say which copies would have been seen."""
        first, second = self.sides
        copies = f"{first} rows that are copies of {second} rows"
        if self.seen_from > 1:
            return f"{copies} cannot be seen in {', '.join(self.columns)}: chance repeats as many"
        rounded = (
            f"if they were rounded, {_percent(self.seen_rounded_from)}"
            if self.seen_rounded_from <= 1
            else "if they were rounded, at no share"
        )
        return f"{copies} are seen from a share of {_percent(self.seen_from)} on, {rounded}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Independence:
    """Which rows the samples of a check share.

    Attributes:
        overlaps: Of each pair of samples that was compared.
        duplicates: Side -> number of its rows that repeat another row of it.
        duplicated: The sides that repeat rows more often than independent events would.
        columns: What makes up a row of the reference.
        examples: Up to three repeated rows of the reference.
        notes: What could not be compared, and what could not be seen, in sentences.
        obstacles: Why independence cannot be known although it must be, in sentences.
    """

    overlaps: tuple[Overlap, ...] = ()
    duplicates: dict[str, int]
    duplicated: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    examples: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()

    @property
    def independent(self) -> bool:
        """Whether nothing speaks against independent samples.

        That is, no overlap beyond chance, and no reference rows that are repeated beyond chance. What a generator
        repeats of its own is for the comparison with the reference to judge.
        """
        return not self.reasons()

    def reasons(self) -> tuple[str, ...]:
        """Say what speaks against independence, in sentences; none if nothing does."""
        reasons = [overlap.sentence() for overlap in self.overlaps if overlap.beyond_chance]
        if "reference" in self.duplicated:
            reasons.append(
                f"{self.duplicates['reference']:,} reference rows repeat another one, more than independent events "
                f"would{_shown(self.examples)}; was a file read twice? keep each event once"
            )
        return (*reasons, *self.obstacles)


def _percent(share: float) -> str:
    return f"{float(f'{100 * share:.2g}'):g} %"


def _shown(examples: tuple[Row, ...]) -> str:
    """Show some rows; of a stored fingerprint there are none to show."""
    rows = ", ".join(f"({', '.join(f'{name} = {_short(value)}' for name, value in row.items())})" for row in examples)
    return f"; for example {rows}" if rows else ""


def _short(value: object) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)
