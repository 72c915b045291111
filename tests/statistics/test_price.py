"""The price: what is quoted adds up, buys the power that was planned, and is never below one validation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_ganvalid as gv

COSTS = gv.Costs(true=10, generated=1e-3, training=3_600, n_train=10_000, unit="s")
amounts = st.floats(1e-6, 1e6)


def priced(**costs: Any) -> gv.Price:
    """The price of 100,000 required events in one histogram of 20 bins."""
    price = gv.plan(100_000, bins=20, costs=gv.Costs(**{"true": 1, "generated": 0, "n_train": 10_000, **costs})).price
    assert price is not None
    return price


def robust(plan: gv.Plan, n_reference: int, toys: int, seed: int) -> float:
    """The share of toys of a perfect generator that are ROBUST."""
    rng, shares = np.random.default_rng(seed), np.full(plan.bins or 0, 1 / (plan.bins or 1))
    sizes = plan.n_generated, n_reference
    pairs = ([gv.Counts(rng.multinomial(size, shares)) for size in sizes] for _ in range(toys))
    return sum(gv.compare(*pair, n_required=plan.n_required).robust for pair in pairs) / toys


@pytest.mark.parametrize(("bins", "power"), [(4, 0.9), (20, 0.7)])
def test_what_is_paid_buys_the_planned_power(bins: int, power: float) -> None:
    """At the sizes whose price is quoted, toys of a perfect generator are ROBUST as often as planned, not with half."""
    plan, toys = gv.plan(2_000, bins=bins, power=power, costs=COSTS), 150
    assert plan.price is not None
    assert plan.price.reference == plan.n_reference * COSTS.true
    assert plan.price.generated == plan.n_generated * COSTS.generated
    error = math.sqrt(plan.power * (1 - plan.power) / toys)
    assert robust(plan, plan.n_reference, toys, bins) == pytest.approx(plan.power, abs=3.5 * error)
    assert robust(plan, plan.n_reference // 2, 30, bins) < plan.power - 3.5 * error


def test_all_that_the_verdict_needs_is_paid() -> None:
    """Training set, training, reference and generated events make the price; that of the simulation is plain."""
    plan = gv.plan(100_000, bins=20, costs=COSTS)
    price = plan.price
    assert price is not None
    assert price.simulation == 1e6
    assert (price.training_set, price.training) == (1e5, 3_600)
    assert price.reference == 10 * plan.n_reference
    assert price.generated == plan.n_generated / 1_000
    assert price.generator == pytest.approx(1e5 + 3_600 + 10 * plan.n_reference + 1_000)
    assert price.speed_up == price.simulation / price.generator
    assert price.speed_up_per_event == 10_000


@given(
    true=amounts,
    generated=st.one_of(st.just(0.0), amounts),
    training=amounts,
    n_train=st.integers(1, 10**6),
    ratio=st.floats(4, 100),
)
def test_one_use_never_pays(true: float, generated: float, training: float, n_train: int, ratio: float) -> None:
    """Whatever the costs, a demonstration for a single use costs more than the true events that it replaces."""
    costs = gv.Costs(true=true, generated=generated, training=training, n_train=n_train)
    price = gv.plan(1_000, bins=20, generated_ratio=ratio, costs=costs).price
    assert price is not None
    assert price.speed_up < 1
    assert price.break_even is None or price.break_even > 1


@given(
    generated=st.one_of(st.just(0.0), st.floats(1e-6, 2)),
    training=st.floats(0, 1e7),
    n_train=st.integers(1, 10**6),
)
def test_it_pays_from_the_break_even_on(generated: float, training: float, n_train: int) -> None:
    """From the stated number of uses on the generator is cheaper, with one use fewer it is not."""
    first = priced(generated=generated, training=training, n_train=n_train)
    if first.break_even is None:
        assert generated >= 1
        assert all(speed_up <= 1 for *_, speed_up in first.ladder)
        return
    at, before = (
        priced(generated=generated, training=training, n_train=n_train, uses=uses)
        for uses in (first.break_even, first.break_even - 1)
    )
    assert at.speed_up > 1 - 1e-12
    assert before.speed_up < 1 + 1e-12


def test_generated_events_of_the_validation_are_used() -> None:
    """Ten times n_required were generated for the verdict: ten uses take no more, the eleventh does."""
    price = [priced(generated=0.5, uses=uses).generated for uses in (1, 10, 11)]
    assert price == [500_000, 500_000, 550_000]


def test_a_slow_generator_never_pays() -> None:
    """A generated event that costs as much as a true one saves nothing in any number of uses."""
    price = priced(generated=1)
    assert price.break_even is None
    assert "it never pays: the speed-up is 1 per event" in price.table()


def test_a_free_generator_has_an_infinite_speed_up_per_event() -> None:
    """Without any cost per generated event the speed-up grows with the uses without a limit; it survives JSON."""
    plan = gv.plan(1_000, bins=20, costs=gv.Costs(true=1, generated=0, n_train=100))
    assert plan.price is not None
    assert math.isinf(plan.price.speed_up_per_event)
    assert "though it is ∞ per event" in plan.table()
    assert gv.Plan.from_json(plan.to_json()) == plan


def test_the_table_says_where_it_pays() -> None:
    """The plan prints both prices in their unit, the speed-ups, and the number of uses from which it pays."""
    plan = gv.plan(100_000, bins=50, observables=8, costs=COSTS)
    text = plan.table()
    assert "price of one use, in s" in text
    assert "the speed-up is below one for fewer than 5 uses, though it is 10,000 per event" in text
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line[:8].strip().replace(",", "").isdigit()}
    assert rows["1"][1:] == ["1,000,000", "4,980,250", "0.2008"]
    assert rows["10"][1:] == ["10,000,000", "4,980,250", "2.008"]


def test_a_plan_without_costs_has_no_price() -> None:
    """Neither price nor stage is there unless it was asked for, and older plans are read."""
    plan = gv.plan(1_000, bins=20)
    assert (plan.price, plan.stages) == (None, ())
    text = plan.to_json().replace(', "price": null, "stages": []', "")
    assert "price" not in text
    assert gv.Plan.from_json(text) == plan


def test_a_stage_is_judged_by_its_share() -> None:
    """Errors add in quadrature; the share decides, and n_needed events are just enough to be no bottleneck."""
    chain = gv.Chain(others={"shower": 0.03, "pdf": 0.04}, probability=0.01)
    stage = chain.stage(10_000)
    assert stage.error == pytest.approx(0.1)
    assert stage.total == pytest.approx(math.hypot(0.1, 0.05))
    assert stage.share == pytest.approx(0.8)
    assert stage.bottleneck
    assert stage.n_needed == pytest.approx(9 / (0.05**2 * 0.01))
    assert not chain.stage(1.001 * stage.n_needed).bottleneck
    assert chain.stage(0.999 * stage.n_needed).bottleneck
    enough = chain.stage(1.001 * stage.n_needed)
    assert enough.total / 0.05 < 1.0541  # what is no bottleneck makes the total 5.4 % larger at most
    rare = gv.Chain(others=chain.others, probability=1e-5).stage(1.001 * stage.n_needed)
    assert rare.bottleneck  # the same stage, where rare fakes matter


def test_a_plan_judges_the_stage_with_and_without_a_validation() -> None:
    """Unvalidated the stage has the errors of n_train, validated those of n_required; the others are the same."""
    chain = gv.Chain(others={"shower": 0.01, "pdf": 0.02})
    plan = gv.plan(100_000, bins=20, costs=COSTS, chain=chain)
    assert [stage.n_events for stage in plan.stages] == [10_000, 100_000]
    assert [stage.bottleneck for stage in plan.stages] == [True, False]
    text = plan.table()
    assert "unvalidated, with the errors of n_train events, the generated stage is a bottleneck: 0.01 of" in text
    assert "as good as n_required true events, the generated stage is no bottleneck: 0.00316 of" in text
    assert gv.Plan.from_json(plan.to_json()) == plan
    assert len(gv.plan(100_000, bins=20, chain=chain).stages) == 1


def test_a_comparison_is_a_stage() -> None:
    """A measured stage is worth what an analysis may keep of it; one worth infinitely many events has no error."""
    comparison = gv.compare(gv.Counts([1000, 2100, 2900]), gv.Counts([980, 2000, 3020]), n_required=500, n_train=50)
    chain = gv.Chain(others={"rest": 0.1})
    assert chain.stage(comparison).n_events == comparison.n_systematic == 50
    perfect = chain.stage(math.inf)
    assert (perfect.share, perfect.bottleneck) == (0, False)
    alone = gv.Chain(others={}).stage(1e6)
    assert alone.bottleneck
    assert math.isinf(alone.n_needed)
    assert "no other stage has an error" in alone.sentence()


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ({"true": 0}, "true=0 is out of range; expected a positive finite number"),
        ({"generated": -1}, "generated=-1 is out of range"),
        ({"training": math.inf}, "training=inf is out of range"),
        ({"n_train": 0}, "n_train=0 is out of range"),
        ({"true": 1e-31}, "choose a unit in which it is 1e-30 to 1e30"),
        ({"generated": 1e31}, "choose a unit in which it is 1e-30 to 1e30"),
        ({"uses": 10**19}, "uses=10000000000000000000 is out of range"),
        ({"uses": 0}, "uses=0 is too small"),
        ({"uses": 1.5}, "uses=1.5 is a float; expected an integer"),
        ({"true": "much"}, "true='much' is a str; expected a number"),
        ({"unit": 5}, "unit=5 is a int; expected a word"),
    ],
)
def test_impossible_costs_are_refused(costs: dict[str, Any], words: str) -> None:
    """Costs that cannot be are refused, by name."""
    with pytest.raises(gv.GanvalidError, match=words):
        priced(**costs)


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ({"others": [0.1]}, "expected a mapping of sources to relative uncertainties"),
        ({"others": {"pdf": -0.1}}, r"others\['pdf'\]=-0.1 is out of range"),
        ({"others": {"pdf": 1e7}}, "expected relative uncertainties, 0 to 1e\\+06"),
        ({"probability": 0}, "probability=0 is out of range"),
        ({"probability": 1.1}, "probability=1.1 is out of range"),
        ({"max_share": 1}, "max_share=1 is out of range"),
    ],
)
def test_impossible_chains_are_refused(chain: dict[str, Any], words: str) -> None:
    """Errors, probabilities and shares out of range are refused, by name."""
    with pytest.raises(gv.GanvalidError, match=words):
        gv.Chain(**{"others": {"pdf": 0.1}, **chain})


@given(
    costs=st.builds(
        gv.Costs,
        true=st.floats(1e-30, 1e30),
        generated=st.floats(0, 1e30),
        training=st.floats(0, 1e30),
        n_train=st.floats(1, 1e18),
        uses=st.integers(1, 10**18),
    ),
    chain=st.builds(
        gv.Chain,
        others=st.dictionaries(st.sampled_from("ab"), st.floats(0, 1e6)),
        probability=st.floats(0, 1, exclude_min=True),
        max_share=st.floats(0, 1, exclude_min=True, exclude_max=True),
    ),
)
def test_any_costs_and_chains_can_be_told(costs: gv.Costs, chain: gv.Chain) -> None:
    """Whatever is allowed gives a plan that prints and survives JSON."""
    plan = gv.plan(1_000, bins=20, costs=costs, chain=chain)
    assert plan.table()
    assert gv.Plan.from_json(plan.to_json()) == plan


def test_other_kinds_are_refused() -> None:
    """A plan takes costs and chains, nothing else; a stage takes a number of events."""
    wrong: Any = {"true": 1}
    with pytest.raises(gv.InputTypeError, match=r"expected gv\.Costs\(true="):
        gv.plan(1_000, bins=20, costs=wrong)
    with pytest.raises(gv.InputTypeError, match=r"expected gv\.Chain\(others="):
        gv.plan(1_000, bins=20, chain=wrong)
    with pytest.raises(gv.InputError, match="n_events=0 is out of range"):
        gv.Chain(others={}).stage(0)
    with pytest.raises(gv.InputTypeError, match="n_events='a' is a str"):
        gv.Chain(others={}).stage("a")
