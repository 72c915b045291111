"""Rates: how often each bin of a condition occurs, compared unless the condition was imposed on the generated events.

A generator that makes too many events at some energy is wrong; a user who asks for them is not. That a condition was
imposed is told by the numbers of events in its bins, which all roads know: they agree with the reference better than
those of independent samples, as where its own conditions were handed to the generator; or they are multiples of one
number, as where as many events were asked for at each energy. Any other choice takes a word of the user.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_ganvalid.histograms.bins import Grid
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums
from pytest_ganvalid.observables.strata import rate_name
from pytest_ganvalid.pipeline.summary import Histograms
from pytest_ganvalid.statistics.chi2 import chi2_test

_TOO_GOOD = 1e-3  # probability that independent samples agree as well
_ODDS = 1_000  # against a common divisor by chance: of k numbers with a given sum it is one in divisor^(k - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often each bin of a condition occurs.

    Attributes:
        name: Name of the comparison.
        sides: The histograms of the generated sample and of the reference, a bin for each; ``None`` if they are not
            compared.
        note: Why the rates are not compared; or what to do if their comparison is not ROBUST.
        column: The condition.
    """

    name: str
    sides: tuple[BinSums, BinSums] | None
    note: str
    column: str

    @classmethod
    def of(cls, generated: Histograms, reference: Histograms) -> Rates | None:
        """Decide whether the rates are compared; ``None`` if there are not two bins to compare.

        Raises:
            InputError: If the weights in a bin add up to what no comparison can be made of.
        """
        condition = reference.plan.condition
        populated = (generated.events > 0) | (reference.events > 0)
        if condition is None or populated.sum() < 2:  # noqa: PLR2004
            return None
        column, axis = condition
        bins = Grid((axis,))
        gen, ref = (
            as_bin_sums(BinSums(summary.weights.value, summary.squares.value, bins), side)
            for summary, side in ((generated, "generated"), (reference, "reference"))
        )
        reason = "it is said to be imposed on the generated events"
        if not reference.plan.imposed and (generated.plan.cluster, reference.plan.cluster) != (None, None):
            reason = "rows are in clusters, so that the errors of those numbers are not known"
        elif not reference.plan.imposed:
            reason = _signs_of_choice(generated, gen, ref)
        name = rate_name(column)
        if reason:
            return cls(
                name=name,
                sides=None,
                note=f"how often the bins of {column!r} occur is not compared: {reason}",
                column=column,
            )
        remedy = (
            f"{name!r} compares how often generated events are in each bin of {column!r}; if the generator was given "
            f"{column!r}, and does not choose it, say so: by=Condition({column!r}, imposed=True)"
        )
        return cls(name=name, sides=(gen, ref), note=remedy, column=column)


def _signs_of_choice(generated: Histograms, gen: BinSums, ref: BinSums) -> str:
    """Describe the signs that the generated numbers were chosen; empty if there are none."""
    test = chi2_test(gen, ref)
    if 1 - test.p_value < _TOO_GOOD:
        return (
            "the generated events are shared out to them as the reference is, more closely than independent samples "
            f"would be (χ²/ndf {test.chi2 / test.ndf:.2g}), so it was imposed on them"
        )
    numbers = generated.events[generated.events > 0]
    common = math.gcd(*numbers.tolist())
    if float(common) ** (numbers.size - 1) >= _ODDS:
        return f"the numbers of generated events in them are multiples of {common:,}, so it was imposed on them"
    return ""
