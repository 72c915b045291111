"""ROBUST of what is learned counts only if it would have seen a bias, and the report says what it saw."""

from __future__ import annotations

import json

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.histograms.layout import Layout
from pytest_ganvalid.histograms.sums import as_bin_sums
from pytest_ganvalid.results import Comparison, Verdict
from pytest_ganvalid.sensitivity import Finding, Sensitivity
from pytest_ganvalid.statistics.chi2 import chi2_test
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.robustness import Assessment, assess
from pytest_ganvalid.statistics.separation import Fractions

SEEN = Finding("pt", 0.01, robust=False)


def robust() -> Comparison:
    """Two histograms that agree."""
    rng = np.random.default_rng(1)
    comparison = gv.compare(gv.Counts(rng.poisson(9_000, 5)), gv.Counts(rng.poisson(9_000, 5)), n_required=1_000)
    assert comparison.robust
    return comparison


def sensitivity(*findings: Finding, columns: int = 0, scale: float = 1.0) -> Sensitivity:
    """The controls of an observable."""
    return Sensitivity(findings=findings, columns=columns or len(findings), shift=6.0, events=(900, 100), scale=scale)


def assessed(ratio: float, n_required: float) -> Assessment:
    """What decides on two histograms, one of which rises by a ratio from the first to the last bin."""
    sums = [
        as_bin_sums(gv.Counts(np.round(20_000 * shape / shape.mean())), side)
        for shape, side in ((np.linspace(1, ratio, 5), "generated"), (np.linspace(1, 1.001, 5), "reference"))
    ]
    gen, ref = (Fractions.from_sums(side.sumw, side.sumw2) for side in sums)
    return assess(gen, ref, n_required, Limits(), chi2_test(*sums), Layout.line(gen.q.size))


def test_what_is_seen() -> None:
    """A bias is seen if a disagreement is shown, at half of the error probability, and the verdict is not ROBUST."""
    biased = assessed(1.2, 10_000)
    found = Finding.of("pt", biased)
    assert found.seen
    assert found.lower == pytest.approx(biased.all_bins.separation.lower_limit(0.025))
    assert found.lower < biased.all_bins.lower
    lenient = Finding.of("pt", assessed(1.2, 100))
    assert lenient.lower > 0
    assert lenient.robust
    assert not lenient.seen
    assert not Finding.of("pt", assessed(1.003, 10_000)).seen
    assert Finding.of("pt", None) == Finding("pt", 0.0, robust=False)
    assert not Finding.of("pt", None).seen


def test_what_sees_stays_robust() -> None:
    """A passed control changes nothing but that the report says so."""
    before = robust()
    after = sensitivity(SEEN, Finding("eta", 0.1, robust=False)).applied(before)
    assert after.verdict is Verdict.ROBUST
    assert after.reasons[:-1] == before.reasons
    assert after.reasons[-1] == "positive control: a bias of 6 error bars of 1,000 events was seen in pt, eta"
    assert after.n_supported == before.n_supported


@pytest.mark.parametrize("blind", [Finding("eta", 0.0, robust=False), Finding("eta", 0.1, robust=True)])
def test_what_is_blind_is_unproven(blind: Finding) -> None:
    """A bias in one column that was not seen, or seen and accepted, leaves nothing demonstrated, and is named."""
    after = sensitivity(SEEN, blind).applied(robust())
    assert after.verdict is Verdict.UNPROVEN
    assert "cannot see a bias in eta of the size it should exclude: 6 error bars of 1,000 events" in after.reasons[0]
    assert (after.n_supported, after.n_equivalent.lower) == (0, 0)
    assert after.n_systematic == 0


def test_no_control_at_all() -> None:
    """Where no column can be biased nothing is demonstrated."""
    after = sensitivity().applied(robust())
    assert after.verdict is Verdict.UNPROVEN
    assert "no column of it varies" in after.reasons[0]


def test_what_was_not_as_in_the_comparison_is_said() -> None:
    """Columns beyond the first ones, and a control with fewer events, are told, whether it passes or not."""
    for last in (SEEN, Finding("pt", 0.0, robust=False)):
        reason = sensitivity(SEEN, last, columns=14, scale=0.539).applied(robust()).reasons[-1]
        assert "the first 2 of 14 columns" in reason
        assert "with 53 % of the events of the comparison, as fewer than twice as many were generated" in reason


def test_the_record_is_plain() -> None:
    """What goes into the report is JSON, with the limit in the unit of the separation power."""
    record = sensitivity(SEEN, columns=3).record()
    assert json.loads(json.dumps(record)) == record
    assert record["columns"]["pt"] == {"seen": True, "robust": False, "separation_lower": 0.005}
    assert (record["events"], record["columns_without"]) == ([900, 100], 2)
