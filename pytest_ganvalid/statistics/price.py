"""What it costs to reach n_required, by true simulation and by a generator whose events are shown to be as good.

With the default limits a verdict needs a reference of a few times n_required true events, so that for a single use the
generator is the dearer way (arXiv:2002.06307, section 2.2: validation "would negate any speed-up"). One validation may
serve many uses, each of n_required fresh events that would be simulated anew otherwise. With costs c_t and c_g of a
true and a generated event, u uses cost

    u n_required c_t                                                                         by true simulation
    (n_train + n_reference) c_t + training + max(n_generated, u n_required) c_g              by the generator

where the generated events of the validation are the first to be used.
"""

from __future__ import annotations

import math

from pytest_ganvalid.errors import InputTypeError
from pytest_ganvalid.results import Chain, Costs, Price, Stage

_LADDER = (1, 10, 100, 1_000, 10_000)
_MAX_USES = 1e18


def price_of(costs: Costs | None, n_required: float, n_reference: float, n_generated: float) -> Price | None:
    """Return what a plan costs.

    Args:
        costs: What events cost; ``None`` if unknown.
        n_required: Number of true events the generated sample is to stand in for.
        n_reference: True events of the validation.
        n_generated: Generated events of the validation.

    Returns:
        The price; ``None`` without costs.

    Raises:
        InputTypeError: If ``costs`` is of another kind.
    """
    if costs is None:
        return None
    if not isinstance(costs, Costs):
        msg = f"costs={costs!r}; expected gv.Costs(true=..., generated=..., training=..., n_train=...)"
        raise InputTypeError(msg)

    def simulation(uses: int) -> float:
        return uses * n_required * costs.true

    def generated(uses: int) -> float:
        return max(n_generated, uses * n_required) * costs.generated

    training_set, reference = costs.n_train * costs.true, n_reference * costs.true
    fixed_cost = training_set + reference + costs.training

    def speed_up(uses: int) -> float:
        return simulation(uses) / (fixed_cost + generated(uses))

    uses = costs.uses
    return Price(
        costs=costs,
        simulation=simulation(uses),
        training_set=training_set,
        training=costs.training,
        reference=reference,
        generated=generated(uses),
        generator=fixed_cost + generated(uses),
        speed_up=speed_up(uses),
        speed_up_per_event=costs.true / costs.generated if costs.generated else math.inf,
        break_even=_break_even(costs, fixed_cost, n_required, n_generated),
        ladder=tuple((n, simulation(n), fixed_cost + generated(n), speed_up(n)) for n in sorted({*_LADDER, uses})),
    )


def _break_even(costs: Costs, fixed_cost: float, n_required: float, n_generated: float) -> int | None:
    """Return the smallest number of uses for which the generator costs less than true simulation."""
    # First as if the generated events of the validation sufficed, then for more uses.
    uses = math.floor((fixed_cost + n_generated * costs.generated) / (n_required * costs.true)) + 1
    if uses * n_required <= n_generated:
        return uses
    saving = n_required * (costs.true - costs.generated)
    return math.floor(fixed_cost / saving) + 1 if saving * _MAX_USES > fixed_cost else None


def stages_of(chain: Chain | None, costs: Costs | None, n_required: float) -> tuple[Stage, ...]:
    """Judge the generated events as a stage of a chain: unvalidated, if n_train is known, and at n_required.

    Raises:
        InputTypeError: If ``chain`` is of another kind.
    """
    if chain is None:
        return ()
    if not isinstance(chain, Chain):
        msg = f"chain={chain!r}; expected gv.Chain(others={{'shower': 0.01}}, probability=...)"
        raise InputTypeError(msg)
    stages = [] if costs is None else [chain.stage(costs.n_train, "unvalidated, with the errors of n_train events")]
    return (*stages, chain.stage(n_required, "shown to be as good as n_required true events"))
