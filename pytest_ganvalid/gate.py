"""The gate: what the ``ganvalid`` fixture does in a test."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
import pytest

from pytest_ganvalid import check as flow
from pytest_ganvalid._arguments import check_event_count
from pytest_ganvalid._options import KEYWORDS, Settings
from pytest_ganvalid.errors import GanvalidError, InputError
from pytest_ganvalid.reasons import count
from pytest_ganvalid.report import text
from pytest_ganvalid.results import Comparison, Plan, Report
from pytest_ganvalid.statistics import planning

if TYPE_CHECKING:
    from typing import Self

__tracebackhide__ = True  # a traceback of a failed check ends in the user's test
_MARKER = "ganvalid"
_FOR_HISTOGRAMS = ("n_required", "n_train", "confidence", "max_bias", "max_local_bias", "min_power", "min_expected")
_FOR_PLANS = ("confidence", "max_bias")


P = ParamSpec("P")
T = TypeVar("T")


def _at_the_surface(method: Callable[P, T]) -> Callable[P, T]:
    """Let errors about the user's input start at the user's call, not deep inside the package."""

    @functools.wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except GanvalidError as error:
            raise error.with_traceback(None) from None

    return wrapped


class Gate:
    """Compares generated with reference events in a test; see ``check``."""

    def __init__(self, nodeid: str, stated: Mapping[str, Any], settings: Settings, *, marked: bool) -> None:
        """Hold what the test's markers and the command line say.

        Args:
            nodeid: The test.
            stated: The keywords of its markers.
            settings: Command line and ini file.
            marked: Whether the test has the marker at all.
        """
        self._nodeid = nodeid
        self._stated = dict(stated)
        self._settings = settings
        self._marked = marked
        self.records: list[dict[str, Any]] = []

    @classmethod
    def for_item(cls, item: pytest.Item, settings: Settings) -> Self:
        """Make the gate of a test."""
        return cls(item.nodeid, marker_keywords(item), settings, marked=item.get_closest_marker(_MARKER) is not None)

    def check(self, generated: object, reference: object, **keywords: Any) -> Report:  # noqa: ANN401
        """Fail the test unless the generated sample is shown to be as good as n_required true events.

        Args:
            generated: Events (see `pytest_ganvalid.validate`) or a histogram (see `pytest_ganvalid.compare`).
            reference: The same kind, from true simulation.
            **keywords: Those of ``validate`` or ``compare``; they take precedence over the marker's.

        Returns:
            The report, which is ROBUST; for histograms it holds one comparison.
        """
        if _is_histogram(generated) and _is_histogram(reference):
            report = text.as_report(self._compare(generated, reference, keywords))
        else:
            report = self._validate(generated, reference, keywords)
        self._record(report, gate=True)
        if not report.robust:
            pytest.fail(text.explain(report), pytrace=False)
        return report

    def validate(self, generated: object, reference: object, **keywords: Any) -> Report:  # noqa: ANN401
        """Return the report on two samples of events, whatever the verdict."""
        report = self._validate(generated, reference, keywords)
        self._record(report, gate=False)
        return report

    def compare(self, generated: object, reference: object, **keywords: Any) -> Comparison:  # noqa: ANN401
        """Return the comparison of two histograms, whatever the verdict."""
        comparison = self._compare(generated, reference, keywords)
        self._record(comparison, gate=False)
        return comparison

    def plan(self, n_required: float | None = None, **keywords: Any) -> Plan:  # noqa: ANN401
        """Plan sample sizes (see `pytest_ganvalid.plan`) for the marker's n_required and limits."""
        merged = self._merge({"n_required": n_required} if n_required is not None else {})
        limits = {name: merged[name] for name in _FOR_PLANS if name in merged}
        return planning.plan(merged["n_required"], **{**limits, **keywords})

    def require_demonstration(self) -> None:
        """Fail a test that passed without having demonstrated anything."""
        gates = [record for record in self.records if record["gate"]]
        if not gates:
            looked = " (compare and validate only look, and never fail)" if self.records else ""
            pytest.fail(
                f"ganvalid: the test is marked but made no check{looked}: nothing was demonstrated; call "
                "ganvalid.check(generated, reference), or remove the marker",
                pytrace=False,
            )
        if not all(record["robust"] for record in gates):
            pytest.fail(
                "ganvalid: a check of this marked test failed and the failure was swallowed; let it propagate, or use "
                "ganvalid.validate, which returns the verdict, in a test without the marker",
                pytrace=False,
            )

    @_at_the_surface
    def _validate(self, generated: object, reference: object, keywords: Mapping[str, Any]) -> Report:
        return flow.validate(generated, reference, **self._merge(keywords))

    @_at_the_surface
    def _compare(self, generated: object, reference: object, keywords: Mapping[str, Any]) -> Comparison:
        name = keywords.get("name", "")
        merged = self._merge({key: value for key, value in keywords.items() if key != "name"})
        pointless = sorted(set(merged) - set(_FOR_HISTOGRAMS))
        if pointless:
            msg = f"{pointless} have no meaning for histograms; expected {', '.join(_FOR_HISTOGRAMS)}"
            raise InputError(msg)
        return flow.compare(generated, reference, name=name, **merged)

    def _merge(self, keywords: Mapping[str, Any]) -> dict[str, Any]:
        """Keywords of the call over the marker's over command line and ini file."""
        _refuse_unknown(keywords)
        options = {"confidence": self._settings.confidence, "max_bias": self._settings.max_bias}
        merged = {name: value for name, value in options.items() if value is not None}
        merged.update(self._stated)
        merged.update(keywords)
        merged["n_required"] = self._n_required(keywords.get("n_required"))
        return merged

    def _n_required(self, called: object) -> float:
        """What the test states, raised by options but never lowered."""
        marked = self._stated.get("n_required")
        stated = [check_event_count("n_required", n) for n in (called, marked) if n is not None]
        if called is not None and marked is not None and stated[0] < stated[1]:
            msg = f"n_required={called} lowers the marker's n_required={marked}; the marker states what is needed"
            raise InputError(msg)
        refuse_lowering(self._nodeid, stated[0] if stated else None, self._settings)
        floors = [n for n in (*stated[:1], self._settings.n_required, self._settings.n_required_ini) if n is not None]
        if not floors:
            msg = (
                "n_required is missing: how many true events shall the generated sample stand in for? State it with "
                "@pytest.mark.ganvalid(n_required=...), in the call, or with --ganvalid-n-required"
            )
            raise InputError(msg)
        return max(floors)

    def _record(self, result: Report | Comparison, *, gate: bool) -> None:
        kind = "report" if isinstance(result, Report) else "comparison"
        self.records.append(
            {"nodeid": self._nodeid, "kind": kind, "gate": gate, "robust": result.robust, "result": result.to_json()}
        )


def marker_keywords(item: pytest.Item) -> dict[str, Any]:
    """Merge the keywords of all markers of a test, the closest last."""
    merged: dict[str, Any] = {}
    for marker in reversed(list(item.iter_markers(_MARKER))):
        merged.update(marker.kwargs)
    return merged


def check_markers(items: Iterable[pytest.Item], settings: Settings) -> None:
    """Refuse unknown keywords, impossible numbers, and a lowered n_required.

    Raises:
        pytest.UsageError: For the first test whose marker is wrong.
    """
    for item in items:
        try:
            for marker in item.iter_markers(_MARKER):
                if marker.args:
                    msg = f"the marker takes keywords only; got {marker.args!r}; expected {', '.join(KEYWORDS)}"
                    raise InputError(msg)
                _refuse_unknown(marker.kwargs)
            stated = marker_keywords(item).get("n_required")
            number = None if stated is None else check_event_count("n_required", stated)
        except GanvalidError as error:
            msg = f"{item.nodeid}: ganvalid marker: {error}"
            raise pytest.UsageError(msg) from None
        refuse_lowering(item.nodeid, number, settings)


def refuse_lowering(nodeid: str, stated: float | None, settings: Settings) -> None:
    """Refuse a command line that asks for less than a test states.

    Raises:
        pytest.UsageError: If it does.
    """
    if stated is not None and settings.n_required is not None and settings.n_required < stated:
        msg = (
            f"--ganvalid-n-required={count(settings.n_required)} would lower the n_required={count(stated)} that "
            f"{nodeid} states its analysis needs; the option may only raise it"
        )
        raise pytest.UsageError(msg)


def _refuse_unknown(keywords: Iterable[str]) -> None:
    unknown = sorted(set(keywords) - set(KEYWORDS))
    if unknown:
        msg = f"unknown keyword {', '.join(unknown)}; expected {', '.join(KEYWORDS)}"
        raise InputError(msg)


def _is_histogram(value: object) -> bool:
    """Tell histograms from tables of events."""
    if isinstance(value, np.ndarray):
        return value.dtype.names is None
    return isinstance(value, tuple | list) or (hasattr(value, "values") and hasattr(value, "variances"))
