"""References that are addressed by what they hold: a wrong or missing file is red, and one line makes another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.references import References

HEAD = "# the references of this gate\n\n[references]\n"


def events(seed: int, n: int = 2_000) -> dict[str, Any]:
    """Events of two columns."""
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=n), "y": rng.exponential(size=n)}


@pytest.fixture
def gate(tmp_path: Path) -> References:
    """A gate with one reference of 8 bins and a comment beside it."""
    (tmp_path / "references.toml").write_text(HEAD + 'other = "' + "0" * 64 + '"  # of another day\n')
    references = References.read(tmp_path)
    references.candidate("mine", events(1), observables=["x"], bins=8)
    return references.promote("mine")


def test_a_candidate_becomes_the_reference(gate: References, tmp_path: Path) -> None:
    """What was filled first is the reference after its promotion, byte for byte and under the name of its hash."""
    content = (tmp_path / "candidates" / "mine.json").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert (tmp_path / "references" / f"{digest}.json").read_bytes() == content
    again = gv.References.read(tmp_path / "references.toml")
    assert again == gate
    assert dict(again.digests) == {"other": "0" * 64, "mine": digest}
    assert list(again) == ["other", "mine"]
    assert "mine" in again
    assert "theirs" not in again
    assert again["mine"].to_json().encode() == content


def test_a_promotion_changes_one_line(gate: References, tmp_path: Path) -> None:
    """Another candidate is filled in the reference's bins; its promotion changes its line, and no other byte."""
    before = (tmp_path / "references.toml").read_text().splitlines()
    candidate = gate.candidate(
        "mine", events(2), bins=3, observables=["y"]
    )  # what the first one was filled with counts
    assert candidate.plan.observables == ("x",)
    assert candidate.plan.histograms == gate["mine"].plan.histograms
    promoted = gate.promote("mine")
    after = (tmp_path / "references.toml").read_text().splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [new for _, new in changed] == [f'mine = "{promoted.digests["mine"]}"']
    assert promoted == References.read(tmp_path)
    assert promoted["mine"].n_events == 2_000
    assert len(list((tmp_path / "references").iterdir())) == 2  # the earlier one stays for earlier commits


def test_a_promotion_of_the_reference_changes_nothing(gate: References, tmp_path: Path) -> None:
    """The same histograms twice are the same line."""
    before = (tmp_path / "references.toml").read_bytes()
    assert gate.promote("mine") == gate
    assert (tmp_path / "references.toml").read_bytes() == before


def test_a_changed_file_is_red(gate: References) -> None:
    """A single byte that differs is an error that names file and hash, though the file is good in itself."""
    path = Path(gate.place("mine"))
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(gv.InputError, match=r"references\.toml: mine: .*the file was changed: its SHA-256 is"):
        gate["mine"]
    with pytest.raises(gv.InputError, match="the file was changed"):
        gate.candidate("mine", events(2))


def test_a_missing_file_is_red(gate: References) -> None:
    """A file that is not there is an error that says which, and so is a name that is no reference."""
    with pytest.raises(gv.InputError, match=r"other: .*0000\.json: the file cannot be read"):
        gate["other"]
    with pytest.raises(gv.InputError, match=r"no reference 'theirs'.*, but other, mine; .*ganvalid promote .* theirs"):
        gate["theirs"]


def test_only_histograms_are_promoted(gate: References, tmp_path: Path) -> None:
    """What is no file of histograms, or not there, becomes no reference, and nothing is written."""
    before = (tmp_path / "references.toml").read_bytes()
    (tmp_path / "bad.json").write_text("{}")
    for bad in (tmp_path / "bad.json", tmp_path / "none.json", None):
        with pytest.raises(gv.InputError):
            gate.promote("new", bad)
    assert (tmp_path / "references.toml").read_bytes() == before
    assert len(list((tmp_path / "references").iterdir())) == 1


@pytest.mark.parametrize("name", ["", "a/b", "../a", "a b", "a.b", "a\n"])
def test_odd_names_are_refused(name: str, gate: References) -> None:
    """A name is a key of TOML and a file in its folder, and nothing else."""
    with pytest.raises(gv.InputError, match="a reference cannot be called"):
        gate.candidate(name, events(2), bins=8)
    with pytest.raises(gv.InputError, match="a reference cannot be called"):
        gate.promote(name)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[references", "this is no TOML"),
        (
            "[reference]\n",
            "'reference' is not known (did you mean 'references'?); expected store, candidates and the table",
        ),
        ("store = 3\n", "store = 3; expected the name of a folder or an address"),
        ("candidates = ''\n", "candidates = ''; expected the name of a folder"),
        ("references = 3\n", "references = 3; expected the table"),
        ("[references]\na = 'beef'\n", "a = 'beef'; expected a SHA-256, 64 hexadecimal digits"),
        ("[references]\n'a/b' = 'beef'\n", "a reference cannot be called 'a/b'"),
    ],
)
def test_odd_files_are_refused(text: str, reason: str, tmp_path: Path) -> None:
    """What is not understood in the file is an error that names it."""
    (tmp_path / "references.toml").write_text(text)
    with pytest.raises(gv.InputError, match=r"references\.toml: ") as caught:
        References.read(tmp_path)
    assert reason in str(caught.value)


def test_no_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there, or is no text, is an error that names it."""
    with pytest.raises(gv.InputError, match=r"references\.toml: No such file"):
        References.read(tmp_path)
    (tmp_path / "references.toml").write_bytes(b"\xff")
    with pytest.raises(gv.InputError, match=r"references\.toml: "):
        References.read(tmp_path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[references]\nnew = DIGEST\n"),
        ("store = 's'", "store = 's'\n\n[references]\nnew = DIGEST\n"),
        ("[references]", "[references]\nnew = DIGEST\n"),
        ("[ references ] # these\n", "[ references ] # these\nnew = DIGEST\n"),
        ("[references]\n'new' = '0'  # it\n", "[references]\n'new' = DIGEST  # it\n"),
        ("[references]\nold = '0'\n\n# end\n", "[references]\nold = '0'\n\n# end\nnew = DIGEST\n"),
        ("[references]\nnewer = '0'\n\n\n", "[references]\nnewer = '0'\nnew = DIGEST\n\n\n"),
    ],
)
def test_a_line_finds_its_place(before: str, after: str, tmp_path: Path, gate: References) -> None:
    """A line is changed where it is, or added at the end of the table; all else stays as it was."""
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "references.toml").write_text(before.replace("'0'", f"'{'0' * 64}'"))
    promoted = References.read(folder).promote("new", gate.place("mine"))
    expected = after.replace("'0'", f"'{'0' * 64}'").replace("DIGEST", f'"{gate.digests["mine"]}"')
    assert (folder / "references.toml").read_text() == expected
    assert promoted == References.read(folder)


def test_a_form_that_is_not_found_is_refused(tmp_path: Path, gate: References) -> None:
    """Where a reference is written in another form of TOML, the file is left alone."""
    folder = tmp_path / "other"
    folder.mkdir()
    text = f"references = {{ new = '{'0' * 64}' }}\n"
    (folder / "references.toml").write_text(text)
    with pytest.raises(gv.InputError):
        References.read(folder).promote("new", gate.place("mine"))
    assert (folder / "references.toml").read_text() == text


@pytest.fixture
def memory() -> Iterator[Any]:
    """Return an empty file system in memory."""
    fsspec: Any = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def test_the_store_may_be_at_an_address(tmp_path: Path, memory: Any) -> None:
    """References are written to, checked and read at an address that fsspec knows."""
    (tmp_path / "references.toml").write_text('store = "memory://gate/refs"\n' + HEAD)
    references = References.read(tmp_path)
    references.candidate("mine", events(1), bins=8)
    references = references.promote("mine")
    place = f"/gate/refs/{references.digests['mine']}.json"
    assert memory.cat_file(place) == (tmp_path / "candidates" / "mine.json").read_bytes()
    assert references["mine"].n_events == 2_000
    memory.pipe_file(place, memory.cat_file(place) + b" ")
    with pytest.raises(gv.InputError, match="the file was changed"):
        references["mine"]
    memory.rm_file(place)
    with pytest.raises(gv.InputError, match="there is no such file at this address"):
        references["mine"]
