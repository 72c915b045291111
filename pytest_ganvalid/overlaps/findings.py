"""The findings of a search for shared rows: frozen, builtins only, and in words."""

from __future__ import annotations

from dataclasses import dataclass, field
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


_TOLERATED = 0.01  # share of near copies
_HINT_ALPHA = 1e-3  # p-value below which fewer near copies are mentioned


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """The rows of one sample that also occur in another.

    Attributes:
        sides: The sample whose rows are counted, and the one in which they occur.
        columns: What makes up a row.
        precision: Precision in which rows are equal: double, single or half.
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
        precision = "" if self.precision == "double" else f" (in {self.precision} precision)"
        estimate = f" (95 % interval {self.rows_lower:,} to {self.rows_upper:,}, from a part of them)"
        count = (
            f"{self.rows:,} of {self.of:,} {first} rows{precision} are also in the {second} sample"
            f"{'' if self.exact else estimate}"
        )
        if not self.beyond_chance:
            return f"{count}; chance allows for {self.expected_by_chance:,.3g}"
        limit = f"where chance allows for {self.expected_by_chance:,.3g} at most"
        pattern = "too evenly, or in too many rare rows, for independent samples"
        excess = limit if self.rows > self.expected_by_chance else pattern
        return f"{count}, {excess}{_examples_clause(self.examples)}; {_REMEDIES[self.sides]}"

    def sensitivity(self) -> str:
        """Say which copies would have been seen."""
        first, second = self.sides
        copies = f"{first} rows copied from the {second} sample"
        if self.seen_from > 1:
            return f"{copies} cannot be noticed in {', '.join(self.columns)}: chance repeats as many"
        rounded = "not at all" if self.seen_rounded_from > 1 else f"from {_percent(self.seen_rounded_from)} on"
        share = f"{_percent(self.seen_from)} of the {first} rows"
        return f"{copies} would be noticed from {share} on; rounded copies {rounded}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeclaredPairs:
    """Rows of the generated and of the reference sample that belong together although nobody has said so.

    Attributes:
        columns: One column of rows in order, or those in which nearest neighbours were found.
        z: Standard deviations from independence.
        order: ``"in order"``, ``"in part"`` for a window of rows in order, or ``"shuffled"``.
        lag: How many rows further on the generated sample is, of rows in order.
        counted: Triples of rows in order, or rows of both samples.
        crossed: Shuffled rows whose nearest neighbour is of the other sample.
        expected: How many of them independent samples would have, at most.
    """

    columns: tuple[str, ...]
    z: float
    order: str
    lag: int = 0
    counted: int
    crossed: int = 0
    expected: float = 0.0

    def sentence(self) -> str:
        """Say what shows it, and what to do."""
        names = ", ".join(map(repr, self.columns))
        if self.order == "shuffled":
            evidence = (
                f"of {self.counted:,} rows of both, {self.crossed:,} have their nearest neighbour in ({names}) on the "
                f"other side, where independent samples have {self.expected:,.0f} (z = {self.z:.1f})"
            )
        else:
            shift = f", the generated ones {abs(self.lag)} {'later' if self.lag > 0 else 'earlier'}" if self.lag else ""
            part = " in a part of the samples" if self.order == "in part" else ""
            evidence = (
                f"row by row{shift}, {names} rises and falls alike{part} (z = {self.z:.1f} of {self.counted:,} second "
                "differences)"
            )
        return (
            f"generated and reference rows belong together, and are no independent samples: {evidence}; declare the "
            'pairs, as in validate(..., cluster="event_id"), compare in bins of a condition that both share, by=..., '
            "or take independent samples"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NearCopies:
    """Generated rows that are nearly rows of the training.

    Attributes:
        columns: Columns in which they are close.
        share: Share of the generated rows, beyond what chance makes close to a training row.
        share_lower: Lower confidence limit, from Clopper-Pearson limits of 2.5 % of each rate.
        share_upper: Upper confidence limit, likewise.
        p_value: Probability that as many are close by chance.
        close: How many generated rows are close to a training row.
        close_to_reference: How many are as close to a reference row.
        of: Number of generated rows that were searched.
        chance: Share of the reference rows that are close to a training row.
        nearer: How many more generated rows are nearer to a training row than to one of equally many reference rows,
            as a share; it is 0 on average for true events, and any generator that has learned has some.
    """

    columns: tuple[str, ...]
    share: float
    share_lower: float
    share_upper: float
    p_value: float
    close: int
    close_to_reference: int
    of: int
    chance: float
    nearer: float

    @property
    def shown(self) -> bool:
        """Whether more than a hundredth of the generated rows are shown to be near copies."""
        return self.share_lower > _TOLERATED

    @property
    def hinted(self) -> bool:
        """Whether fewer generated rows may well be near copies."""
        return self.p_value < _HINT_ALPHA

    def sentence(self) -> str:
        """Say how many there are, and what to do."""
        interval = f"95 % interval {_percent(self.share_lower)} to {_percent(self.share_upper)}"
        return (
            f"{_percent(self.share)} of the generated rows ({interval}) are near copies of training rows: "
            f"{self.close:,} of {self.of:,} are as close to one in ({', '.join(map(repr, self.columns))}) as "
            f"{_percent(self.chance)} of the reference rows; {_REMEDIES['generated', 'training']}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Independence:
    """Which rows the samples of a check share.

    Attributes:
        overlaps: Overlap of each pair of samples that was compared.
        duplicates: Side -> number of its rows that repeat another row of it.
        duplicated: The sides that repeat rows more often than independent events would.
        distinct: Side -> number of its distinct rows, an estimate where only a sketch of them is at hand.
        pairs: Rows of both sides that belong together, of the most significant kind; ``None`` if there are none, or
            they were not searched for.
        near: Near copies of training rows, be they many or few; ``None`` if they were not searched for.
        columns: What makes up a row of the reference.
        examples: Up to three repeated rows of the reference.
        notes: What could not be compared, and what could not be seen, in sentences.
        obstacles: Why independence cannot be known although it must be, in sentences.
    """

    overlaps: tuple[Overlap, ...] = ()
    duplicates: dict[str, int]
    duplicated: tuple[str, ...] = ()
    distinct: dict[str, int] = field(default_factory=dict)
    pairs: UndeclaredPairs | None = None
    near: NearCopies | None = None
    columns: tuple[str, ...] = ()
    examples: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()

    @property
    def independent(self) -> bool:
        """Whether nothing speaks against independent samples.

        That is, no overlap beyond chance, no pairs, no near copies, and no reference rows that are repeated beyond
        chance. Of what a generator repeats of its own, see `distinct_generated`.
        """
        return not self.reasons()

    @property
    def distinct_generated(self) -> int | None:
        """How many generated rows are distinct, if they repeat beyond chance; ``None`` if they do not."""
        return self.distinct["generated"] if "generated" in self.duplicated else None

    def repeats(self) -> str:
        """Say how many rows the generator repeats, if beyond chance; nothing if it does not."""
        if self.distinct_generated is None:
            return ""
        repeats, distinct = self.duplicates["generated"], self.distinct["generated"]
        return (
            f"the generator repeats its own rows, more than independent events would: {repeats:,} of "
            f"{repeats + distinct:,} generated rows repeat another one, so that {distinct:,} are distinct; generate "
            "every event anew"
        )

    def reasons(self) -> tuple[str, ...]:
        """Say what speaks against independence, in sentences; none if nothing does."""
        reasons = [overlap.sentence() for overlap in self.overlaps if overlap.beyond_chance]
        if "reference" in self.duplicated:
            reasons.append(
                f"{self.duplicates['reference']:,} reference rows repeat another one, more than independent events "
                f"would{_examples_clause(self.examples)}; was a file read twice? keep each event once"
            )
        if self.pairs is not None:
            reasons.append(self.pairs.sentence())
        if self.near is not None and self.near.shown:
            reasons.append(self.near.sentence())
        return (*reasons, *self.obstacles)


def _percent(share: float) -> str:
    return f"{float(f'{100 * share:.2g}'):g} %"


def _examples_clause(examples: tuple[Row, ...]) -> str:
    """Show some rows; of a stored fingerprint there are none to show."""
    rows = ", ".join(f"({', '.join(f'{name} = {_short(value)}' for name, value in row.items())})" for row in examples)
    return f"; for example {rows}" if rows else ""


def _short(value: object) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)
