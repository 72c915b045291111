"""The score of a classifier is a function of events, seed and nothing else, and finds what single columns hide."""

from __future__ import annotations

import builtins
import copy
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_ganvalid.check import compare
from pytest_ganvalid.errors import InputError, InputTypeError, MissingExtraError
from pytest_ganvalid.histograms.binning import bins_for
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.observables.classifier import Classifier, Scores
from pytest_ganvalid.samples import Sample

Array = NDArray[np.float64]
MODELS = ["boosting", "mlp"]


class Sum:
    """A classifier whose score is the sum of the columns; it keeps what it was given."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.seen: Any = None

    def fit(self, events: Array, labels: Array, sample_weight: Array) -> None:
        """Keep everything."""
        self.seen = (events, labels, sample_weight)
        SEEN.append(self.seen)

    def decision_function(self, events: Array) -> Array:
        """Add up the columns."""
        return np.asarray(events.sum(axis=1))


SEEN: list[Any] = []


class Broken(Sum):
    """A classifier whose scores are of another shape, or not finite."""

    def __init__(self, scores: Any) -> None:
        """Keep the scores."""
        super().__init__()
        self.scores = scores

    def decision_function(self, events: Array) -> Array:
        """Return what was asked for."""
        return np.asarray(self.scores(len(events)))


def _normal(n: int, seed: int, rho: float = 0.0, columns: int = 2) -> Sample:
    """Standard normal columns, each correlated with the one before."""
    values = np.random.default_rng(seed).normal(size=(columns, n))
    for i in range(1, columns):
        values[i] = rho * values[i - 1] + (1 - rho**2) ** 0.5 * values[i]
    return Sample({f"x{i}": column for i, column in enumerate(values)})


def _weighted(sample: Sample, weight: Array) -> Sample:
    return Sample(sample.columns, weight)


def _fitted(generated: Sample, reference: Sample, model: Any = None, seed: int = 0) -> tuple[Any, Scores]:
    SEEN.clear()
    scores = Classifier(model=model or Sum()).scores(generated, reference, seed)
    return SEEN[0], scores


def _verdict(scores: Scores, n_required: int) -> str:
    bins = bins_for(20, [scores.reference], scores.reference_weight, "error")
    gen = fill(bins, [scores.generated], scores.generated_weight)
    ref = fill(bins, [scores.reference], scores.reference_weight)
    return compare(gen, ref, n_required=n_required).verdict.value


@pytest.mark.parametrize("events", [4, 5, 101])
def test_halves(events: int) -> None:
    """One half trains, the other is tested, no event does both, and none is left out."""
    gen = Sample({"x": np.arange(events) + 0.5})
    ref = Sample({"x": np.arange(events) + 1000.5})
    (trained, labels, weight), scores = _fitted(gen, ref)
    ours, theirs = trained[labels == 1, 0], trained[labels == 0, 0]
    assert sorted([*ours, *scores.generated]) == gen["x"].tolist()
    assert sorted([*theirs, *scores.reference]) == ref["x"].tolist()
    assert ours.size == theirs.size == events // 2
    assert not np.array_equal(ours, theirs - 1000) or events < 10  # the two sides are split by themselves
    assert weight.tolist() == pytest.approx([1.0] * weight.size)


def test_weights() -> None:
    """In training both sides count the same in all and each event by its magnitude; the tested half keeps its signs."""
    gen = _weighted(_normal(1_000, 1), np.random.default_rng(2).choice([-1.0, 3.0], size=1_000))
    ref = _normal(200, 3)
    (trained, labels, weight), scores = _fitted(gen, ref)
    assert weight[labels == 1].sum() == pytest.approx(weight[labels == 0].sum())
    assert weight.mean() == pytest.approx(1)
    signed = dict(zip(gen["x0"].tolist(), gen.weight.tolist(), strict=True))  # type: ignore[union-attr]
    sizes = np.abs([signed[x] for x in trained[labels == 1, 0]])
    np.testing.assert_allclose(weight[labels == 1] / weight[labels == 1][0], sizes / sizes[0])
    by_score = dict(zip((gen["x0"] + gen["x1"]).tolist(), gen.weight.tolist(), strict=True))  # type: ignore[union-attr]
    assert scores.generated_weight is not None
    assert scores.generated_weight.tolist() == [by_score[score] for score in scores.generated.tolist()]
    assert scores.reference_weight is None


def test_the_scale_of_weights_does_not_matter() -> None:
    """Weights of 1e-80 and of 1e80 train alike, and unweighted events like events of one weight."""
    shares = [
        _fitted(_weighted(_normal(100, 1), np.full(100, scale)), _normal(100, 2))[0][2] for scale in (1e-80, 1.0, 1e80)
    ]
    np.testing.assert_allclose(shares[0], shares[2])
    np.testing.assert_allclose(shares[1], 1)


@pytest.mark.parametrize("model", MODELS)
def test_reproducible(model: str) -> None:
    """The same seed gives the same scores to the last digit, another seed another split."""
    pytest.importorskip("sklearn")
    gen, ref = _normal(600, 1, 0.5), _normal(400, 2)
    first, again, other = (Classifier(model=model).scores(gen, ref, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.generated, again.generated)
    np.testing.assert_array_equal(first.reference, again.reference)
    assert not np.array_equal(first.generated, other.generated)


def test_provenance() -> None:
    """Seed, split, columns and library are told in builtin types."""
    pytest.importorskip("sklearn")
    provenance = Classifier().scores(_normal(601, 1), _normal(400, 2), np.int64(3)).provenance  # type: ignore[arg-type]
    library = provenance.pop("library")
    assert provenance == {
        "model": "boosting",
        "seed": 3,
        "columns": ["x0", "x1"],
        "columns_left_out": [],
        "generated_trained": 300,
        "generated_tested": 301,
        "reference_trained": 200,
        "reference_tested": 200,
    }
    assert library.startswith("sklearn ")
    assert type(provenance["seed"]) is int
    assert Classifier(model=Sum()).scores(_normal(10, 1), _normal(10, 2), 0).provenance["model"] == "Sum"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("columns", [2, 10])
def test_wrong_correlations_are_found(model: str, columns: int) -> None:
    """A generator with exact marginals and no correlation is BIASED, and the same simulator is ROBUST."""
    pytest.importorskip("sklearn")
    reference = _normal(2_000, 1, 0.6, columns)
    right = Classifier(model=model).scores(_normal(4_000, 2, 0.6, columns), reference, 0)
    wrong = Classifier(model=model).scores(_normal(4_000, 3, 0.0, columns), reference, 0)
    assert _verdict(right, 200) == "ROBUST"
    assert _verdict(wrong, 200) == "BIASED"


@pytest.mark.parametrize("model", MODELS)
def test_weighted_events_are_told_like_their_distribution(model: str) -> None:
    """Reference weights that reproduce the generated distribution leave nothing to tell; without them it is told."""
    pytest.importorskip("sklearn")
    x, y = np.random.default_rng(1).normal(size=(2, 8_000))
    generated = Sample({"x": np.random.default_rng(2).normal(0.5, 1, 6_000), "y": y[:6_000]})
    reference = Sample({"x": x, "y": y})
    assert _verdict(Classifier(model=model).scores(generated, reference, 0), 400) == "BIASED"
    moved = _weighted(reference, np.exp(0.5 * x - 0.125))
    assert _verdict(Classifier(model=model).scores(generated, moved, 0), 400) == "ROBUST"


@pytest.mark.parametrize("model", MODELS)
def test_higher_scores_look_generated(model: str) -> None:
    """The score rises from what is like the reference to what is like the generated sample."""
    pytest.importorskip("sklearn")
    gen, ref = Sample({"x": np.linspace(1, 2, 400)}), Sample({"x": np.linspace(0, 1, 400)})
    scores = Classifier(model=model).scores(gen, ref, 0)
    assert scores.generated.min() > np.median(scores.reference)


@pytest.mark.parametrize("events", [20, 60, 200])
def test_small_samples_are_learned_from(events: int) -> None:
    """Leaves shrink with the sample, so that boosting tells what is plain to see from a few dozen events."""
    pytest.importorskip("sklearn")
    gen, ref = Sample({"x": np.linspace(1, 2, events)}), Sample({"x": np.linspace(0, 1, events)})
    scores = Classifier().scores(gen, ref, 0)
    assert np.median(scores.generated) > np.median(scores.reference)


@pytest.mark.parametrize("model", MODELS)
def test_missing_numbers(model: str) -> None:
    """NaN, infinite, huge and tiny values are taken as they are, and an excess of NaN is found, without a warning."""
    pytest.importorskip("sklearn")
    gen, ref = (np.random.default_rng(seed).normal(size=(3, 4_000)) for seed in (1, 2))
    gen[0, ::5] = np.nan
    ref[0, ::50] = np.nan
    ref[1, 5] = gen[1, 6] = np.inf
    gen[2] *= 1e-300
    ref[2] *= 1e-300
    gen[2, 7] = 1e300
    generated, reference = (Sample(dict(zip("abc", values, strict=True))) for values in (gen, ref))
    assert _verdict(Classifier(model=model).scores(generated, reference, 0), 200) == "BIASED"


def test_plain_columns_are_taken_by_default() -> None:
    """By default every column of plain numbers that both samples have is used, whatever their order."""
    n = 10
    gen = Sample({"b": np.arange(n), "a": np.ones(n), "t": np.array(["u"] * n), "mine": np.ones(n)})
    jagged = np.empty(n, dtype=object)
    jagged[:] = [[1.0]] * n
    ref = Sample({"a": np.arange(n) > 3, "t": np.array(["u"] * n), "b": np.ones(n), "j": jagged})
    assert Classifier().names(gen, ref) == ("a", "b")
    assert Classifier(columns=("b",)).names(gen, ref) == ("b",)
    assert Classifier(columns=["b", "a"]).names(gen, ref) == ("b", "a")  # type: ignore[arg-type]


def test_the_order_of_columns_does_not_matter() -> None:
    """Samples with the same columns in another order get the same scores."""
    pytest.importorskip("sklearn")
    gen, ref = _normal(300, 1, 0.5), _normal(300, 2)
    turned = Sample({name: gen[name] for name in ("x1", "x0")})
    scores = [Classifier().scores(sample, ref, 0).generated for sample in (gen, turned)]
    np.testing.assert_array_equal(scores[0], scores[1])


def test_an_object_is_copied() -> None:
    """The user's classifier stays untrained, and its unset random state is set in the copy only."""
    ensemble: Any = pytest.importorskip("sklearn.ensemble")
    mine = Sum()
    Classifier(model=mine).scores(_normal(10, 1), _normal(10, 2), 0)
    assert mine.seen is None
    forest = ensemble.RandomForestClassifier(n_estimators=5)
    gen, ref = _normal(100, 1), _normal(100, 2)
    first, again = (Classifier(model=forest).scores(gen, ref, 7) for _ in range(2))
    np.testing.assert_array_equal(first.generated, again.generated)
    assert forest.random_state is None
    assert not hasattr(forest, "classes_")
    assert first.provenance["library"].startswith("sklearn ")
    set_before = copy.deepcopy(forest).set_params(random_state=1)
    assert not np.array_equal(Classifier(model=set_before).scores(gen, ref, 7).generated, first.generated)


@pytest.mark.parametrize("model", MODELS)
def test_global_state_stays_as_it_was(model: str) -> None:
    """Training leaves the threads of numerical libraries and the filters of warnings alone, and takes any seed."""
    control: Any = pytest.importorskip("threadpoolctl")
    pytest.importorskip("sklearn.neural_network")  # brings in what has threads
    threads, filters = control.threadpool_info(), list(warnings.filters)
    scores = Classifier(model=model).scores(_normal(100, 1), _normal(100, 2), 2**70 + 3)
    assert scores.provenance["seed"] == 2**70 + 3
    assert control.threadpool_info() == threads
    assert warnings.filters == filters


@pytest.mark.parametrize("model", MODELS)
def test_missing_packages(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is not installed is named with the command that installs it."""
    found = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "sklearn":
            raise ImportError(name)
        return found(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    text = r"a classifier needs the package 'scikit-learn'.*pytest-ganvalid\[classifier\]"
    with pytest.raises(MissingExtraError, match=text):
        Classifier(model=model).scores(_normal(10, 1), _normal(10, 2), 0)


@pytest.mark.parametrize(
    "model", ["forest", Sum, None, 3, object(), ["boosting"]], ids=["word", "class", "None", "number", "object", "list"]
)
def test_what_is_no_model(model: Any) -> None:
    """Names that are not known, classes and objects that cannot be trained are refused at once."""
    with pytest.raises(InputTypeError, match=r"is not a classifier; expected 'boosting', 'mlp', or an object with fit"):
        Classifier(model=model)


@pytest.mark.parametrize(
    ("columns", "error", "text"),
    [
        ("xy", InputTypeError, "columns='xy'; expected a tuple of column names"),
        ((1,), InputTypeError, r"columns=\(1,\); expected a tuple"),
        (3, InputTypeError, "columns=3; expected a tuple"),
        ((), InputError, "at least one column name"),
        (("x", "x"), InputError, "each once"),
    ],
)
def test_what_are_no_columns(columns: Any, error: type[Exception], text: str) -> None:
    """A single string, no column and repeated columns are refused at once."""
    with pytest.raises(error, match=text):
        Classifier(columns=columns)


NUMBERS = Sample({"x": np.arange(10.0)})
CONSTANT = Sample({"x": np.full(10, np.nan)})
TEXTS = Sample({"x": np.array(list("abcdefghij"))})


@pytest.mark.parametrize(
    ("classifier", "generated", "reference", "error", "text"),
    [
        (
            Classifier(("y",), Sum()),
            NUMBERS,
            NUMBERS,
            InputError,
            "generated: there is no column 'y'; there",
        ),
        (Classifier(("x",), Sum()), NUMBERS, TEXTS, InputTypeError, "reference: column 'x' has dtype <U1"),
        (Classifier(None, Sum()), NUMBERS, TEXTS, InputError, "one number per event on one side only"),
        (Classifier(None, Sum()), TEXTS, TEXTS, InputError, "share no column of plain numbers"),
        (Classifier(None, Sum()), NUMBERS.first(3), NUMBERS, InputError, "generated has 3 events; .* at least 4"),
        (Classifier(None, Sum()), NUMBERS, NUMBERS.first(3), InputError, "reference has 3 events; .* at least 4"),
        (Classifier(None, Sum()), CONSTANT, CONSTANT, InputError, "one value only .* needs a column that varies"),
        (
            Classifier(None, Sum()),
            NUMBERS,
            Sample({"x": np.arange(10.0)}, np.zeros(10)),
            InputError,
            "reference: all 5 events drawn for training have weight zero",
        ),
        (
            Classifier(None, Broken(lambda n: np.full(n, np.nan))),
            NUMBERS,
            NUMBERS,
            InputError,
            r"Broken returned scores of shape \(10,\), 10 of them not finite",
        ),
        (Classifier(None, Broken(lambda n: np.ones((n, 3)))), NUMBERS, NUMBERS, InputError, r"shape \(10, 3\)"),
    ],
)
def test_impossible_trainings(
    classifier: Classifier, generated: Sample, reference: Sample, error: type[Exception], text: str
) -> None:
    """Samples and models that no score can come of are refused with the reason."""
    with pytest.raises(error, match=text):
        classifier.scores(generated, reference, 0)


@pytest.mark.parametrize("seed", [-1, 0.5, None, True])
def test_impossible_seeds(seed: Any) -> None:
    """A seed is an integer that is not negative."""
    with pytest.raises((InputError, InputTypeError), match="seed="):
        Classifier(model=Sum()).scores(NUMBERS, NUMBERS, seed)


class Centred(Sum):
    """Scores events relative to those scored with them, as batch normalisation left in training does."""

    def decision_function(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Subtract the mean of the batch."""
        return np.asarray((x - x.mean(axis=0)).sum(axis=1))


def test_scores_that_depend_on_other_events_are_refused() -> None:
    """A model that scores an event relative to its batch would hide a difference between the batches."""
    with pytest.raises(InputError, match="scores an event differently in other company"):
        Classifier(model=Centred()).scores(_normal(400, 1), _normal(400, 2), 0)


def test_the_order_of_events_does_not_matter() -> None:
    """The same events in another order are split, trained with and scored alike."""
    pytest.importorskip("sklearn")
    gen, ref = _normal(500, 1), _normal(500, 2)
    turned = gen.select(np.random.default_rng(3).permutation(500))
    one, other = (Classifier().scores(sample, ref, 0) for sample in (gen, turned))
    np.testing.assert_array_equal(one.generated, other.generated)
    np.testing.assert_array_equal(one.reference, other.reference)


def test_a_model_that_takes_no_weights_is_refused_in_words() -> None:
    """What cannot be fitted with sample weights is an error that says what is expected."""

    class Unweighted(Sum):
        def fit(self, x: Any, y: Any) -> None:  # type: ignore[override]
            """Take no weights."""

    with pytest.raises(InputTypeError, match=r"Unweighted cannot be trained .* expected 'boosting'"):
        Classifier(model=Unweighted()).scores(_normal(40, 1), _normal(40, 2), 0)


def test_halves_keep_clusters_whole() -> None:
    """No cluster is trained with on one side and tested on any, and about half are tested; the seed says which."""
    keys = np.repeat(np.arange(300, dtype=np.uint64), 2)
    sides = [Sample(_normal(600, seed).columns, cluster=keys) for seed in (1, 2)]
    model = Sum()
    scores = Classifier(("x0", "x1"), model).scores(sides[0], sides[1], 5)
    tested = [scores.generated_cluster, scores.reference_cluster]
    for keys_of, values in zip(tested, (scores.generated, scores.reference), strict=True):
        assert keys_of is not None
        assert values.size == keys_of.size == 300
        assert set(np.unique(keys_of, return_counts=True)[1]) == {2}
    assert set(tested[0]) == set(tested[1])  # type: ignore[arg-type]
    again = Classifier(("x0", "x1"), Sum()).scores(sides[0], sides[1], 6)
    assert set(again.generated_cluster) != set(tested[0])  # type: ignore[arg-type]
    assert scores.provenance["generated_trained"] == 300


def test_one_cluster_makes_no_halves() -> None:
    """Clusters that cannot be shared out are refused."""
    sides = [Sample(_normal(60, seed).columns, cluster=np.zeros(60, dtype=np.uint64)) for seed in (1, 2)]
    with pytest.raises(InputError, match=r"generated: its clusters do not make two halves"):
        Classifier(("x0", "x1"), Sum()).scores(sides[0], sides[1], 5)
