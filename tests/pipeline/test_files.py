"""Files of histograms: names and patterns of them, read one by one and added up in any order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.pipeline import files as module
from pytest_ganvalid.pipeline.files import add_up, expanded, in_order, names_json, read_histograms, text_of
from pytest_ganvalid.pipeline.summary import Histograms

Make = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.json", True),
        (Path("a.json"), True),
        ("*.json", True),
        (["a.json", Path("b.json")], True),
        (("a.json",), True),
        (["a.json", "b.root"], False),
        ([], False),
        ("a.root", False),
        ("json", False),
        ({"a.json": 1}, False),
        ([3], False),
        (None, False),
    ],
)
def test_names_of_json_files(value: object, expected: bool) -> None:  # noqa: FBT001
    """A name, a pattern or a list of names with the suffix are files of histograms, anything else is not."""
    assert names_json(value) is expected


def test_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterns stand for the files that match, in order; a file whose name looks like a pattern is that file."""
    for name in ("b.json", "a.json", "[x].json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.json").write_text("{}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded(["[ab].json", "none.json"]) == [Path("a.json"), Path("b.json"), Path("none.json")]
    assert expanded(["[x].json"]) == [Path("[x].json")]
    assert expanded(["**/c.json"]) == [Path("deep/c.json")]
    assert expanded(["~/a.json"]) == [tmp_path / "a.json"]
    assert expanded([tmp_path / "?.json"]) == [tmp_path / "a.json", tmp_path / "b.json"]
    with pytest.raises(InputError, match=r"^no\*\.json: the pattern matches no file; check it"):
        expanded(["no*.json"])


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, empty and far too large files are refused by name."""
    (tmp_path / "empty.json").touch()
    (tmp_path / "large.json").write_bytes(b"x" * 101)
    (tmp_path / "text.json").write_bytes(b"x" * 100)
    with pytest.raises(InputError, match=r"none\.json: No such file or directory; check the name"):
        text_of(tmp_path / "none.json")
    with pytest.raises(InputError, match=r"empty\.json: the file is empty \(0 bytes\)"):
        text_of(tmp_path / "empty.json")
    monkeypatch.setattr(module, "_MAX_BYTES", 100)
    with pytest.raises(InputError, match=r"large\.json: 101 bytes are too many"):
        text_of(tmp_path / "large.json")
    assert text_of(str(tmp_path / "text.json")) == b"x" * 100
    with pytest.raises(InputError, match=r"text\.json: not a JSON text"):
        read_histograms(tmp_path / "text.json")


def test_a_file_is_named_once(tmp_path: Path) -> None:
    """Files are in one order however they are named, and none twice, under whatever name."""
    for name in "ab":
        (tmp_path / f"{name}.json").touch()
    (tmp_path / "link.json").symlink_to(tmp_path / "a.json")
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    assert in_order([str(path) for path in paths[::-1]]) == paths
    for again in ("a.json", "link.json"):
        with pytest.raises(InputError, match=r"(a|link)\.json: named twice; every event must be counted once"):
            in_order([*paths, tmp_path / again])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, events: Make) -> Path:
    """Write events, and histograms of them."""
    path = tmp_path_factory.mktemp("files")
    for seed in range(4):
        np.savez(path / f"events{seed}.npz", **{name: events(seed, 300)[name] for name in ("x", "y", "e")})
    return path


@pytest.mark.parametrize("by", [None, "e"])
def test_files_one_by_one(folder: Path, by: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files filled one by one give the verdict on the same files read at once, to the last bit."""
    monkeypatch.chdir(tmp_path)
    keywords: dict[str, Any] = {"observables": ["x", ("x", "y")], "bins": 5, "by": by}
    reference = gv.fill(folder / "events[01].npz", **keywords)
    Path("ref.json").write_text(reference.to_json(), encoding="utf-8")
    assert [origin.source for origin in reference.origins] == ["events0.npz", "events1.npz"]
    for seed in (2, 3):
        part = gv.fill(folder / f"events{seed}.npz", like="ref.json")
        Path(f"part{seed}.json").write_text(part.to_json(), encoding="utf-8")
    expected = gv.validate(folder / "events[23].npz", folder / "events[01].npz", n_required=20, **keywords)
    for generated, stored in (
        ("part*.json", "ref.json"),
        (folder / "events[23].npz", "ref.json"),
        (["part3.json", Path("part2.json")], reference),
        (add_up(["part2.json", "part3.json"]), Path("ref.json")),
    ):
        report = gv.validate(generated, stored, n_required=20)
        assert report.comparisons == expected.comparisons
        assert report.verdict is expected.verdict
        assert report.provenance["generated_events"] == 600
    assert add_up(["part3.json", "part2.json"]) == add_up(["part2.json", "part3.json"])


def test_errors_name_the_files(folder: Path, tmp_path: Path) -> None:
    """Of files that do not add up, both are named, and of one that cannot be read, the place in it."""
    like = gv.fill(folder / "events0.npz", observables=["x"], bins=[0.0])
    names = [str(tmp_path / f"{name}.json") for name in "abc"]
    texts = [like.to_json(), gv.fill(folder / "events1.npz", observables=["x"], bins=[1.0]).to_json()]
    for name, text in zip(names, [*texts, texts[0].replace('"version": 2', '"version": 1')], strict=True):
        Path(name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.json and .*b\.json do not add up: 'x': edge 0 is 0\.0 and 1\.0"):
        add_up(names[:2])
    with pytest.raises(InputError, match=r"a\.json\) and events0\.npz \(in .*a\.json\) hold the same 300 events"):
        add_up([names[0], names[0]])
    with pytest.raises(InputError, match=r"c\.json: version: expected version 2; fill anew.*ganvalid fill"):
        add_up([names[0], names[2]])
    with pytest.raises(InputError, match=r"generated: .*c\.json: version: expected version 2"):
        gv.validate(names[2], names[0], n_required=10)
    Path(names[1]).write_text(texts[0][:500], encoding="utf-8")
    with pytest.raises(InputError, match=r"reference: .*b\.json: not a JSON text"):
        gv.validate(names[0], names[1], n_required=10)
    assert Histograms.from_json(texts[0]) == read_histograms(names[0])
