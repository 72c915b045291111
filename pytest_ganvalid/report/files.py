"""The results of a session as files: report.json always, report.html and plots where their packages are."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from typing import Any

from pytest_ganvalid._files import write_whole
from pytest_ganvalid.errors import InputError, MissingExtraError
from pytest_ganvalid.report.document import Run, Session, written

_MAX_PART = 60
_PLOT = re.compile(r".*-[0-9a-f]{10}\.png")  # as `plot_name` names them


def begin(directory: str, rows: Sequence[Mapping[str, Any]], reason: str) -> None:
    """Remove the page and the plots of an earlier session, and write a ``report.json`` that claims nothing.

    Args:
        directory: Where the report goes.
        rows: The tests that are known so far.
        reason: Why nothing is claimed.

    Raises:
        OSError: If the directory cannot be written to.
    """
    folder = Path(directory)
    (folder / "report.html").unlink(missing_ok=True)
    for plot in (folder / "plots").glob("*.png"):
        if _PLOT.fullmatch(plot.name):
            plot.unlink()
    outcome = {"finished": False, "exit_status": None, "failures": [reason]}
    write_whole(folder / "report.json", written([], rows, outcome))


def write_report(
    directory: str,
    records: list[dict[str, Any]],
    *,
    plots: bool,
    rows: Sequence[Mapping[str, Any]] = (),
    outcome: Mapping[str, Any] | None = None,
    run: Run | None = None,
) -> list[str]:
    """Write ``report.json`` and, if jinja2 is installed, ``report.html``.

    Rows and checks are ordered by test, so that a run spread over processes writes the same files.

    Args:
        directory: Where to; made if it does not exist.
        records: The checks of all tests, as recorded by the gate.
        plots: Whether to write each comparison to ``plots/`` as a PNG file too.
        rows: The outcome of each test; see `pytest_ganvalid.session.Row`.
        outcome: The outcome of the session: ``finished``, ``exit_status`` and ``failures``.
        run: When and by what it is made.

    Returns:
        Lines for the terminal: what was written and what was not, and why.

    Raises:
        MissingExtraError: If ``plots`` and matplotlib is not installed; ``report.json`` is written all the same.
        OSError: If a file cannot be written; an existing file is left as it was.
    """
    folder = Path(directory)
    outcome = {"finished": True, "exit_status": 0, "failures": []} if outcome is None else outcome
    text = ordered(records, rows, outcome, run)
    write_whole(folder / "report.json", text)
    lines = [f"wrote {folder / 'report.json'}"]
    if not plots and find_spec("jinja2") is None:
        return [*lines, f"report.html was not written: {MissingExtraError('an HTML report', 'jinja2', 'report')}"]
    try:
        session = Session.from_json(text)  # so that the page tells what the file tells, and nothing else
    except InputError as error:  # of a test that has changed the objects that we hold
        return [*lines, f"report.html was not written: {error}"]
    if plots:
        number = _write_plots(folder / "plots", session)
        lines.append(f"wrote {number} plot{'s' * (number != 1)} to {folder / 'plots'}")
    try:
        write_whole(folder / "report.html", page(session))
    except MissingExtraError as error:
        return [*lines, f"report.html was not written: {error}"]
    return [*lines, f"wrote {folder / 'report.html'}"]


def ordered(
    records: Iterable[Mapping[str, Any]],
    rows: Iterable[Mapping[str, Any]],
    outcome: Mapping[str, Any],
    run: Run | None = None,
) -> bytes:
    """Return the content of ``report.json``: rows and checks by test, in whatever order they came."""
    by_test = itemgetter("nodeid")
    return written(sorted(records, key=by_test), sorted(rows, key=by_test), outcome, run)


def plot_name(nodeid: str, number: int, observable: str) -> str:
    """Name the plot of an observable in the ``number``-th check of a test: readable, safe, unique and stable."""
    exact = json.dumps([nodeid, number, observable]).encode()
    return f"{_safe(nodeid)}-{_safe(observable)}-{hashlib.sha256(exact).hexdigest()[:10]}.png"


def _safe(text: str) -> str:
    words = re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")
    return words[-_MAX_PART:]


def _write_plots(folder: Path, session: Session) -> int:
    from pytest_ganvalid.report.plots import png
    from pytest_ganvalid.report.text import as_report

    numbers: dict[str, int] = {}
    written_plots = 0
    for check in session.checks:
        numbers[check.nodeid] = number = numbers.get(check.nodeid, 0) + 1
        for name, comparison in as_report(check.result).comparisons.items():
            write_whole(folder / plot_name(check.nodeid, number, name), png(name, comparison))
            written_plots += 1
    return written_plots


def page(session: Session) -> bytes:
    """Return the content of ``report.html``.

    Raises:
        MissingExtraError: If jinja2 is not installed.
    """
    from pytest_ganvalid.report.html import render

    return render(session).encode("utf-8", errors="xmlcharrefreplace")
