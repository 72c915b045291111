"""One session, told by terminal, page, ``report.json``, JUnit and history: one number for one thing."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from scipy import special

pytest.importorskip("jinja2")

MODULE = """
import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.observables import Mean

MARKED = pytest.mark.ganvalid(n_required=2_000)


def events(seed, shift=0.0):
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(shift, size=9_000),
        "y": rng.normal(size=9_000),
        "energy": np.repeat([10, 20, 20], 3_000),
        "w": rng.uniform(1, 2, 9_000),
    }


GENERATED, REFERENCE = events(1, 0.08), events(2)


@MARKED
def test_by(ganvalid):
    ganvalid.check(GENERATED, REFERENCE, observables=["x", "y"], by="energy")


@MARKED
def test_estimators(ganvalid):
    ganvalid.check(GENERATED, REFERENCE, observables=["x", Mean("x"), Mean("y")])


@MARKED
def test_columns_jointly(ganvalid):
    ganvalid.check(GENERATED, REFERENCE, observables=[("x", "y"), "y"])


@MARKED
def test_paired_rows(ganvalid):
    rng = np.random.default_rng(3)
    truth = rng.normal(size=9_000)
    sides = [{"x": truth + rng.normal(0, 0.1, 9_000), "event": np.arange(9_000)} for _ in range(2)]
    ganvalid.check(*sides, observables=["x"], cluster="event")


@MARKED
def test_weights(ganvalid):
    ganvalid.check(GENERATED, REFERENCE, observables=["x", "y"], weight="w")


@MARKED
def test_merged_parts(ganvalid):
    reference = gv.fill(REFERENCE, observables=["x", "y"])
    parts = [{name: values[i::2] for name, values in GENERATED.items()} for i in (0, 1)]
    ganvalid.check(gv.fill(parts[0], like=reference) + gv.fill(parts[1], like=reference), reference)


@MARKED
def test_contents(ganvalid):
    ganvalid.check(gv.Counts([10_000, 10_100, 9_900]), gv.Counts([20_000, 20_100, 19_950]), name="counts")


@MARKED
def test_numbers(ganvalid):
    ganvalid.check(gv.Estimate(91.3, 0.01, 60_000), gv.Estimate(91.2021, 0.012, 60_000), name="peak")


@MARKED
def test_two_checks(ganvalid):
    ganvalid.check(gv.Counts([10_000, 10_150, 9_850]), gv.Counts([20_000, 20_100, 19_950]), name="a")
    ganvalid.check(gv.Counts([10_000, 10_100, 9_900]), gv.Counts([20_000, 20_100, 19_950]), name="b")
"""
"""Gates of all verdicts, on whatever may be checked."""
OBSERVABLES = {
    "test_by": ["x | energy = 10", "y | energy = 10", "x | energy = 20", "y | energy = 20"],
    "test_estimators": ["x", "mean(x)", "mean(y)"],
    "test_columns_jointly": ["x:y", "y"],
    "test_paired_rows": ["x"],
    "test_weights": ["x", "y"],
    "test_merged_parts": ["x", "y"],
    "test_contents": ["counts"],
    "test_numbers": ["peak"],
    "test_two_checks": ["a", "b"],
}
ARGUMENTS = ("-p", "no:cacheprovider", "-p", "no:randomly")
NUMBERS = {"mean(x)", "mean(y)", "peak"}
"""Observables that are one number, and no histogram."""
_NUMBER = r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?|∞"
_SPAN = re.compile(rf"({_NUMBER}),? from ({_NUMBER}) to ({_NUMBER})")
_VERDICT = "(ROBUST|BIASED|UNPROVEN)"
_HEADLINE = re.compile(
    rf"{_VERDICT}: \d+ of (\d+) observables? at n_required ({_NUMBER}); supported ({_NUMBER}) \((.*)\)"
)
_TITLE = re.compile(rf"{_VERDICT} at n_required ({_NUMBER}); the data support ({_NUMBER}) (.*), (\d+) observables?")
_LINE = re.compile(rf"n_required ({_NUMBER}), supported ({_NUMBER}) \(([^;]*)\)")
_SHARES = re.compile(rf"({_NUMBER})(?: its share of n_required is ({_NUMBER}))?")


@dataclass(frozen=True, slots=True)
class Output:
    """What an output says, as it is shown.

    Attributes:
        checks: Test -> what is said of each of its checks: verdict, n_required, n_supported, weakest.
        observables: Test, observable -> quantity -> what is said of it: of a number with limits estimate and limits.
    """

    checks: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    observables: dict[tuple[str, str], dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def add_check(self, test: str, *words: str) -> None:
        """Take down what is said of a check."""
        names = ("verdict", "n_required", "n_supported", "weakest")
        self.checks.setdefault(test, []).append(dict(zip(names, words, strict=True)))


@dataclass(frozen=True, slots=True)
class Told:
    """All outputs of a session.

    Attributes:
        exact: ``report.json``: test -> its checks.
        terminal: What is printed with ``-vv``.
        summary: The lines of the table at the end.
        page: The tables of ``report.html``.
        index: The list of all observables at its begin.
        junit: JUnit's file.
        history: The table of ``ganvalid history``.
        table: Its rows as CSV.
    """

    exact: dict[str, list[dict[str, Any]]]
    terminal: Output
    summary: Output
    page: Output
    index: Output
    junit: Output
    history: Output
    table: dict[tuple[str, str], dict[str, str]]


def spans(text: str) -> tuple[str, ...]:
    """Estimate and limits, as they are shown."""
    match = _SPAN.match(text)
    assert match, text
    return match.groups()


def read_report(text: str) -> dict[str, list[dict[str, Any]]]:
    """Test -> the results of its checks."""
    checks: dict[str, list[dict[str, Any]]] = {}
    for check in json.loads(text)["checks"]:
        checks.setdefault(check["nodeid"].partition("::")[2], []).append(check["result"])
    return checks


def read_terminal(text: str) -> tuple[Output, Output]:
    """What is told of every check in full, and in the table at the end."""
    output, summary = Output(), Output()
    test = row = ""
    current: dict[str, tuple[str, ...]] = {}
    for line in text.partition("short test summary")[0].split("\n"):
        if started := re.fullmatch(r"_+ (test_\w+) _+|test_gates.py::(test_\w+)", line):
            test = started[1] or started[2]
        elif whole := _HEADLINE.fullmatch(line):
            output.add_check(test, whole[1], whole[3], whole[4], whole[5])
        elif of_one := re.fullmatch(rf"(\S.*): {_VERDICT}", line):
            current = output.observables[test, of_one[1]] = {"verdict": (of_one[2],)}
        elif of_row := re.fullmatch(rf"{_VERDICT} +test_gates.py::(test_\w+)", line):
            summary.checks[of_row[2]], row = [], of_row[1]
            test = of_row[2]
        elif row and (phrases := _LINE.match(line.strip())):
            summary.add_check(test, row, *phrases.groups())
        elif line.startswith("  χ²_req/ndf"):
            current["χ²/ndf"] = spans(line.split(maxsplit=1)[1])
        elif line.startswith(("  bias ", "  n_equivalent ")):
            label, words = line.split(maxsplit=1)
            current[label] = spans(words)
        elif supported := re.match(rf"  n_supported +({_NUMBER}) \(n_required ({_NUMBER})", line):
            current["n_supported"], current["n_required"] = (supported[1],), (supported[2],)
    return output, summary


class Page(HTMLParser):
    """The words of headings, of entries of lists, and of the cells of tables."""

    def __init__(self) -> None:
        """Know of no word yet."""
        super().__init__()
        self.section, self.caption = "", ""
        self.words: list[str] = []
        self.cells: list[str] = []
        self.found: list[tuple[str, str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin to collect words where they are of use."""
        if tag == "section":
            self.section = (dict(attrs).get("id") or "").partition("::")[2]
        if tag in {"h3", "li", "caption", "tr"}:
            self.cells = []
        if tag in {"h3", "li", "caption", "th", "td"}:
            self.words = []

    def handle_endtag(self, tag: str) -> None:
        """Take down what has been collected."""
        text = " ".join(" ".join(self.words).split())
        if tag == "caption":
            self.caption = text
        elif tag in {"th", "td"}:
            self.cells.append(text)
        elif tag == "tr":
            self.found.append((self.section, self.caption, self.cells))
        elif tag in {"h3", "li"}:
            self.found.append((self.section, tag, [text]))

    def handle_data(self, data: str) -> None:
        """Collect words."""
        self.words.append(data)


def read_page(text: str) -> tuple[Output, Output]:
    """What the page says in its tables, and in its index; the n_required of what is no stratum is its check's."""
    output, index, page = Output(), Output(), Page()
    page.feed(text)
    for test, kind, words in page.found:
        if kind == "h3" and (title := _TITLE.match(words[0])):
            output.add_check(test, title[1], title[2], title[3], title[4])
        elif kind in {"Histograms", "Single numbers"} and words[0] != "observable":
            name, verdict, first, bias, equivalent, supported, _ = words
            own = _SHARES.fullmatch(supported)
            assert own, supported
            output.observables[test, name] = {
                "verdict": (verdict,),
                "n_equivalent": spans(equivalent),
                "n_supported": (own[1],),
                "n_required": (own[2] or output.checks[test][-1]["n_required"],),
                **({"χ²/ndf": spans(first)} if kind == "Histograms" else {"bias": spans(bias)}),
            }
    listed = re.compile(rf"(.*) {_VERDICT} supports ({_NUMBER}), required ({_NUMBER}) test_gates.py::(test_\w+)")
    for _, kind, words in page.found:
        if kind == "li" and (entry := listed.fullmatch(words[0])):
            said = zip(("verdict", "n_supported", "n_required"), entry.groups()[1:4], strict=True)
            index.observables[entry[5], entry[1]] = {quantity: (shown,) for quantity, shown in said}
    return output, index


def read_junit(text: str) -> Output:
    """What the properties of tests say of their checks."""
    output = Output()
    for case in ET.fromstring(text).iter("testcase"):  # noqa: S314 - our own
        pairs = [(entry.attrib["name"], entry.attrib["value"]) for entry in case.iter("property")]
        for start in (i for i, (name, _) in enumerate(pairs) if name == "ganvalid_verdict"):
            own = {name.removeprefix("ganvalid_"): value for name, value in pairs[start : start + 5]}
            words = (own[name] for name in ("verdict", "n_required", "n_supported", "weakest"))
            output.add_check(case.attrib["name"], *words)
    return output


def read_history(text: str) -> Output:
    """What the table says of the only release."""
    output, name = Output(), ("", "")
    for line in text.split("\n"):
        if titled := re.fullmatch(r"test_gates.py::(test_\w+)(?:, check \d)?: (.*)", line):
            name = titled[1], titled[2]
        elif line.startswith("  report "):
            _, verdict, required, supported, *more = re.split(r" {2,}", line.strip())
            said = {"verdict": (verdict,), "n_required": (required,), "n_supported": (supported,)}
            output.observables[name] = said | ({"1000 Δ": tuple(more[1:4])} if more else {})
    return output


def read_table(text: str) -> dict[tuple[str, str], dict[str, str]]:
    """The rows of the table of the history."""
    rows = csv.DictReader(io.StringIO(text))
    return {(re.sub(".*::|, check.*", "", row["check"]), row["observable"]): row for row in rows}


def run(folder: Path, *command: str) -> str:
    """Run a module of Python in a folder, in a process of its own, and return what it prints."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1", "COLUMNS": "80"}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode in {0, 1, 3}, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the module of the gates is."""
    path = tmp_path_factory.mktemp("outputs")
    (path / "test_gates.py").write_text(MODULE)
    (path / "pytest.ini").write_text("[pytest]\n")
    return path


@pytest.fixture(scope="module")
def told(folder: Path) -> Told:
    """Run the session, and the history of its report."""
    printed = run(folder, "pytest", *ARGUMENTS, "-vv", "--ganvalid-report=out", "--junitxml=junit.xml")
    history = run(folder, "pytest_ganvalid", "history", "out/report.json", "-o", "history.csv")
    files = ("out/report.json", "out/report.html", "junit.xml", "history.csv")
    report, html, junit, table = ((folder / name).read_text(encoding="utf-8") for name in files)
    terminal, summary = read_terminal(printed)
    page, index = read_page(html)
    return Told(
        exact=read_report(report),
        terminal=terminal,
        summary=summary,
        page=page,
        index=index,
        junit=read_junit(junit),
        history=read_history(history),
        table=read_table(table),
    )


def agree(shown: str, exact: float) -> bool:
    """Whether a number that is shown is the exact one, rounded or cut off at its last digit."""
    if math.isinf(exact):
        return shown == "∞"
    mantissa, _, exponent = shown.replace(",", "").partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(shown.replace(",", "")) - exact) < unit


def ends(interval: dict[str, Any], scale: float = 1.0) -> list[float]:
    """Estimate and limits, exactly."""
    names = ("estimate", "lower", "upper")
    return [math.inf if interval.get(f"{name}_infinite") else scale * interval[name] for name in names]


def exact_numbers(c: dict[str, Any]) -> dict[str, list[float]]:
    """Quantity -> what ``report.json`` says of it."""
    numbers = {
        "n_required": [c["n_required"]],
        "n_supported": [c["n_supported"]],
        "n_equivalent": ends(c["n_equivalent"]),
    }
    if "bias" in c:
        return numbers | {"bias": ends(c["bias"])}
    return numbers | {"χ²/ndf": decisive(c), "1000 Δ": ends(c["separation"], 2_000)}


def decisive(c: dict[str, Any]) -> list[float]:
    """χ²/ndf of the test that decides: where most is shown, or least excluded, each as a share of what is allowed."""
    tests = []
    for test in c["tests"]:
        ndf = test["components"] or c["ndf"]
        bias = test["directional_bias"]
        excess = [x**2 / (2 * ndf) for x in (bias["estimate"], test["lower_corrected"], bias["upper"])]
        allowed = min(float(special.chdtri(ndf, 0.05)) / ndf - 1, c["max_bias"] ** 2 / 2)
        tests.append((excess[1 if c["verdict"] == "BIASED" else 2] / allowed, excess))
    return [1 + x for x in max(tests)[1]]


def comparisons(told: Told) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Every observable that was compared, and what ``report.json`` says of it."""
    for test, checks in told.exact.items():
        for check in checks:
            for name, comparison in check["comparisons"].items():
                yield (test, name), comparison


def test_every_output_has_every_observable(told: Told) -> None:
    """No output leaves out an observable, or a quantity of it, or has one of its own."""
    names = {(test, name) for test, some in OBSERVABLES.items() for name in some}
    assert {name for name, _ in comparisons(told)} == names
    common = {"verdict", "n_required", "n_supported"}
    for output, of_histograms, of_numbers in (
        (told.terminal, {"n_equivalent", "χ²/ndf"}, {"n_equivalent", "bias"}),
        (told.page, {"n_equivalent", "χ²/ndf"}, {"n_equivalent", "bias"}),
        (told.index, set(), set()),
        (told.history, {"1000 Δ"}, set()),
    ):
        assert output.observables.keys() == names
        for (_, name), said in output.observables.items():
            assert said.keys() == common | (of_numbers if name in NUMBERS else of_histograms)
    assert told.table.keys() == names


def test_numbers_of_observables_are_the_same(told: Told) -> None:
    """Verdict, n_required, n_supported, n_equivalent, χ²/ndf, Δ and bias are those of ``report.json``."""
    verdicts = set()
    for name, c in comparisons(told):
        exact = exact_numbers(c)
        verdicts.add(c["verdict"])
        for output in (told.terminal, told.page, told.index, told.history):
            said = dict(output.observables[name])
            assert said.pop("verdict") == (c["verdict"],)
            for quantity, shown in said.items():
                assert all(map(agree, shown, exact[quantity])), (name, quantity, shown, exact[quantity])
        row = told.table[name]
        assert (row["verdict"], float(row["n_required"]), float(row["n_supported"])) == (
            c["verdict"],
            c["n_required"],
            c["n_supported"],
        )
        deltas = [row[f"delta_{end}"] for end in ("estimate", "lower", "upper")]
        assert deltas == ["", "", ""] if "bias" in c else [1000 * float(d) for d in deltas] == exact["1000 Δ"]
    assert verdicts == {"ROBUST", "BIASED", "UNPROVEN"}


def test_terminal_page_and_history_show_the_same_digits(told: Told) -> None:
    """What two outputs show of an observable they show with the same digits."""
    for name in dict(comparisons(told)):
        terminal, page = told.terminal.observables[name], told.page.observables[name]
        for other in (page, told.index.observables[name], told.history.observables[name]):
            for quantity in ("verdict", "n_required", "n_supported"):
                assert other[quantity] == terminal[quantity]
        assert terminal["n_equivalent"] == page["n_equivalent"]
        assert terminal.get("χ²/ndf") == page.get("χ²/ndf")


def test_checks_are_told_alike(told: Told) -> None:
    """Verdict, n_required, n_supported and the weakest observable of each check are those of ``report.json``."""
    assert {test: len(checks) for test, checks in told.exact.items()} == dict.fromkeys(OBSERVABLES, 1) | {
        "test_two_checks": 2
    }
    for test, checks in told.exact.items():
        for output in (told.terminal, told.page, told.junit):
            assert len(output.checks[test]) == len(checks)
            for said, check in zip(output.checks[test], checks, strict=True):
                assert said["verdict"] == check["verdict"]
                assert is_short_for(said["weakest"], check["weakest"])
                assert agree(said["n_required"], check["n_required"])
                assert agree(said["n_supported"], check["n_supported"])
        shown = [[c["n_supported"] for c in out.checks[test]] for out in (told.terminal, told.page)]
        assert shown[0] == shown[1]
        least = min(shown[0], key=lambda number: int(number.replace(",", "")))
        assert [c["n_supported"] for c in told.summary.checks[test]] == [least]  # of several, in the table at the end
        exact = [(c["n_required"], c["n_supported"]) for c in checks]
        assert [(float(c["n_required"]), float(c["n_supported"])) for c in told.junit.checks[test]] == exact


def test_what_is_supported_follows_from_the_observables(told: Told) -> None:
    """What a check supports is what its weakest observable does, of its share of n_required."""
    for checks in told.exact.values():
        for check in checks:
            whole = {name: c["n_supported"] / c["share"] for name, c in check["comparisons"].items()}
            assert check["n_supported"] == whole[check["weakest"]] == min(whole.values())


@pytest.mark.usefixtures("told")
def test_workers_make_the_same_report(folder: Path) -> None:
    """Whoever runs the tests, ``report.json`` is the same to the last digit, but for when and by what it was made."""
    pytest.importorskip("xdist")
    run(folder, "pytest", *ARGUMENTS, "-n2", "--ganvalid-report=shared")
    alone, shared = (
        json.loads((folder / name / "report.json").read_text(encoding="utf-8")) for name in ("out", "shared")
    )
    assert alone.pop("run") != shared.pop("run")
    assert alone == shared


def is_short_for(shown: str, name: str) -> bool:
    """Whether this is a name, its middle perhaps left out."""
    head, dots, tail = shown.partition("…")
    return name.startswith(head) and name.endswith(tail) if dots else shown == name
