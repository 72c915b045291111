"""A release gate from its first reference to a red run; the example's reference and workflows."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from typing import Any

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.cli import main

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "release_gate"
GATE = """
    import numpy as np
    import pytest
    import pytest_ganvalid as gv

    REFERENCES = gv.References.read("references.toml")

    def release():
        seed, width = np.loadtxt("release.txt")
        rng = np.random.default_rng(int(seed))
        return {"mass": rng.normal(91.2, 2.5, 20_000), "pt": rng.exponential(width, 20_000)}

    @pytest.mark.ganvalid(n_required=2_000)
    def test_release(ganvalid):
        candidate = REFERENCES.candidate("z", release(), bins=20)
        ganvalid.check(candidate, REFERENCES["z"])
"""


def released(pytester: pytest.Pytester, seed: int, width: float) -> pytest.RunResult:
    """Run the gate on a release."""
    (pytester.path / "release.txt").write_text(f"{seed} {width}")
    return pytester.runpytest("--ganvalid-strict", "--ganvalid-report", "out")


def test_a_gate_from_its_first_reference_to_a_red_run(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    """Red without a reference, for other physics until that is promoted, and for a file that was exchanged or lost."""
    pytester.makepyfile(GATE)
    (pytester.path / "references.toml").write_text("[references]\n")
    first = released(pytester, 1, 20)
    assert first.ret == pytest.ExitCode.TESTS_FAILED
    first.stdout.fnmatch_lines(["*there is no reference 'z', but none yet; *ganvalid promote references.toml z*"])
    assert main(["promote", "references.toml", "z"]) == 0

    assert released(pytester, 2, 20).ret == pytest.ExitCode.OK
    other = released(pytester, 3, 24)
    assert other.ret == pytest.ExitCode.TESTS_FAILED
    other.stdout.fnmatch_lines(["  pt * BIASED *"])
    report = json.loads((pytester.path / "out" / "report.json").read_text())
    assert report["rows"][0]["outcome"] == "BIASED"

    assert main(["promote", "references.toml", "z"]) == 0
    assert released(pytester, 4, 24).ret == pytest.ExitCode.OK

    file = next(iter(gv.References.read("references.toml").digests.values()))
    path = pytester.path / "references" / f"{file}.json"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"20000", b"20001", 1))
    exchanged = released(pytester, 5, 24)
    assert exchanged.ret == pytest.ExitCode.TESTS_FAILED
    exchanged.stdout.fnmatch_lines(["*the file was changed: its SHA-256 is *"])
    path.unlink()
    missing = released(pytester, 5, 24)
    assert missing.ret == pytest.ExitCode.TESTS_FAILED
    missing.stdout.fnmatch_lines(["*the file cannot be read*"])
    capsys.readouterr()


def test_the_example_has_its_reference() -> None:
    """The files of the example are what its list says, fill what it compares, and none is left over."""
    references = gv.References.read(EXAMPLE)
    assert list(references) == ["zmumu"]
    reference = references["zmumu"]
    assert reference.plan.observables == ("mass", "pt", "rapidity")
    assert reference.n_events == 40_000
    assert re.fullmatch(r"pythia-8\.3\d\d\.npz", reference.source)
    names = {path.stem for path in (EXAMPLE / "references").iterdir()}
    assert names == set(references.digests.values())


@pytest.mark.parametrize("path", [".github/workflows/release_gate.yml", "examples/release_gate/gitlab-ci.yml"])
def test_workflows_run_what_tox_has(path: str) -> None:
    """The workflows are YAML, run the environment of the gate, and keep its candidate and report."""
    yaml: Any = pytest.importorskip("yaml")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert isinstance(yaml.safe_load(text), dict)
    assert re.findall(r"tox run -e (\w+)", text) == ["release_gate"]
    assert "out/release_gate/" in text
    assert "examples/release_gate/candidates/" in text
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    assert "--ganvalid-strict" in tox["testenv:release_gate"]["commands"]
    assert re.search(r"PYTHIA: .*8\.316\.0", text)
    assert "{env:PYTHIA:8.316.0}" in tox["testenv:release_gate"]["deps"]
