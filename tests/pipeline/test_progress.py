"""A bar is shown to whoever watches a terminal, and to nobody else."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.pipeline import progress
from pytest_ganvalid.pipeline.progress import progress_bar
from pytest_ganvalid.samples.sources import Source

pytest.importorskip("tqdm")


class Terminal(io.StringIO):
    """Something that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@dataclass
class _Part:
    rows: int | None


def _sides(*rows: int | None) -> list[Source]:
    return [Source(("x",), [_Part(n)]) for n in rows]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Return what lets errors go to a terminal; pytest takes them back between a fixture and its test."""

    def started() -> Terminal:
        found = Terminal()
        monkeypatch.setattr(sys, "stderr", found)
        return found

    return started


def test_many_events_on_a_terminal(watch: Callable[[], Terminal]) -> None:
    """The bar says how many events there are, how many have been read, and how many are read per second."""
    terminal = watch()
    with progress_bar(_sides(12_000_000, 8_000_000)) as tick:
        assert tick is not None
        tick(3_000_000)
        tick(2_000_000)
    said = terminal.getvalue()
    assert "reading" in said
    assert "20.0M" in said
    assert "events/s" in said


def test_the_bar_goes(watch: Callable[[], Terminal]) -> None:
    """Nothing of the bar is left when all is read, or when it is interrupted."""
    terminal = watch()
    for error in (None, KeyboardInterrupt):
        if error is None:
            with progress_bar(_sides(20_000_000)):
                pass
        else:
            with pytest.raises(error), progress_bar(_sides(20_000_000)):
                raise error
        assert terminal.getvalue().endswith("\r")
        assert not terminal.getvalue().rsplit("\r", 2)[1].strip()


def test_few_events(watch: Callable[[], Terminal]) -> None:
    """Few events are read before anybody could look."""
    terminal = watch()
    with progress_bar(_sides(5_000, 6_000)) as tick:
        assert tick is None
    assert not terminal.getvalue()


def test_unknown_number_of_events(watch: Callable[[], Terminal]) -> None:
    """Where the number is not known before, what has been read is shown."""
    terminal = watch()
    with progress_bar(_sides(None, 5)) as tick:
        assert tick is not None
        tick(1_500)
    assert "events" in terminal.getvalue()
    assert "%" not in terminal.getvalue()


def test_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed where nobody looks: in a file, a pipe or a log."""
    with progress_bar(_sides(20_000_000, None)) as tick:
        assert tick is None
    assert capsys.readouterr() == ("", "")


def test_without_tqdm(watch: Callable[[], Terminal], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package that draws the bar there is none, and no error."""
    terminal = watch()
    monkeypatch.setattr(progress, "find_spec", lambda name: None)  # noqa: ARG005
    with progress_bar(_sides(20_000_000)) as tick:
        assert tick is None
    assert not terminal.getvalue()


def test_threads_are_counted(watch: Callable[[], Terminal]) -> None:
    """Threads that tell of their chunks at once lose none."""
    terminal = watch()
    with progress_bar(_sides(None)) as tick:
        assert tick is not None
        tell = tick

        def work() -> None:
            for _ in range(2_000):
                tell(1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tell(0)
        cells = [cell.cell_contents for cell in tell.__closure__ or ()]
        (bar,) = (one for one in cells if hasattr(one, "n"))
        assert bar.n == 8_000
    assert terminal.getvalue()


def test_a_check_shows_it(watch: Callable[[], Terminal], monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A check of many events in files shows the bar to whoever watches."""
    terminal = watch()
    monkeypatch.setattr(progress, "_MIN_EVENTS", 100)
    rng = np.random.default_rng(1)
    for name in "ab":
        np.savez(tmp_path / f"{name}.npz", x=rng.normal(size=500))
    gv.validate(str(tmp_path / "a.npz"), str(tmp_path / "b.npz"), n_required=50)
    assert "1.00k" in terminal.getvalue()


def test_nothing_is_printed(streamed: Callable[..., Source], capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is written by a check that nobody watches."""
    rng = np.random.default_rng(1)
    gv.validate(*(streamed({"x": rng.normal(size=500)}) for _ in range(2)), n_required=50)
    assert capfd.readouterr() == ("", "")
