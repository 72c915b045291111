"""Text tables of the usual kinds are read, and a field that cannot be is named by line and column."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.formats import csv

X = np.resize([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308, 0.1], 20)
COLUMNS: dict[str, Any] = {"x": X, "n": np.arange(20.0), "some text": np.char.add("a", np.arange(20).astype(str))}


def _text(mark: str = ",", names: tuple[str, ...] = ("x", "n", "some text"), start: str = "") -> str:
    rows = [mark.join(str(COLUMNS[name][i]) for name in names) for i in range(20)]
    return "\n".join([start + mark.join(names), *rows, ""])


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_any_rows(tmp_path: Path, checks: Any, mark: str, suffix: str) -> None:
    """Numbers come back to the last bit, text as text, in whatever chunks."""
    path = tmp_path / f"events{suffix}"
    content = _text(mark).encode()
    path.write_bytes(gzip.compress(content) if suffix == ".csv.gz" else content)
    checks.any_rows(path, COLUMNS)
    checks.missing_column(path)


@pytest.mark.parametrize("start", ["", "#", "# ", "\ufeff"])
@pytest.mark.parametrize("mark", [",", " ", "\t", "   "])
def test_headers(tmp_path: Path, checks: Any, mark: str, start: str) -> None:
    """A sign of a comment or of an encoding in front of the names is none of them."""
    path = tmp_path / "events.csv"
    path.write_text(_text(mark, ("x", "n"), start), encoding="utf-8")
    checks.any_rows(path, {"x": X, "n": COLUMNS["n"]})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x\n1\n2\n", {"x": [1, 2]}),
        ("x,y\r\n1,2\r\n3,4\r\n", {"x": [1, 3], "y": [2, 4]}),
        ("x,y\n1,\n,4\n", {"x": [1, np.nan], "y": [np.nan, 4]}),
        ("x,y\n,2\n,4\n", {"x": [np.nan, np.nan], "y": [2, 4]}),
        ("x, y\n1, 2\n", {"x": [1], "y": [2]}),
        ("x,y\n1,2\n\n3,4\n\n", {"x": [1, 3], "y": [2, 4]}),
        ('"pt, GeV";y\n"1";2\n', {"pt, GeV": [1], "y": [2]}),
        ('"a,b",y\n1,2\n', {"a,b": [1], "y": [2]}),
        ("jet pt,met phi\n1,2\n", {"jet pt": [1], "met phi": [2]}),
        (",x\n0,1\n1,2\n", {"x": [1, 2]}),
        ("x,y\n NaN ,-inf\n+1e3,.5\n", {"x": [np.nan, 1000], "y": [-np.inf, 0.5]}),
        ("x y\n 1  2 \n3\t4\n", {"x": [1, 3], "y": [2, 4]}),
    ],
)
def test_habits(tmp_path: Path, checks: Any, text: str, expected: dict[str, list[float]]) -> None:
    """What other programs write is understood."""
    path = tmp_path / "events.csv"
    path.write_bytes(text.encode())
    checks.same(checks.read(path), {name: np.array(values, dtype=float) for name, values in expected.items()})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,2\n3,no\n", "line 3, column 'y': 'no' is not a number; leave the field empty if it is missing"),
        ("x,y\n1,2\n\n3,1_0\n", "line 4, column 'y': '1_0' is not a number"),
        ("x,s\n1,a\nb,c\n", "line 3, column 'x': 'b' is not a number"),
        ("x;y\n1,5;2\n3;4\n", "line 2, column 'x': '1,5' is not a number"),
        ("x y\n1 2\n3 no\n", "line 3, column 'y': 'no' is not a number"),
        ("x,y\n1,2\n3\n", "line 3 has 1 fields; expected 2, as in the first line"),
        ("x,y\n1,2\n3,4,5\n", "line 3 has 3 fields; expected 2"),
        ("x,y\n1;2\n", "line 2 has 1 fields; expected 2"),
        ("x y\n1 2\n3\n", "line 3 has 1 fields; expected 2"),
        ("1,2\n3,4\n", "the first line holds '1 2'; expected the names of the columns"),
        ("\n1,2\n", "the first line holds ''; expected the names of the columns"),
        ("x,x\n1,2\n", "2 columns are named 'x'; rename them"),
        ('x,y\n1,"2\n3,4\n', "line 2: unexpected end of data"),
        ('x,y\n1,"2\n3",4\n5,6\n', "line 2: a quoted field goes on in the next line"),
        ("x\n1\n\n2\n", "line 3 is blank; write nan if the number is missing"),
        ("x,y\n1,2\n3,4", "line 3, the last, does not end with a line break"),
        ("x,y", "line 1, the last, does not end with a line break"),
    ],
)
def test_errors(tmp_path: Path, checks: Any, text: str, message: str) -> None:
    """What cannot be read is named by line, and by column."""
    path = tmp_path / "events.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        checks.read(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_lines_of_errors(tmp_path: Path, checks: Any) -> None:
    """The line is the right one in whichever chunk it is."""
    path = tmp_path / "events.csv"
    path.write_text("x,y\n" + "1,2\n" * 50 + "1,no\n" + "1,2\n" * 50, encoding="utf-8")
    for chunk in (1, 7, 1000):
        with pytest.raises(InputError, match="line 52, column 'y': 'no' is not a number"):
            checks.read(path, chunk=chunk)
        assert len(checks.read(path, ["x"], chunk=chunk)["x"]) == 101
        assert len(checks.read(path, stop=50, chunk=chunk)["x"]) == 50


def test_numbers_below_text(tmp_path: Path, checks: Any) -> None:
    """A number in a column taken for text is refused; NaN, an empty field and other columns are not."""
    path = tmp_path / "events.csv"
    first = "x,s\n" + "1,missing\n" * 1000
    path.write_text(first + "2,\n3,nan\n4,-x\n", encoding="utf-8")
    assert checks.read(path)["s"].tolist()[-3:] == ["", "nan", "-x"]
    for field in ("5", "-1e3", ".5", " 7"):
        path.write_text(f"{first}2,a\n3,{field}\n", encoding="utf-8")
        for chunk in (7, 5000):
            with pytest.raises(InputError, match=r"events\.csv: line 1003, column 's': .* is a number, but the first"):
                checks.read(path, chunk=chunk)
        assert len(checks.read(path, ["x"])["x"]) == 1002


def test_no_rows(tmp_path: Path, checks: Any) -> None:
    """A table with names alone has no rows."""
    path = tmp_path / "events.csv"
    path.write_text("x,y\n", encoding="utf-8")
    assert checks.read(path) == {}


def test_damage(tmp_path: Path, checks: Any) -> None:
    """A table that ends in a line, or a compressed one that ends anywhere, is refused, and so is something else."""
    path = tmp_path / "events.csv"
    content = _text().encode()
    for end in range(1, len(content)):
        if content[end - 1 : end] != b"\n":
            path.write_bytes(content[:end])
            with pytest.raises(InputError, match=r"events\.csv: "):
                checks.read(path)
    packed = tmp_path / "events.csv.gz"
    packed.write_bytes(gzip.compress(content))
    checks.cut_short(packed)
    checks.garbage(path)
    checks.garbage(packed)


@given(position=st.integers(0, 10_000), value=st.integers(1, 255), packed=st.booleans())
@settings(max_examples=60)
def test_changed_bytes(
    tmp_path_factory: pytest.TempPathFactory, checks: Any, position: int, value: int, *, packed: bool
) -> None:
    """Wherever a byte is changed, the table is read or refused, and nothing else happens."""
    path = tmp_path_factory.mktemp("changed") / ("events.csv.gz" if packed else "events.csv")
    content = _text().encode()
    checks.changed(path, gzip.compress(content) if packed else content, position, value)


@given(
    st.lists(
        st.tuples(st.floats(), st.one_of(st.none(), st.floats()), st.text("ab é'#", min_size=1).map(lambda s: f"x{s}")),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=50)
def test_any_numbers(
    tmp_path_factory: pytest.TempPathFactory, checks: Any, rows: list[tuple[float, float | None, str]]
) -> None:
    """Any numbers, any of them missing, and text in whatever column come back."""
    path = tmp_path_factory.mktemp("any") / "events.csv"
    lines = [f'{x!r},"{"" if y is None else repr(y)}",{s}' for x, y, s in rows]
    path.write_text("\n".join(["x,y,s", *lines, ""]), encoding="utf-8")
    x, y, s = zip(*rows, strict=True)
    expected = {"x": np.array(x), "y": np.array(y, dtype=float), "s": np.array(s)}
    checks.same(checks.read(path, chunk=2), expected)


def test_fast_and_slow(tmp_path: Path, checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of reading numbers give the same ones."""
    path = tmp_path / "events.csv"
    numbers = np.random.default_rng(1).normal(size=(500, 3)) * 10.0 ** np.arange(-250, 250)[:, None]
    path.write_text(
        "x,y,z\n" + "\n".join(",".join(map(repr, row)) for row in numbers.tolist()) + "\n", encoding="utf-8"
    )
    fast = checks.read(path)
    monkeypatch.setattr(csv._Layout, "_numbers", lambda *_: None)
    checks.same(checks.read(path), fast)
    checks.same(fast, dict(zip("xyz", numbers.T, strict=True)))


def test_a_line_without_an_end(tmp_path: Path, checks: Any) -> None:
    """A line of more than a million characters is refused with its number, before the file fills the memory."""
    path = tmp_path / "events.csv"
    for number, lines in ((1, ""), (3, "x,y\n1,2\n")):
        path.write_text(lines + "1" * ((1 << 20) + 1) + "\n")
        with pytest.raises(InputError, match=rf"line {number} has more than 1,048,576 characters; expected a line for"):
            checks.read(path)
    path.write_text("x\n" + " " * ((1 << 20) - 2) + "1\n")
    assert checks.read(path)["x"].tolist() == [1.0]


def test_long_lines_are_read_a_few_at_a_time(tmp_path: Path, checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that are longer than the first ones seemed are read in smaller chunks, and none is lost."""
    monkeypatch.setattr(csv, "LARGEST", 100)
    path = tmp_path / "events.csv"
    path.write_text("x\n" + "".join(f"{' ' * 60}{i}\n" for i in range(9)))
    assert checks.read(path)["x"].tolist() == list(range(9))
    with path.open() as file:
        lines = csv._lines(file)
        assert [len(csv._batch(lines, 9)) for _ in range(6)] == [3, 2, 2, 2, 1, 0]


@pytest.mark.parametrize("words", [("True", "False"), ("true", "false")])
def test_words_for_flags(tmp_path: Path, checks: Any, words: tuple[str, str]) -> None:
    """A column of True and False is one of 1 and 0; a column with other words is text as it was."""
    path = tmp_path / "events.csv"
    yes, no = words
    path.write_text(f"flag,text,x\n{yes},{yes},1\n{no},other,2\n,{no},3\n{yes},{yes},{no}\n")
    found = checks.read(path)
    np.testing.assert_array_equal(found["flag"], [1.0, 0.0, np.nan, 1.0])
    assert found["text"].tolist() == [yes, "other", no, yes]
    assert found["x"].tolist() == [1.0, 2.0, 3.0, 0.0]
