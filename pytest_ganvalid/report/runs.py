"""The run that made a report: from the environment of CI systems, elsewhere from git."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pytest_ganvalid.report.document import Run

_COMMITS = ("GITHUB_SHA", "CI_COMMIT_SHA")
_LINKS = ("CI_JOB_URL", "CI_PIPELINE_URL")  # of GitLab
_SECONDS = 5
_DESCRIBE = ("git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")  # no tag, only the commit


def run_of(
    command: Sequence[str],
    folder: str | Path,
    environment: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Run:
    """Return when and by what a report is made; raises no errors.

    Args:
        command: The words of the command line.
        folder: Folder of the repository, if no CI system states the commit.
        environment: ``None`` for that of this process.
        now: ``None`` for the current time.
    """
    environment = os.environ if environment is None else environment
    commit = next((environment[name] for name in _COMMITS if environment.get(name)), "")
    return Run(
        date=(now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
        version=_version(),
        command=shlex.join(command).encode("utf-8", errors="backslashreplace").decode(),
        commit=commit or _commit(folder),
        link=_link(environment),
    )


def _version() -> str:
    try:
        return version("pytest-ganvalid")
    except PackageNotFoundError:
        return "unknown"


def _link(environment: Mapping[str, str]) -> str:
    """Return the address of the run, if this is one of GitHub's or GitLab's."""
    server, repository, number = (environment.get(f"GITHUB_{x}", "") for x in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    if server and repository and number:
        return f"{server}/{repository}/actions/runs/{number}"
    return next((environment[name] for name in _LINKS if environment.get(name)), "")


def _commit(folder: str | Path) -> str:
    try:
        process = subprocess.run(  # noqa: S603 - a fixed command
            _DESCRIBE, cwd=folder, capture_output=True, timeout=_SECONDS, check=False, text=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):  # no git, no folder, or a slow disk
        return ""
    return process.stdout.strip() if process.returncode == 0 else ""
