"""``ganvalid fill``: the histograms of Python, with nothing half-done left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.cli import main
from pytest_ganvalid.pipeline.summary import Histograms

Refusal = Callable[[str, str], None]


def test_options_mean_what_they_do_in_python(filled: Path) -> None:
    """Bins, strata, places and weights are those of ``fill``."""
    words = (
        "fill ref1.npz -o a.json --observables x,y,x:y --bins 7 --bins y=0,1 --by k --weight w --nonfinite x=overflow"
    )
    assert main(words.split()) == 0
    expected = gv.fill(
        "ref1.npz",
        observables=["x", "y", ("x", "y")],
        bins={"x": 7, "y": [0, 1], "x:y": 7},
        by="k",
        weight="w",
        nonfinite={"x": "overflow"},
    )
    assert Histograms.from_json((filled / "a.json").read_bytes()) == expected
    assert main(["fill", "gen1.npz", "-o", "b.json", "--like", "a.json"]) == 0
    assert Histograms.from_json((filled / "b.json").read_bytes()).plan.weight == "w"
    assert main(["fill", "gen1.npz", "-o", "b.json", "--like", "a.json", "--unweighted"]) == 0
    assert Histograms.from_json((filled / "b.json").read_bytes()).plan.weight is None
    assert main(["fill", "gen1.npz", "-o", "b.json", "--observables", "y", "--bins=-1,0,1", "--by", "x=0,2"]) == 0
    found = Histograms.from_json((filled / "b.json").read_bytes())
    assert found == gv.fill("gen1.npz", observables=["y"], bins=[-1, 0, 1], by=("x", [0, 2]))
    check = "check gen1.npz ref1.npz --n-required 10 --observables x --weight ,w -o r.json"
    assert main(check.split()) in {0, 3}
    report = gv.Report.from_json((filled / "r.json").read_bytes())
    weighted = gv.validate("gen1.npz", "ref1.npz", n_required=10, observables=["x"], weight=(None, "w"))
    assert report.comparisons == weighted.comparisons


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("fill", "the following arguments are required: EVENTS, -o/--output"),
        (
            "fill ref1.npz -o a.json --like ref.json --bins 5",
            "--like says what to fill, and in which bins; leave out --bins",
        ),
        ("fill ref1.npz -o a.json --weight w --unweighted", "not allowed with argument"),
        ("fill ref1.npz -o a.json --observables x,", "'x,' names nothing"),
        ("fill ref1.npz -o a.json --observables x:", "'x:' names nothing"),
        ("fill ref1.npz -o a.json --bins many", "'many' gives no bins"),
        ("fill ref1.npz -o a.json --bins x=1,b", "'x=1,b' gives no bins"),
        ("fill ref1.npz -o a.json --bins 5 --bins 6", "--bins says two things of one observable"),
        ("fill ref1.npz -o a.json --bins 5 --bins x=6", "then name all of them with --observables"),
        ("fill ref1.npz -o a.json --observables x --bins z=6", "--bins names 'z', which --observables does not"),
        ("fill ref1.npz -o a.json --nonfinite nowhere", "'nowhere' names no place"),
        ("fill ref1.npz -o a.json --by =5", "'=5' names no column"),
        ("fill gen1.npz --like ref.json -o ref.json", "ref.json is read, and would be written over"),
    ],
)
def test_not_understood(words: str, reason: str, not_understood: Refusal) -> None:
    """A command line that is not understood gets a reason and status 2, and writes nothing."""
    not_understood(words, reason)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("fill none.npz -o a.json", "none.npz: there is no such file"),
        ("fill ref1.npz -o a.txt", "the suffix '.txt' is not known; expected .json"),
        ("fill ref1.npz -o no/a.json", "there is no folder 'no'"),
        ("fill ref1.npz -o a.json --observables q", "there is no column 'q'"),
        ("fill ref1.npz -o a.json --observables x --bins 1", "compares nothing; expected at least 2"),
        ("fill ref1.npz ref1.npz -o a.json", "named twice"),
        ("fill ref1.npz -o a.json --like none.json", "none.json: No such file"),
        ("fill ref1.npz -o a.json --like gen1.npz", "gen1.npz: not a JSON text"),
        ("fill ref1.npz -o a.json --weight q", "no weight column 'q'"),
        ("fill gen.json -o a.json", "the suffix '.json' is not known"),
    ],
)
def test_not_done(words: str, reason: str, not_done: Refusal) -> None:
    """What cannot be done gets one line and status 1, before any work is done, and leaves nothing behind."""
    not_done(words, reason)


def test_links_to_inputs_are_not_written_over(filled: Path) -> None:
    """An input is recognised under another name."""
    (filled / "link.json").hardlink_to(filled / "ref.json")
    (filled / "soft.json").symlink_to(filled / "ref.json")
    for name in ("link.json", "soft.json"):
        assert main(["fill", "gen1.npz", "--like", "ref.json", "-o", name]) == 2


@pytest.mark.parametrize("words", ["fill gen1.npz --like ref.json -o a.json", "merge gen1.json gen2.json -o a.json"])
def test_an_interrupted_command_leaves_nothing(
    words: str, filled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C at any time, while reading or writing, leaves what was there before."""
    (filled / "a.json").write_text("before", encoding="utf-8")
    before = sorted(path.name for path in filled.iterdir())

    def interrupt(*_: object, **__: object) -> Any:
        raise KeyboardInterrupt

    from pytest_ganvalid.pipeline import files as reading
    from pytest_ganvalid.pipeline import fill as filling

    places: list[tuple[Any, str]] = [(Histograms, "to_json"), (Path, "write_bytes"), (Path, "replace")]
    places += [(filling, "fill_part")] if words.startswith("fill") else [(reading, "read_histograms")]
    for holder, name in places:
        with monkeypatch.context() as patch:
            patch.setattr(holder, name, interrupt)
            assert main(words.split()) == 130
        assert capsys.readouterr().err == "ganvalid: interrupted; nothing was written\n"
        assert sorted(path.name for path in filled.iterdir()) == before
        assert (filled / "a.json").read_text(encoding="utf-8") == "before"
    assert main(words.split()) == 0
    assert (filled / "a.json").read_text(encoding="utf-8") != "before"


def test_a_full_disk_leaves_what_was_there(
    filled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that cannot be written to the end is not written at all."""

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device", str(self))

    before = sorted(path.name for path in filled.iterdir())
    monkeypatch.setattr(Path, "write_bytes", full)
    for words in ("fill gen1.npz --like ref.json -o a.json", "merge gen1.json gen2.json -o a.json"):
        assert main(words.split()) == 1
        assert "No space left on device" in capsys.readouterr().err
    assert main(["check", "gen.json", "ref.json", "--n-required", "5", "-o", "a.json"]) == 1
    assert sorted(path.name for path in filled.iterdir()) == before
