"""Every code block of the documentation runs, and every file it names exists."""

from __future__ import annotations

import ast
import configparser
import inspect
import re
import tomllib
from pathlib import Path

import pytest

import pytest_ganvalid

PACKAGE = Path(pytest_ganvalid.__file__).parent
ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NEEDS = {
    "analysis.md": ("pyhf",),
    "gan.md": ("torch", "safetensors"),
    "observables.md": ("hist",),
    "tutorial.md": ("uproot",),
}
"""What the blocks of a page import beyond what all environments have."""
FIXTURES = """
    import numpy as np
    import pytest

    def events(seed):
        rng = np.random.default_rng(seed)
        return {"mass": rng.normal(91, 3, 90_000), "pt": rng.exponential(20, 90_000), "eta": rng.normal(size=90_000)}

    @pytest.fixture
    def generated():
        return events(1)

    @pytest.fixture
    def reference():
        return events(2)
"""


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run(
    page: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plain Python blocks of a page run one after the other in an empty folder, their assertions included."""
    for package in NEEDS.get(page.name, ()):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for block in blocks(page, "python"):
        if "def test_" not in block:
            exec(compile(block, str(page), "exec"), namespace)  # noqa: S102 - our own documentation
    printed = capsys.readouterr().out
    for text in blocks(page, "text"):
        if text.startswith(("n_required", "BIASED: ")):
            assert text in printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_for_other_machines_make_sense(page: Path) -> None:
    """Blocks that need a cluster or a GPU are Python, and name only what the package and its functions have."""
    for block in blocks(page, "python skip"):
        tree = ast.parse(block)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "gv.validate":
                known = inspect.signature(pytest_ganvalid.validate).parameters
                assert {keyword.arg for keyword in node.keywords} <= set(known)
        for name in re.findall(r"\bgv\.(\w+)", block):
            assert name in pytest_ganvalid.__all__ or (PACKAGE / name).is_dir()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_test_blocks_pass(page: Path, pytester: pytest.Pytester) -> None:
    """The blocks that are tests pass as tests, with suitable samples as fixtures."""
    tests = [block for block in blocks(page, "python") if "def test_" in block]
    if not tests:
        assert page.name != "README.md"
        return
    pytester.makeconftest(FIXTURES)
    pytester.makepyfile(*tests)
    pytester.runpytest("--strict-markers").assert_outcomes(passed=len(tests))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that exists."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("path", sorted((ROOT / "changes").glob("+*.md")), ids=lambda path: path.name)
def test_news_fragments_are_of_a_kind(path: Path) -> None:
    """A fragment of the changelog is of a kind that towncrier knows, and its links lead somewhere from the docs."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
    assert path.name.split(".")[1:] in [[kind["directory"], "md"] for kind in settings["type"]]
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / "docs" / target).exists()] == []


def test_every_claim_of_the_paper_is_in_the_table() -> None:
    """The table of the paper's claims has the rows of each module of experiments, in order, under its own words."""
    page = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
    modules = sorted((ROOT / "tests" / "paper").glob("test_*.py"))
    linked = re.findall(r"^\| \[\w\]\(\.\./tests/paper/(\w+\.py)\) \| (.+?) \| \w", page, flags=re.MULTILINE)
    stated = []
    for path in modules:
        names = {
            ast.unparse(node.targets[0]): ast.literal_eval(node.value)
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"CLAIM", "SECTION"}
        }
        stated.append((path.name, f"{names['CLAIM']} (§ {names['SECTION']})"))
    assert linked == stated


def test_ci_runs_the_readmes_test_command() -> None:
    """The command that CI picks out of the README is the one that runs all tests."""
    commands = re.findall(r"^\$ (.* tox run)$", PAGES[0].read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert commands == ["python3.11 -m pip install tox && python3.11 -m tox run"]


def test_commands_name_what_tox_has() -> None:
    """The environment and the label that README's other commands run are in tox.ini."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    commands = re.findall(r"^\$ .* tox run -(\w) (\w+)$", PAGES[0].read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert commands == [("e", "pythia_z"), ("m", "full"), ("e", "pythia_gan")]
    assert all(f"testenv:{name}" in tox for option, name in commands if option == "e")
    assert re.search("^full = ", tox["tox"]["labels"], flags=re.MULTILINE)
