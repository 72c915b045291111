"""What is learned or estimated of all events at once is compared in every stratum, and says how it was made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import InputError, Sample, Verdict
from pytest_ganvalid.observables import Classifier, Estimator, Mean
from pytest_ganvalid.pipeline.draft import Draft
from pytest_ganvalid.pipeline.fill import summarise_sides
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

    def fit(self, events: Any, labels: Any, sample_weight: Any) -> None:
        """Fit the label by least squares."""
        root = np.sqrt(sample_weight)
        features, labels = self._features(events) * root[:, None], labels * root
        self.direction = np.linalg.lstsq(features, labels, rcond=None)[0]

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


class Counting(Quadratic):
    """One that counts how often it is trained, in all copies together."""

    trainings: ClassVar[list[int]] = []

    def fit(self, events: Any, labels: Any, sample_weight: Any) -> None:
        """Count."""
        self.trainings.append(len(events))
        super().fit(events, labels, sample_weight)


class Noise(Quadratic):
    """One whose score tells nothing of where an event lies."""

    def decision_function(self, events: Any) -> Any:
        """Return far digits of the sum of the columns."""
        return (1e4 * events.sum(axis=1)) % 1


class Constant(Quadratic):
    """One without an opinion."""

    def decision_function(self, events: Any) -> Any:
        """Return the same score for all."""
        return np.zeros(len(events))


class OneEyed(Quadratic):
    """One that sees the first column only."""

    @staticmethod
    def _features(events: Any) -> Any:
        return np.column_stack([np.ones(len(events)), events[:, 0], events[:, 0] ** 2])


def test_what_sees_says_so() -> None:
    """A classifier that sees a bias in each of its columns is ROBUST, and the report tells what it saw."""
    report = validate(normal(3, n=3 * N), normal(2))
    assert report.verdict is Verdict.ROBUST
    assert report.reasons[-1] == ("classifier: positive control: a bias of 6 error bars of 200 events was seen in x, y")
    control = report.provenance["learned"]["classifier"]["control"]
    assert (control["events"], control["scale"], control["columns_without"]) == ([2 * N, N], 1, 0)
    assert list(control["columns"]) == ["x", "y"]
    assert all(column["seen"] and column["separation_lower"] > 0 for column in control["columns"].values())


@pytest.mark.parametrize(("model", "blind"), [(Noise(), "x, y"), (OneEyed(), "y")])
def test_what_is_blind_is_unproven(model: Any, blind: str) -> None:
    """A classifier that cannot see a bias in a column proves nothing by agreement, and the column is named."""
    columns = normal(3, rho=0.0, n=3 * N), normal(2, rho=0.0)
    report = validate(*columns, observables=[Classifier(("x", "y"), model)])
    assert report.verdict is Verdict.UNPROVEN
    assert f"it would be ROBUST, but cannot see a bias in {blind} of the size it should exclude" in report.reasons[0]
    control = report.provenance["learned"]["classifier"]["control"]["columns"]
    assert [name for name, found in control.items() if not found["seen"]] == blind.split(", ")


@pytest.mark.parametrize("bins", [10, [-1.0, 1.0]])
def test_a_constant_score_is_unproven_at_once(bins: Any) -> None:
    """The same score for all events is no error, and nothing that could be demonstrated."""
    report = validate(normal(3), normal(2), observables=[Classifier(("x", "y"), Constant())], bins=bins)
    assert report.verdict is Verdict.UNPROVEN
    assert "the score is the same for all events" in report.reasons[0]
    assert "control" not in report.provenance["learned"]["classifier"]


def test_controls_are_made_only_of_what_is_robust() -> None:
    """A control is a training: one for each column where the verdict depends on it, and none elsewhere."""
    trainings, observables = Counting.trainings, [Classifier(("x", "y"), Counting())]
    shared = normal(2)
    for sides, n_required, verdict, expected in (
        ((normal(3, n=3 * N), normal(2)), 200, Verdict.ROBUST, [2 * N, 3 * N // 2, 3 * N // 2]),
        ((normal(1, rho=0.0), normal(2)), 500, Verdict.BIASED, [N]),
        ((normal(3), normal(2)), 500_000, Verdict.UNPROVEN, [N]),
        ((shared, shared), 200, Verdict.UNPROVEN, [N]),
    ):
        trainings.clear()
        assert validate(*sides, observables=observables, n_required=n_required).verdict is verdict
        assert trainings == expected


def test_ten_columns_are_controlled() -> None:
    """Of more columns the first ten are, in the order in which the classifier is given them, and it is said."""
    names = [f"x{i}" for i in range(12)]
    sides = [
        Sample(dict(zip(names, np.random.default_rng(seed).normal(size=(12, n)), strict=True)))
        for seed, n in ((1, 3 * N), (2, N))
    ]
    report = validate(*sides, observables=[Classifier(tuple(names[::-1]), Quadratic())], n_required=100)
    assert report.verdict is Verdict.ROBUST
    control = report.provenance["learned"]["classifier"]["control"]
    assert list(control["columns"]) == names[:1:-1]
    assert control["columns_without"] == 2
    assert "the first 10 of 12 columns" in report.reasons[-1]


def test_every_stratum_has_its_controls() -> None:
    """In a stratum the bias is that of its share of n_required, among its events."""
    report = validate(normal(1, n=3 * N), normal(2), by="e", n_required=400)
    for value in (1, 2):
        name = f"classifier | e = {value}"
        share = report.comparisons[name].share
        assert f"6 error bars of {400 * share:.0f} events" in report.comparisons[name].reasons[-1]
        learned = report.provenance["learned"][name]
        assert learned["control"]["events"][1] == learned["reference_trained"] + learned["reference_tested"]


def test_controls_of_weighted_events() -> None:
    """Weights of generated events, negative ones too, are part of their control, and of the reference its size."""
    rng = np.random.default_rng(1)
    generated = Sample(normal(3, n=5 * N).columns, rng.choice([-1.0, 1.0], 5 * N, p=[0.1, 0.9]))
    reference = Sample(normal(2).columns, rng.exponential(size=N))
    report = validate(generated, reference)
    assert report.verdict is Verdict.ROBUST
    taken = report.provenance["learned"]["classifier"]["control"]["events"][1]
    effective = reference.weight.sum() ** 2 / (reference.weight**2).sum()  # type: ignore[union-attr, operator]
    assert taken * 0.8**2 == pytest.approx(effective, rel=0.03)


def test_errors_name_the_control() -> None:
    """What goes wrong in a control only is said to have done so."""

    class Failing(Counting):
        def decision_function(self, events: Any) -> Any:
            """Fail where trained for the second time."""
            return super().decision_function(events) * (1 if len(self.trainings) == 1 else np.nan)

    Counting.trainings.clear()
    with pytest.raises(InputError, match=r"^observable 'classifier': positive control in 'x': .* not finite"):
        validate(normal(3), normal(2), observables=[Classifier(("x", "y"), Failing())])


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
    draft, generated, reference, _ = summarise_sides(draft, runner, lambda _: None)
    return Joint.of(draft, reference.plan, (generated, reference), runner)


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
