"""Settings of a training; imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pytest_ganvalid import _json
from pytest_ganvalid._arguments import (
    check_choice,
    check_finite,
    check_integer,
    check_not_negative,
    check_number,
    check_positive,
)
from pytest_ganvalid.errors import InputError, InputTypeError

OBJECTIVES = ("relativistic", "hinge", "wgan-gp")
PRECISIONS = ("auto", "float32", "tf32", "bfloat16")
_PENALTIES = {"relativistic": 0.1, "hinge": 0.1, "wgan-gp": 10.0}
_MAX_SETTING = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a generator is trained.

    The defaults were chosen on distributions other than those of the published tables: three mixtures of one column, at
    100, 1,000 and 10,000 training events.

    Attributes:
        objective: ``"relativistic"``, ``"hinge"`` or ``"wgan-gp"``; see `pytest_ganvalid.gan.model`.
        penalty: Strength of the penalty on the critic's slope; ``None`` for the objective's usual one. More of it makes
            a smoother generator.
        steps: Training steps; in each, critic and generator are updated once. ``None`` for 6,000 up to 1,000 training
            events, growing to about 12,000 at 10,000: with few events, training longer mostly learns their
            fluctuations.
        batch: Training events, and as many generated ones, in each of the two updates of a step, for each member.
        members: Generators trained side by side on all training events, each with a critic of its own. Of
            consecutive generated events as many as there are members, each comes from another one, in random turns.
        latent: Random numbers per generated event.
        width: Units of a hidden layer of the generator.
        critic_width: Likewise, of the critic.
        depth: Hidden layers of either.
        learning_rate: Of Adam (arXiv:1412.6980), for either; reached after a twentieth of the steps, and lowered to 0
            along a cosine.
        averaging: Share that a step leaves of the exponential average of the generator's weights, which is what is kept
            in the end; 0 keeps the last weights.
        validation: Share of the training events that is held out to decide when to stop; 0 to train all the steps.
            Held-out events are part of n_train, but nothing else is learned from them: with few events that costs more
            than it gains.
        patience: Evaluations without improvement after which to stop; there are 50 in ``steps``.
        precision: Of the training's matrix products on a GPU: ``"float32"``, ``"tf32"``, ``"bfloat16"``, or ``"auto"``,
            which is tf32 where a GPU has it. On a CPU it is always float32.
        periodic: Periods of columns by name, ``{"phi": 2 * math.pi}``: what is generated joins at the ends, which are 0
            and the period if no value is negative, otherwise half a period to either side of 0. Columns that fill -π
            to π or 0 to 2π are recognised without it; ``None`` for a column that is not periodic all the same.
        limits: Pairs of limits by name of the column, ``None`` where there is none: ``{"pt": (20.0, None)}``. No event
            is generated beyond them.

    Raises:
        InputError: If a value is out of range.
    """

    objective: str = "relativistic"
    penalty: float | None = None
    steps: int | None = None
    batch: int = 1_000
    members: int = 1
    latent: int = 32
    width: int = 64
    critic_width: int = 64
    depth: int = 3
    learning_rate: float = 1e-3
    averaging: float = 0.999
    validation: float = 0.0
    patience: int = 10
    precision: str = "auto"
    periodic: Mapping[str, float | None] = field(default_factory=dict)
    limits: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the values."""
        for name, choices in (("objective", OBJECTIVES), ("precision", PRECISIONS)):
            check_choice(name, getattr(self, name), choices)
        # What is kept are numbers of Python, whatever was given: settings are written as JSON.
        if self.penalty is not None:
            object.__setattr__(self, "penalty", check_not_negative("penalty", self.penalty))
        for name in ("steps", "batch", "members", "latent", "width", "critic_width", "depth", "patience"):
            if name == "steps" and self.steps is None:
                continue
            value = check_integer(name, getattr(self, name))
            if value > _MAX_SETTING:
                msg = f"{name}={value!r} is out of range; expected at most {_MAX_SETTING:,}"
                raise InputError(msg)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "learning_rate", check_positive("learning_rate", self.learning_rate))
        for name in ("averaging", "validation"):
            share = check_number(name, getattr(self, name))
            if not 0 <= share < 1:
                msg = f"{name}={share!r} is out of range; expected a number from 0 to below 1"
                raise InputError(msg)
            object.__setattr__(self, name, share)
        self._check_columns()

    def _check_columns(self) -> None:
        """Check the settings by column."""
        for setting, example in (("periodic", '{"phi": 6.283185307179586}'), ("limits", '{"pt": (20.0, None)}')):
            mapping = getattr(self, setting)
            if not isinstance(mapping, Mapping) or not all(isinstance(name, str) for name in mapping):
                msg = f"{setting}={mapping!r}; expected a mapping by column name: {setting}={example}"
                raise InputTypeError(msg)
        periods = {
            name: period if period is None else check_positive(f"periodic[{name!r}]", period)
            for name, period in self.periodic.items()
        }
        object.__setattr__(self, "periodic", periods)
        pairs = {}
        limits: Mapping[str, object] = self.limits
        for name, pair in limits.items():
            if not isinstance(pair, list | tuple) or len(pair) != 2:  # noqa: PLR2004 - a pair
                msg = f"limits[{name!r}]={pair!r}; expected a pair, None where there is no limit: (20.0, None)"
                raise InputTypeError(msg)
            low, high = (limit if limit is None else check_finite(f"limits[{name!r}]", limit) for limit in pair)
            if low is not None and high is not None and low >= high:
                msg = f"limits[{name!r}]={pair!r}; expected the lower limit first, and below the upper one"
                raise InputError(msg)
            if name in self.periodic:
                msg = f"column {name!r} has limits and a period; expected one or neither: a circle has no edge"
                raise InputError(msg)
            pairs[name] = (low, high)
        object.__setattr__(self, "limits", pairs)

    @property
    def slope_penalty(self) -> float:
        """The strength of the penalty in force."""
        return _PENALTIES[self.objective] if self.penalty is None else self.penalty

    def for_events(self, n_train: int) -> Config:
        """Return the settings with the number of steps that ``n_train`` training events take, if none is stated."""
        size = min(max(n_train, 1_000), 10_000) / 1_000
        return replace(self, steps=round(6_000 * size**0.3)) if self.steps is None else self

    @property
    def length(self) -> int:
        """The number of steps.

        Raises:
            InputError: If the number depends on the training events.
        """
        if self.steps is None:
            msg = "the number of steps depends on the number of training events; call for_events first"
            raise InputError(msg)
        return self.steps

    def to_json(self) -> str:
        """Write as JSON; `from_json` restores an equal object."""
        return _json.dumps("gan config", 1, self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Config:
        """Read what `to_json` wrote.

        Raises:
            InputError: If the text is something else, or a value is out of range.
        """
        return cls.from_node(_json.parsed(text))

    @classmethod
    def from_node(cls, node: _json.Node) -> Config:
        """Read what `to_json` wrote, as a part of another text.

        Raises:
            InputError: If the text is something else, or a value is out of range.
        """
        return _json.decode_fields(cls, _json.untagged(node, "gan config", 1))
