"""``ganvalid plan``: the plan of the Python call, and its price."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.cli import main

Refusal = Callable[[str, str], None]
COSTS = "true=10 generated=1e-3 training=3600 n_train=1e4 uses=20 unit=s"


def test_the_plan_is_that_of_python(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All options together print the table of the same call, and write its JSON."""
    words = "--bins 20 --observables 3 --estimators 1 --classifiers 1 --generated-ratio 30 --power 0.8 --looks 2"
    limits = "--confidence 0.9 --max-bias 1.2 --max-directional-bias 3 --no-smooth"
    stage = "--others shower=0.01 pdf=1/50 --probability 0.01 --max-share 0.2"
    line = f"plan 1e5 {words} {limits} --costs {COSTS} {stage} -o plan.json"
    assert main(line.split()) == 0
    plan = gv.plan(
        100_000,
        bins=20,
        observables=3,
        estimators=1,
        classifiers=1,
        generated_ratio=30,
        power=0.8,
        looks=2,
        confidence=0.9,
        max_bias=1.2,
        max_directional_bias=3,
        smooth=False,
        costs=gv.Costs(true=10, generated=1e-3, training=3_600, n_train=10_000, uses=20, unit="s"),
        chain=gv.Chain(others={"shower": 0.01, "pdf": 0.02}, probability=0.01, max_share=0.2),
    )
    assert capsys.readouterr().out == f"{plan.table()}\nwrote plan.json\n"
    assert main(["plan", "1e5"]) == 0
    assert capsys.readouterr().out == f"{gv.plan(100_000, bins=50).table()}\n"
    assert gv.Plan.from_json((folder / "plan.json").read_text()) == plan


def test_a_reference_gives_the_bins(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Events say how many bins their columns have, and so do histograms of them."""
    reference = str(filled / "ref1.npz")
    assert main(["plan", "500", "--reference", reference, "--observables", "x,x:y", "--bins", "9"]) == 0
    plan = gv.plan(500, reference=reference, observables=["x", ("x:y", ("x", "y"))], bins=9)
    assert capsys.readouterr().out == f"{plan.table()}\n"
    assert main(["plan", "500", "--reference", str(filled / "ref.json")]) == 0
    assert "3 observables of" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("plan", "required: N_REQUIRED"),
        ("plan many --bins 5", "'many' is not a number; expected one such as"),
        ("plan 1e4 --bins 2.5", "'2.5' is not a whole number"),
        ("plan 1e4 --bins 5 --costs truee=1", "there is no cost 'truee' (did you mean 'true'?); expected one of true,"),
        ("plan 1e4 --bins 5 --costs true=1", "--costs lacks generated, the cost of one generated event"),
        ("plan 1e4 --bins 5 --costs price=1", "there is no cost 'price'; expected one of true, generated"),
        ("plan 1e4 --bins 5 --costs true=a", "--costs true=a gives no number"),
        ("plan 1e4 --bins 5 --costs true=1 true=2", "--costs gives true twice"),
        ("plan 1e4 --bins 5 --costs 5", "'5' sets nothing; expected name=value"),
        ("plan 1e4 --bins 5 --others pdf=1/0", "--others pdf=1/0 gives no number"),
        ("plan 1e4 --bins 5 --probability 0.1", "are of a stage of a chain; give --others too"),
        ("plan 1e4 --bins 5 --observables x", "--observables x: of which events? give --reference"),
        ("plan 1e4 --reference a.npz --observables x,,", "--observables: 'x,,' names nothing"),
        ("plan 1e4 --reference a.npz --observables 3", "the reference has columns; name some of them"),
        ("plan 1e4 --reference a.json -o a.json", "a.json is read, and would be written over"),
    ],
)
def test_not_understood(words: str, reason: str, not_understood: Refusal) -> None:
    """A command line that is not understood gets a reason and status 2, and writes nothing."""
    not_understood(words, reason)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("plan 1e4 --observables 0", "--observables 0, --estimators 0 and --classifiers 0: a check of"),
        ("plan 0 --bins 5", "n_required=0"),
        ("plan 1e4 --bins 5 --generated-ratio 1", "(--generated-ratio 1); raise that above"),
        ("plan 1e4 --bins 5 --costs true=0 generated=0 n_train=5", "true=0.0 is out of range"),
        ("plan 1e4 --bins 5 --others pdf=-1", "others['pdf']=-1.0 is out of range"),
        ("plan 1e4 --reference none.npz", "none.npz"),
        ("plan 1e4 --bins 5 -o plan.txt", "the suffix '.txt' is not known; expected .json"),
    ],
)
def test_not_done(words: str, reason: str, not_done: Refusal) -> None:
    """What cannot be planned or written gets one line and status 1, and writes nothing."""
    not_done(words, reason)
