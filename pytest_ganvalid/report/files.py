"""The results of a test run as files: report.json always, report.html and plots where their packages are."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ganvalid._files import write_whole
from pytest_ganvalid.errors import MissingExtraError

if TYPE_CHECKING:
    from pytest_ganvalid.report.html import Check

_MAX_PART = 60
_PLOT = re.compile(r".*-[0-9a-f]{10}\.png")  # as `plot_name` names them


def begin(directory: str, rows: Sequence[Mapping[str, Any]], why: str) -> None:
    """Take away the page and the plots of an earlier session, and leave a ``report.json`` that claims nothing.

    Args:
        directory: Where the report goes.
        rows: The tests that are known so far.
        why: Why nothing is claimed.

    Raises:
        OSError: If the directory cannot be written to.
    """
    folder = Path(directory)
    (folder / "report.html").unlink(missing_ok=True)
    for plot in (folder / "plots").glob("*.png"):
        if _PLOT.fullmatch(plot.name):
            plot.unlink()
    outcome = {"finished": False, "exit_status": None, "failures": [why]}
    write_whole(folder / "report.json", _session([], rows, outcome))


def write_report(
    directory: str,
    records: list[dict[str, Any]],
    *,
    plots: bool,
    rows: Sequence[Mapping[str, Any]] = (),
    outcome: Mapping[str, Any] | None = None,
) -> list[str]:
    """Write ``report.json`` and, if jinja2 is installed, ``report.html``, with plots if matplotlib is.

    Rows and checks are ordered by test, so that a run spread over processes writes the same files.

    Args:
        directory: Where to; made if it does not exist.
        records: The checks of all tests, as recorded by the gate.
        plots: Whether to write each comparison to ``plots/`` as a PNG file too.
        rows: What has become of each test; see `pytest_ganvalid.session.Row`.
        outcome: What has become of the session: ``finished``, ``exit_status`` and ``failures``.

    Returns:
        Lines for the terminal: what was written and what was not, and why.

    Raises:
        MissingExtraError: If ``plots`` and matplotlib is not installed; ``report.json`` is written all the same.
        OSError: If a file cannot be written; one that was there before is left as it was.
    """
    folder, ordered = Path(directory), sorted(records, key=itemgetter("nodeid"))
    rows = sorted(rows, key=itemgetter("nodeid"))
    outcome = {"finished": True, "exit_status": 0, "failures": []} if outcome is None else outcome
    write_whole(folder / "report.json", _session(ordered, rows, outcome))
    lines = [f"wrote {folder / 'report.json'}"]
    illustrated = plots or find_spec("matplotlib") is not None
    checks = _restore(ordered, illustrated=illustrated) if plots or find_spec("jinja2") else []
    if plots:
        number = _write_plots(folder / "plots", checks)
        lines.append(f"wrote {number} plot{'s' * (number != 1)} to {folder / 'plots'}")
    return lines + _write_html(folder / "report.html", checks, rows, outcome, illustrated=illustrated)


def plot_name(nodeid: str, number: int, observable: str) -> str:
    """Name the plot of an observable in the ``number``-th check of a test: readable, safe, unique and stable."""
    exact = json.dumps([nodeid, number, observable]).encode()
    return f"{_safe(nodeid)}-{_safe(observable)}-{hashlib.sha256(exact).hexdigest()[:10]}.png"


def _safe(text: str) -> str:
    words = re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")
    return words[-_MAX_PART:]


def _session(
    records: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], outcome: Mapping[str, Any]
) -> bytes:
    checks = [{**record, "result": json.loads(record["result"])} for record in records]
    session = {"kind": "session", "version": 2, **outcome, "rows": list(rows), "checks": checks}
    return json.dumps(session, allow_nan=False).encode()


def _restore(records: Sequence[Mapping[str, Any]], *, illustrated: bool) -> list[Check]:
    """Restore the results, and draw them if they are to be ``illustrated``."""
    from pytest_ganvalid.report.html import Check
    from pytest_ganvalid.report.plots import png
    from pytest_ganvalid.report.session import result_of
    from pytest_ganvalid.report.text import as_report

    checks = []
    for record in records:
        report = as_report(result_of(record))
        pictures = {name: png(name, c) for name, c in report.comparisons.items()} if illustrated else {}
        checks.append(Check(nodeid=record["nodeid"], gate=record["gate"], report=report, pictures=pictures))
    return checks


def _write_plots(folder: Path, checks: Sequence[Check]) -> int:
    made: dict[str, int] = {}
    written = 0
    for check in checks:
        made[check.nodeid] = number = made.get(check.nodeid, 0) + 1
        for name, picture in check.pictures.items():
            write_whole(folder / plot_name(check.nodeid, number, name), picture)
            written += 1
    return written


def _write_html(
    path: Path,
    checks: Sequence[Check],
    rows: Sequence[Mapping[str, Any]],
    outcome: Mapping[str, Any],
    *,
    illustrated: bool,
) -> list[str]:
    from pytest_ganvalid.report.html import render

    try:
        page = render(checks, rows, outcome)
    except MissingExtraError as error:
        return [f"{path.name} was not written: {error}"]
    write_whole(path, page.encode("utf-8", errors="xmlcharrefreplace"))
    if illustrated:
        return [f"wrote {path}"]
    return [f"wrote {path}", f"{path.name} has no plots: {MissingExtraError('a plot', 'matplotlib', 'report')}"]
