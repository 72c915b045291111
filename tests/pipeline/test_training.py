"""Rows of the training are looked for on every road, and where they cannot be, that is said and proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.sources import Source

Table = dict[str, Any]
N = 2_000


def table(seed: int, names: str = "xyz", n: int = N) -> Table:
    """Events of independent columns."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=n) for name in names}


def with_copies(events: Table, training: Table, copies: int) -> Table:
    """Put some training events in the place of the first ones."""
    return {name: np.concatenate([training[name][:copies], values[copies:]]) for name, values in events.items()}


GENERATED, REFERENCE, TRAINING = table(1), table(2), table(3)


def handed(events: Table, how: str, streamed: Callable[..., Source], like: Table) -> Any:
    """Hand events over in some way."""
    if how == "filled":
        return gv.fill(events, like=gv.fill(like, bins=5)) if events is not like else gv.fill(like, bins=5)
    return events if how == "arrays" else streamed(events)


def known(training: Table, how: str, streamed: Callable[..., Source]) -> Any:
    """Hand the training over in some way."""
    return gv.fingerprint(training) if how == "fingerprint" else training if how == "arrays" else streamed(training)


@pytest.mark.parametrize("how", ["arrays", "parts", "filled"])
@pytest.mark.parametrize("kind", ["arrays", "parts", "fingerprint"])
@pytest.mark.parametrize("side", ["generated", "reference", "neither"])
def test_training_rows_are_found(streamed: Callable[..., Source], how: str, kind: str, side: str) -> None:
    """Copies of training events on either side leave the check unproven, however all three are handed over."""
    generated = with_copies(GENERATED, TRAINING, 60 if side == "generated" else 0)
    reference = with_copies(REFERENCE, TRAINING, 60 if side == "reference" else 0)
    sides = (handed(events, how, streamed, reference) for events in (generated, reference))
    report = (
        gv.validate(*sides, n_required=50, training=known(TRAINING, kind, streamed), bins=5)
        if how != "filled"
        else (gv.validate(*sides, n_required=50, training=known(TRAINING, kind, streamed)))
    )
    if side == "neither":
        assert not report.shared
        assert report.robust
    else:
        assert report.verdict is gv.Verdict.UNPROVEN
        assert report.shared[0].startswith(f"60 of 2,000 {side} rows are also in the training sample")
    assert {c.n_train for c in report.comparisons.values()} == {N}


def test_the_number_of_training_events_is_known_or_stated() -> None:
    """The number of training events is that of the training, unless another is stated."""
    assert {c.n_train for c in gv.validate(GENERATED, REFERENCE, n_required=50).comparisons.values()} == {None}
    report = gv.validate(GENERATED, REFERENCE, n_required=50, training=TRAINING, n_train=77)
    assert {c.n_train for c in report.comparisons.values()} == {77}


@pytest.mark.parametrize("kind", ["arrays", "parts", "fingerprint"])
def test_training_without_the_columns_of_a_stored_reference(streamed: Callable[..., Source], kind: str) -> None:
    """A training by whose columns a stored reference is not recognised proves nothing, and what to do is said."""
    reference = gv.fill(REFERENCE, bins=5)
    generated = gv.fill(GENERATED, like=reference)
    less = {name: TRAINING[name] for name in "xy"}
    report = gv.validate(generated, reference, n_required=50, training=known(less, kind, streamed))
    assert report.verdict is gv.Verdict.UNPROVEN
    (reason,) = report.shared
    assert reason.startswith(
        "whether reference rows are in the training cannot be known: those of the reference, which"
    )
    assert "recognised by ['x', 'y', 'z'], and the training by ['x', 'y']" in reason
    assert "give the training those columns, gv.fingerprint(events, columns=['x', 'y', 'z'])" in reason
    assert {c.n_train for c in report.comparisons.values()} == {N}
    more = {**TRAINING, "more": TRAINING["x"] + 1}
    if kind != "fingerprint":
        assert gv.validate(generated, reference, n_required=50, training=known(more, kind, streamed)).robust
    with pytest.raises(InputError, match=r"no numeric column in common: \['x', 'y', 'z'\] and \['a'\]"):
        gv.validate(generated, reference, n_required=50, training=known({"a": TRAINING["x"]}, kind, streamed))


def test_training_of_an_unknown_number_of_events(streamed: Callable[..., Source]) -> None:
    """Where a training cannot be compared and its number of events is not known, no number is made up."""
    reference = gv.fill(REFERENCE, bins=5)
    training = streamed({"x": TRAINING["x"]}, seekable=False)
    unknown = Source(training.names, [_Unknown(part) for part in training.parts], seekable=False)
    report = gv.validate(gv.fill(GENERATED, like=reference), reference, n_required=50, training=unknown)
    assert report.verdict is gv.Verdict.UNPROVEN
    assert {c.n_train for c in report.comparisons.values()} == {None}


class _Unknown:
    """A part whose number of rows only reading tells."""

    rows = None

    def __init__(self, part: Any) -> None:
        self.chunks, self.head, self.place = part.chunks, part.head, part.place


@pytest.mark.parametrize("how", ["arrays", "parts"])
def test_training_with_other_columns_than_the_generated(streamed: Callable[..., Source], how: str) -> None:
    """The reference is compared with the training by columns that the generated events lack, which is noted."""
    generated = {"x": GENERATED["x"], "y": GENERATED["y"]}
    training = {"z": TRAINING["z"]}
    reference = with_copies(REFERENCE, TRAINING, 60)
    sides = (handed(events, how, streamed, reference) for events in (generated, reference))
    report = gv.validate(*sides, n_required=50, training=known(training, how, streamed), observables=["x", "y"])
    assert report.shared[0].startswith("60 of 2,000 reference rows are also in the training sample")
    assert any("whether generated rows repeat training rows cannot be known" in note for note in report.notes)


def test_training_that_tells_no_events_apart() -> None:
    """A training that shares only a coarse column with the reference proves nothing."""
    rng = np.random.default_rng(5)
    coarse = [rng.integers(0, 3, N).astype(float) for _ in range(3)]
    generated, reference = ({**events, "k": k} for events, k in zip((GENERATED, REFERENCE), coarse, strict=False))
    report = gv.validate(generated, reference, n_required=50, training={"k": coarse[2]}, observables=["x"])
    assert report.verdict is gv.Verdict.UNPROVEN
    assert any(
        "have only ['k'] in common, which do not tell events apart; give the training" in r for r in report.shared
    )


@pytest.mark.parametrize("how", ["arrays", "parts", "filled"])
def test_training_with_text_in_a_column_of_the_key(streamed: Callable[..., Source], how: str) -> None:
    """A training whose column of that name holds text is one without it."""
    training = {**TRAINING, "z": np.array(["a"] * N)}
    sides = [handed(events, how, streamed, REFERENCE) for events in (GENERATED, REFERENCE)]
    report = gv.validate(*sides, n_required=50, training=known(training, "parts", streamed))
    if how == "filled":
        assert report.verdict is gv.Verdict.UNPROVEN
        assert "whether reference rows are in the training cannot be known" in report.shared[0]
    else:
        assert report.robust  # by the other columns


def test_generated_rows_without_the_key_are_not_compared_with_the_training() -> None:
    """Generated histograms without the columns of the key leave the training to the reference, and prove nothing."""
    reference = gv.fill(REFERENCE, observables=["x"], bins=5)
    assert reference.fingerprint is not None
    lacking = gv.fill({"x": GENERATED["x"]}, like=reference)
    if reference.fingerprint.columns == ("x",):
        pytest.skip("the key is of the observable alone")
    report = gv.validate(lacking, reference, n_required=50, training=TRAINING)
    assert report.verdict is gv.Verdict.UNPROVEN
