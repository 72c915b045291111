"""The results of a test run as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_ganvalid.errors import MissingExtraError, printable
from pytest_ganvalid.report.session import totals
from pytest_ganvalid.report.text import attempt_in_words
from pytest_ganvalid.results import Interval, Report, Verdict
from pytest_ganvalid.statistics.reasons import at_most, count, measured, percent, rounded

if TYPE_CHECKING:
    import jinja2

MEANINGS = {
    Verdict.ROBUST: "agreement at the error bars of n_required events is demonstrated",
    Verdict.BIASED: "a disagreement larger than those error bars is demonstrated",
    Verdict.UNPROVEN: "the data decide neither",
}
_AS_IS = "".join(set(string.punctuation) - set('"<>`%'))  # what browsers, too, leave alone after the # of an address


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of a test, and its pictures.

    Attributes:
        nodeid: The test.
        gate: Whether the check decided on the test, or only looked.
        report: The result.
        pictures: Name of the observable -> PNG file; may lack some.
    """

    nodeid: str
    gate: bool
    report: Report
    pictures: Mapping[str, bytes]


def render(
    checks: Sequence[Check], rows: Sequence[Mapping[str, Any]] = (), outcome: Mapping[str, Any] | None = None
) -> str:
    """Write the page, test by test in the order given.

    Args:
        checks: Checks and looks.
        rows: What has become of each test, which the headline counts; see `pytest_ganvalid.session.Row`.
        outcome: What has become of the session: ``exit_status`` and ``failures``.

    Raises:
        MissingExtraError: If jinja2 is not installed.
    """
    template = _environment().get_template("report.html.jinja")
    page: str = template.render(
        tests=_by_test(checks),
        rows=rows,
        totals=totals(rows),
        outcome=outcome or {"exit_status": 0, "failures": ()},
        meanings=MEANINGS,
        version=version("pytest-ganvalid"),
    )
    return page


def _environment() -> jinja2.Environment:
    try:
        import jinja2
    except ModuleNotFoundError as error:
        feature, package, extra = "an HTML report", "jinja2", "report"
        raise MissingExtraError(feature, package, extra) from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pytest_ganvalid.report"),
        autoescape=True,  # whatever the file is called: names are the user's
        finalize=escaped,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (anchor, at_most, count, data_uri, measured, percent, pretty, span, span_of_events)
    environment.filters.update({f.__name__: f for f in (*filters, attempt_in_words)})
    return environment


def _by_test(checks: Iterable[Check]) -> dict[str, list[Check]]:
    tests: dict[str, list[Check]] = {}
    for check in checks:
        tests.setdefault(check.nodeid, []).append(check)
    return tests


def escaped(value: object) -> object:
    """Escape what no page may hold, or what would show a text in another order; lines and marks of HTML stay."""
    plain = isinstance(value, str) and not hasattr(value, "__html__")
    return "\n".join(map(printable, str(value).split("\n"))) if plain else value


def anchor(nodeid: str) -> str:
    """Spell the identifier of a test as a browser spells it in an address."""
    return quote(nodeid, safe=_AS_IS, errors="replace")


def span(interval: Interval, unit: float = 1.0) -> str:
    """Format the limits of an interval in multiples of ``unit``."""
    return f"from {rounded(interval.lower / unit, 4)} to {rounded(interval.upper / unit, 4)}"


def span_of_events(interval: Interval) -> str:
    """Format the limits of an interval of event numbers."""
    return f"from {at_most(interval.lower)} to {count(interval.upper)}"


def pretty(provenance: Mapping[str, Any]) -> str:
    """Format nested settings for reading."""
    return json.dumps(provenance, indent=2, ensure_ascii=False, default=str)


def data_uri(picture: bytes) -> str:
    """Spell a PNG file as an address that contains it."""
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")
