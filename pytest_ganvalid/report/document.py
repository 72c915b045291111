"""What ``report.json`` holds: a session of checks, whether they were made in tests or by ``ganvalid check``.

The results in it are texts of their own, with their kind and version, so that each can be taken out and read alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pytest_ganvalid import _json
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.results import (
    VERSION,
    AnalysisComparison,
    Comparison,
    Document,
    EstimateComparison,
    Report,
    Verdict,
)

Result = Report | Comparison | EstimateComparison
C = TypeVar("C")
KINDS: Mapping[str, type[Result]] = {
    kind.KIND: kind for kind in (Report, Comparison, EstimateComparison, AnalysisComparison)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """When and by what a report was made.

    Attributes:
        date: ISO 8601, in UTC.
        version: Of pytest-ganvalid.
        command: The command line.
        commit: Commit of the version control system, with ``-dirty`` if files of it were changed; empty if not known.
        link: Address of the run of a CI system; empty if not known.
    """

    date: str
    version: str
    command: str = ""
    commit: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What has become of a test that is marked, or has made a check; see `pytest_ganvalid.session.Row`.

    Attributes:
        nodeid: The test, or what was compared.
        outcome: ROBUST, BIASED, UNPROVEN or *no demonstration*.
        reason: Why there is none; empty for a verdict.
        status: What pytest reports of it.
        checks: What the checks of its last run have come to.
        runs: How often it ran.
        earlier: What the checks of its earlier runs have come to.
        hidden: Whether a check was not ROBUST, and pytest does not say so.
        explanation: The words of the user's that it was skipped or expected to fail with; empty if there are none.
    """

    nodeid: str
    outcome: str
    reason: str
    status: str
    checks: tuple[str, ...]
    runs: Annotated[int, _json.Range(1)]
    earlier: tuple[str, ...]
    hidden: bool
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check of a test.

    Attributes:
        nodeid: The test, or what was compared.
        kind: That of the result.
        gate: Whether the check decided on the test, or only looked.
        robust: Whether agreement at n_required is demonstrated.
        result: What it has come to.
    """

    nodeid: str
    kind: str
    gate: bool
    robust: bool
    result: Result

    @classmethod
    def of(cls, nodeid: str, result: Result, *, gate: bool = True) -> Check:
        """Return a check with a result."""
        return cls(nodeid=nodeid, kind=result.KIND, gate=gate, robust=result.robust, result=result)

    @classmethod
    def from_node(cls, node: _json.Node) -> Check:
        """Read a check.

        Raises:
            InputError: If the node is no check, or does not agree with its result.
        """
        members = node.fields(*(field.name for field in fields(cls)))
        kind = members["kind"].choice(*KINDS)
        gate, robust = (_json.decode(bool, members[name]) for name in ("gate", "robust"))
        result = _json.decode_fields(KINDS[kind], _json.untagged(members["result"], kind, VERSION))
        if robust is not result.robust:
            members["robust"].refuse(f"{json.dumps(result.robust)}, which follows from the result")
        return cls.of(members["nodeid"].text(), result, gate=gate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Document):
    """All checks of a session, and what has become of its tests.

    Attributes:
        finished: Whether the session came to its end; if not, it demonstrates nothing.
        exit_status: That of pytest, or of ``ganvalid check``; ``None`` if it is not known.
        failures: Why the session fails whatever pytest says of its tests, in sentences.
        rows: A row for each test.
        checks: Checks and looks, by test.
        run: When and by what it was made; ``None`` if that is not known.
    """

    KIND: ClassVar[str] = "session"

    finished: bool
    exit_status: int | None
    failures: tuple[str, ...]
    rows: tuple[Row, ...]
    checks: tuple[Check, ...]
    run: Run | None = None

    def to_json(self, indent: int | None = None) -> str:
        """Write as a JSON text; `from_json` restores an equal object."""
        encoded = {"kind": self.KIND, "version": VERSION, **_json.encode(self)}
        for check, written_check in zip(self.checks, encoded["checks"], strict=True):
            written_check["result"] = json.loads(check.result.to_json())
        return json.dumps(encoded, indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read ``report.json``, or a report or comparison alone, which is a check that is not known the name of.

        Raises:
            InputError: If the text is none of these, or a value of it cannot be.
        """
        node = _json.parsed(text)
        kind = node.value.get("kind") if isinstance(node.value, dict) else None
        if kind == cls.KIND:
            return _json.decode_fields(cls, _json.untagged(node, cls.KIND, VERSION))
        if not isinstance(kind, str) or kind not in KINDS:
            msg = f"expected JSON of kind {cls.KIND!r} or {', '.join(map(repr, KINDS))}; got kind {kind!r}"
            raise InputError(msg)
        result = _json.decode_fields(KINDS[kind], _json.untagged(node, kind, VERSION))
        checks = (Check.of(getattr(result, "name", "") or kind, result),)
        return cls(finished=True, exit_status=None, failures=(), rows=(), checks=checks)


def of_last_run(checks: Sequence[C], states: Iterable[str]) -> Sequence[C]:
    """Return the checks of the last run of a test.

    Args:
        checks: Checks of all its runs that have a result, in their order.
        states: Outcomes of the checks of the last run, as in its row; a check that broke off has no result.
    """
    n_results = sum(state in tuple(Verdict) for state in states)
    return checks[-n_results:] if n_results else []


def written(
    records: Iterable[Mapping[str, Any]],
    rows: Iterable[Mapping[str, Any]],
    outcome: Mapping[str, Any],
    run: Run | None = None,
) -> bytes:
    """Write ``report.json``.

    Args:
        records: The checks, as the gate takes them down: their results are texts.
        rows: The outcome of each test; see `Row`.
        outcome: ``finished``, ``exit_status`` and ``failures``.
        run: When and by what it is made.
    """
    checks = []
    for record in records:
        result = json.loads(record["result"])
        # A test may have changed what objects answer; the verdict that is written down counts.
        checks.append({**record, "robust": result["verdict"] == Verdict.ROBUST, "result": result})
    tag = {"kind": Session.KIND, "version": VERSION}
    origin = {} if run is None else {"run": asdict(run)}
    return json.dumps({**tag, **origin, **outcome, "rows": list(rows), "checks": checks}, allow_nan=False).encode()
