"""Numbers per sample: the right value, a standard error that is the spread of toys, and refusals that say why."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.observables.estimators import Efficiency, Estimator, Mean, Quantile, StandardDeviation, Template
from pytest_ganvalid.results import Estimate, Verdict
from pytest_ganvalid.samples import Entries, Sample

FloatArray = NDArray[np.float64]
Any_ = Mean | StandardDeviation | Quantile | Efficiency | Estimator
CUT = 1.2815515655446004  # of a standard normal distribution 10 % lie above


def above(sample: Sample) -> Any:
    """Cut."""
    return sample["x"] > CUT


def weighted_mean(sample: Sample) -> float:
    """Stand in for a fit."""
    return float(np.average(sample["x"], weights=sample.weight))


def shifted(spread: float) -> Callable[[FloatArray, float], FloatArray]:
    """Spoil a number whose standard error is ``spread`` / sqrt(events) by so many of them."""
    return lambda x, bias: x + bias * spread


def more_pass(x: FloatArray, bias: float) -> FloatArray:
    """Shift until 10 % and ``bias`` times 30 % pass."""
    return x + CUT - NormalDist().inv_cdf(0.9 - 0.3 * bias)


CASES: dict[str, tuple[Any_, Callable[[FloatArray, float], FloatArray], float]] = {  # and the value of the truth
    "mean": (Mean("x"), shifted(1), 0.0),
    "std": (StandardDeviation("x"), lambda x, bias: x * (1 + bias / math.sqrt(2)), 1.0),
    "median": (Quantile("x", 0.5), shifted(math.sqrt(math.pi / 2)), 0.0),
    "quantile": (Quantile("x", 0.9), shifted(1.7094), CUT),
    "efficiency": (Efficiency(above), more_pass, 0.1),
    "bootstrap": (Estimator("fit", weighted_mean, replicas=20), shifted(1), 0.0),
    "jackknife": (Estimator("fit", weighted_mean, "jackknife", groups=20), shifted(1), 0.0),
}
UNITS = {  # error of one event
    "mean": 1.0,
    "std": math.sqrt(0.5),
    "median": 1.2533,
    "quantile": 1.7094,
    "efficiency": 0.3,
    "bootstrap": 1.0,
    "jackknife": 1.0,
}
WEIGHTS = ("none", "log-normal", "signed", "importance")


def draw(rng: np.random.Generator, events: int, weights: str) -> tuple[FloatArray, FloatArray | None]:
    """Standard normal events, of whatever weights."""
    x = rng.normal(size=events)
    if weights == "importance":  # drawn from a distribution 1.25 times as wide
        x *= 1.25
        return x, np.exp(-(x**2) / 2 + (x / 1.25) ** 2 / 2)
    if weights == "log-normal":
        return x, rng.lognormal(0, 0.5, events)
    return x, np.where(rng.random(events) < 0.1, -1.0, 1.0) if weights == "signed" else None


def sample_of(x: Any, weight: Any = None) -> Sample:
    """One column."""
    return Sample({"x": np.asarray(x)}, weight)


def of(estimator: Any_, x: Any, weight: Any = None, seed: int = 0) -> Estimate:
    """Estimate on one column."""
    return estimator.estimate(sample_of(x, weight), "reference", seed)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", CASES)
def test_errors_are_the_spread_of_toys(name: str, weights: str) -> None:
    """Over toys the value is the truth's, its spread the stated error, and n_events that of unweighted events."""
    estimator, _, truth = CASES[name]
    rng = np.random.default_rng(1)
    found = [of(estimator, *draw(rng, 2_000, weights), seed=seed) for seed in range(100)]
    values, errors = np.array([e.value for e in found]), np.array([e.error for e in found])
    expected = math.sqrt(float((errors**2).mean()))
    assert abs(values.mean() - truth) < 4 * expected / math.sqrt(len(found)) + 0.1 * expected
    assert values.std() == pytest.approx(expected, rel=0.3)
    assert np.mean([e.error * math.sqrt(e.n_events or 0) for e in found]) == pytest.approx(UNITS[name], rel=0.06)


@pytest.mark.parametrize("name", CASES)
def test_a_generator_on_the_boundary_is_misjudged_as_rarely_as_promised(name: str) -> None:
    """Weighted, and off by just one error bar of n_required events: ROBUST and BIASED come in at most 5 % of toys."""
    estimator, spoil, _ = CASES[name]
    rng, n_required, toys = np.random.default_rng(2), 100, 200
    verdicts = []
    for seed in range(toys):
        x, weight = draw(rng, 2_200, "importance")
        generated = estimator.estimate(sample_of(spoil(x, 1 / math.sqrt(n_required)), weight), "generated", seed)
        reference = of(estimator, *draw(rng, 2_200, "importance"), seed=seed)
        verdicts.append(compare_estimates(generated, reference, n_required=n_required).verdict)
    for wrong in (Verdict.ROBUST, Verdict.BIASED):
        assert verdicts.count(wrong) / toys <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / toys), wrong


@pytest.mark.parametrize("name", CASES)
def test_a_perfect_generator_passes_as_often_as_predicted(name: str) -> None:
    """With 22 times n_required events on either side, ROBUST comes at the rate of the power stated."""
    estimator, _, _ = CASES[name]
    rng, toys = np.random.default_rng(3), 100
    found = [
        compare_estimates(
            estimator.estimate(sample_of(*draw(rng, 2_200, "none")), "generated", seed),
            of(estimator, *draw(rng, 2_200, "none"), seed=seed),
            n_required=100,
        )
        for seed in range(toys)
    ]
    power = float(np.mean([c.power for c in found]))
    assert sum(c.robust for c in found) / toys == pytest.approx(power, abs=3.5 * math.sqrt(power * (1 - power) / toys))


def test_unweighted_errors_are_the_textbook_ones() -> None:
    """Mean: s / sqrt(n); efficiency: binomial; std: s sqrt((kurtosis - 1) / 4n); quantile: order statistics."""
    x = np.random.default_rng(4).normal(size=1_000)
    mean, std = of(Mean("x"), x), of(StandardDeviation("x"), x)
    assert mean.value == pytest.approx(x.mean())
    assert mean.error == pytest.approx(x.std(ddof=1) / math.sqrt(1_000))
    assert mean.n_events == pytest.approx(1_000)
    assert std.n_events == pytest.approx(1_000)
    kurtosis = ((x - x.mean()) ** 4).mean() / x.var() ** 2
    assert std.value == pytest.approx(x.std(ddof=1))
    assert std.error == pytest.approx(x.std() * math.sqrt((kurtosis - 1) / 4_000), rel=1e-3)
    k = int((x > CUT).sum())
    efficiency, p = of(Efficiency(above), x), (k + 1) / 1_002
    assert efficiency.value == k / 1_000
    assert efficiency.error == pytest.approx(math.sqrt(p * (1 - p) / 1_000))
    assert efficiency.n_events == pytest.approx(1_000)
    median = of(Quantile("x", 0.5), x)
    assert median.value == pytest.approx(np.median(x))
    step = math.sqrt(0.25 / 1_000)
    assert median.error == pytest.approx(np.diff(np.quantile(x, [0.5 - step, 0.5 + step], method="hazen"))[0] / 2)


@pytest.mark.parametrize("estimator", [case[0] for case in CASES.values()], ids=list(CASES))
def test_unit_weights_and_their_scale_change_nothing(estimator: Any_) -> None:
    """Weights of 1, or of 7, give what no weights give."""
    x = np.random.default_rng(5).normal(size=500)
    plain = of(estimator, x)
    for weight in (1.0, 7.0):
        weighted = of(estimator, x, np.full(500, weight))
        for field in ("value", "error", "n_events", "dof"):
            assert getattr(weighted, field) == pytest.approx(getattr(plain, field), rel=1e-6, abs=1e-12), field


def test_neither_order_nor_events_without_weight_matter() -> None:
    """The order of events does not matter, nor do events of weight 0 among them."""
    x, rng = np.random.default_rng(6).normal(size=400), np.random.default_rng(7)
    for estimator in (Mean("x"), StandardDeviation("x"), Quantile("x", 0.3), Efficiency(above)):
        plain, shuffled = of(estimator, x), of(estimator, rng.permutation(x))
        assert shuffled.value == pytest.approx(plain.value)
        assert shuffled.error == pytest.approx(plain.error)
        padded = of(estimator, np.append(x, x + 1), np.append(np.ones(400), np.zeros(400)))
        assert padded.value == pytest.approx(plain.value)
        assert padded.n_events == pytest.approx(plain.n_events)


@pytest.mark.parametrize("passing", [0, 1_000])
def test_extreme_efficiencies_have_errors(passing: int) -> None:
    """Where none or all of 1000 events pass, the error is that of about one event, not zero."""
    x = np.where(np.arange(1_000) < passing, 2.0, 0.0)
    found = of(Efficiency(above), x)
    assert found.value == passing / 1_000
    assert found.error == pytest.approx(1e-3, rel=0.01)
    assert found.dof < 3


def test_heavy_weights_make_errors_uncertain() -> None:
    """A few events that carry most of the weight leave few degrees of freedom; light tails leave many."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=2_000)
    assert of(Mean("x"), x).dof == pytest.approx(2_000, rel=0.2)
    assert of(Mean("x"), x, np.where(np.arange(2_000) < 3, 1_000.0, 1.0)).dof < 20
    assert of(Mean("x"), x + 100 * (x > 3)).dof < 100


def test_names() -> None:
    """Each says in its name what it is and of what, unless it is given one."""
    named = (Mean("m"), StandardDeviation("m"), Quantile("m", 0.5), Efficiency(above), Efficiency("tagged"))
    assert [each.name for each in named] == [
        "mean(m)",
        "std(m)",
        "quantile(m, 0.5)",
        "efficiency(above)",
        "efficiency(tagged)",
    ]
    assert Mean(lambda sample: sample["m"], name="mine").name == "mine"
    assert replace(Mean("m"), name="other").name == "other"


def test_columns_may_be_functions_and_conditions_columns() -> None:
    """A function of the sample serves as a column, and a column of booleans as a condition."""
    x = np.random.default_rng(10).normal(size=200)
    sample = Sample({"x": x, "tagged": x > CUT})
    twice = Mean(lambda events: 2 * events["x"], name="twice").estimate(sample, "reference")
    assert twice.value == pytest.approx(2 * x.mean())
    assert Efficiency("tagged").estimate(sample, "reference") == Efficiency(above).estimate(sample, "reference")


OUTLIER_PROOF = (
    Mean("x"),
    StandardDeviation("x"),
    Estimator("bootstrap", weighted_mean),
    Estimator("few replicas", weighted_mean, replicas=20),
    Estimator("jackknife", weighted_mean, "jackknife"),
    Estimator("few groups", weighted_mean, "jackknife", groups=20),
)


@pytest.mark.parametrize("outlier", [1e3, 1e6])
@pytest.mark.parametrize("estimator", OUTLIER_PROOF, ids=lambda estimator: estimator.name)
def test_an_outlier_excuses_no_difference(estimator: Any_, outlier: float) -> None:
    """One absurd value of the reference makes its error large, and neither a shift nor a wrong width ROBUST."""
    rng = np.random.default_rng(13)
    reference = rng.normal(size=10_000)
    reference[7] = outlier
    spoiled = of(estimator, reference)
    assert spoiled.dof < 4
    for generated in (rng.normal(size=10_000) * 3, rng.normal(size=10_000) + 1):
        found = compare_estimates(of(estimator, generated, seed=1), spoiled, n_required=100)
        assert found.verdict is Verdict.UNPROVEN
        assert "the error of the reference estimate is carried by about 1 of its events" in found.reasons[0]


def test_one_weight_that_is_all_demonstrates_nothing() -> None:
    """Where one event has nearly all of the weight, there are no degrees of freedom, whatever its value."""
    rng = np.random.default_rng(15)
    x, weight = rng.normal(size=10_000), np.where(np.arange(10_000) == 5, 1e8, 1.0)
    for value in (0.0, 1.0, -3.0):
        x[5] = value
        for estimator in (Mean("x"), StandardDeviation("x"), Efficiency(above)):
            found = of(estimator, x, weight)
            assert found.dof < 5
            assert found.n_events == pytest.approx(1, abs=0.01)


def test_a_quantile_in_a_gap_demonstrates_nothing() -> None:
    """Between two peaks the median jumps from one to the other, and its error says nothing."""
    rng = np.random.default_rng(16)

    def peaks(low: float) -> Estimate:
        x = np.where(np.arange(10_000) < 10_000 * low, -100, 100) + rng.normal(size=10_000)
        return of(Quantile("x", 0.5), x)

    reference = peaks(0.5)
    assert reference.dof < 2
    for low in (0.52, 0.501, 0.499):
        assert compare_estimates(peaks(low), reference, n_required=500).verdict is Verdict.UNPROVEN


@pytest.mark.parametrize("scale", [1e200, 1e300, 1e-200, 1e-300])
@pytest.mark.parametrize("name", CASES)
def test_extraordinary_units_change_nothing(name: str, scale: float) -> None:
    """Values and weights of any size have the estimate of ordinary ones, without a warning."""
    estimator, (x, weight) = CASES[name][0], draw(np.random.default_rng(17), 500, "log-normal")
    if name == "efficiency":
        estimator = Efficiency(lambda sample: sample["x"] > CUT * scale, "cut")
    unit = 1.0 if name == "efficiency" else scale
    plain = of(CASES[name][0], x, weight)
    found = of(estimator, x * scale, weight)
    assert found.value / unit == pytest.approx(plain.value, rel=1e-9)
    if isinstance(estimator, Estimator):  # which draws anew
        assert found.error / unit == pytest.approx(of(Mean("x"), x, weight).error, rel=0.6)
        return
    assert found.error / unit == pytest.approx(plain.error, rel=1e-9)
    assert weight is not None
    weighed = of(estimator, x * scale, weight * scale)
    for field in ("value", "error", "n_events", "dof"):
        assert getattr(weighed, field) == pytest.approx(getattr(found, field), rel=1e-9, abs=0), field


@pytest.mark.parametrize("make", [Mean, Efficiency, lambda f: Estimator("mine", f)])
def test_errors_of_users_functions_say_where_they_come_from(make: Callable[[Any], Any_]) -> None:
    """An exception of a user's function stays what it is, with a note of the side and the observable."""

    def broken(_: Sample) -> float:
        raise KeyError

    estimator = make(broken)
    with pytest.raises(KeyError) as caught:
        of(estimator, np.arange(5.0))
    assert caught.value.__notes__ == [f"reference: {estimator.name}: raised by the function of this observable"]


def fails_sometimes(sample: Sample) -> float:
    """Not converge unless the first event is there."""
    if sample["x"][0] != 0:
        msg = "no minimum"
        raise RuntimeError(msg)
    return float(sample["x"].mean())


@pytest.mark.parametrize(
    ("estimator", "x", "weight", "words"),
    [
        (Mean("x"), [1, math.nan, math.inf, math.nan], None, "2 NaN and 1 infinite values among 4 events"),
        (Mean("y"), [1, 2], None, "there is no column 'y'"),
        (Mean("x"), [3.3] * 100, None, "all events have the same value"),
        (Mean("x"), [1.0], None, "1 effective events do not determine an error"),
        (Mean("x"), [1.0, 2.0], [1.0, -1.0], "the weights add up to 0; expected a positive sum"),
        (Mean("x"), [1.0, 2.0], [1.0, 0.0], "1 effective events do not determine an error"),
        (Mean(lambda sample: sample["x"][:1], name="short"), [1.0, 2.0], None, "expected one number per event"),
        (StandardDeviation("x"), [3.3] * 100, None, "all values equal|all events have the same value"),
        (Quantile("x", 0.5), np.arange(10_000) % 7, None, r"the values are discrete at 3: .*compare an efficiency"),
        (Quantile("x", 0.5), np.round(np.linspace(0, 1, 10_000), 2), None, "the values are discrete"),
        (Quantile("x", 0.999), np.arange(500.0), None, "too few events for a quantile at 0.999"),
        (
            Estimator("fit", fails_sometimes),
            np.arange(100.0),
            None,
            r"failed in \d+ of 400 bootstrap samples, first by",
        ),
        (Estimator("fit", fails_sometimes, "jackknife", groups=10), np.arange(100.0), None, "failed in 1 of 10 jackkn"),
        (Estimator("fit", lambda _: 0.1), np.arange(100.0), None, "all 400 bootstrap results are 0.1"),
        (Estimator("fit", lambda _: math.nan), np.arange(100.0), None, "returned nan; expected a finite number"),
        (Estimator("fit", weighted_mean, "jackknife"), np.arange(60.0), None, "do not make 50 groups of two or more"),
        (Estimator("fit", lambda sample: sample["x"][0]), np.arange(4.0), [1, 1, -1, -1.0], "add up to 0"),
    ],
)
def test_samples_that_determine_nothing_are_refused(estimator: Any_, x: Any, weight: Any, words: str) -> None:
    """What has no value or no error is refused, with the side and the count of what is wrong."""
    weight = None if weight is None else np.array(weight)
    with pytest.raises(InputError, match=words) as caught:
        of(estimator, np.array(x), weight)
    assert str(caught.value).startswith("reference: ")


@pytest.mark.parametrize(
    ("estimator", "column", "words"),
    [
        (Mean("x"), np.array(["a", "b"]), "expected real numbers"),
        (Efficiency("x"), np.array([0.0, 1.0]), "expected booleans"),
        (Estimator("fit", lambda sample: sample["x"]), np.array([0.0, 1.0]), "returned a ndarray; expected one number"),
    ],
)
def test_other_kinds_are_refused(estimator: Any_, column: Any, words: str) -> None:
    """Text, numbers for a condition and arrays from a fit are errors of kind."""
    with pytest.raises(InputTypeError, match=words):
        of(estimator, column)


def test_several_numbers_per_event_are_refused() -> None:
    """A column of lists has no mean per event; it says to reduce it."""
    jets = Sample({"x": Entries.of([[1.0, 2.0], [3.0]])})
    with pytest.raises(InputError, match="several numbers per event; reduce them"):
        Mean("x").estimate(jets, "generated")


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Mean(lambda sample: sample["x"]), InputError, "without a name cannot be reported"),
        (lambda: Mean(5), InputTypeError, "5 is a int; expected the name of a column"),  # type: ignore[arg-type]
        (lambda: Quantile("x", 1.0), InputError, "probability=1.0 is out of range"),
        (lambda: Estimator("fit", weighted_mean, "guess"), InputError, "errors='guess' is unknown"),
        (lambda: Estimator("fit", weighted_mean, replicas=2), InputError, "replicas=2 is too small"),
        (lambda: Estimator("fit", weighted_mean, groups=2.5), InputTypeError, "groups=2.5"),  # type: ignore[arg-type]
        (lambda: Mean("x", name=3), InputTypeError, "the name 3 of an observable is a int"),  # type: ignore[arg-type]
        (lambda: Quantile("x", 0.5, 0.5), InputTypeError, "the name 0.5 of an observable is a float"),  # type: ignore[arg-type]
        (lambda: Estimator(4, weighted_mean), InputTypeError, "the name 4 of an observable"),  # type: ignore[arg-type]
        (lambda: Estimator("fit", 3), InputTypeError, "is a int; expected a function"),  # type: ignore[arg-type]
    ],
)
def test_impossible_settings_are_refused(make: Callable[[], object], error: type[Exception], words: str) -> None:
    """Settings that cannot make sense are refused when they are made."""
    with pytest.raises(error, match=words):
        make()


EDGES = np.linspace(60, 120, 31)
PEAK = np.exp(-(((EDGES[1:] + EDGES[:-1]) / 2 - 91) ** 2) / 18)
FALL = np.exp(-(EDGES[1:] + EDGES[:-1]) / 80)
EXACT_FALL = np.exp(-EDGES[:-1] / 40) - np.exp(-EDGES[1:] / 40)
EXACT_PEAK = np.diff([NormalDist(91, 3).cdf(edge) for edge in EDGES])
TEMPLATES = {"peak": EXACT_PEAK, "fall": EXACT_FALL}


def mixture(seed: int, weighted: bool = False, number: int = 3_000) -> Sample:  # noqa: FBT001, FBT002 - a parameter of tests
    """30 % of a peak, of which 80 % pass, on a spectrum of which 20 % do; a fifth of that lies beyond the edges."""
    rng = np.random.default_rng(seed)
    peak = rng.random(number) < 0.3
    mass = np.where(peak, rng.normal(91, 3, number), 60 + rng.exponential(40, number))
    passed = rng.random(number) < np.where(peak, 0.8, 0.2)
    return Sample({"mass": mass, "tag": passed}, rng.lognormal(0, 0.5, number) if weighted else None)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("condition", "truth"), [(None, 0.3), ("tag", 0.8)])
def test_template_fits_have_the_error_of_toys(condition: str | None, truth: float, weighted: bool) -> None:  # noqa: FBT001
    """Yields and efficiencies are the truth's on average, and scatter as their errors say."""
    estimator = Template("mass", EDGES, TEMPLATES, condition=condition)
    found = [estimator.estimate(mixture(seed, weighted), "generated") for seed in range(100)]
    values, errors = np.array([e.value for e in found]), np.array([e.error for e in found])
    assert abs(values.mean() - truth) < 4 * errors.mean() / 10
    assert values.std() == pytest.approx(errors.mean(), rel=0.3)
    n_events = float(np.mean([e.n_events or 0 for e in found]))
    assert n_events == pytest.approx(3_000 / math.exp(0.25) if weighted else 3_000, rel=0.05)


def test_a_template_fit_agrees_with_a_bootstrap() -> None:
    """The error of the influence function is that of fits to samples drawn with replacement."""
    sample = mixture(1)
    estimator = Template("mass", EDGES, TEMPLATES)
    function = Estimator("again", lambda s: estimator.estimate(s, "generated").value, replicas=200)
    assert function.estimate(sample, "generated").error == pytest.approx(
        estimator.estimate(sample, "generated").error, rel=0.15
    )


def test_one_template_is_the_share_inside() -> None:
    """With a single component the yield is the share of events between the edges, with its binomial error."""
    sample = mixture(2)
    inside = float(((sample["mass"] >= 60) & (sample["mass"] < 120)).mean())
    found = Template("mass", EDGES, {"all": FALL}).estimate(sample, "generated")
    assert found.value == pytest.approx(inside)
    assert found.error == pytest.approx(math.sqrt(inside * (1 - inside) / len(sample)))


def test_names_of_template_fits() -> None:
    """A template fit is named after what it measures, and templates are normalised."""
    one = Template("mass", EDGES, {"peak": 3 * PEAK, "fall": FALL}, condition="tag")
    assert one.name == "efficiency(peak in mass)"
    assert Template("mass", EDGES, TEMPLATES, component="fall").name == "yield(fall in mass)"
    assert np.sum(one.templates["peak"]) == pytest.approx(1)
    report = gv.validate(
        dict(mixture(1, number=30_000).columns),
        dict(mixture(2, number=30_000).columns),
        n_required=500,
        observables=[Template("mass", EDGES, TEMPLATES), ("tagged", one)],
    )
    assert list(report.estimates) == ["yield(peak in mass)", "tagged"]
    assert report.robust


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"edges": [1, 1]}, "expected increasing numbers"),
        ({"templates": {}}, "expected a mapping of component -> contents"),
        ({"templates": {"peak": [1, 2]}}, r"template 'peak' has shape \(2,\); expected 30 contents"),
        ({"templates": {"peak": -PEAK}}, "expected 30 contents that are not negative"),
        ({"templates": {"a": PEAK, "b": 2 * PEAK}}, r"\['a', 'b'\] cannot be told apart"),
        ({"component": "dip"}, r"component='dip' has no template; there are \['peak', 'fall'\]"),
    ],
)
def test_templates_that_cannot_be_fitted(arguments: dict[str, Any], words: str) -> None:
    """Templates that do not fit the bins, or each other, are refused where they are stated."""
    stated: dict[str, Any] = {"column": "mass", "edges": EDGES, "templates": TEMPLATES, **arguments}
    with pytest.raises((InputError, InputTypeError), match=words):
        Template(**stated)


def test_samples_that_cannot_be_fitted() -> None:
    """No event between the edges, and none of the component for an efficiency, are errors that name the number."""
    away = Sample({"mass": np.full(50, 500.0), "tag": np.ones(50, dtype=bool)})
    with pytest.raises(InputError, match=r"generated: yield\(peak in mass\): the contents of the bins add up to 0"):
        Template("mass", EDGES, TEMPLATES).estimate(away, "generated")
