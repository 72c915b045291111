"""The score of a classifier that was trained to tell generated from reference events.

Half of the events of either side train the classifier, and only the other half is scored: to those the score is a
function like any other, chosen without having seen them, so its histogram is compared like that of any other observable
and n counts the tested half (classifier two-sample tests: Friedman, PHYSTAT 2003, SLAC-PUB-10325; Lopez-Paz & Oquab,
ICLR 2017, arXiv:1610.06545). A poor classifier makes a blind observable, with which all samples agree: a positive
control tells what it can see (`pytest_ganvalid.observables.control`).
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._arguments import check_integer
from pytest_ganvalid.errors import InputError, InputTypeError, MissingExtraError, absence
from pytest_ganvalid.observables.observable import check_name
from pytest_ganvalid.overlaps.digests import is_plain, row_digests
from pytest_ganvalid.overlaps.resolution import numbers_in_order
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.samples.tables import numeric

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
_STREAM, _CLUSTERS = 5, 2
_RESCORED = 1_000  # events that are scored twice
_TOLERANCE = 1e-4  # relative; single precision and another order of sums
_MIN_EVENTS = 4  # two to train with and two to test
_SEEDS = 2**32  # number of seeds that scikit-learn takes
_QUANTILES = 1000
_BATCH = 1024
_MIN_STEPS, _MIN_EPOCHS = 300, 10  # of a network's training, whichever takes more steps
_ROUNDS, _RATE, _LEAVES, _LEAF, _L2 = 60, 0.05, 4, 200, 10.0  # of boosting: benchmarks/controls.md
_CUTS = 64  # quantiles of a column at which it may be cut; scikit-learn's 255 take three times as long
_LEAF_SHARE = 20  # of small samples: one part in so many of the events trained with
_ACCEPTED = (
    "'boosting', 'mlp', or an object with fit(X, y, sample_weight=...) and predict_proba(X) or decision_function(X)"
)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of the events that a classifier was not trained with: the higher, the more likely generated.

    Attributes:
        generated: Scores of the tested half, shape (tested generated events,).
        generated_weight: Their weights, any sign; ``None`` for unweighted events.
        reference: Likewise, shape (tested reference events,).
        reference_weight: Likewise.
        generated_cluster: Their clusters; ``None`` for independent events.
        reference_cluster: Likewise.
        provenance: Model, seed, columns, the numbers of events trained with and tested, and the library's version.
    """

    generated: FloatArray
    generated_weight: FloatArray | None
    reference: FloatArray
    reference_weight: FloatArray | None
    provenance: dict[str, Any]
    generated_cluster: NDArray[np.uint64] | None = None
    reference_cluster: NDArray[np.uint64] | None = None


@dataclass(frozen=True, slots=True)
class Classifier:
    """The score of a classifier as an observable.

    Attributes:
        columns: The columns that the classifier gets; ``None`` for all that are plain numbers in both samples, by name.
        model: ``"boosting"`` for shallow gradient-boosted trees (scikit-learn's HistGradientBoostingClassifier: 60
            rounds of 0.05, at most 4 leaves of at least 200 events, or a twentieth of those trained with), ``"mlp"``
            for a small neural network (its MLPClassifier), both on one thread of the CPU, or an object with ``fit(X, y,
            sample_weight=...)`` and ``predict_proba(X)`` or ``decision_function(X)``. Of an object a copy is trained;
            a ``random_state`` that is ``None`` is set to the seed in the copy.
        name: Its name in the report.

    Raises:
        InputError: If there are no columns, or a column is named twice.
        InputTypeError: If the model or the columns are of another kind.
    """

    columns: tuple[str, ...] | None = None
    model: Any = "boosting"
    name: str = "classifier"

    def __post_init__(self) -> None:
        """Check what can be checked without events."""
        check_name(self.name)
        if self.columns is not None:
            object.__setattr__(self, "columns", _checked_names(self.columns))
        scoring = any(callable(getattr(self.model, name, None)) for name in ("predict_proba", "decision_function"))
        trainable = callable(getattr(self.model, "fit", None)) and scoring and not isinstance(self.model, type)
        if not trainable and self.model not in tuple(_MODELS):
            msg = f"model={self.model!r} is not a classifier; expected {_ACCEPTED}"
            raise InputTypeError(msg)

    def names(self, generated: Sample, reference: Sample) -> tuple[str, ...]:
        """Return the columns that the classifier gets.

        Raises:
            InputError: If a column is missing or holds several numbers per event, or the samples share no column of
                numbers.
            InputTypeError: If a column does not hold numbers.
        """
        if self.columns is None:
            shared = [name for name in reference.columns if name in generated.columns]
            _refuse_one_sided(shared, generated, reference)
            plain = (name for name in shared if is_plain(reference.columns[name]))
            names = sorted(
                name
                for name in plain
                if not all(numbers_in_order(sample.columns[name]) for sample in (generated, reference))
            )
            if not names:
                msg = (
                    "the samples share no column of plain numbers to train a classifier with: generated has "
                    f"{sorted(generated.columns)}, reference has {sorted(reference.columns)}"
                )
                raise InputError(msg)
            return tuple(names)
        for side, sample in (("generated", generated), ("reference", reference)):
            for name in self.columns:
                _check_column(sample, name, side)
        return self.columns

    def scores(self, generated: Sample, reference: Sample, seed: int) -> Scores:
        """Train with one half of the events and score the other.

        The halves are drawn at random, either side by itself; of clusters, which are kept whole, for both at once. In
        training both sides count the same in all. An event of negative weight counts by its magnitude: training chooses
        what to look at, and any choice is valid; it is the histogram of the tested half that has to be unbiased, and it
        gets the weights with their signs.

        The result depends on the events and the seed only, not on the order of the events; and on the kind of machine,
        as far as rounding errors grow while ``"mlp"`` is trained.

        Args:
            generated: At least 4 events.
            reference: Likewise.
            seed: Not negative.

        Raises:
            InputError: If there are too few events, a half has no weight, the columns do not vary, or the model's
                scores are not finite numbers, one per event.
            InputTypeError: If a column does not hold numbers.
            MissingExtraError: If scikit-learn is needed and not installed.
        """
        names, seed = self.names(generated, reference), check_integer("seed", seed, minimum=0)
        training_clusters = _training_clusters(generated, reference, np.random.default_rng([seed, _STREAM, _CLUSTERS]))
        sides = [
            _Half.of(sample, names, side, np.random.default_rng([seed, _STREAM, i]), training_clusters)
            for i, (side, sample) in enumerate((("generated", generated), ("reference", reference)))
        ]
        gen, ref = sides
        model = _new_model(self.model, seed)
        _train(model, gen, ref)
        scores = _scores(model, np.concatenate([gen.tested, ref.tested]), np.random.default_rng([seed, _STREAM]))
        generated_scores, reference_scores = np.split(scores, [len(gen.tested)])
        return Scores(
            generated_scores,
            gen.tested_weight,
            reference_scores,
            ref.tested_weight,
            {
                "model": self.model if isinstance(self.model, str) else type(self.model).__qualname__,
                "library": _library(model),
                "seed": seed,
                "columns": list(names),
                "columns_left_out": sorted((set(generated.columns) | set(reference.columns)) - set(names)),
                "generated_trained": len(gen.trained),
                "generated_tested": len(gen.tested),
                "reference_trained": len(ref.trained),
                "reference_tested": len(ref.tested),
            },
            gen.tested_cluster,
            ref.tested_cluster,
        )


def _training_clusters(generated: Sample, reference: Sample, rng: np.random.Generator) -> NDArray[np.uint64] | None:
    """Draw half of the clusters of both sides, to train with; ``None`` if neither side has clusters."""
    keys = [sample.cluster for sample in (generated, reference) if sample.cluster is not None]
    if not keys:
        return None
    distinct = np.unique(np.concatenate(keys))
    return np.sort(rng.permutation(distinct)[: distinct.size // 2])


@dataclass(frozen=True, slots=True, eq=False)
class _Half:
    """One side, split into the events trained with and those tested.

    Attributes:
        trained: Shape (events, columns).
        importance: Weight of each event in training, shape (events,); 1 on average.
        tested: Shape (other events, columns).
        tested_weight: Shape (other events,), any sign, or ``None``.
        tested_cluster: Their clusters, or ``None``.
    """

    trained: FloatArray
    importance: FloatArray
    tested: FloatArray
    tested_weight: FloatArray | None
    tested_cluster: NDArray[np.uint64] | None = None

    @classmethod
    def of(
        cls,
        sample: Sample,
        names: tuple[str, ...],
        side: str,
        rng: np.random.Generator,
        training_clusters: NDArray[np.uint64] | None = None,
    ) -> _Half:
        """Split a sample at random, or by the clusters to train with."""
        if len(sample) < _MIN_EVENTS:
            msg = (
                f"{side} has {len(sample)} events; a classifier needs at least {_MIN_EVENTS} on either side (and "
                "thousands to see anything)"
            )
            raise InputError(msg)
        # Events are told apart by what they are and not by their place, so that another order splits them alike.
        order = np.argsort(row_digests(sample.columns, sorted(names)), kind="stable")[rng.permutation(len(sample))]
        train, test = order[: len(sample) // 2], order[len(sample) // 2 :]
        if sample.cluster is not None and training_clusters is not None:
            inside = np.isin(sample.cluster[order], training_clusters)
            train, test = order[inside], order[~inside]
            if min(train.size, test.size) < _MIN_EVENTS // 2:
                msg = f"{side}: its clusters do not make two halves to train with and to test; expected more clusters"
                raise InputError(msg)
        table = np.column_stack([numeric(sample.columns[name], f"{side}: column {name!r}") for name in names])
        weight = sample.weight
        magnitude = np.ones(train.size) if weight is None else np.abs(weight[train])
        if not magnitude.any():
            msg = f"{side}: all {train.size} events drawn for training have weight zero; remove events without weight"
            raise InputError(msg)
        cluster = None if sample.cluster is None else sample.cluster[test]
        return cls(
            table[train], magnitude / magnitude.mean(), table[test], None if weight is None else weight[test], cluster
        )


def _train(model: Any, generated: _Half, reference: _Half) -> None:  # noqa: ANN401 - any classifier
    events = np.concatenate([generated.trained, reference.trained])
    equal = (events == events[0]) | (np.isnan(events) & np.isnan(events[0]))
    if equal.all():
        msg = "every column has one value only in the events to train with; a classifier needs a column that varies"
        raise InputError(msg)
    labels = np.repeat([1, 0], [len(generated.trained), len(reference.trained)])
    weights = [half.importance * labels.size / (2 * half.importance.size) for half in (generated, reference)]
    try:
        model.fit(events, labels, sample_weight=np.concatenate(weights))
    except TypeError as error:
        msg = f"the classifier {type(model).__qualname__} cannot be trained ({error}); expected {_ACCEPTED}"
        raise InputTypeError(msg) from error


def _scores(model: Any, events: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ANN401
    """Score events of both sides in one mixed batch, and make sure that a score is a function of its event alone.

    A model that normalises whatever it is given (such as batch normalisation left in training) would score either
    side relative to itself, and so hide the difference between them.
    """
    order = rng.permutation(len(events))
    scores = np.empty(len(events))
    scores[order] = _score(model, events[order])
    subset = np.sort(order[: min(_RESCORED, len(events) // 2)])
    rescored = _score(model, events[subset])
    if not np.allclose(rescored, scores[subset], rtol=_TOLERANCE, atol=_TOLERANCE * float(np.ptp(scores))):
        msg = (
            f"the classifier {type(model).__qualname__} scores an event differently in other company; expected a score "
            "that depends on the event alone (is a normalisation over the batch switched to evaluation?)"
        )
        raise InputError(msg)
    return scores


def _refuse_one_sided(shared: list[str], generated: Sample, reference: Sample) -> None:
    """Refuse a column of numbers on one side only: left out, it would hide a difference."""
    for name in shared:
        if is_plain(generated.columns[name]) != is_plain(reference.columns[name]):
            msg = (
                f"the column {name!r} holds one number per event on one side only; mend it, or name the columns that "
                "the classifier is to be given"
            )
            raise InputError(msg)


def _score(model: Any, events: FloatArray) -> FloatArray:  # noqa: ANN401
    if callable(getattr(model, "predict_proba", None)):
        scores = np.asarray(model.predict_proba(events), dtype=np.float64)
        scores = scores[:, 1] if scores.ndim == 2 and scores.shape[1] == 2 else scores  # noqa: PLR2004
    else:
        scores = np.asarray(model.decision_function(events), dtype=np.float64)
    if scores.shape != (len(events),) or not np.isfinite(scores).all():
        msg = (
            f"the classifier {type(model).__qualname__} returned scores of shape {scores.shape}, "
            f"{int(np.count_nonzero(~np.isfinite(scores)))} of them not finite; expected one finite number for each of "
            f"{len(events)} events (two classes)"
        )
        raise InputError(msg)
    return scores


class _OneThread:
    """A model of scikit-learn on one thread: OpenMP and BLAS stall where threads outnumber free cores, as under xdist.

    Warnings are silenced, as training for a fixed time is no lack of convergence, and a column may be missing.
    """

    library = "sklearn"

    def __init__(self, model: Any, weight: str, parameters: Callable[[int], dict[str, int]]) -> None:  # noqa: ANN401
        """Keep the model.

        Args:
            model: With ``fit``, and ``decision_function`` or ``predict_proba``.
            weight: What its ``fit`` calls the weights of events.
            parameters: The parameters that depend on the number of events.
        """
        self._model, self._weight, self._parameters = model, weight, parameters

    def fit(self, events: FloatArray, labels: IntArray, sample_weight: FloatArray) -> None:
        """Train from the beginning."""
        self._model.set_params(**self._parameters(len(events)))
        with self._quietly():
            self._model.fit(events, labels, **{self._weight: sample_weight})

    def decision_function(self, events: FloatArray) -> FloatArray:
        """Return the logit of class 1, or its probability if the model has only that, shape (events,)."""
        with self._quietly():
            if hasattr(self._model, "decision_function"):
                return np.asarray(self._model.decision_function(events))
            return np.asarray(self._model.predict_proba(events)[:, 1])

    @staticmethod
    @contextmanager
    def _quietly() -> Iterator[None]:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield


def _boosting(seed: int) -> _OneThread:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # Where samples nearly agree, trees mostly fit noise, and deep ones more of it. Early stopping would take a part of
    # the training half.
    trees = HistGradientBoostingClassifier(
        max_iter=_ROUNDS,
        learning_rate=_RATE,
        max_leaf_nodes=_LEAVES,
        max_bins=_CUTS,
        l2_regularization=_L2,
        early_stopping=False,
        random_state=seed,
    )
    return _OneThread(
        trees, "sample_weight", lambda events: {"min_samples_leaf": max(1, min(_LEAF, events // _LEAF_SHARE))}
    )


def _mlp(seed: int) -> _OneThread:
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, QuantileTransformer

    def parameters(events: int) -> dict[str, int]:
        batch = min(_BATCH, events)
        epochs = max(_MIN_EPOCHS, _MIN_STEPS * batch // events)
        return {
            "scale__n_quantiles": min(_QUANTILES, events),
            "network__batch_size": batch,
            "network__max_iter": epochs,
            "network__n_iter_no_change": epochs,
        }

    steps = [
        ("finite", FunctionTransformer(_without_infinities)),
        # By ranks: neither an outlier nor the unit of a column rules the gradient.
        ("scale", QuantileTransformer(output_distribution="normal", random_state=seed)),
        ("gaps", SimpleImputer(strategy="constant", fill_value=0.0, add_indicator=True, keep_empty_features=True)),
        ("network", MLPClassifier((64, 64), learning_rate_init=3e-3, random_state=seed)),
    ]
    return _OneThread(Pipeline(steps), "network__sample_weight", parameters)


def _without_infinities(events: FloatArray) -> FloatArray:
    return np.where(np.isfinite(events), events, np.nan)


_MODELS: dict[str, Callable[[int], Any]] = {"boosting": _boosting, "mlp": _mlp}


def _new_model(model: Any, seed: int) -> Any:  # noqa: ANN401
    """Return a model to train: a verdict must depend on the seed, and never on what the user's object has seen."""
    if isinstance(model, str):
        try:
            return _MODELS[model](seed % _SEEDS)
        except ImportError as error:
            feature, package, extra = "a classifier", "scikit-learn", "classifier"
            raise MissingExtraError(feature, package, extra) from error
    clone = copy.deepcopy(model)
    if callable(getattr(clone, "get_params", None)):
        unset = [name for name, value in clone.get_params().items() if name.endswith("random_state") and value is None]
        clone.set_params(**dict.fromkeys(unset, seed))
    return clone


def _library(model: Any) -> str:  # noqa: ANN401
    """Name the package a model comes from, with its version if it tells."""
    package = getattr(model, "library", type(model).__module__.partition(".")[0])
    version = getattr(sys.modules.get(package), "__version__", "")
    return f"{package} {version}".strip()


def _checked_names(columns: Any) -> tuple[str, ...]:  # noqa: ANN401 - a user's input
    if not isinstance(columns, tuple | list) or not all(isinstance(name, str) for name in columns):
        msg = f"columns={columns!r}; expected a tuple of column names, or None for all columns of numbers"
        raise InputTypeError(msg)
    names = tuple(columns)
    if not names or len(set(names)) < len(names):
        msg = f"columns={columns!r}; expected at least one column name, each once, or None for all columns of numbers"
        raise InputError(msg)
    return names


def _check_column(sample: Sample, name: str, side: str) -> None:
    if name not in sample.columns:
        msg = f"{side}: {absence('column', name, sample.columns)}"
        raise InputError(msg)
    values: object = sample.columns[name]
    if not isinstance(values, np.ndarray) or values.ndim != 1:
        msg = (
            f"{side}: column {name!r} does not hold one number per event; a classifier needs that: reduce it first, "
            "for example to its first entry and the number of entries"
        )
        raise InputError(msg)
    numeric(values, f"{side}: column {name!r}")
