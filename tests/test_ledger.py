"""The ledger of attempts: what is counted as which attempt, and that no writer, killed or not, leaves it damaged."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.ledger import Ledger, Line, Sample

GATE: dict[str, Any] = {
    "test": "test_a.py::test_it",
    "observables": ["x"],
    "n_required": 1e4,
    "limits": {"max_bias": 1},
}
# What another process runs: it cannot import this module wherever tests are run from.
ATTEMPTS = f"""
import sys
from pathlib import Path
from pytest_ganvalid.ledger import Ledger, Sample
path, name, number = sys.argv[1:]
for i in range(int(number)):
    with Ledger(Path(path)).attempt({GATE!r}, "r", Sample(digest=f"{{name}}{{i}}")) as attempt:
        attempt.verdict = "UNPROVEN"
"""


def tried(ledger: Ledger, generated: Sample | str, verdict: str = "UNPROVEN", **changes: Any) -> int:
    """Make an attempt; return its number."""
    sample = Sample(digest=generated) if isinstance(generated, str) else generated
    with ledger.attempt(changes.pop("gate", GATE), changes.pop("reference", "r"), sample, **changes) as attempt:
        attempt.verdict = verdict
    return attempt.number


@pytest.fixture(params=["file", "memory"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    """A ledger without a line."""
    return Ledger(tmp_path / "deep" / "ledger.jsonl" if request.param == "file" else None)


def test_other_events_are_another_attempt(ledger: Ledger) -> None:
    """Fresh generated events count up, and the same ones again are the attempt that they were."""
    assert [tried(ledger, digest) for digest in ("a", "b", "a", "c", "b")] == [1, 2, 1, 3, 2]


def test_every_gate_and_reference_counts_by_itself(ledger: Ledger) -> None:
    """Another reference, or another test, observable, n_required or limit starts at the first attempt."""
    assert tried(ledger, "a") == 1
    for name, other in (("test", "test_b"), ("observables", ["y"]), ("n_required", 2e4), ("limits", {"max_bias": 2})):
        assert tried(ledger, "b", gate={**GATE, name: other}) == 1
    assert tried(ledger, "b", reference="s") == 1
    assert tried(ledger, "b") == 2


@pytest.mark.parametrize(
    ("stated", "numbers"), [((1, 1, 1), [1, 2, 3]), ((5, 1, 1), [5, 6, 7]), ((1, 4, 2), [1, 4, 5])]
)
def test_the_larger_count_applies(ledger: Ledger, stated: tuple[int, ...], numbers: list[int]) -> None:
    """What the user counts applies where it is larger, and later attempts come after it."""
    assert [tried(ledger, name, stated=n) for name, n in zip("abc", stated, strict=True)] == numbers


def test_what_broke_off_is_no_attempt(ledger: Ledger) -> None:
    """A check that ends in an error, or that nobody saw the verdict of, is not counted."""
    with pytest.raises(RuntimeError), ledger.attempt(GATE, "r", Sample(digest="a")):
        raise RuntimeError
    with ledger.attempt(GATE, "r", Sample(digest="b")):
        pass
    assert tried(ledger, "c") == 1


def test_earlier_attempts_are_told(ledger: Ledger) -> None:
    """An attempt knows the earlier ones of other events, with their verdicts and times, and not its own."""
    tried(ledger, "a", "BIASED")
    tried(ledger, "b")
    with ledger.attempt(GATE, "r", Sample(digest="b")) as attempt:
        assert [line.generated.digest for line in attempt.earlier] == ["a"]
        assert [(line.attempt, line.verdict) for line in attempt.biased] == [(1, "BIASED")]
        assert attempt.biased[0].time.endswith("+00:00")
        assert attempt.standing == ()


def test_biased_stands_for_the_same_generator(ledger: Ledger) -> None:
    """BIASED stands against other events of the same generator, and against no other or unknown one."""
    tried(ledger, Sample(digest="a", generator="g"), "BIASED")
    tried(ledger, Sample(digest="b", generator="h"), "UNPROVEN")
    for generator, stands in (("g", True), ("h", False), (None, False)):
        with ledger.attempt(GATE, "r", Sample(digest="c", generator=generator)) as attempt:
            assert bool(attempt.standing) is stands
            assert len(attempt.biased) == 1


MANY = 2**64


@pytest.mark.parametrize(
    ("parts", "sums", "pooled"),
    [
        (("f", "g", "h"), None, True),
        (("f", "g", "h", "new"), None, True),
        (("f", "h"), None, False),
        ((), (30, (MANY - 1 + 5) % MANY, 9), True),
        ((), (31, (MANY - 1 + 5) % MANY, 9), False),
        ((), (30, 4, 8), False),
        ((), None, False),
    ],
)
def test_pooled_events_end_what_stands(
    ledger: Ledger, parts: tuple[str, ...], sums: tuple[int, int, int] | None, *, pooled: bool
) -> None:
    """BIASED no longer stands once the files of all attempts are among those checked, or exactly their events are."""
    tried(ledger, Sample(digest="a", parts=("f", "g"), sums=(10, MANY - 1, 4), generator="x"), "BIASED")
    tried(ledger, Sample(digest="b", parts=("h",), sums=(20, 5, 5), generator="x"), "UNPROVEN")
    tried(ledger, Sample(digest="o", parts=("o",), sums=(7, 7, 7), generator="other"), "BIASED")
    whole = Sample(digest="c", parts=parts, sums=sums, generator="x")
    with ledger.attempt(GATE, "r", whole) as attempt:
        assert (attempt.pooled, not attempt.standing) == (pooled, pooled)
        attempt.verdict = "UNPROVEN"
    more = Sample(digest="d", parts=("f", "g", "h", "i"), generator="x")
    with ledger.attempt(GATE, "r", more) as attempt:
        # A pool is no attempt to be pooled again; one that was not known to be a pool is.
        assert attempt.pooled is (pooled or set(parts) == {"f", "h"})


TEXT = st.text(max_size=20)


@given(
    st.builds(
        Line,
        gate=st.dictionaries(TEXT, st.floats(allow_nan=False, allow_infinity=False) | TEXT | st.lists(TEXT)),
        reference=TEXT,
        generated=st.builds(
            Sample,
            digest=TEXT,
            parts=st.lists(TEXT).map(tuple),
            sums=st.none() | st.tuples(*[st.integers(0, MANY - 1)] * 3),
            generator=st.none() | TEXT,
        ),
        attempt=st.integers(1, 10**6),
        pooled=st.booleans(),
        verdict=st.sampled_from(["ROBUST", "BIASED", "UNPROVEN"]),
        time=TEXT,
    )
)
def test_a_line_comes_back(line: Line) -> None:
    """What is written is one line, and is read as it was."""
    text = line.written()
    assert text.count(b"\n") == 1
    assert Line.read(text) == line


GOOD = Line(
    gate=GATE, reference="r", generated=Sample(digest="a"), attempt=1, pooled=False, verdict="BIASED", time="now"
).written()


def test_damaged_lines_are_refused_by_name(tmp_path: Path) -> None:
    """A line that is no attempt stops every count: file, line and remedy are named, and nothing is changed."""
    path = tmp_path / "ledger.jsonl"
    document = json.loads(GOOD)
    wrong: tuple[Any, ...] = (None, [], 7.5)
    values: list[Any] = [{**document, name: value} for name in document for value in wrong]
    values += [{**document, "verdict": "GOOD"}, {**document, "attempt": 0}, {**document, "more": 1}, 3, None]
    values += [{**document, "generated": {**document["generated"], name: 0}} for name in document["generated"]]
    lines = [json.dumps(value).encode() for value in values] + [b"", GOOD[: len(GOOD) // 2], b"[" * 100_000, b"\xff"]
    for line in lines:
        content = GOOD + line + b"\n" + GOOD
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"ledger\.jsonl, line 2: this is no line of a ledger .* restore the line"):
            tried(Ledger(path), "b")
        assert path.read_bytes() == content


@pytest.mark.parametrize("cut", [1, 10, len(GOOD) // 2, len(GOOD) - 2])
def test_an_unfinished_line_is_removed_and_told(tmp_path: Path, cut: int) -> None:
    """What a killed writer left of a line is cut off, as nobody saw its verdict, and the next attempt says so."""
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(GOOD + GOOD[:cut])
    with Ledger(path).attempt(GATE, "r", Sample(digest="b")) as attempt:
        attempt.verdict = "ROBUST"
        assert attempt.number == 2
        assert attempt.notes == (
            f"ledger.jsonl ended in {cut} bytes of a line that a run has not ended; they were removed",
        )
    assert [Line.read(line).attempt for line in path.read_bytes().splitlines()] == [1, 2]


def test_a_lost_newline_is_put_back(tmp_path: Path) -> None:
    """A last line that is whole but for its newline, as some editors leave it, counts."""
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(GOOD[:-1])
    assert tried(Ledger(path), "b") == 2
    assert path.read_bytes().startswith(GOOD)


def test_the_same_is_written_once(tmp_path: Path) -> None:
    """The same events with the same verdict add no line; another verdict or generator does."""
    path = tmp_path / "ledger.jsonl"
    for sample, verdict, lines in (
        (Sample(digest="a"), "ROBUST", 1),
        (Sample(digest="a"), "ROBUST", 1),
        (Sample(digest="a"), "BIASED", 2),
        (Sample(digest="a", generator="g"), "BIASED", 3),
    ):
        assert tried(Ledger(path), sample, verdict) == 1
        assert len(path.read_bytes().splitlines()) == lines


def test_many_files_are_not_named(tmp_path: Path) -> None:
    """A line stays short: of more than 32 files none is named."""
    path = tmp_path / "ledger.jsonl"
    for number in (32, 33):
        tried(Ledger(path), Sample(digest=str(number), parts=tuple(map(str, range(number)))))
    assert [len(Line.read(line).generated.parts) for line in path.read_bytes().splitlines()] == [32, 0]


@pytest.mark.skipif("sys.platform == 'win32'", reason="a full disk is simulated by a limit of the process")
def test_a_full_disk_leaves_nothing_of_a_line(tmp_path: Path) -> None:
    """A line that cannot be written whole is an error, and what was there before stays as it was."""
    import resource

    path = tmp_path / "ledger.jsonl"
    tried(Ledger(path), "a")
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
        with pytest.raises(OSError, match=r"free some space.*ledger\.jsonl"):
            tried(Ledger(path), "b")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before


def test_processes_count_each_other(tmp_path: Path) -> None:
    """Of attempts by several processes at once none is lost, none is counted twice, and every line is whole."""
    path = tmp_path / "ledger.jsonl"
    processes = [subprocess.Popen([sys.executable, "-c", ATTEMPTS, path, name, "25"]) for name in "abc"]
    assert [process.wait() for process in processes] == [0, 0, 0]
    lines = [Line.read(line) for line in path.read_bytes().splitlines()]
    assert [line.attempt for line in lines] == list(range(1, 76))
    assert len({line.generated.digest for line in lines}) == 75


def test_threads_count_each_other(ledger: Ledger) -> None:
    """Likewise of threads."""
    numbers: list[int] = []
    threads = [threading.Thread(target=lambda i=i: numbers.append(tried(ledger, f"a{i}"))) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 21))


def append_for_ever(path: Path, name: str, writes: Any) -> None:
    """Make attempts until killed, and count those that are done."""
    i = 0
    while True:
        tried(Ledger(path), f"{name}{i}")
        i += 1
        with writes.get_lock():
            writes.value = i


@pytest.mark.skipif("not hasattr(os, 'fork')", reason="processes are killed by a signal")
def test_a_killed_writer_leaves_the_ledger_whole(tmp_path: Path) -> None:
    """Killed at any moment, a writer leaves whole lines only, all that it had finished, and no lock."""
    path, fork, done = tmp_path / "ledger.jsonl", multiprocessing.get_context("fork"), 0
    for run in range(12):
        writes = fork.Value("i", 0)
        process = fork.Process(target=append_for_ever, args=(path, f"run{run}-", writes))
        process.start()
        while writes.value <= run:  # killed at another place in the loop each time
            pass
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        finished = [line for line in path.read_bytes().splitlines() if f"run{run}-".encode() in line]
        assert writes.value <= len(finished) <= writes.value + 1
        done += len(finished)
    lines = [Line.read(line) for line in path.read_bytes().splitlines(keepends=True)]
    assert [line.attempt for line in lines] == list(range(1, done + 1))
    assert tried(Ledger(path), "last") == done + 1


def test_it_is_light() -> None:
    """Nothing heavy is loaded by a ledger."""
    code = "import sys, pytest_ganvalid.ledger; print({'numpy', 'scipy', 'pytest'} & {*sys.modules})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
