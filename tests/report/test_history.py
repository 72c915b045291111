"""Releases beside each other: what is shown of each, when an alarm is raised, and what has changed."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.report import history
from pytest_ganvalid.report.history import History, changes, history_of, p_perfect, page, picture, sparks
from pytest_ganvalid.report.text import Result

BINS, N = 12, 6_000


def compared(seed: int, slope: float = 0.0, n: int = N, n_required: int = 500) -> gv.Comparison:
    """A release that is perfect but for a slope, against the one reference."""
    shares = 1 + slope * np.linspace(-1, 1, BINS)
    generated = np.random.default_rng(seed).multinomial(n, shares / shares.sum())
    reference = np.random.default_rng(99).multinomial(N, np.full(BINS, 1 / BINS))
    edges = np.arange(BINS + 1.0)
    return gv.compare(gv.Counts(generated, edges=edges), gv.Counts(reference, edges=edges), n_required=n_required)


def reports(*slopes: float) -> dict[str, dict[str, Result]]:
    """Releases ``v0``, ``v1``, … with an observable of these slopes and a perfect one."""
    return {
        f"v{i}": {"": gv.combine({"x": compared(2 * i, slope), "y": compared(2 * i + 1)})}
        for i, slope in enumerate(slopes)
    }


def test_what_is_shown_of_a_release() -> None:
    """Each observable has its verdict, supported events beside what is expected, and Δ with its interval."""
    found = reports(0, 0)
    history = history_of(found)
    assert history.releases == ("v0", "v1")
    assert history.names == ("x", "y")
    result = found["v1"][""]
    assert isinstance(result, gv.Report)
    comparison, entry = result.histograms["y"], history.of("y")[1]
    assert entry is not None
    assert (entry.release, entry.verdict, entry.n_supported) == ("v1", comparison.verdict, comparison.n_supported)
    assert entry.expected == comparison.expected_n_supported
    assert entry.delta is not None
    assert entry.delta.upper == 2 * comparison.separation.upper
    assert history.alarms == ()


def test_a_release_that_stands_out_raises_an_alarm() -> None:
    """A slope among perfect releases is found in its observable and release, and in no other."""
    history = history_of(reports(0, 0, 0.3, 0))
    assert [(entry.release, entry.observable) for entry in history.alarms] == [("v2", "x")]
    assert "alarm: v2 in x (p = " in history.sentence()
    assert "no alarm in 4 comparisons of 2 releases" in history_of(reports(0, 0)).sentence()


def test_the_rate_is_shared() -> None:
    """The limit of p falls with the number of comparisons, and what is an alarm by itself need not be one of many."""
    four: dict[str, dict[str, Result]] = {f"r{i}": {"": compared(i, 0.1 if i == 0 else 0.0)} for i in range(4)}
    p, *others = (entry.p_perfect or 0.0 for entry in history_of(four).entries)
    assert 4 * p < 1
    assert 2 * p < min(others)
    assert [alarm.release for alarm in history_of(four, rate=4 * p * 1.01).alarms] == ["r0"]
    assert not history_of(four, rate=4 * p * 0.99).alarms
    assert history_of({"r0": four["r0"]}, rate=p * 1.01).alarms


def test_slow_drifts_are_seen_in_the_shape() -> None:
    """The p-value of a slope is far below that of χ², that of a perfect release is no smaller than half of it."""
    sloped = compared(3, 0.15)
    p = p_perfect(sloped)
    assert p is not None
    assert p < sloped.p_value / 5
    flat = p_perfect(compared(4))
    assert flat is not None
    assert flat > 0.01


def test_numbers_raise_no_alarm() -> None:
    """A comparison of numbers is shown with what it has, and is none of the comparisons that share the rate."""
    estimate = gv.compare_estimates((1.0, 0.01, 50), (9.0, 0.01, 50), n_required=5, name="mean")
    assert p_perfect(estimate) is None
    history = history_of({"a": {"": gv.combine({"mean": estimate, "x": compared(1, n_required=5)})}})
    (entry, *_) = history.entries
    assert (entry.expected, entry.delta, entry.p_perfect, entry.alarm) == (None, None, None, False)
    assert "no alarm in 1 comparisons" in history.sentence()
    assert "mean" in history.table()


def test_texts_come_back() -> None:
    """JSON restores an equal history, and the table of cells has a row for each release and observable."""
    history = history_of(reports(0, 0.3))
    assert History.from_json(history.to_json()) == history
    rows = list(csv.DictReader(io.StringIO(history.to_csv())))
    assert [(row["release"], row["observable"]) for row in rows] == [("v0", "x"), ("v0", "y"), ("v1", "x"), ("v1", "y")]
    assert [row["alarm"] for row in rows] == ["false", "false", "true", "false"]
    assert float(rows[2]["delta_lower"]) > 0


def test_a_table_has_a_line_for_each_release() -> None:
    """Sparks and lines are told by observable, and a release that lacks it says so."""
    found = reports(0, 0.3, 0)
    found["v1"] = {"": compared(2, 0.3)}
    text = history_of({**found, "v1": {"": gv.combine({"x": compared(2, 0.3)})}}).table()
    lines = text.splitlines()
    assert lines[0] == "x"
    assert lines[1].startswith("  supported  ")
    assert lines[2].startswith("  Δ          ▁")
    assert [line.split()[0] for line in lines[4:7]] == ["v0", "v1", "v2"]
    assert lines[5].endswith("alarm")
    assert any(line.split() == ["v1", "not", "compared"] for line in lines)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([3, 3], "▁▁"),
        ([1, None, math.inf, 2], "▁ ∞█"),
        ([], ""),
        ([None], " "),
    ],
)
def test_sparks(values: list[float | None], line: str) -> None:
    """The smallest number is lowest, the largest highest, and what is missing or infinite is no number."""
    assert sparks(values) == line


def test_nothing_is_no_history() -> None:
    """Without a report there is nothing to show, and a rate is a probability."""
    with pytest.raises(gv.InputError, match="there is no report"):
        history_of({})
    with pytest.raises(gv.InputError, match="rate"):
        history_of(reports(0), rate=2)


def test_a_picture_and_a_page_are_made() -> None:
    """The picture is a PNG, also of one release and with names that look like formulas; the page escapes them."""
    pytest.importorskip("matplotlib")
    odd = {"<v$0$>": {"": compared(1)}, "v1": {"": compared(2, 0.3)}}
    image = picture(history_of(odd))
    assert image.startswith(b"\x89PNG")
    assert image == picture(history_of(odd))
    assert [sign.get_label() for sign in history._signs()] == [
        *("ROBUST", "UNPROVEN", "BIASED"),
        *("perfect generator, 2 of 3 cases", "n_required", "alarm"),
    ]
    text = page(history_of(odd), image)
    assert "&lt;v$0$&gt;" in text
    assert "<v$" not in text
    assert text.count("<tr class=alarm>") == 1
    assert "data:image/png;base64," in text
    assert "<img" not in page(history_of(odd))


def test_changes_are_told() -> None:
    """Verdicts that are worse, observables that are gone, and intervals that do not overlap are told."""
    found = reports(0, 0.6)
    (x, y) = changes(found["v0"], found["v1"])
    assert x.worse
    assert not y.worse
    assert x.lines()[0] == "x: ROBUST -> BIASED"
    assert x.lines()[-1].endswith(", beyond the intervals")
    assert y.lines()[0] == "y: ROBUST"
    assert not any(change.worse for change in changes(found["v1"], found["v0"]))
    alone = {"a.py::test": gv.combine({"x": compared(0)})}
    gone = {change.name: change for change in changes(found["v0"], alone)}
    assert gone["y"].worse
    assert gone["y"].lines() == ["y: ROBUST, only before"]
    assert not changes(alone, found["v0"])[1].worse
    assert changes(alone, found["v1"])[0].worse


def test_tests_of_sessions_keep_their_names() -> None:
    """Of sessions with several tests the observables of each are put beside those of the same."""
    one = {"a": gv.combine({"x": compared(0)}), "b": gv.combine({"x": compared(1)})}
    assert [change.name for change in changes(one, one)] == ["a: x", "b: x"]
    assert [entry.name for entry in history_of({"v": one}).entries] == ["a: x", "b: x"]
    alone = {"v0": {"a": compared(0)}, "v1": {"renamed": compared(1)}}
    assert len(history_of(alone).names) == 1
