"""What is filled is said once: by which it is read, divided and compared, and where two plans differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.bins import Axis, Grid, Slabs, WithOutside
from pytest_ganvalid.histograms.kdtree import Cells, Cut
from pytest_ganvalid.observables.observable import Observable
from pytest_ganvalid.pipeline.plan import MULTIPLICITY, FillPlan, Histogram, check_storable
from pytest_ganvalid.pipeline.request import Side
from pytest_ganvalid.samples.sources import Source

PLAIN = Histogram("x", 0, Observable("x", ("x",)), Grid((Axis((0.0, 1.0)),)), "error")
SELECTED = Histogram("y", 0, Observable("y", ("y",), where="ok"), Grid((Axis((0.0,)),)), "overflow")
SEVERAL = Histogram("j", 0, Observable("j", ("j",)), Grid((Axis((0.0,)),)), "error", Grid((Axis((1.0, 2.0)),)))


def plan(*histograms: Histogram, **keywords: Any) -> FillPlan:
    """A plan of unweighted events that are not divided."""
    return FillPlan(**({"weight": None, "condition": None, "histograms": histograms, "key": None} | keywords))


def test_contents() -> None:
    """A selection has one bin more, for events outside, and several entries per event are numbered, too."""
    contents = plan(PLAIN, SELECTED, SEVERAL).contents()
    assert {name: content.size for name, content in contents.items()} == {"x": 3, "y": 3, "j": 2, f"j{MULTIPLICITY}": 3}
    assert [content.correlated for content in contents.values()] == [False, False, True, False]
    assert isinstance(contents["y"].bins, WithOutside)
    assert contents["y"].inside == SELECTED.bins
    both = replace(SEVERAL, observable=replace(SEVERAL.observable, where="ok"), stratum=3)
    assert [(one.size, one.stratum) for _, one in both.contents()] == [(3, 3), (4, 3)]


def test_observables_are_named_once() -> None:
    """An observable in several strata is one, and there are as many strata as the condition has bins."""
    strata = [replace(PLAIN, name=f"x | {i}", stratum=i) for i in range(3)]
    divided = plan(*strata, SELECTED, condition=("e", Axis((1.0, 2.0))))
    assert divided.observables == ("x", "y")
    assert (divided.strata, plan().strata) == (3, 1)


def test_columns_that_are_read() -> None:
    """Columns, selections, the condition and what expressions are made of are read, in the order of the source."""
    leading = Histogram("l", 0, Observable("l", ("leading(j)",)), Grid((Axis((0.0,)),)), "error")
    whole = plan(leading, SELECTED, PLAIN, condition=("e", Axis((1.0,))))
    there = ("w", "ok", "x", "e", "j", "y", "")
    assert whole.read_columns(there) == ("ok", "x", "e", "j", "y")
    assert plan(leading).read_columns(("leading(j)", "j")) == ("leading(j)",)
    for missing in ("ok", "x", "e", "j", "y"):
        with pytest.raises(InputError, match=f"^there is no column '{missing}'; there are \\['"):
            whole.read_columns([name for name in there if name != missing])


def changed_bins(bins: Any) -> FillPlan:
    """The plan with other bins."""
    return plan(replace(PLAIN, bins=bins))


SLABS = Slabs(Axis((0.0,)), (Axis((0.0, 1.0)), Axis((2.0,))))
DIFFERENCES: dict[str, tuple[FillPlan, FillPlan, str]] = {
    "nothing": (plan(PLAIN), plan(PLAIN), ""),
    "weight": (plan(PLAIN), plan(PLAIN, weight="w"), ""),
    "origin of bins": (plan(PLAIN), plan(PLAIN, bins_from=("a",)), ""),
    "what is known of a side": (plan(PLAIN), plan(replace(PLAIN, several={"generated": True})), ""),
    "condition": (
        plan(PLAIN),
        plan(PLAIN, condition=("e", Axis((1.0,)))),
        "the events are divided by nothing and by e",
    ),
    "bins of the condition": (
        plan(PLAIN, condition=("e", Axis((1.0,)))),
        plan(PLAIN, condition=("e", Axis((1.0, 2.0)))),
        "the bins of the condition 'e': 1 and 2 edges",
    ),
    "names": (plan(PLAIN, SELECTED), plan(PLAIN, SEVERAL), "only the first have ['y'], and only the second ['j']"),
    "more": (plan(PLAIN), plan(PLAIN, SEVERAL), "only the first have [], and only the second ['j']"),
    "columns": (
        plan(PLAIN),
        plan(replace(PLAIN, observable=Observable("x", ("a", "b")))),
        "'x': columns x and a:b",
    ),
    "selection": (
        plan(PLAIN),
        plan(replace(SELECTED, name="x", observable=Observable("x", ("x",), where="ok"))),
        "'x': selection None and ok",
    ),
    "nonfinite": (plan(PLAIN), plan(replace(PLAIN, nonfinite="overflow")), "'x': nonfinite error and overflow"),
    "entries": (plan(SEVERAL), plan(replace(SEVERAL, numbers=None)), "'j': events have one entry each, and several"),
    "edge": (plan(PLAIN), changed_bins(Grid((Axis((0.0, 2.0)),))), "'x': edge 1 is 1.0 and 2.0"),
    "edges": (plan(PLAIN), changed_bins(Grid((Axis((0.0,)),))), "'x': 2 and 1 edges"),
    "edges of numbers": (
        plan(SEVERAL),
        plan(replace(SEVERAL, numbers=Grid((Axis((1.0, 3.0)),)))),
        "'j': edge 1 is 2.0 and 3.0",
    ),
    "edges of entries": (
        plan(SEVERAL),
        plan(replace(SEVERAL, bins=Grid((Axis((5.0,)),)))),
        "'j': edge 0 is 0.0 and 5.0",
    ),
    "kind of bins": (
        plan(PLAIN),
        changed_bins(SLABS),
        "'x': bins of another kind, of shape (3,) and (5,)",
    ),
    "slabs": (
        changed_bins(SLABS),
        changed_bins(Slabs(Axis((0.0,)), (Axis((0.0, 1.0)), Axis((3.0,))))),
        "'x': edge 0 is 2.0 and 3.0",
    ),
    "cells": (
        changed_bins(Cells(("x",), Cut(0, 1.0, None, None, 2))),
        changed_bins(Cells(("x",), Cut(0, 2.0, None, None, 2))),
        "'x': other cells, 2 and 2",
    ),
}


@pytest.mark.parametrize("case", DIFFERENCES)
def test_differences(case: str) -> None:
    """The first difference of two plans is said in words, and there is none between a plan and itself."""
    one, other, difference = DIFFERENCES[case]
    assert one.difference(other) == difference
    assert not one.difference(one)
    assert not other.difference(other)


def test_what_can_be_stored() -> None:
    """Only histograms of columns can be stored, at least one, and each by a name of its own."""
    plan(PLAIN, SELECTED, SEVERAL).check_storable()
    with pytest.raises(InputError, match="there is no histogram; expected at least one"):
        plan().check_storable()
    with pytest.raises(InputError, match="two histograms are named 'x'; expected at least one, each with a name"):
        plan(PLAIN, SELECTED, PLAIN).check_storable()
    with pytest.raises(InputError, match="two histograms are named 'j: entries per event'"):
        plan(SEVERAL, replace(PLAIN, name=f"j{MULTIPLICITY}")).check_storable()
    wrong: list[Any] = [
        Observable("f", ("x",), function=len),
        Observable("f", (), function=len),
        Observable("f", ("x",), where=lambda events: events["x"] > 0),
        object(),
    ]
    for observable in wrong:
        with pytest.raises(InputError, match=r"is not made of columns alone.*expected column names, tuples of them"):
            check_storable(observable)
    with pytest.raises(InputError, match="observable 'f' is not made of columns alone"):
        plan(PLAIN, replace(SELECTED, observable=wrong[0])).check_storable()


def test_other_events_are_filled_alike_and_tell_what_is_left_out() -> None:
    """Where all columns are filled, a plan for other events knows which of theirs are left out; otherwise not."""
    source = Source(("x", "y", "w", "z"), [], refused={"bad": "is a list"})
    whole = plan(PLAIN, weight="v", skipped={"t": "not numeric"})
    other = whole.like(Side(source, "generated", "w"))
    assert other.weight == "w"
    assert other.skipped == {"bad": "cannot be read: it is a list", "t": "not numeric", "y": "", "z": ""}
    assert plan(PLAIN).like(Side(source, "generated", "w")).skipped is None
    with pytest.raises(InputError, match=r"that the generated sample lacks: \['x'\]"):
        whole.read_columns(["y"])
    with pytest.raises(InputError, match="there is no column 'x'"):
        plan(PLAIN).read_columns(["y"])


def test_a_condition_is_imposed_in_both_plans_or_in_none() -> None:
    """Plans differ where one says that the condition is imposed."""
    plans = [plan(PLAIN, condition=("e", Axis((1.0,))), imposed=imposed) for imposed in (True, False)]
    assert plans[0].difference(plans[1]) == "the condition is imposed on the generated events by one of them only"
    assert plans[0].difference(plans[0]) == ""
