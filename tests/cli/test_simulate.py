"""``ganvalid simulate``: the events of the toys, as from Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ganvalid import toys
from pytest_ganvalid.cli import main
from pytest_ganvalid.cli.simulate import TOYS, kebab

Refusal = Callable[[str, str], None]
Holds = Callable[[Path, Any], None]


SIMULATE = "simulate camel-back -n 5 --seed 1 -o out.npz"


def test_every_toy_can_be_asked_for() -> None:
    """The command line knows every toy that is made of parameters alone."""
    assert set(TOYS) == set(toys.__all__) - {"ResponseAt"}
    assert kebab("ZLineShape") == "z-line-shape"


@pytest.mark.parametrize("name", [name for name in TOYS if name != "PythiaZ"])
def test_simulate_writes_the_toys_events(name: str, folder: Path, holds: Holds) -> None:
    """Every toy's file holds the events of the Python call, whichever way its name is written."""
    for number, spelling in enumerate((kebab(name), name, name.upper())):
        path = folder / f"{number}.npz"
        assert main(["simulate", spelling, "-n", "20", "--seed", "3", "-o", str(path)]) == 0
        holds(path, getattr(toys, name)().sample(20, seed=3))


def test_simulate_sets_parameters(folder: Path, holds: Holds) -> None:
    """``--set`` takes several parameters, pairs of numbers, and those of a toy within a toy."""
    words = ["-n", "20", "--seed", "0", "-o", "events.npz", "--set"]
    assert main(["simulate", "camel-back", *words, "fraction=0.2", "means=-1,2.5"]) == 0
    holds(folder / "events.npz", toys.CamelBack(fraction=0.2, means=(-1, 2.5)).sample(20, seed=0))
    assert main(["simulate", "pileup", *words, "mean=2", "--set", "collisions.mean_pt=1.5", "library_size=1e3"]) == 0
    pileup = toys.Pileup(mean=2, collisions=toys.MinimumBias(mean_pt=1.5), library_size=1_000)
    holds(folder / "events.npz", pileup.sample(20, seed=0))


def test_simulate_writes_parquet(folder: Path) -> None:
    """The suffix says what kind of file is written."""
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    assert main(["simulate", "ring", "-n", "7", "--seed", "1", "-o", "ring.parquet"]) == 0
    table, expected = parquet.read_table(folder / "ring.parquet").to_pydict(), toys.Ring().sample(7, seed=1)
    assert table == {name: values.tolist() for name, values in expected.columns.items()}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            "simulate camel -n 5 --seed 1 -o out.npz",
            "no toy 'camel' (did you mean 'camel-back'?); expected one of camel-back, ring,",
        ),
        ("simulate camel-back -n 5 -o out.npz", "required: --seed"),
        ("simulate camel-back -n ten --seed 1 -o out.npz", "'ten' is not a whole number; expected one such as"),
        (
            f"{SIMULATE} --set mean=3",
            "camel-back has no parameter 'mean' (did you mean 'means'?); expected one of means, widths, fraction",
        ),
        (f"{SIMULATE} --set fraction=half", "fraction=half is not understood; expected a number"),
        (f"{SIMULATE} --set means=1,2,3", "means=1,2,3 is not understood; expected 2 numbers separated by commas"),
        (f"{SIMULATE} --set fraction", "'fraction' sets nothing; expected name=value"),
    ],
)
def test_not_understood(words: str, reason: str, not_understood: Refusal) -> None:
    """A command line that is not understood gets a reason and status 2, and writes nothing."""
    not_understood(words, reason)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (f"{SIMULATE} --set fraction=3", "fraction=3.0 is out of range"),
        ("simulate camel-back -n 0 --seed 1 -o out.npz", "n=0 is too small"),
        ("simulate camel-back -n 5 --seed -1 -o out.npz", "--seed -1 is too small"),
        ("simulate camel-back -n 1e14 --seed 1 -o out.npz", "not enough memory"),
        ("simulate camel-back -n 5 --seed 1 -o out.root", "the suffix '.root' is not known; expected .npz or .parquet"),
        ("simulate camel-back -n 5 --seed 1 -o no/out.npz", "there is no folder 'no'; make it first"),
    ],
)
def test_not_done(words: str, reason: str, not_done: Refusal) -> None:
    """What cannot be done gets one line and status 1, before any work is done, and leaves nothing behind."""
    not_done(words, reason)
