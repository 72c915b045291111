"""Histograms of ROOT that are known not to hold what was filled are refused; those that may, are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.histograms.root import refuse_lossy

uproot: Any = pytest.importorskip("uproot")
identify: Any = pytest.importorskip("uproot.writing.identify")

CONTENTS = (3.0, 40.0, 50.0, 60.0, 5.0)  # with underflow and overflow
INSIDE, ALL = 150.0, 158.0
Th1 = Callable[..., str]


@pytest.fixture
def th1(tmp_path: Path) -> Th1:
    """A file with a TH1 of contents, and statistics that are by default those of filling it event by event."""

    def write(contents: Any = CONTENTS, kind: str = "d", squares: Any = None, **statistics: float) -> str:
        bins = len(contents) - 2
        inside = float(np.sum(contents[1:-1]))
        numbers = {"fEntries": float(np.sum(contents)), "fTsumw": inside, "fTsumw2": inside} | statistics
        data = np.array(contents, dtype={"d": ">f8", "f": ">f4", "i": ">i4", "s": ">i2", "c": ">i1"}[kind])
        axis = identify.to_TAxis("xaxis", "", bins, 0.0, float(bins))
        others = {
            "fTsumwx": 0.0,
            "fTsumwx2": 0.0,
            "fSumw2": None if squares is None else np.array(squares, dtype=">f8"),
        }
        name = str(tmp_path / f"{len(list(tmp_path.iterdir()))}.root")
        with uproot.recreate(name) as file:
            file["h"] = identify.to_TH1x(fName="h", fTitle="", data=data, fXaxis=axis, **numbers, **others)
        return f"{name}:h"

    return write


def compared(name: str) -> gv.Comparison:
    """A histogram compared with itself, by the name of its file."""
    return gv.compare(name, name, n_required=1)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"fTsumw": ALL, "fTsumw2": ALL},  # StatOverflows
        {"fTsumw": 0.0, "fTsumw2": 0.0, "fEntries": 5.0},  # SetBinContent
        {"fTsumw": 0.0, "fTsumw2": 1e6, "fEntries": 1e5},  # SetBinContent after weights
        {"fTsumw": 1.0, "fTsumw2": INSIDE + 1, "fEntries": 159.0},  # SetBinContent, then Fill
        {"fEntries": INSIDE},  # ResetStats
        {"fEntries": 5.0},  # SetBinContent, then Scale(1) or Merge, which compute the sums from the bins
        {"fEntries": 400.0},  # more calls than contents, merged
        {"fTsumw": 90.0, "fTsumw2": 90.0, "fEntries": 90.0},  # ResetStats in a range of the axis
        {"fTsumw": 154.0, "fTsumw2": 154.0},  # Rebin moved the last bins to overflow
        {"squares": 4 * np.array(CONTENTS) / 2, "fTsumw2": 2 * INSIDE},  # weights of 2, with Sumw2
        {"squares": CONTENTS, "contents": 0.5 * np.array(CONTENTS), "fTsumw2": INSIDE},  # weights of both signs
        {"contents": (0.0, 2.0**25, 3 * 2.0**24, 0.0), "kind": "f"},  # merged
        {"kind": "i"},
        {"contents": (126, 125, 124, 0), "kind": "c"},
    ],
)
def test_statistics_that_filling_and_arithmetic_leave(th1: Th1, how: dict[str, Any]) -> None:
    """What ROOT's own methods make of the statistics is no reason to refuse the bins."""
    assert compared(th1(**how)).n_reference > 0


@pytest.mark.parametrize("kind", ["c", "s", "i", "f"])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_counters_at_their_maximum(th1: Th1, kind: str, place: int) -> None:
    """A counter that cannot count further is refused, underflow and overflow too, with the remedy."""
    contents = [1.0, 2.0, 3.0, 4.0]
    contents[place] = {"c": 127, "s": 32_767, "i": 2**31 - 1, "f": 2**24}[kind]
    with pytest.raises(gv.InputError, match=rf"TH1{kind.upper()} holds .* at bin {place} .*counters stop.*fill a TH1D"):
        compared(th1(contents, kind, fTsumw=0.0))


def test_counters_in_two_dimensions(tmp_path: Path) -> None:
    """A TH2 is read like a TH1: its counters, and its statistics without underflow and overflow of either axis."""
    axes = {name: identify.to_TAxis(name.lower(), "", 2, 0.0, 2.0) for name in ("fXaxis", "fYaxis")}
    zeros = {f"fTsum{name}": 0.0 for name in ("wx", "wx2", "wy", "wy2", "wxy")}
    for most, total, fits in ((9.0, 12.0, True), (2.0**24, 2.0**24 + 3, False), (9.0, 33.0, False)):
        data = np.ones((4, 4), dtype=">f4")
        data[2, 1] = most
        name = str(tmp_path / "two.root")
        with uproot.recreate(name) as file:
            file["h"] = identify.to_TH2x(
                fName="h", fTitle="", data=data.ravel(), fEntries=40.0, fTsumw=total, fTsumw2=total, fSumw2=None,
                fScalefactor=1.0, **axes, **zeros,
            )  # fmt: skip
        if fits:
            assert compared(f"{name}:h").n_reference == pytest.approx(24)
        else:
            with pytest.raises(gv.InputError, match=r"counters stop|by its own statistics"):
                compared(f"{name}:h")


def test_bins_that_hold_less_than_the_statistics(th1: Th1) -> None:
    """Counters that stopped before they were merged or scaled are seen by the sum of weights, or by the entries."""
    half = np.array([0.0, 2.0**23, 3e6, 0.0])
    for name in (
        th1(half, "f", fTsumw=1.5e7, fTsumw2=1.5e7),
        th1(half, "d", fTsumw=half.sum() + 1, fTsumw2=half.sum() + 1),
        th1((0, 9e6, 9e6, 2.0**25), "f", fEntries=6e7),  # overflow, which fTsumw leaves out
        th1(half, "f", squares=half / 2, fTsumw=1.5e7),
    ):
        with pytest.raises(gv.InputError, match=r"by its own statistics, and its bins hold .*ResetStats\(\)"):
            compared(name)


@pytest.mark.parametrize("squares", [None, CONTENTS])
def test_weights_without_their_squares(th1: Th1, squares: Any) -> None:
    """Weights whose squares were not kept, or only from the end of filling on, are not taken for counts."""
    for more in ({}, {"fTsumw": ALL}):
        with pytest.raises(gv.InputError, match=r"filled with weights .* effective events.*Sumw2\(\)"):
            compared(th1(squares=squares, fTsumw2=1000 * INSIDE, **more))


def test_the_size_of_weights_without_squares(th1: Th1) -> None:
    """Two hundred events of weight 1000 are refused as weights, and the message says that they are two hundred."""
    with pytest.raises(gv.InputError, match=r"200 effective events"):
        compared(th1((0, 9e4, 1.1e5, 0), fEntries=200.0, fTsumw2=2e8))


def test_events_in_the_buffer() -> None:
    """Events that ROOT holds back to choose an axis are not in the bins; those that it has filled, are."""

    class Buffered:
        classname = "TH1D"

        def __init__(self, waiting: float) -> None:
            self.members = {"fBuffer": np.array([waiting, 1.0, 0.3]), "fTsumw": 0.0}

        def member(self, name: str, none_if_missing: bool) -> Any:  # noqa: FBT001 - as uproot has it
            return self.members.get(name) if none_if_missing else self.members[name]

    contents = np.array([0.0, 1.0, 0.0])
    refuse_lossy(Buffered(-1.0), contents, contents, "generated")
    with pytest.raises(gv.InputError, match=r"^generated: 1 events are in the histogram's buffer.*BufferEmpty\(\)"):
        refuse_lossy(Buffered(1.0), contents, contents, "generated")
    refuse_lossy(object(), contents, contents, "generated")
