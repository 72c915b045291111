"""Make the first reference of the release gate with the Pythia that is installed.

    python examples/release_gate/make_reference.py

simulates the events, fills them, and writes the line of `references.toml`. With another release than the installed one:

    pip install --target /tmp/pythia-8.312 pythia8mc==8.312.0
    PYTHONPATH=/tmp/pythia-8.312 python examples/release_gate/make_reference.py

The file says which release it is of: its ``source`` is ``pythia-8.312.npz``.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pythia8mc

import pytest_ganvalid as gv
from pytest_ganvalid.samples.files import write_events
from pytest_ganvalid.toys import PythiaZ

FOLDER = Path(__file__).parent.resolve()
N_REFERENCE, SEED, OBSERVABLES, BINS = 40_000, 8_312, ["mass", "pt", "rapidity"], 24


def main() -> None:
    """Simulate, fill and promote."""
    version = pythia8mc.Pythia("", False).settings.parm("Pythia:versionNumber")  # noqa: FBT003 - without its banner
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # the name of the file is what is stored
        events = f"pythia-{version:.3f}.npz"
        write_events(events, [PythiaZ().sample(N_REFERENCE, seed=SEED)])
        histograms = gv.fill(events, observables=OBSERVABLES, bins=BINS)
        Path("reference.json").write_text(histograms.to_json(), encoding="utf-8")
        references = gv.References.read(FOLDER).promote("zmumu", "reference.json")
    print(f"{histograms.source}: {histograms.n_events:,} events, {references.place('zmumu')}")


if __name__ == "__main__":
    main()
