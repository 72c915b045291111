"""What a user asks for becomes observables, each with a name of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.observables import KDTree, Mean, Selection
from pytest_ganvalid.observables.observable import Observable
from pytest_ganvalid.observables.requested import resolve, skipped_columns
from pytest_ganvalid.samples import Entries, Sample

N = 200
COLUMNS: dict[str, Any] = {
    "x": np.linspace(0, 1, N),
    "y": np.linspace(1, 0, N),
    "event": np.arange(N),
    "word": np.array(["a", "b"] * (N // 2)),
    "jet": Entries(np.ones(2 * N), np.full(N, 2)),
}
REFERENCE = Sample(COLUMNS)
GENERATED = Sample({**COLUMNS, "mine": COLUMNS["x"]})


def double(events: Sample) -> Any:
    """A named function."""
    return 2 * events["x"]


def resolved(spec: object, condition: str | None = None) -> tuple[Any, ...]:
    """Resolve for these samples."""
    return resolve(spec, GENERATED, REFERENCE, condition)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("x", Observable("x", ("x",))),
        (double, Observable("double", function=double)),
        (("x", "y"), Observable("x:y", ("x", "y"))),
        (("x", "y", "event"), Observable("x:y:event", ("x", "y", "event"), tree=True)),
        (("both", ("x", "y")), Observable("both", ("x", "y"))),
        (("twice", double), Observable("twice", function=double)),
        (KDTree(("x", "y")), Observable("kdtree", ("x", "y"), tree=True)),
        (KDTree(), Observable("kdtree", ("x", "y"), tree=True)),
        (("cells", KDTree(("x",))), Observable("cells", ("x",), tree=True)),
        (Selection("x", where="y"), Observable("x where y", ("x",), where="y")),
        (Selection("x", where=double), Observable("x where double", ("x",), where=double)),
        (Selection("x", where=lambda events: events["x"] > 0, name="cut"), None),
        (("mean", Mean("x")), Mean("x", name="mean")),
    ],
)
def test_every_kind_of_request(spec: object, expected: object) -> None:
    """Each kind of request is the observable that it says, under its name, alone or in a list."""
    (observable,) = resolved([spec])
    if expected is None:
        assert (observable.name, observable.columns) == ("cut", ("x",))
    else:
        assert observable == expected


def test_all_columns() -> None:
    """By default every numeric column but the condition and what numbers the events is compared, and all jointly."""
    assert [observable.name for observable in resolved(None)] == ["x", "y", "jet", "joint"]
    assert resolved(None)[-1] == Observable("joint", ("x", "y"), tree=True)
    assert [observable.name for observable in resolved(None, "y")] == ["x", "jet"]
    assert skipped_columns(GENERATED, REFERENCE, "y") == {
        "mine": "only generated has it",
        "word": "not numeric",
        "y": "divides the events into strata",
        "event": "numbers the events",
    }
    numbers = Sample({"event": np.arange(N)})
    assert skipped_columns(numbers, numbers) == {}


def test_what_has_one_value_is_not_joined() -> None:
    """A column of one value is compared by itself, and of two columns with one such there is no joint distribution."""
    sample = Sample({"x": COLUMNS["x"], "one": np.ones(N)})
    assert [observable.name for observable in resolve(None, sample, sample)] == ["x", "one"]


def test_random_numbers_of_events_are_left_out() -> None:
    """Integers that differ in all events and are spread evenly are numbers of events; the reference alone tells."""
    numbers = np.random.default_rng(1).integers(0, 2**60, N)
    reference = Sample({"x": COLUMNS["x"], "id": numbers})
    generated = Sample({"x": COLUMNS["x"], "id": np.ones(N, int)})
    assert skipped_columns(generated, reference) == {"id": "numbers the events"}
    assert skipped_columns(Sample({"x": COLUMNS["x"]}), reference) == {"id": "numbers the events"}
    assert skipped_columns(reference, generated) == {}


def test_the_joint_distribution_gives_way_to_a_column() -> None:
    """Where a column is called as the joint distribution is, that has another name."""
    sample = Sample({"joint": COLUMNS["x"], "joint 2": COLUMNS["y"]})
    assert [observable.name for observable in resolve(None, sample, sample)] == ["joint", "joint 2", "joint 3"]


def test_columns_that_the_generator_lost_are_refused() -> None:
    """A column of numbers that only the reference has is an error that names it and the remedy."""
    generated = Sample({"x": COLUMNS["x"], "mine": COLUMNS["x"]})
    with pytest.raises(InputError, match=r"that the generated sample lacks: \['jet', 'y'\];.*or state observables="):
        resolve(None, generated, REFERENCE)
    assert resolve("x", generated, REFERENCE)


@pytest.mark.parametrize("observable", ["y", KDTree(("y",)), Mean("y")])
def test_the_condition_is_no_observable(observable: object) -> None:
    """What divides the events hardly varies within its bins, and is refused as an observable; in a pair it is not."""
    with pytest.raises(InputError, match=r"is by='y' itself.*as 'y: rate per stratum'.*or compare it without by="):
        resolved(["x", observable], "y")
    assert resolved([observable, ("x", "y"), Selection("y", where="x")])
    assert resolved([("x", "y"), Selection("y", where="x")], "y")


def test_a_mapping_names_the_observables() -> None:
    """A mapping gives each observable the name of its key."""
    assert [observable.name for observable in resolved({"a": "x", "b": double, "c": ("x", "y")})] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("spec", "error", "text"),
    [
        ([], InputError, "no observable to compare"),
        (["x", "x"], InputError, r"\['x'\] are named twice"),
        (5, InputTypeError, "observables=5 is a int"),
        ([5], InputTypeError, "observable 5 is not understood"),
        ([Mean], InputTypeError, r"Mean is a class; make one of it: Mean\(\.\.\.\)"),
        ([("x", "x", "y")], InputError, "joins column 'x' with itself"),
        ([KDTree(())], InputError, "is of no column"),
        ([KDTree("x")], InputTypeError, "expected a tuple of column names"),  # type: ignore[arg-type]
        ([lambda events: events["x"]], InputError, "function without a name"),
        ([Selection(Mean("x"), where="y")], InputTypeError, "expected a column, columns or a function"),
        ([Selection("x", where=lambda events: events["x"] > 0)], InputError, "cannot be named after a lambda"),
    ],
)
def test_what_is_not_understood_is_refused(spec: Any, error: type[Exception], text: str) -> None:
    """What is no observable, or has no name of its own, is refused with what would do."""
    with pytest.raises(error, match=text):
        resolved(spec)


def test_nothing_in_common() -> None:
    """Samples without a numeric column in common cannot be compared by default."""
    with pytest.raises(InputError, match="share no numeric column"):
        resolve(None, Sample({"a": COLUMNS["x"]}), Sample({"b": COLUMNS["x"]}))
