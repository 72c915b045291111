"""Settings of a training; imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_ganvalid import _json
from pytest_ganvalid._arguments import check_not_negative, check_number, check_positive, check_positive_integer
from pytest_ganvalid.errors import InputError

OBJECTIVES = ("relativistic", "hinge", "wgan-gp")
PRECISIONS = ("auto", "float32", "tf32", "bfloat16")
_PENALTIES = {"relativistic": 0.1, "hinge": 0.1, "wgan-gp": 10.0}
_MOST_STEPS = 10**9


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

    def __post_init__(self) -> None:
        """Check the values."""
        for name, choices in (("objective", OBJECTIVES), ("precision", PRECISIONS)):
            if getattr(self, name) not in choices:
                msg = f"{name}={getattr(self, name)!r} is not known; expected one of {', '.join(choices)}"
                raise InputError(msg)
        if self.penalty is not None:
            check_not_negative("penalty", self.penalty)
        for name in ("steps", "batch", "members", "latent", "width", "critic_width", "depth", "patience"):
            if name == "steps" and self.steps is None:
                continue
            value = check_positive_integer(name, getattr(self, name))
            if value > _MOST_STEPS:
                msg = f"{name}={value!r} is out of range; expected at most {_MOST_STEPS:,}"
                raise InputError(msg)
        check_positive("learning_rate", self.learning_rate)
        for name in ("averaging", "validation"):
            if not 0 <= check_number(name, getattr(self, name)) < 1:
                msg = f"{name}={getattr(self, name)!r} is out of range; expected a number from 0 to below 1"
                raise InputError(msg)

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
            InputError: If it depends on the training events.
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
            InputError: If it is something else, or a value is out of range.
        """
        return _json.decode_fields(cls, _json.untagged(node, "gan config", 1))
