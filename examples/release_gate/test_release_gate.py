"""A release gate: is a new Pythia shown to make the Z -> mu mu events of the one before, for an analysis of so many?

The reference are histograms of an earlier release, which `references.toml` names by their SHA-256; `make_reference.py`
made the first of them. Each run writes a candidate, which ``ganvalid promote`` makes the reference of the next release.
A changed setting stands for a release with other physics: it is found, and the report says where.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.toys import PythiaZ

pytest.importorskip("pythia8mc", reason='needs Pythia: pip install "pytest-ganvalid[pythia]"')

REFERENCES = gv.References.read(Path(__file__).parent)
# n_h = 10 000 x 40 000 / 50 000 = 8 000, and a power of 0.99 in all three observables takes 5 700 (`gv.plan`).
N_REQUIRED, N_GENERATED, SEED = 1_500, 10_000, 8_316
BROADER = ("BeamRemnants:primordialKThard = 3.5",)  # GeV; 1.8 by default


@pytest.mark.ganvalid(n_required=N_REQUIRED)
def test_the_release_is_robust(ganvalid: gv.Gate) -> None:
    """The installed Pythia is shown to make the events of the reference."""
    candidate = REFERENCES.candidate("zmumu", PythiaZ().sample(N_GENERATED, seed=SEED))
    report = ganvalid.check(candidate, REFERENCES["zmumu"])
    assert min(comparison.power for comparison in report.comparisons.values()) > 0.99


def test_another_primordial_kt_is_biased(ganvalid: gv.Gate) -> None:
    """A release in which the partons have more transverse momentum of their own is BIASED, in pt and nowhere else."""
    broader = PythiaZ(settings=BROADER).sample(N_GENERATED, seed=SEED + 1)
    report = ganvalid.validate(gv.fill(broader, like=REFERENCES["zmumu"]), REFERENCES["zmumu"], n_required=N_REQUIRED)
    assert report.verdict is gv.Verdict.BIASED
    assert report.weakest == "pt"
    assert [name for name, comparison in report.comparisons.items() if comparison.verdict == "BIASED"] == ["pt"]
