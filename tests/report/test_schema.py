"""The JSON Schema is published, describes what is written, and refuses what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.cli import main
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.report import schema
from pytest_ganvalid.report.document import Check, Result, Run, Session

COMPARISON = gv.compare(gv.Counts([900, 1_100]), gv.Counts([1_000, 1_000]), n_required=100, name="charge")
NUMBER = compare_estimates((1.01, 0.01, 1e4), (1.0, 0.01, 1e4), n_required=100, name="width")


def _report() -> gv.Report:
    events = [np.random.default_rng(seed).normal(size=(2_000, 2)) for seed in (1, 2)]
    samples = [{"mass": values[:, 0], "pt": values[:, 1], "one": np.ones(2_000)} for values in events]
    return replace(gv.validate(*samples, n_required=100, n_train=50, bins=5), notes=("so",))


REPORT = _report()
SESSION = Session(
    finished=True,
    exit_status=None,
    failures=(),
    rows=(),
    checks=tuple(Check.of("t", result) for result in (REPORT, COMPARISON, NUMBER)),
    run=Run(date="2030-01-02T03:04:05+00:00", version="1"),
)


def _validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    return jsonschema.Draft202012Validator(json.loads(schema.FILE.read_text(encoding="utf-8")))


def test_it_is_published() -> None:
    """The file in the package is what the classes give; ``ganvalid report --schema -o FILE`` writes it anew."""
    assert schema.FILE.read_text(encoding="utf-8") == schema.text()
    assert json.loads(schema.text()) == schema.schema()


def test_it_is_a_schema() -> None:
    """It is one by the meta-schema of draft 2020-12, and every reference in it leads somewhere."""
    validator = _validator()
    validator.check_schema(validator.schema)
    text, names = schema.text(), validator.schema["$defs"]
    assert {part.partition('"')[0] for part in text.split('"#/$defs/')[1:]} <= set(names)


@pytest.mark.parametrize("document", [SESSION, REPORT, COMPARISON, NUMBER], ids=lambda document: str(document.KIND))
def test_what_is_written_is_valid(document: Session | Result) -> None:
    """Sessions, reports and comparisons of every kind are valid, infinite numbers included."""
    _validator().validate(json.loads(document.to_json()))
    if isinstance(document, gv.Comparison):
        infinite = replace(
            document, n_equivalent=gv.Interval(lower=1.0, estimate=np.inf, upper=np.inf), n_supported=np.inf
        )
        _validator().validate(json.loads(infinite.to_json()))


def test_test_runs_and_the_command_write_the_same(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--ganvalid-report`` and ``check -o`` write sessions that are valid, with the same members at every level."""
    pytester.makepyfile(
        """
        import numpy as np, pytest

        @pytest.mark.ganvalid(n_required=100)
        def test_it(ganvalid):
            sides = [{"mass": np.random.default_rng(seed).normal(size=2_000)} for seed in (1, 2)]
            for name, side in zip(("g", "r"), sides):
                np.savez(name + ".npz", **side)
            ganvalid.check(*sides, bins=5)
        """
    )
    assert pytester.runpytest_inprocess("--ganvalid-report=out").ret == 0
    monkeypatch.chdir(pytester.path)
    assert main(["check", "g.npz", "r.npz", "--n-required", "100", "--bins", "5", "-o", "report.json"]) == 0
    one, other = (json.loads(Path(name).read_text()) for name in ("out/report.json", "report.json"))
    for document in (one, other):
        _validator().validate(document)
    assert set(one) == set(other)
    for path in (("run",), ("rows", 0), ("checks", 0), ("checks", 0, "result")):
        assert set(_at(one, *path)) == set(_at(other, *path))
    assert one["run"]["command"].startswith("pytest ")
    assert other["run"]["command"] == "ganvalid check g.npz r.npz --n-required 100 --bins 5 -o report.json"
    assert (one["rows"][0]["outcome"], other["rows"][0]["outcome"]) == ("ROBUST", "ROBUST")


def _at(document: Any, *path: str | int) -> Any:
    for step in path:
        document = document[step]
    return document


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.pop(name)


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no_version": _without("version"),
    "no_kind": _without("kind"),
    "another_kind": lambda d: d.update(kind="plan"),
    "another_version": lambda d: d.update(version=1),
    "no_verdict": _without("verdict"),
    "another_verdict": lambda d: d.update(verdict="FINE"),
    "unknown": lambda d: d.update(more=1),
    "word": lambda d: d.update(power="high"),
    "beyond_a_limit": lambda d: d.update(power=1.5),
    "negative": lambda d: d.update(n_required=-1.0),
    "no_integer": lambda d: d.update(bins=2.5),
    "null": lambda d: d.update(n_required=None),
    "flag_beside_a_number": lambda d: d.update(n_required_infinite=True),
    "false_flag": lambda d: d.update(n_required=None, n_required_infinite=False),
    "short_pair": lambda d: d["contents"].update(totals=[1.0]),
    "long_pair": lambda d: d["contents"].update(totals=[1.0, 1.0, 1.0]),
    "no_limit": lambda d: d["n_equivalent"].pop("lower"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_not_read_is_not_valid(name: str) -> None:
    """What the package refuses to read as a comparison, the schema refuses too."""
    document = json.loads(COMPARISON.to_json())
    CHANGES[name](document)
    with pytest.raises(InputError):
        gv.Comparison.from_json(json.dumps(document))
    assert not _validator().is_valid(document)


def test_fields_are_described() -> None:
    """Every field of a result and of a session is described in words, those that are inherited too."""
    definitions = schema.schema()["$defs"]
    for name in ("Session", "Run", "Row", "Check", "Report", "Comparison", "EstimateComparison"):
        for field, value in definitions[name]["properties"].items():
            if field not in {"kind", "version"} and not field.endswith("_infinite"):
                assert len(value["description"]) > 5, (name, field)
