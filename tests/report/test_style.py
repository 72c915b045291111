"""All pictures look alike, whatever style a user has."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("matplotlib")

import matplotlib as mpl
from matplotlib.figure import Figure

from pytest_ganvalid.errors import MissingExtraError
from pytest_ganvalid.report import style


def test_style_of_the_user_is_left_alone() -> None:
    """Within the block settings are matplotlib's own, and afterwards those of the user."""
    with mpl.rc_context({"text.usetex": True, "font.size": 30}):
        with style.default_style("a plot"):
            assert (mpl.rcParams["text.usetex"], mpl.rcParams["font.size"]) == (False, 10)
        assert (mpl.rcParams["text.usetex"], mpl.rcParams["font.size"]) == (True, 30)


def test_names_are_no_formulas() -> None:
    """A legend shows what it is given, dollars and all, above the panel without a frame."""
    axes = Figure().subplots()
    axes.plot([0, 1], label="$x$")
    style.tidy(axes)
    legend = axes.get_legend()
    assert legend is not None
    (text,) = legend.get_texts()
    assert (text.get_text(), text.get_parse_math()) == ("$x$", False)
    assert not legend.get_in_layout()
    assert [axes.spines[side].get_visible() for side in ("top", "right", "left")] == [False, False, True]


def test_missing_matplotlib_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib the error names what was to be drawn, and the extra."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with (
        pytest.raises(MissingExtraError, match=r"a sketch needs .*'matplotlib'.*\[report\]"),
        style.default_style("a sketch"),
    ):
        pass
