"""When and by what a report was made: of CI systems by what they put into the environment, elsewhere by git."""

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
    """Say when and by what a report is made; never an error.

    Args:
        command: The words of the command line.
        folder: Where the version control system is asked, if no CI system says the commit.
        environment: ``None`` for that of this process.
        now: ``None`` for the time it is.
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
        done = subprocess.run(  # noqa: S603 - a fixed command
            _DESCRIBE, cwd=folder, capture_output=True, timeout=_SECONDS, check=False, text=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):  # no git, no folder, or a slow disk
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
