"""How far two samples are apart in each test beside what is allowed, and which test decides.

When to use what:

- `measures`: every test of a comparison.
- `decisive`: the one that made the verdict, or came nearest to another.
- `decision`: the same in words, where a test decides and not a single bin, say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_ganvalid.results import AnalysisComparison, Comparison, EstimateComparison, Interval, Verdict
from pytest_ganvalid.statistics.power import allowed_excess, excess_of_all
from pytest_ganvalid.statistics.reasons import count

_MIN_DIGITS, _MAX_DIGITS = 3, 12
_RELATIONS = {Verdict.ROBUST: "below", Verdict.UNPROVEN: "not below", Verdict.BIASED: ">"}
_FULL = 1000  # numbers from which on all digits before the point are shown


@dataclass(frozen=True, slots=True)
class Measure:
    """How far two samples are apart in one test, and how far they may be.

    Attributes:
        name: Name of the measure.
        interval: Its estimate and limits; the lower one is that which BIASED takes, at α/m in each of m tests.
        allowed: Limit that BIASED exceeds.
        required: Limit that ROBUST does not exceed; less than ``allowed`` by max_directional_bias alone.
        floor: Value at perfect agreement.
        suffix: The components, or the unit.
    """

    name: str
    interval: Interval
    allowed: float
    required: float
    floor: float = 0.0
    suffix: str = ""

    def ratio(self, value: float, limit: float) -> float:
        """Return a value in units of a limit, as that of a bias."""
        excess = max(value - self.floor, 0.0) / (limit - self.floor)
        return math.sqrt(excess) if self.floor else excess

    @property
    def lower_ratio(self) -> float:
        """The bias that is shown, in units of the allowed one."""
        return self.ratio(self.interval.lower, self.allowed)

    @property
    def upper_ratio(self) -> float:
        """The bias that is not excluded, in units of the one that ROBUST admits."""
        return self.ratio(self.interval.upper, self.required)

    @property
    def rms_bias(self) -> Interval:
        """The rms bias in error bars of n_required events, where the measure is χ²/ndf."""
        lower, estimate, upper = map(self.rms_of, (self.interval.lower, self.interval.estimate, self.interval.upper))
        return Interval(lower=lower, estimate=estimate, upper=upper)

    def rms_of(self, value: float) -> float:
        """Return the rms bias that a value of χ²/ndf stands for."""
        return math.sqrt(2 * max(value - self.floor, 0.0))


def measures(c: Comparison | EstimateComparison) -> list[Measure]:
    """List the measures that decide on a comparison, test by test; for histograms χ²/ndf, expected at n_required."""
    if isinstance(c, EstimateComparison):
        unit = f" uncertainties of {c.parameter}" if isinstance(c, AnalysisComparison) else " error bars"
        return [Measure("bias", c.bias, c.max_bias, c.max_bias, suffix=unit)]
    listed = []
    for test in c.tests:
        ndf = c.ndf if test.components is None else test.components
        limits = [allowed_excess(ndf, c.max_bias)] * 2
        if test.components is None:
            limits[1] = excess_of_all(ndf, c.max_bias, c.max_directional_bias)
        bias = test.directional_bias  # sqrt(2 n_required Δ)
        shown = bias.lower if test.lower_corrected is None else test.lower_corrected
        ends = (shown, bias.estimate, bias.upper)
        lower, estimate, upper = (1 + value**2 / (2 * ndf) for value in ends)
        listed.append(
            Measure(
                "χ²/ndf",
                Interval(lower=lower, estimate=estimate, upper=upper),
                1 + limits[0] / ndf,
                1 + limits[1] / ndf,
                floor=1.0,
                suffix="" if test.components is None else f" in {test.components} components",
            )
        )
    return listed


def decisive(c: Comparison | EstimateComparison) -> Measure:
    """Return the measure in which a bias is shown most or, where none is to be shown, is excluded least."""
    if c.verdict is Verdict.BIASED:
        return max(measures(c), key=lambda measure: measure.lower_ratio)
    return max(measures(c), key=lambda measure: measure.upper_ratio)


def limit_of(c: Comparison | EstimateComparison, measure: Measure) -> float:
    """Return the limit of a measure that goes with the verdict."""
    return measure.allowed if c.verdict is Verdict.BIASED else measure.required


def decides(c: Comparison | EstimateComparison) -> bool:
    """Tell whether the verdict follows from a measure.

    It does not where it is taken back, where a single bin is BIASED, and where nothing could be demonstrated.
    """
    measure = decisive(c)
    if c.verdict is Verdict.BIASED:
        return measure.lower_ratio > 1
    if c.verdict is Verdict.ROBUST:
        return measure.upper_ratio <= 1
    return c.n_supported > 0 and shown_bias(c) <= 1 < measure.upper_ratio


def decision(c: Comparison | EstimateComparison) -> str:
    """Write the measure that decides beside its limit; empty if none does."""
    if not decides(c):
        return ""
    measure = decisive(c)
    end = measure.interval.lower if c.verdict is Verdict.BIASED else measure.interval.upper
    return _beside_limit(measure, end, limit_of(c, measure), _RELATIONS[c.verdict])


def shown_bias(c: Comparison | EstimateComparison) -> float:
    """Return the largest bias that is shown, in units of the allowed one."""
    bin_bias = c.worst_bins[0].lower / c.max_local_bias if isinstance(c, Comparison) else 0.0
    return max(bin_bias, *(measure.lower_ratio for measure in measures(c)))


def _beside_limit(measure: Measure, end: float, limit: float, relation: str) -> str:
    """Write an interval beside its limit, with as many digits as show on which side of it the decisive end lies."""
    digits = _MIN_DIGITS
    while digits < _MAX_DIGITS and (_round(end, digits) > _round(limit, digits + 1)) != (end > limit):
        digits += 1
    interval = measure.interval
    lower, estimate, upper = (_number(value, digits) for value in (interval.lower, interval.estimate, interval.upper))
    return f"{measure.name} {estimate} [{lower}, {upper}] {relation} {_number(limit, digits + 1)}{measure.suffix}"


def _round(value: float, digits: int) -> float:
    return float(_number(value, digits).replace(",", "").replace("∞", "inf"))


def _number(value: float, digits: int) -> str:
    return count(value) if value >= _FULL else f"{value:.{digits}g}"
