"""Observables are columns, pairs and functions; what is meant is never guessed, what is left out is said."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.observables import KDTree, Observable, resolve
from pytest_ganvalid.observables.requested import skipped_columns
from pytest_ganvalid.samples import Sample

RNG = np.random.default_rng(1)
GENERATED = Sample({"a": RNG.normal(size=200), "b": RNG.normal(size=200)})
REFERENCE = Sample({"b": RNG.normal(size=300), "a": RNG.normal(size=300)})


def total(sample: Sample) -> Any:
    """Sum up."""
    return sample["a"] + sample["b"]


def _resolve(spec: object) -> tuple[Observable, ...]:
    found = resolve(spec, GENERATED, REFERENCE)
    assert all(isinstance(observable, Observable) for observable in found)
    return found  # type: ignore[return-value] # just asserted


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("a", [Observable("a", ("a",))]),
        (["a"], [Observable("a", ("a",))]),
        (["a", "b"], [Observable("a", ("a",)), Observable("b", ("b",))]),
        (("a", "b"), [Observable("a", ("a",)), Observable("b", ("b",))]),
        ([("a", "b")], [Observable("a:b", ("a", "b"))]),
        ([["a", "b"]], [Observable("a:b", ("a", "b"))]),
        (["a", ("a", "b")], [Observable("a", ("a",)), Observable("a:b", ("a", "b"))]),
        (total, [Observable("total", function=total)]),
        ([total], [Observable("total", function=total)]),
        ([("sum", total)], [Observable("sum", function=total)]),
        ({"sum": total}, [Observable("sum", function=total)]),
        ({"one": "a"}, [Observable("one", ("a",))]),
        ({"two": ("a", "b")}, [Observable("two", ("a", "b"))]),
        ({"first": ("second", total)}, [Observable("first", function=total)]),
        (None, [Observable("b", ("b",)), Observable("a", ("a",)), Observable("joint", ("b", "a"), tree=True)]),
        (iter(["a"]), [Observable("a", ("a",))]),
    ],
)
def test_accepted_forms(spec: object, expected: list[Observable]) -> None:
    """A name, a pair, a function, a named one, a list or a mapping of those, or nothing for all columns."""
    assert list(_resolve(spec)) == expected


@pytest.mark.parametrize(
    ("spec", "error", "text"),
    [
        ([], InputError, "no observable to compare; a check of nothing demonstrates nothing"),
        ({}, InputError, "no observable to compare"),
        (5, InputTypeError, "observables=5 is a int; expected a list"),
        ([5], InputTypeError, "observable 5 is not understood; expected a column name, a tuple"),
        ([None], InputTypeError, "observable None is not understood"),
        ([("a", "b", "a")], InputError, r"joins column 'a' with itself"),
        ([KDTree(("a", "a"))], InputError, r"joins column 'a' with itself"),
        ([KDTree(())], InputError, "of no column"),
        ([("a",)], InputTypeError, "is not understood"),
        ([("a", 5)], InputTypeError, "is not understood"),
        ([(total, "a")], InputTypeError, "is not understood"),
        ({5: "a"}, InputTypeError, "the name 5 of an observable is a int; expected a str"),
        ({None: 5}, InputTypeError, "observable 5 is not understood"),
        (["a", "a"], InputError, r"observables \['a'\] are named twice; give each a name of its own"),
        (["a", ("a", total)], InputError, r"\['a'\] are named twice"),
        ([("a", "b"), ("a:b", total)], InputError, r"\['a:b'\] are named twice"),
        ([lambda sample: sample["a"]], InputError, r"without a name cannot be reported.*\(name, function\)"),
        (lambda sample: sample["a"], InputError, "without a name"),
        ([partial(total)], InputError, "without a name"),
    ],
)
def test_refused_forms(spec: object, error: type[Exception], text: str) -> None:
    """What is not understood, has no name or has the name of another is refused."""
    with pytest.raises(error, match=text):
        _resolve(spec)


def test_a_lambda_with_a_name_is_fine() -> None:
    """A nameless function can be given a name."""
    (observable,) = _resolve([("twice", lambda sample: 2 * sample["a"])])
    np.testing.assert_array_equal(observable.values(GENERATED, "generated").columns[0], 2 * GENERATED["a"])


def test_all_shared_columns() -> None:
    """Without observables every numeric column of the reference is compared; the others are named with the reason."""
    words, numbers = np.array(["x"] * 4), np.arange(4.0)
    generated = Sample({"a": numbers, "g": numbers, "w": words})
    reference = Sample({"a": numbers, "r": words, "w": words})
    assert [observable.name for observable in resolve(None, generated, reference)] == ["a"]
    assert skipped_columns(generated, reference) == {
        "g": "only generated has it",
        "r": "not numeric",
        "w": "not numeric",
    }


def test_no_shared_column() -> None:
    """Samples without a common numeric column are refused, with the columns they have."""
    with pytest.raises(InputError, match=r"share no numeric column: generated has \['x'\], reference has \['y'\]"):
        resolve(None, Sample({"x": np.ones(2)}), Sample({"y": np.ones(2)}))


@pytest.mark.parametrize("wordy", ["generated", "reference"])
def test_a_column_of_words_on_one_side_is_not_skipped(wordy: str) -> None:
    """A column that is numeric in one sample and text in the other is refused: skipping it would hide it."""
    samples: dict[str, Any] = {
        side: {"a": RNG.normal(size=500), "m": RNG.normal(size=500)} for side in ("generated", "reference")
    }
    samples[wordy]["m"] = samples[wordy]["m"].astype(str)
    with pytest.raises(InputTypeError, match=f"{wordy}: column 'm' has dtype <U"):
        gv.validate(**samples, n_required=10)


@pytest.mark.parametrize(
    "result",
    [5.0, np.ones(3), np.ones((200, 2)), np.ones((200, 1)), []],
    ids=["scalar", "short", "matrix", "column", "empty"],
)
def test_functions_return_one_number_per_event(result: object) -> None:
    """A function that drops, adds or reduces events is refused with the shape it returned and the one expected."""
    with pytest.raises(
        InputError, match=r"observable 'f' returned shape .*; expected one number per event, shape \(200,\)"
    ):
        Observable("f", function=lambda _: result).values(GENERATED, "generated")


def test_selections_are_refused() -> None:
    """A function that keeps only the events it likes cannot pass."""
    with pytest.raises(InputError, match="expected one number per event"):
        gv.validate(GENERATED, REFERENCE, n_required=1, observables=[("cut", lambda s: s["a"][s["a"] > 0])])


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (["a"] * 200, "observable 'f' has dtype <U1"),
        ([1j] * 200, "dtype complex128"),
        ([None] * 200, r"dtype object \(NoneType\)"),
    ],
)
def test_functions_return_real_numbers(result: object, text: str) -> None:
    """A function that returns anything but real numbers is refused by the type."""
    with pytest.raises(InputTypeError, match=text):
        Observable("f", function=lambda _: result).values(GENERATED, "generated")


def test_masked_results_are_nan() -> None:
    """What a function masks is counted as NaN and refused, not read from under the mask."""
    observable = ("positive", lambda sample: np.ma.masked_less(sample["a"], 0))
    with pytest.raises(InputError, match=r"^reference: observable 'positive' has \d+ NaN"):
        gv.validate(GENERATED, REFERENCE, n_required=1, observables=[observable])


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.float16, np.float32])
def test_results_become_float64(dtype: type) -> None:
    """Any real type a function returns is compared as float64."""
    observable = Observable("f", function=lambda sample: np.ones(len(sample), dtype))
    (values,) = observable.values(GENERATED, "generated").columns
    assert values.dtype == np.float64
    assert values.tolist() == [1] * 200


def test_exceptions_of_a_function_are_its_own() -> None:
    """An exception raised by the user's function arrives untouched."""
    error = ZeroDivisionError("mine")

    def broken(_: Sample) -> None:
        raise error

    with pytest.raises(ZeroDivisionError) as caught:
        gv.validate(GENERATED, REFERENCE, n_required=1, observables=[broken])
    assert caught.value is error


@pytest.mark.parametrize("spec", ["c", [("a", "c")], [("f", lambda sample: sample["c"])]])
def test_missing_columns(spec: object) -> None:
    """A column that does not exist is named with those that do."""
    with pytest.raises(InputError, match=r"no column 'c'; there are \['a', 'b'\]"):
        gv.validate(GENERATED, REFERENCE, n_required=1, observables=spec)


def test_pairs_see_correlations() -> None:
    """A pair of columns is BIASED where both marginals agree but the correlation does not."""
    rng = np.random.default_rng(2)

    def pair(rho: float) -> dict[str, Any]:
        x, y = rng.normal(size=(2, 20_000))
        return {"x": x, "y": rho * x + np.sqrt(1 - rho**2) * y}

    generated, reference = pair(0.0), pair(0.6)
    report = gv.validate(generated, reference, n_required=1_000, observables=["x", "y", ("x", "y")])
    assert report.verdict is gv.Verdict.BIASED
    assert [c.verdict.value for c in report.comparisons.values()] == ["ROBUST", "ROBUST", "BIASED"]


def test_settings_of_unknown_observables() -> None:
    """Bins or policies for an observable that is not compared are refused: a typing error must not go unnoticed."""
    for setting in ({"bins": {"c": 10}}, {"nonfinite": {"c": "separate"}}):
        with pytest.raises(InputError, match=r"= names \['c'\], which are no observables here; there are"):
            gv.validate(GENERATED, REFERENCE, n_required=1, **setting)


@pytest.mark.parametrize("nonfinite", ["underflow", "overflow", "separate"])
def test_a_rate_of_nan_is_compared(nonfinite: str) -> None:
    """Where NaN is allowed, how often it happens must agree too, whichever bin it goes into."""
    rng = np.random.default_rng(3)

    def sample(rate: float) -> dict[str, Any]:
        x = rng.exponential(size=20_000)
        x[rng.random(x.size) < rate] = np.nan
        return {"x": x}

    reference = sample(0.1)
    fair = gv.validate(sample(0.1), reference, n_required=1_000, nonfinite=nonfinite)
    lossy = gv.validate(sample(0.3), reference, n_required=1_000, nonfinite=nonfinite)
    assert fair.verdict is gv.Verdict.ROBUST
    assert lossy.verdict is gv.Verdict.BIASED


def test_event_numbers_are_not_compared_unasked() -> None:
    """A column that numbers the events is left out and named, unless it is all there is or asked for."""
    rng = np.random.default_rng(4)
    numbers = np.arange(500)
    generated, reference = (Sample({"event": numbers + start, "x": rng.normal(size=500)}) for start in (0, 9_000))
    assert list(gv.validate(generated, reference, n_required=10).comparisons) == ["x"]
    assert skipped_columns(generated, reference) == {"event": "numbers the events"}
    assert list(gv.validate(generated, reference, n_required=10, observables="event").comparisons) == ["event"]
    only = Sample({"event": numbers})
    assert skipped_columns(only, only) == {}
