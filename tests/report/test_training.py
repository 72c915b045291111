"""A training is drawn from the lines of JSON that it wrote, and from nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.report import training

ROW: dict[str, Any] = {
    "step": 10,
    "energy_distance": 0.3,
    "equal_samples": 0.002,
    "compared_with": "held-out events",
    "critic_loss": 0.7,
    "generator_loss": 0.8,
}


def _log(path: Path, rows: list[dict[str, Any]], end: str = "") -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows) + end, encoding="utf-8")
    return path


def _rows() -> list[dict[str, Any]]:
    return [{**ROW, "step": step, "energy_distance": 3 / step, "critic_loss": 1 / step} for step in range(10, 110, 10)]


def test_the_numbers_are_in_the_picture() -> None:
    """The distance lies over the steps above its mean for equal samples, and the losses below; there is no title."""
    pytest.importorskip("matplotlib")
    figure = training.draw(_rows())
    top, bottom = figure.axes
    distance, equal = top.get_lines()
    steps = list(range(10, 110, 10))
    np.testing.assert_array_equal(distance.get_xdata(), steps)
    np.testing.assert_allclose(np.asarray(distance.get_ydata()), [3 / step for step in steps])
    assert set(np.asarray(equal.get_ydata())) == {0.002}
    assert [line.get_label() for line in bottom.get_lines()] == ["critic loss", "generator loss"]
    np.testing.assert_allclose(np.asarray(bottom.get_lines()[0].get_ydata()), [1 / step for step in steps])
    assert "held-out events" in top.get_ylabel()
    assert (bottom.get_ylabel(), bottom.get_xlabel()) == ("loss", "step")
    assert not top.get_title().strip()  # it makes room for the legend
    assert figure.get_suptitle() == ""


def test_the_picture_is_a_file(tmp_path: Path) -> None:
    """It is a PNG, the same for the same log; a line that was cut short is left out, and a lone one will do."""
    pytest.importorskip("matplotlib")
    first = training.png(_log(tmp_path / "log", _rows()))
    assert first.startswith(b"\x89PNG")
    assert training.png(_log(tmp_path / "log", _rows(), end='{"step": 12')) == first
    assert training.png(_log(tmp_path / "log", _rows()[:1])).startswith(b"\x89PNG")


def test_distances_may_be_missing() -> None:
    """A log without energy distances is drawn with what there is."""
    pytest.importorskip("matplotlib")
    figure = training.draw([{"step": step, "critic_loss": 1.0, "generator_loss": 2.0} for step in (1, 2)])
    assert np.isnan(np.asarray(figure.axes[0].get_lines()[0].get_ydata(), dtype=float)).all()


@pytest.mark.parametrize("text", ["", "hello\n", "[1]\n", '{"step": 1}\n', '{"step": "1"}\n', "3\n", "\n"])
def test_what_is_no_log(tmp_path: Path, text: str) -> None:
    """Anything but the log of a training is refused by name."""
    path = tmp_path / "log"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"log: .*expected lines of JSON"):
        training.lines(path)
    with pytest.raises(InputError, match="none: cannot be read"):
        training.lines(tmp_path / "none")
