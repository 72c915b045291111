"""The planner with the bins that a reference gives."""

from __future__ import annotations

import numpy as np
import pytest

import pytest_ganvalid as gv


def events(n: int = 4_000) -> dict[str, np.ndarray]:
    """A charge, a few jets and a momentum."""
    rng = np.random.default_rng(1)
    return {
        "pt": rng.exponential(20, n),
        "charge": rng.choice([-1.0, 1.0], n),
        "jets": rng.choice([0.0, 1.0, 2.0, 3.0], n, p=[0.4, 0.3, 0.2, 0.1]),
    }


def test_a_charge_sets_the_price() -> None:
    """Two values take 12.3 reference events per required one, whatever the others take, and the remedy is named."""
    plan = gv.plan(10_000, reference=events(), observables=["pt", "charge"], generated_ratio=100)
    assert plan.bins_of["charge"] == plan.bins == 2
    assert plan.bins_of["pt"] > 10
    assert plan.dearest is not None
    assert plan.dearest[0] == "charge"
    assert plan.dearest[1] == pytest.approx(11.16, abs=0.01)
    text = plan.table()
    assert "charge sets the price: with 2 bins it takes 12.3 reference events per required one" in text
    assert "leave it out, or compare charge:pt jointly" in text
    assert f"2 observables of 2 to {plan.bins_of['pt']} bins" in text
    assert gv.Plan.from_json(plan.to_json()) == plan
    without = gv.plan(10_000, reference=events(), observables=["pt"], generated_ratio=100)
    assert without.dearest is None
    assert without.n_reference < plan.n_reference / 3


def test_bins_are_those_of_the_check() -> None:
    """A few-valued column has a bin for each value, and given edges are taken as given."""
    plan = gv.plan(10_000, reference=events(), observables=["jets", "pt"], bins={"pt": [5, 10, 20]}, generated_ratio=50)
    assert plan.bins_of == {"jets": 4, "pt": 4}
    filled = gv.fill(events(), observables=["jets"])
    assert gv.plan(10_000, reference=filled, generated_ratio=50).bins_of == {"jets": 4}


def test_all_columns_are_planned_for() -> None:
    """Without observables named, those of the check are planned for, the joint one among them."""
    assert set(gv.plan(1_000, reference=events(), generated_ratio=50).bins_of) == {"pt", "charge", "jets", "joint"}


def test_what_has_one_bin_is_refused() -> None:
    """An observable in which nothing is compared is named."""
    with pytest.raises(gv.InputError, match="observable 'x' has one bin, in which nothing is compared: leave it out"):
        gv.plan(1_000, reference={"x": np.full(1_000, 3.0)}, observables=["x"])
    with pytest.raises(gv.InputError, match="weight= is a column of the reference"):
        gv.plan(1_000, bins=20, weight="w")


def test_without_a_reference_numbers_are_planned_with() -> None:
    """A mapping of bins is the same as what a reference gives."""
    named = gv.plan(10_000, bins={"charge": 2, "pt": 50}, generated_ratio=100)
    assert named.dearest is not None
    assert named.dearest[0] == "charge"
    assert gv.plan(10_000, bins={"a": 50, "b": 50}).n_reference == gv.plan(10_000, bins=50, observables=2).n_reference
    assert gv.plan(10_000, bins={"a": 50, "b": 40}).dearest is None
    with pytest.raises(gv.InputError, match="observables=3, and bins names 1; leave observables out"):
        gv.plan(10_000, bins={"a": 50}, observables=3)
