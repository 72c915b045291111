"""The gate: the object that the ``ganvalid`` fixture gives a test."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from typing import Any, ParamSpec, TypeVar

import pytest

from pytest_ganvalid import _markers, ledger
from pytest_ganvalid import check as flow
from pytest_ganvalid._json import plain
from pytest_ganvalid._options import Settings
from pytest_ganvalid.attempts import Trial, counted_by, generator_digest
from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.histograms.counts import Counts, refuse_bare
from pytest_ganvalid.histograms.sums import is_uhi
from pytest_ganvalid.ledger import Attempt, Ledger, Line
from pytest_ganvalid.pipeline.planned import plan
from pytest_ganvalid.report import text
from pytest_ganvalid.results import AnalysisComparison, Comparison, Estimate, EstimateComparison, Plan, Report, Verdict
from pytest_ganvalid.session import Journal

__tracebackhide__ = True  # a traceback of a failed check ends in the user's test
_PROPERTIES = "ganvalid_"
_CALL_KEYWORDS = ("name", "required_error")
_ANALYSIS_KEYWORDS = (
    "sample",
    "channel",
    "observable",
    "bins",
    "n_sys",
    "measurement",
    "poi",
    "poi_value",
    "toys",
    "name",
)
_PLAN_KEYWORDS = ("confidence", "max_bias", "max_directional_bias", "smooth", "looks")


P = ParamSpec("P")
T = TypeVar("T")


def _short_traceback(method: Callable[P, T]) -> Callable[P, T]:
    """Let tracebacks of errors in the user's input end at the user's call, not deep inside the package."""

    @functools.wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except GanvalidError as error:
            raise error.with_traceback(None) from None

    return wrapped


class Gate:
    """Compares generated with reference events in a test; see ``check``."""

    def __init__(
        self,
        item: pytest.Item,
        settings: Settings,
        ledger: Ledger | None = None,
        *,
        journal: Journal | None = None,
        run: int = 1,
        details: bool = False,
    ) -> None:
        """Serve one run of a test.

        Args:
            item: The test.
            settings: Command line and ini file.
            ledger: Counts attempts; ``None`` counts those of this gate alone.
            journal: Records the outcomes of checks; ``None`` for one of this gate alone.
            run: Number of the run of the test.
            details: Whether a check that fails prints all numbers of every observable.
        """
        self._item = item
        self._settings = settings
        self._details = details
        self._ledger = Ledger() if ledger is None else ledger
        self.journal = Journal() if journal is None else journal
        self._token = self.journal.token()
        self._origin = {"gate": self._token, "nodeid": item.nodeid, "run": run}
        self._properties: list[tuple[str, str | int | float]] = []

    def check(self, generated: object, reference: object, **keywords: Any) -> Report:  # noqa: ANN401
        """Fail the test unless the generated sample is shown to be as good as n_required true events.

        Fresh generated events against a reference that was used here before are another attempt, at a stricter level.

        Args:
            generated: Events (see `pytest_ganvalid.validate`), a histogram (see `pytest_ganvalid.compare`) or an
                `Estimate` (see `pytest_ganvalid.compare_estimates`).
            reference: The same kind, from true simulation.
            **keywords: Those of the function for that kind; they take precedence over the marker's.

        Returns:
            The report, which is ROBUST; for histograms and estimates it holds one comparison.
        """
        number = self._write("begun")
        with self._attempt(keywords) as attempts:
            if isinstance(generated, Estimate) and isinstance(reference, Estimate):
                report = text.as_report(self._compare_estimates(generated, reference, keywords))
            elif _are_histograms(generated, reference):
                report = text.as_report(self._compare(generated, reference, keywords))
            else:
                report = self._validate(generated, reference, keywords)
            report = _with_history(report, *attempts)
        self._record(report, number)
        if not report.robust:
            pytest.fail(text.explain(report, details=self._details), pytrace=False)
        return report

    def check_analysis(self, workspace: object, generated: object, reference: object, **keywords: Any) -> Report:  # noqa: ANN401
        """Fail the test unless the bias of an analysis is shown to be at most max_bias of its uncertainty.

        The luminosity is that of the workspace, or the one at which the sample stands for the n_required of the marker
        or the call.

        Args:
            workspace: A pyhf workspace (see `pytest_ganvalid.analysis`).
            generated: Events or histograms of the sample that is generated.
            reference: The same kind, from true simulation.
            **keywords: Those of `pytest_ganvalid.analysis`; they take precedence over the marker's.

        Returns:
            The report, which is ROBUST; it holds one comparison.
        """
        number = self._write("begun")
        with self._attempt(keywords) as attempts:
            report = text.as_report(self._analysis(workspace, generated, reference, keywords))
            report = _with_history(report, *attempts)
        self._record(report, number)
        if not report.robust:
            pytest.fail(text.explain(report), pytrace=False)
        return report

    def analysis(
        self,
        workspace: object,
        generated: object,
        reference: object,
        **keywords: Any,  # noqa: ANN401
    ) -> AnalysisComparison:
        """Return the bias of an analysis, whatever the verdict."""
        comparison = self._analysis(workspace, generated, reference, keywords)
        self._record(comparison)
        return comparison

    def validate(self, generated: object, reference: object, **keywords: Any) -> Report:  # noqa: ANN401
        """Return the report on two samples of events, whatever the verdict."""
        report = self._validate(generated, reference, keywords)
        self._record(report)
        return report

    def compare(self, generated: object, reference: object, **keywords: Any) -> Comparison:  # noqa: ANN401
        """Return the comparison of two histograms, whatever the verdict."""
        comparison = self._compare(generated, reference, keywords)
        self._record(comparison)
        return comparison

    def compare_estimates(self, generated: object, reference: object, **keywords: Any) -> EstimateComparison:  # noqa: ANN401
        """Return the comparison of one number per sample, whatever the verdict."""
        comparison = self._compare_estimates(generated, reference, keywords)
        self._record(comparison)
        return comparison

    @_short_traceback
    def plan(self, n_required: float | None = None, **keywords: Any) -> Plan:  # noqa: ANN401
        """Plan sample sizes (see `pytest_ganvalid.plan`) for the marker's n_required and limits."""
        merged = self._merge({"n_required": n_required} if n_required is not None else {})
        limits = {name: merged[name] for name in _PLAN_KEYWORDS if name in merged}
        return plan(merged["n_required"], **{**limits, **keywords})

    def require_demonstration(self) -> None:
        """Fail a test that passed without having demonstrated anything."""
        if not self._states():
            self._write("bare")
            records = self.journal.records()
            has_results = any(record["nodeid"] == self._item.nodeid for record in records)
            hint = "\ncompare, compare_estimates and validate only look, and never fail" if has_results else ""
            pytest.fail(
                f"no demonstration: the test is marked but made no check{hint}\n"
                "next: call ganvalid.check(generated, reference), or remove the marker",
                pytrace=False,
            )
        self.refuse_lost_failures()

    def refuse_lost_failures(self) -> None:
        """Fail a test in which a check failed, or broke off, without the test failing from it."""
        if any(state != Verdict.ROBUST for state in self._states().values()):
            pytest.fail(
                "no demonstration: a check failed, and the failure did not reach the end of the\n"
                "  test (an except or suppress clause, a thread, a subtest?)\n"
                "next: let it propagate, or use ganvalid.validate, which returns the verdict, in\n"
                "  a test without the marker",
                pytrace=False,
            )

    def describe(self, properties: list[tuple[str, Any]]) -> None:
        """Put the outcomes of the checks among the properties of the test, in place of those of an earlier run."""
        properties[:] = [pair for pair in properties if not str(pair[0]).startswith(_PROPERTIES)] + self._properties

    def _states(self) -> dict[str, str]:
        """Return the states of the checks, those of forked processes as well."""
        return self.journal.states(self._token)

    def _write(self, state: str, number: str | None = None, **fields: Any) -> str:  # noqa: ANN401
        """Write into the journal, and return the number of the entry."""
        number = number or self.journal.token()
        self.journal.add(id=number, state=state, **self._origin, **fields)
        return number

    @_short_traceback
    def _validate(self, generated: object, reference: object, keywords: Mapping[str, Any]) -> Report:
        return flow.validate(generated, reference, **self._merge(keywords))

    @_short_traceback
    def _compare(self, generated: object, reference: object, keywords: Mapping[str, Any]) -> Comparison:
        return flow.compare(generated, reference, **self._merge_for("histograms", _accepted(flow.compare), keywords))

    @_short_traceback
    def _compare_estimates(
        self, generated: object, reference: object, keywords: Mapping[str, Any]
    ) -> EstimateComparison:
        merged = self._merge_for("estimates", _accepted(compare_estimates), keywords)
        return compare_estimates(generated, reference, **merged)

    @_short_traceback
    def _analysis(
        self, workspace: object, generated: object, reference: object, keywords: Mapping[str, Any]
    ) -> AnalysisComparison:
        from pytest_ganvalid.analyses import analysis  # whose modules no other check takes

        merged = self._merge_for("an analysis", _accepted(analysis), keywords, _ANALYSIS_KEYWORDS)
        return analysis(workspace, generated, reference, **merged)

    def _merge_for(
        self,
        kind: str,
        accepted: tuple[str, ...],
        keywords: Mapping[str, Any],
        call_keywords: tuple[str, ...] = _CALL_KEYWORDS,
    ) -> dict[str, Any]:
        """Merge the keywords for a kind of data; some can be given in the call only, and ``generator`` for any kind."""
        call_arguments = {key: value for key, value in keywords.items() if key in call_keywords and key in accepted}
        merged = self._merge({key: value for key, value in keywords.items() if key not in call_arguments}, kind)
        if "generator" not in accepted:
            merged.pop("generator", None)  # the ledger has it
        meaningless = sorted(set(merged) - set(accepted))
        if meaningless:
            msg = f"{meaningless} have no meaning for {kind}; expected {', '.join(accepted)}"
            raise InputError(msg)
        return merged | call_arguments

    def _merge(self, keywords: Mapping[str, Any], kind: str = "events") -> dict[str, Any]:
        """Keywords of the call, where they only tighten the marker's, within the bounds of command line and ini."""
        _markers.refuse_unknown(keywords)
        merged = _markers.tightened(self._item, keywords)
        merged = _markers.bounded(self._item.nodeid, merged, self._settings)
        if merged.get("n_required") is None and kind != "an analysis":  # its workspace says for how many
            msg = (
                "n_required is missing: how many true events shall the generated sample stand in for? State it with "
                "@pytest.mark.ganvalid(n_required=...), in the call, or with --ganvalid-n-required"
            )
            raise InputError(msg)
        return merged

    @contextmanager
    def _attempt(self, keywords: Mapping[str, Any]) -> Iterator[list[Attempt]]:
        """Count the check in the block; its attempt is in the list once its samples are known."""
        attempts: list[Attempt] = []
        with ExitStack() as stack:

            def count(trial: Trial) -> int:
                limits = asdict(trial.limits)
                gate = {
                    "test": self._item.nodeid,
                    "observables": list(trial.observables),
                    "n_required": float(trial.n_required),
                    "limits": plain({name: limits[name] for name in limits if name not in {"attempt", "looks"}}),
                }
                generator = trial.generator
                if generator is None:  # histograms and numbers do not carry it
                    value = {**_markers.keywords(self._item), **keywords}.get("generator")
                    generator = generator_digest(value)
                sample = ledger.Sample(
                    digest=trial.generated.digest,
                    parts=trial.generated.parts,
                    sums=trial.generated.sums,
                    generator=generator,
                )
                digest = trial.reference.digest
                attempts.append(stack.enter_context(self._ledger.attempt(gate, digest, sample, trial.limits.attempt)))
                return attempts[-1].number

            with counted_by(count):
                yield attempts

    def _record(self, result: Report | Comparison | EstimateComparison, number: str | None = None) -> None:
        """Record a result: of the check of this number or, without a number, of a comparison that is no check."""
        nodeid, gate = self._item.nodeid, number is not None
        record = {
            "nodeid": nodeid,
            "kind": result.KIND,
            "gate": gate,
            "robust": result.robust,
            "result": result.to_json(),
        }
        self._write(str(result.verdict) if gate else "looked", number, record=record)
        if gate:
            self._properties += _properties(text.as_report(result))


def _properties(report: Report) -> list[tuple[str, str | int | float]]:
    """Return the properties of a check for JUnit's files: builtins only, as the reports of tests cross processes."""
    numbers: dict[str, str | int | float] = {
        "verdict": str(report.verdict),
        "n_required": float(report.n_required),
        "n_supported": float(report.n_supported),
        "weakest": str(report.weakest),
        "observables": len(report.comparisons),
    }
    return [(f"{_PROPERTIES}{name}", value) for name, value in numbers.items()]


def _with_history(report: Report, attempt: Attempt) -> Report:
    """Add notes on earlier attempts, withhold ROBUST where a BIASED attempt stands, and set the attempt's verdict."""
    if attempt.standing:
        report = flow.withheld(
            report,
            f"{_in_words(attempt.standing)} of this same generator, which stands (this attempt would be ROBUST): "
            "pool the events of all its attempts in one check, or train the generator anew",
        )
    notes = list(attempt.notes)
    if attempt.pooled:
        notes.append("the events of all earlier attempts of this generator are pooled in these")
    elif attempt.standing:
        notes.append(f"{_in_words(attempt.standing)} of this same generator")
    elif attempt.biased:
        notes.append(
            f"{_in_words(attempt.biased)}; that does not bind a generator that was trained anew (generator= tells "
            "which one it is)"
        )
    attempt.verdict = str(report.verdict)
    return replace(report, notes=(*report.notes, *notes)) if notes else report


def _in_words(biased: Sequence[Line]) -> str:
    """Describe the attempts that were BIASED."""
    attempts = {line.generated.digest: f"{line.attempt} ({line.time})" for line in biased}
    numbers = ", ".join(attempts.values())
    return f"attempt {numbers} was BIASED" if len(attempts) == 1 else f"attempts {numbers} were BIASED"


def _accepted(function: Callable[..., object]) -> tuple[str, ...]:
    """List the keywords of a function."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY)


@_short_traceback
def _are_histograms(generated: object, reference: object) -> bool:
    """Tell histograms from events; beside a histogram the name of a file is that of another.

    Raises:
        InputTypeError: If a side may be either, or only one side is a histogram.
    """
    sides = {"generated": generated, "reference": reference}
    for side, value in sides.items():
        refuse_bare(value, side)
    histograms = [side for side, value in sides.items() if isinstance(value, Counts) or is_uhi(value)]
    others = [side for side in sides if side not in histograms]
    if histograms and others and not isinstance(sides[others[0]], str | os.PathLike):
        first, second = (type(sides[side]).__name__ for side in (histograms[0], others[0]))
        msg = (
            f"{histograms[0]} is a histogram ({first}), and {others[0]} is not ({second}); give histograms with the "
            "same bins on both sides, or events on both"
        )
        raise InputTypeError(msg)
    return bool(histograms)
