"""How all pictures look: matplotlib's own style, a palette for all eyes, letters of two sizes, and few frames."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_ganvalid._extras import imported

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of Okabe and Ito, but for the pale ones.
INK, BLUE, VERMILION, GREEN, YELLOW = "#222222", "#0072B2", "#D55E00", "#009E73", "#F0E442"
SHADE, FILL, HATCH = "#E3E3E3", "#BFD3E6", "#B0B0B0"
SMALL, NORMAL = 8, 10
"""Sizes of letters."""
_COLUMNS = 2  # of a legend


@contextmanager
def default_style(feature: str) -> Iterator[None]:
    """Draw in the block by matplotlib's own style; a user's must not leak in.

    With text.usetex, for one, the name of an observable is a program.

    Args:
        feature: What is drawn, for the error message.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    imported("matplotlib", feature=feature, extra="report")
    from matplotlib import style

    with style.context("default"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph ")  # a name in letters that the font lacks
        yield


def tidy(axes: Axes) -> None:
    """Put the legend above the panel, where it hides no data.

    It has room of its own above, that of a title of as many lines; in the layout its length would narrow the panel.
    """
    axes.tick_params(labelsize=SMALL)
    legend = axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.04, 0.98),
        ncols=_COLUMNS,
        frameon=False,
        fontsize=SMALL,
        borderpad=0.2,
        columnspacing=1.2,
        handlelength=1.6,
        handletextpad=0.5,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    legend.set_in_layout(False)
    rows = math.ceil(len(legend.get_texts()) / _COLUMNS)
    axes.set_title("\n".join([" "] * rows), fontsize=SMALL, linespacing=1.45)
    without_frame(axes)


def without_frame(axes: Axes) -> None:
    """Leave out the frame where there is nothing to read off."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
