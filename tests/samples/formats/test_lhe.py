"""Les Houches events are read as weights and outgoing particles."""

from __future__ import annotations

import gzip
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError, MissingExtraError
from pytest_ganvalid.samples import Entries

MOMENTA = np.array([[3.0, 4.0, 0.0, 13.0, 12.0], [0.0, 0.0, 2.0, 2.0, 0.0], [-1.0, 0.5, -7.0, 9.0, 5.5]])
COUNTS = np.arange(10) % 4
HEADER = """<LesHouchesEvents version="3.0">
<header>
<initrwgt>
<weight id="up">up</weight>
</initrwgt>
<MGRunCard><![CDATA[ a card with an <event> in it ]]></MGRunCard>
</header>
<init>
 2212 2212 6.5e+03 6.5e+03 0 0 247000 247000 -4 1
 5.0e+01 1.0e-01 5.0e+01 1
</init>
"""


def _event(number: int) -> str:
    """Return an event of as many photons as its number says, modulo 4, a gluon that comes in, and a resonance."""
    rows = [(21, -1, 0.0, 0.0, 7.0, 7.0, 0.0), (23, 2, 1.0, 1.0, 1.0, 91.2, 91.2)]
    rows += [(22, 1, *momentum) for momentum in MOMENTA[: number % 4].tolist()]
    lines = [f" {pid} {status} 1 2 0 0 {' '.join(map(repr, p))} 0. 9." for pid, status, *p in rows]
    text = "\n".join((f" {len(rows)} 1 {0.5 * number} 91.2 0.0078 0.118", *lines))
    return f"<event>\n{text}\n# a comment\n<rwgt><wgt id='up'> {number + 1.0} </wgt></rwgt>\n</event>\n"


def _text(events: int = 10) -> str:
    return HEADER + "".join(map(_event, range(events))) + "</LesHouchesEvents>\n"


def _expected() -> dict[str, Any]:
    x, y, z, e, mass = np.concatenate([MOMENTA[:count] for count in COUNTS]).T
    with np.errstate(divide="ignore"):
        eta = np.arcsinh(z / np.hypot(x, y))
    entries = {"pdg_id": np.full(len(x), 22, np.int32), "px": x, "py": y, "pz": z, "e": e, "mass": mass}
    entries |= {"pt": np.hypot(x, y), "eta": eta, "phi": np.arctan2(y, x)}
    plain = {"weight": 0.5 * np.arange(10), "n_particles": COUNTS, "weight_up": np.arange(10) + 1.0}
    return {**plain, **{name: Entries(values, COUNTS) for name, values in entries.items()}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write ten events."""
    pytest.importorskip("pylhe")
    path = tmp_path / "events.lhe"
    path.write_text(_text(), encoding="utf-8")
    return path


def test_any_rows(path: Path, checks: Any) -> None:
    """Weights and outgoing particles come back, compressed or not, in whatever chunks."""
    checks.any_rows(path, _expected())
    checks.missing_column(path)
    packed = path.with_suffix(".lhe.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    checks.any_rows(packed, _expected())


def test_as_pylhe_reads_it(path: Path, checks: Any) -> None:
    """Values are those that pylhe reads."""
    import pylhe

    events = list(pylhe.LHEFile.fromfile(str(path)).events)
    found = checks.read(path)
    assert found["weight"].tolist() == [event.eventinfo.weight for event in events]
    for name, attribute in {"px": "px", "e": "e", "mass": "m", "pdg_id": "id"}.items():
        final = [getattr(p, attribute) for event in events for p in event.particles if p.status == 1]
        assert found[name].values.tolist() == final


def test_no_rows(path: Path, checks: Any) -> None:
    """A file without events has no rows."""
    path.write_text(_text(0), encoding="utf-8")
    assert checks.read(path) == {}


@pytest.mark.filterwarnings("ignore:Parse Error:RuntimeWarning")
def test_damage(path: Path, checks: Any) -> None:
    """A file that was cut short anywhere, or is something else, is refused."""
    content = path.read_bytes()
    checks.cut_short(path)
    checks.garbage(path)
    packed = path.with_suffix(".lhe.gz")
    packed.write_bytes(gzip.compress(content))
    checks.cut_short(packed)


@pytest.mark.parametrize("action", ["ignore", "error"])
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (" 3 1 0.5", " 4 1 0.5", "event 1 has 3 particles and says 4"),
        ("</LesHouchesEvents>", "", "does not end with|no element found"),
        ("<event>\n 4 1 1.0", "<event>\n <4 1 1.0", "event 2 of 10 cannot be read|not well-formed"),
        ("</LesHouchesEvents>", "</LesHouchesEvents><event></event>", "does not end with|junk after"),
        (" 22 1 1 2 0 0 3.0", " 22 1 1 2 0 0 three", "could not convert string to float"),
        ("<init>", "<other>", "cannot be read as LHE"),
        (f"<rwgt><wgt id='up'> {6.0} </wgt></rwgt>", "", "event 5 has no 'weight_up', which the first event has"),
    ],
)
def test_what_pylhe_takes_for_the_end(path: Path, checks: Any, old: str, new: str, message: str, action: Any) -> None:
    """An event that cannot be read, other particles than it says, or no end is an error, warnings shown or not."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter(action, RuntimeWarning)
        with pytest.raises(InputError, match=message):
            checks.read(path)


def test_damage_ends_no_process(path: Path, checks: Any) -> None:
    """Wherever bytes are changed, a file is read or refused, and no signal ends the process."""
    checks.survives(path)


def test_pylhe_is_not_installed(tmp_path: Path, checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pylhe the package is named."""
    path = tmp_path / "events.lhe"
    path.write_text(_text(), encoding="utf-8")
    monkeypatch.setitem(sys.modules, "pylhe", None)
    with pytest.raises(MissingExtraError, match=r"an LHE file needs the package 'pylhe', .*pytest-ganvalid\[lhe\]"):
        checks.read(path)
