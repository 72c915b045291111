"""When and by what a report was made is found where it can be, and never an error."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from pytest_ganvalid.report.runs import run_of

GITHUB = {
    "GITHUB_SHA": "a" * 40,
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "some/where",
    "GITHUB_RUN_ID": "17",
}
GITLAB = {"CI_COMMIT_SHA": "b" * 40, "CI_JOB_URL": "https://gitlab.example/some/where/-/jobs/3"}


@pytest.mark.parametrize(
    ("environment", "commit", "link"),
    [
        (GITHUB, "a" * 40, "https://github.example/some/where/actions/runs/17"),
        (GITLAB, "b" * 40, "https://gitlab.example/some/where/-/jobs/3"),
        ({**GITHUB, "GITHUB_RUN_ID": ""}, "a" * 40, ""),
        ({"CI_PIPELINE_URL": "https://gitlab.example/p/1"}, "", "https://gitlab.example/p/1"),
        ({}, "", ""),
    ],
)
def test_ci_systems_say_it(environment: dict[str, str], commit: str, link: str, tmp_path: Path) -> None:
    """Commit and link are those of GitHub's or GitLab's environment; elsewhere there is no link."""
    run = run_of(["pytest", "-k", "a b"], tmp_path, environment)
    assert (run.commit, run.link, run.command) == (commit, link, "pytest -k 'a b'")


def test_the_date_is_in_utc() -> None:
    """The date is that of UTC, to the second, whatever the time zone."""
    now = datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=5)))
    assert run_of([], ".", {}, now).date == "2030-01-01T22:04:05+00:00"
    assert datetime.fromisoformat(run_of([], ".", {}).date).tzinfo == UTC


def test_git_says_the_commit(tmp_path: Path) -> None:
    """Elsewhere the commit is that of the folder, never the name of a tag, and says whether files were changed."""
    git = [
        "git",
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@example.org",
        "-c",
        "commit.gpgsign=false",
        "-C",
        str(tmp_path),
    ]
    try:
        subprocess.run([*git, "init", "-q"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("git is not installed")
    (tmp_path / "file").write_text("one")
    for words in (["add", "file"], ["commit", "-q", "-m", "x"], ["tag", "-a", "-m", "x", "v1"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert run_of([], tmp_path, {}).commit == head
    (tmp_path / "file").write_text("two")
    assert run_of([], tmp_path, {}).commit == f"{head}-dirty"


def test_nothing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git, in a folder that is gone, and with a command of no encoding, what is known is told."""
    assert run_of([], tmp_path / "gone", {}).commit == ""
    monkeypatch.setenv("PATH", "")
    run = run_of(["a\udcffb"], tmp_path, {})
    assert run.commit == ""
    assert run.command == r"'a\udcffb'"
