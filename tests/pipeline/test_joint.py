"""What is learned or estimated of all events at once is compared in every stratum, and says how it was made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import InputError, Sample, Verdict
from pytest_ganvalid.observables import Classifier, Estimator, Mean
from pytest_ganvalid.pipeline.draft import Draft
from pytest_ganvalid.pipeline.fill import summarise_generated, summarise_reference
from pytest_ganvalid.pipeline.joint import Joint
from pytest_ganvalid.pipeline.preview import COPIES
from pytest_ganvalid.pipeline.request import Request, Side
from pytest_ganvalid.pipeline.run import Threads
from pytest_ganvalid.samples.sources import Source

Table = dict[str, Any]
N = 6_000


class Quadratic:
    """A classifier that is quick to train, and sees correlations."""

    @staticmethod
    def _features(events: Any) -> Any:
        events = np.nan_to_num(events)
        pairs = [events[:, i] * events[:, j] for i in range(events.shape[1]) for j in range(i + 1)]
        return np.column_stack([np.ones(len(events)), events, *pairs])

    def fit(self, events: Any, labels: Any, sample_weight: Any = None) -> None:  # noqa: ARG002
        """Fit the label by least squares."""
        self.direction = np.linalg.lstsq(self._features(events), labels.astype(float), rcond=None)[0]

    def decision_function(self, events: Any) -> Any:
        """Return the score of each event."""
        return self._features(events) @ self.direction


QUADRATIC = Classifier(("x", "y"), Quadratic())


def normal(seed: int, *, rho: float = 0.6, n: int = N) -> Sample:
    """Two correlated columns with standard normal marginals, and a condition."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, n))
    return Sample({"x": x, "y": rho * x + np.sqrt(1 - rho**2) * y, "e": rng.choice([1.0, 2.0], n)})


def validate(*sides: Any, n_required: float = 200, **keywords: Any) -> gv.Report:
    """Compare by a classifier."""
    stated: dict[str, Any] = {"observables": [QUADRATIC], "bins": 10}
    return gv.validate(*sides, n_required=n_required, **(stated | keywords))


def test_a_wrong_correlation_is_found() -> None:
    """With exact marginals and a wrong correlation a classifier is BIASED, and with the right one ROBUST."""
    assert validate(normal(1, rho=0.0), normal(2), n_required=500).verdict is Verdict.BIASED
    assert validate(normal(3), normal(2)).verdict is Verdict.ROBUST


def test_the_tested_half_counts_and_the_split_is_reported() -> None:
    """Half of the events train and are not counted; seed, split and model are in the report, and the seed decides."""
    first, second = normal(1), normal(2)
    reports = [validate(first, second, seed=seed) for seed in (4, 4, 5)]
    comparison = reports[0].histograms["classifier"]
    assert (comparison.n_generated, comparison.n_reference) == pytest.approx((N / 2, N / 2))
    learned = reports[0].provenance["learned"]["classifier"]
    assert (learned["seed"], learned["reference_tested"]) == (4, N / 2)
    assert "Quadratic" in learned["model"]
    assert reports[0] == reports[1] != reports[2]
    plain = validate(first, second, observables="x").histograms["x"]
    assert comparison.n_reference_needed == pytest.approx(2 * plain.n_reference_needed, rel=0.2)


def test_undefined_numbers_are_not_learned_from_unasked() -> None:
    """NaN is refused as in any observable, unless the user says that it is meant."""
    first, second = normal(1, n=900), normal(2, n=900)
    for sample in (first, second):
        sample["y"][::7] = np.nan
    with pytest.raises(InputError, match=r"^observable 'classifier': generated: column 'y' has 129 NaN"):
        validate(first, second, n_required=20)
    with pytest.raises(InputError, match=r"^observable 'classifier': reference: column 'y' has 129 NaN"):
        validate(normal(1, n=900), second, n_required=20)
    assert validate(first, second, n_required=20, nonfinite="separate").verdict is Verdict.ROBUST


def test_every_stratum_learns_for_itself() -> None:
    """In each stratum its own events are learned and estimated from, and what is used is a share of the whole."""
    first, second = normal(1), normal(2)
    report = validate(first, second, observables=[QUADRATIC, Mean("x"), "x"], by="e", n_required=100)
    names = [f"{name} | e = {value}" for value in (1, 2) for name in ("classifier", "mean(x)", "x")]
    assert list(report.comparisons) == [*names, "e: rate per stratum"]
    for value in (1, 2):
        inside = second["e"] == value
        mean = report.comparisons[f"mean(x) | e = {value}"]
        assert isinstance(mean, gv.EstimateComparison)
        assert mean.reference.value == pytest.approx(second["x"][inside].mean())
        assert mean.generated.value == pytest.approx(first["x"][first["e"] == value].mean())
        assert mean.share == pytest.approx(inside.mean())
        learned = report.histograms[f"classifier | e = {value}"]
        assert learned.n_reference == pytest.approx(inside.sum() / 2, abs=1)
        assert learned.share == pytest.approx(inside.mean())
        plain = report.histograms[f"x | e = {value}"]
        assert learned.n_reference_needed == pytest.approx(2 * plain.n_reference_needed, rel=0.3)
    assert sorted(report.provenance["learned"]) == ["classifier | e = 1", "classifier | e = 2"]


def failing(_: Any) -> float:
    """Fail."""
    msg = "no such luck"
    raise InputError(msg)


def test_errors_name_the_observable_and_the_stratum() -> None:
    """What goes wrong in one stratum is said of that."""
    with pytest.raises(InputError, match=r"^observable 'f \| e = 1': .*no such luck"):
        validate(normal(1, n=90), normal(2, n=90), observables=[Estimator("f", failing)], by="e")


def of(generated: Any, reference: Any, **keywords: Any) -> Joint | None:
    """Read the rows of both sides."""
    runner = Threads(workers=1)
    sides = Side.opened(generated, "generated"), Side.opened(reference, "reference")
    draft = Draft.of(sides, Request.parsed(**keywords), runner)
    draft, summary = summarise_reference(draft, runner)
    return Joint.of(draft, summary.plan, (summarise_generated(draft, summary, runner), summary), runner)


@pytest.mark.parametrize("observable", [Mean("x"), QUADRATIC, Estimator("m", lambda events: float(events["x"].mean()))])
def test_all_events_at_once_need_memory(streamed: Callable[..., Source], observable: Any) -> None:
    """An observable that needs all events is refused if they do not fit, but for those that are in memory anyway."""
    tables = [dict(normal(seed, n=40_000).columns) for seed in (1, 2)]
    observables = [observable, ("f", lambda events: events["x"] + events["y"] + events["e"])]
    limit = 40_000 * 3 * 8 * COPIES
    for sides, memory in (
        ((streamed(tables[0]), tables[1]), limit),
        ((tables[0], streamed(tables[1])), limit),
        (tuple(map(streamed, tables)), 2 * limit),
    ):
        with pytest.raises(InputError, match=r"^observable '.*' needs all events at once") as caught:
            of(*sides, observables=observables, memory=memory - 1)
        assert f"about {memory / 1e9:.3g} GB, more than memory={memory:.3g} bytes" in str(caught.value)
        joint = of(*sides, observables=observables, memory=memory)
        assert joint is not None
        assert [len(sample) for sample in joint.samples] == [40_000, 40_000]
    assert of(*tables, observables=observables, memory=2**20) is not None
    assert of(*tables, observables=observables[1:], memory=2**20) is None
