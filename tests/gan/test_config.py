"""Settings are checked, and come back from JSON as they were."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.gan.config import OBJECTIVES, PRECISIONS, Config

COUNTS = ("steps", "batch", "members", "latent", "width", "critic_width", "depth", "patience")


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0, InputError, "is too small; expected at least 1"),
        (-3, InputError, "is too small"),
        (2.0, InputTypeError, "is a float; expected an integer"),
        (True, InputTypeError, "is a bool; expected an integer"),
        ("7", InputTypeError, "is a str; expected an integer"),
        (10**9 + 1, InputError, "is out of range; expected at most 1,000,000,000"),
    ],
)
def test_counts(name: str, value: Any, error: type[Exception], text: str) -> None:
    """What is counted is a positive integer of ordinary size."""
    with pytest.raises(error, match=f"{name}={value!r} {text}"):
        Config(**{name: value})


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        (
            {"objective": "gan"},
            InputError,
            "objective='gan' is unknown.*; expected one of relativistic, hinge, wgan-gp",
        ),
        ({"objective": None}, InputError, "objective=None is unknown"),
        ({"precision": "float16"}, InputError, "precision='float16' is unknown.*; expected one of auto, float32"),
        ({"penalty": -0.1}, InputError, "penalty=-0.1 is out of range"),
        ({"penalty": float("inf")}, InputError, "penalty=inf is out of range"),
        ({"penalty": "much"}, InputTypeError, "penalty='much' is a str"),
        ({"learning_rate": 0}, InputError, "learning_rate=0 is out of range"),
        ({"learning_rate": float("nan")}, InputError, "learning_rate is NaN"),
        ({"averaging": 1}, InputError, "averaging=1 is out of range; expected a number from 0 to below 1"),
        ({"averaging": -0.1}, InputError, "averaging=-0.1 is out of range"),
        ({"validation": 1.0}, InputError, "validation=1.0 is out of range"),
        ({"validation": None}, InputTypeError, "validation=None is a NoneType"),
        ({"periodic": ["phi"]}, InputTypeError, r"periodic=\['phi'\]; expected a mapping by column name: periodic={"),
        ({"periodic": {"phi": -1.0}}, InputError, r"periodic\['phi'\]=-1.0 is out of range"),
        ({"periodic": {"phi": "2π"}}, InputTypeError, r"periodic\['phi'\]='2π' is a str"),
        ({"limits": (0, 1)}, InputTypeError, r"limits=\(0, 1\); expected a mapping by column name: limits={"),
        ({"limits": {"pt": 20}}, InputTypeError, r"limits\['pt'\]=20; expected a pair, None where there is no limit"),
        ({"limits": {"pt": (1, 1)}}, InputError, r"limits\['pt'\]=\(1, 1\); expected the lower limit first"),
        ({"limits": {"pt": (None, float("inf"))}}, InputError, r"limits\['pt'\]"),
        ({"limits": {"phi": (0, 1)}, "periodic": {"phi": 1}}, InputError, "column 'phi' has limits and a period"),
    ],
)
def test_impossible_settings(settings: dict[str, Any], error: type[Exception], text: str) -> None:
    """A setting out of range is refused by name, with what is expected."""
    with pytest.raises(error, match=text):
        Config(**settings)


def test_penalties() -> None:
    """Each objective has a usual penalty, which a setting replaces, by 0 too."""
    usual = {name: Config(objective=name).slope_penalty for name in OBJECTIVES}
    assert usual == {"relativistic": 0.1, "hinge": 0.1, "wgan-gp": 10.0}
    for name in OBJECTIVES:
        assert Config(objective=name, penalty=0.0).slope_penalty == 0
        assert Config(objective=name, penalty=3).slope_penalty == 3


def test_steps_follow_the_training_events() -> None:
    """Unless it is stated, the number of steps grows with the training events, within limits."""
    lengths = [Config().for_events(n).length for n in (10, 1_000, 3_000, 10_000, 10**6)]
    assert lengths == sorted(lengths)
    assert lengths[0] == lengths[1] < lengths[2] < lengths[3] == lengths[4]
    assert Config(steps=7).for_events(10**6).length == 7
    with pytest.raises(InputError, match="depends on the number of training events"):
        _ = Config().length


@given(
    st.builds(
        Config,
        objective=st.sampled_from(OBJECTIVES),
        precision=st.sampled_from(PRECISIONS),
        penalty=st.none() | st.floats(0, 1e6),
        learning_rate=st.floats(1e-6, 1),
        averaging=st.floats(0, 1, exclude_max=True),
        validation=st.floats(0, 1, exclude_max=True),
        periodic=st.dictionaries(st.sampled_from("ab"), st.none() | st.floats(0.1, 10)),
        limits=st.dictionaries(
            st.sampled_from("cd"), st.tuples(st.none() | st.floats(-2, -1), st.none() | st.floats(0, 1))
        ),
        **{name: st.integers(1, 10**9) for name in COUNTS},
    )
)
def test_json_round_trip(config: Config) -> None:
    """Settings come back equal from JSON."""
    assert Config.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"steps": -1}, "steps=-1 is too small"),
        ({"steps": "many"}, "steps: expected an integer"),
        ({"batch": None}, "batch: expected an integer; got null"),
        ({"speed": 1}, r"unknown \['speed'\]"),
        ({"version": 2}, "expected JSON of kind 'gan config', version 1; got kind 'gan config', version 2"),
    ],
)
def test_json_of_something_else(change: dict[str, Any], text: str) -> None:
    """A text that is not of settings, or of settings out of range, is refused."""
    with pytest.raises(InputError, match=text):
        Config.from_json(json.dumps(json.loads(Config().to_json()) | change))
    with pytest.raises(InputError, match="not a JSON text"):
        Config.from_json("{")


def test_numbers_of_numpy_are_kept_as_those_of_python() -> None:
    """Settings that are numbers of numpy give the settings, and the JSON, of plain numbers."""
    numbers: dict[str, Any] = {"steps": np.int64(60), "penalty": np.float32(0.5), "averaging": np.float64(0.9)}
    numbers |= {"periodic": {"phi": np.float32(360.0)}, "limits": {"pt": (np.int32(20), None)}}
    config = Config(**numbers)
    plain = Config(steps=60, penalty=0.5, averaging=0.9, periodic={"phi": 360.0}, limits={"pt": (20, None)})
    assert config.to_json() == plain.to_json()
