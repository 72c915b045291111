"""A training as a picture, of the lines of JSON that it wrote: the energy distance over the steps, and the losses.

Uses matplotlib's objects only, never pyplot, so that figures and settings of others are left alone.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.report.style import BLUE, INK, NORMAL, VERMILION, default_style, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOSSES = ("critic_loss", "generator_loss")


def png(log: str | os.PathLike[str]) -> bytes:
    """Draw a training as a PNG file, 1120 pixels wide.

    Args:
        log: The file of JSON lines of `pytest_ganvalid.gan.train` or of ``ganvalid train``.

    Returns:
        The content of the file, the same whatever matplotlib style the user has chosen.

    Raises:
        InputError: If the file does not exist, or is no log of a training.
        MissingExtraError: If matplotlib is not installed.
    """
    rows = lines(log)
    with default_style("a picture of a training"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        file, figure = io.BytesIO(), draw(rows)
        FigureCanvasAgg(figure)
        figure.savefig(file, format="png")
    return file.getvalue()


def lines(log: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read the log of a training, at least one line of it.

    Raises:
        InputError: If the file does not exist, or is something else.
    """
    try:
        text = Path(log).read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]  # the last may be cut short
        good = bool(rows) and all(isinstance(row[name], int | float) for row in rows for name in ("step", *_LOSSES))
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{os.fspath(log)}: cannot be read as the log of a training ({error!r}); expected lines of JSON"
        raise InputError(msg) from error
    if not good:
        msg = f"{os.fspath(log)}: no step of a training is in it; expected lines of JSON with steps and losses"
        raise InputError(msg)
    return rows


def draw(rows: list[dict[str, Any]]) -> Figure:
    """Draw the lines of a log, by `lines`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 4.6), dpi=200, layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    steps = [row["step"] for row in rows]
    distances, equal = (
        np.array([row.get(name, np.nan) for row in rows], dtype=float) for name in ("energy_distance", "equal_samples")
    )
    top.plot(steps, distances, color=BLUE, linewidth=1.2, label="generated events")
    top.plot(steps, equal, color=INK, linewidth=0.8, linestyle="--", label="equal samples, on average")
    top.set_yscale("log", nonpositive="mask")
    compared_with = rows[-1].get("compared_with", "training events")
    top.set_ylabel(f"energy distance from\n{compared_with}, scaled", fontsize=NORMAL)
    for name, colour in zip(_LOSSES, (VERMILION, BLUE), strict=True):
        bottom.plot(steps, [row[name] for row in rows], color=colour, linewidth=0.8, label=name.replace("_", " "))
    bottom.set_ylabel("loss", fontsize=NORMAL)
    bottom.set_xlabel("step", fontsize=NORMAL)
    bottom.set_xlim(0, max(steps))
    for axes in (top, bottom):
        tidy(axes)
    return figure
