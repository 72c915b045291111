"""Generated events are read as weights and final-state particles."""

from __future__ import annotations

import gzip
import io
import lzma
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, MissingExtraError
from pytest_ganvalid.samples import Entries
from pytest_ganvalid.samples.formats import _particles, hepmc

pyhepmc: Any = pytest.importorskip("pyhepmc")

MOMENTA = np.array([[3.0, 4.0, 0.0, 13.0], [0.0, 0.0, 2.0, 2.0], [-1.0, 0.5, -7.0, 9.0]])  # px, py, pz, e
COUNTS = np.arange(10) % 4


def _event(number: int, unit: Any, weights: list[float]) -> Any:
    """Make an event of as many photons as its number says, modulo 4, and a resonance that is not final."""
    event = pyhepmc.GenEvent(unit, pyhepmc.Units.MM)
    event.event_number = number
    vertex = pyhepmc.GenVertex()
    for _ in range(2):
        vertex.add_particle_in(pyhepmc.GenParticle((0, 0, 7, 7), 2212, 4))
    for momentum in MOMENTA[: number % 4].tolist():
        vertex.add_particle_out(pyhepmc.GenParticle(momentum, 22, 1))
    vertex.add_particle_out(pyhepmc.GenParticle((1, 1, 1, 91), 23, 2))
    event.add_vertex(vertex)
    event.weights = weights
    return event


def _write(path: Path, unit: str = "GEV", names: tuple[str, ...] = ("nominal", "up"), **options: Any) -> None:
    """Write ten events."""
    run = pyhepmc.GenRunInfo()
    run.weight_names = list(names)
    plain = path.with_suffix("") if path.suffix == ".xz" else path
    with pyhepmc.open(plain, "w", **options) as file:
        for number in range(10):
            event = _event(number, getattr(pyhepmc.Units, unit), [0.5 * number, *range(1, len(names))])
            event.run_info = run
            file.write(event)
    if plain != path:
        path.write_bytes(lzma.compress(plain.read_bytes()))


def _expected() -> dict[str, Any]:
    momenta = np.concatenate([MOMENTA[:count] for count in COUNTS])
    x, y, z, e = momenta.T
    with np.errstate(divide="ignore"):
        eta = np.arcsinh(z / np.hypot(x, y))
    mass = np.array([np.sqrt(max(e**2 - x**2 - y**2 - z**2, 0)) for x, y, z, e in momenta])
    entries = {"pdg_id": np.full(len(x), 22, np.int32), "px": x, "py": y, "pz": z, "e": e, "mass": mass}
    entries |= {"pt": np.hypot(x, y), "eta": eta, "phi": np.arctan2(y, x)}
    number = np.arange(10)
    plain = {"weight": 0.5 * number, "event_number": number, "n_particles": COUNTS, "weight_up": np.ones(10)}
    return {**plain, **{name: Entries(values, COUNTS) for name, values in entries.items()}}


@pytest.mark.parametrize(
    "name", ["events.hepmc", "events.hepmc3", "events.hepmc.gz", "events.hepmc3.gz", "events.hepmc3.xz"]
)
def test_any_rows(tmp_path: Path, checks: Any, name: str) -> None:
    """Weights and final-state particles come back, in whatever chunks; along the beam eta is infinite."""
    path = tmp_path / name
    _write(path)
    checks.any_rows(path, _expected())
    assert np.isinf(checks.read(path)["eta"].values).any()
    checks.missing_column(path)


def test_units(tmp_path: Path, checks: Any) -> None:
    """Momenta are told in GeV, whatever the unit of the file."""
    path = tmp_path / "events.hepmc"
    _write(path, unit="MEV")
    found, expected = checks.read(path), _expected()
    for name in ("px", "e", "mass", "pt"):
        np.testing.assert_allclose(found[name].values, expected[name].values / 1000, rtol=1e-12)
    np.testing.assert_allclose(found["phi"].values, expected["phi"].values)


def test_version_2(tmp_path: Path, checks: Any) -> None:
    """A file of version 2 is read like one of version 3, and its end is looked for."""
    path = tmp_path / "events.hepmc"
    _write(path, format="HepMC2")
    found, expected = checks.read(path), _expected()
    for name in ("px", "e", "pt"):
        np.testing.assert_allclose(found[name].values, expected[name].values)
    np.testing.assert_array_equal(found["weight"], expected["weight"])
    checks.cut_short(path)


def test_weights(tmp_path: Path, checks: Any) -> None:
    """Without weights an event counts once; a weight that only some events have is refused."""
    path = tmp_path / "events.hepmc"
    with pyhepmc.open(path, "w") as file:
        for number in range(3):
            file.write(_event(number, pyhepmc.Units.GEV, []))
    assert checks.read(path, ["weight"])["weight"].tolist() == [1.0] * 3


def test_damage(tmp_path: Path, checks: Any) -> None:
    """A file that was cut short anywhere, or is something else, is refused."""
    for path in (tmp_path / "events.hepmc", tmp_path / "events.hepmc.gz", tmp_path / "events.hepmc.xz"):
        _write(path)
        checks.cut_short(path)
        checks.garbage(path)


def test_event_that_cannot_be_read(tmp_path: Path, checks: Any) -> None:
    """An event in the middle that cannot be read, or has no particles, is an error and not the end."""
    path = tmp_path / "events.hepmc"
    _write(path)
    content = path.read_bytes()
    first = content.index(b"P 1 0 2212", content.index(b"E 5 "))
    path.write_bytes(content[:first] + b"Q" + content[first + 1 :])
    with pytest.raises(InputError, match="event 5 of 10 cannot be read, or has no particles"):
        checks.read(path)
    second = content.index(b"E 6 ")
    path.write_bytes(content[: content.index(b"E 5 ")] + b"E 5 0 0\nU GEV MM\nW 1 1\n" + content[second:])
    with pytest.raises(InputError, match="event 5 of 10 cannot be read, or has no particles"):
        checks.read(path)
    assert len(checks.read(path, stop=5)["weight"]) == 5


def test_no_rows(tmp_path: Path, checks: Any) -> None:
    """A file without events has no rows."""
    path = tmp_path / "events.hepmc"
    _write(path)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"E 0 ")] + b"HepMC::Asciiv3-END_EVENT_LISTING\n\n")
    assert checks.read(path) == {}


def test_changed_bytes(tmp_path: Path, checks: Any) -> None:
    """Wherever a byte is changed, the file is read or refused, and nothing else happens."""
    for path in (tmp_path / "events.hepmc", tmp_path / "events.hepmc.gz"):
        _write(path)
        content = path.read_bytes()
        for position in range(0, len(content), 1 + len(content) // 40):
            checks.changed(path, content, position, 0x15)


def test_pyhepmc_is_not_installed(tmp_path: Path, checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyhepmc the package is named."""
    path = tmp_path / "events.hepmc"
    path.write_bytes(gzip.compress(b""))
    monkeypatch.setitem(sys.modules, "pyhepmc", None)
    with pytest.raises(
        MissingExtraError, match=r"a HepMC file needs the package 'pyhepmc', .*pytest-ganvalid\[hepmc\]"
    ):
        checks.read(path)


@pytest.mark.parametrize("column", ["px", "py", "pz", "e", "mass", "pdg_id", "pt", "eta", "phi"])
def test_each_column_alone(tmp_path: Path, checks: Any, column: str) -> None:
    """Each column of particles can be read without the others, in GeV where it has a unit."""
    path = tmp_path / "events.hepmc"
    _write(path, unit="MEV")
    expected = _expected()[column]
    found = checks.read(path, [column])[column]
    assert found.counts.tolist() == COUNTS.tolist()
    unit = 1 if column in {"pdg_id", "eta", "phi"} else 1e-3
    np.testing.assert_allclose(found.values, unit * expected.values)


def test_weights_without_a_name(tmp_path: Path, checks: Any) -> None:
    """The first weight has a column of its own whatever its name, others only if they have one."""
    path = tmp_path / "events.hepmc"
    _write(path, names=("0", "up", "down"))
    found = checks.read(path)
    assert [name for name in found if name.startswith("weight")] == ["weight", "weight_up", "weight_down"]
    assert found["weight_up"].tolist() == [1] * 10
    assert found["weight_down"].tolist() == [2] * 10


def test_large_events_are_read_a_few_at_a_time(tmp_path: Path, checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk ends where its particles take too much memory, and no event is lost."""
    path = tmp_path / "events.hepmc"
    _write(path)
    monkeypatch.setattr(_particles, "LARGEST", 40)
    with closing(hepmc.open_file(str(path), "")) as reader:
        found = list(reader.read(["px"], 0, 99, 100))
    assert [len(rows["px"]) for rows in found] == [4, 4, 2]
    checks.any_rows(path, _expected())


def test_weights_of_vertices(tmp_path: Path) -> None:
    """Weights of vertices, on which the reader of version 2 ends the process, are left out, and all else is read."""
    path = tmp_path / "events.hepmc"
    _write(path, format="HepMC2")
    content, count = re.subn(rb"(?m)^(V(?: \S+){8}) 0$", rb"\1 3 1 0.5 2e-1", path.read_bytes())
    assert count >= 10
    path.write_bytes(content)
    code = (
        "import sys; from pytest_ganvalid.samples.files import read_events; sample = read_events(sys.argv[1]); "
        "print(sample['n_particles'].tolist(), sample['pt'].values.sum())"
    )
    done = subprocess.run(  # in a process of its own, as nothing else would survive it
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("] ")[0] == str(COUNTS.tolist())[:-1]
    assert float(done.stdout.split("] ")[1]) == pytest.approx(_expected()["pt"].values.sum())


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_lines_across_blocks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Weights of vertices are left out wherever a line is cut, and no byte of other lines is lost."""
    monkeypatch.setattr(hepmc, "_BLOCK", 20)
    event = (
        b"E 7 0 0 0 0 0 -5 2 0\nV -1 0 0 0 0 0 0 3 2 1 0.5\r\nP 1 2\nP 1\r\nP 2\n\n"
        b"V -2 0 0 0 0 0 1 0 0\nP 4\nHepMC::end"
    )
    filtered, content = hepmc._Version2(io.BytesIO(event)), b""
    while data := filtered.read(size):
        assert len(data) <= size
        content += data
    assert content == event.replace(b" -5 ", b" 0 ").replace(b" 3 2 1 0.5", b" 3 0")
    with pytest.raises(ValueError, match="a line of it has more than 40 bytes"):
        hepmc._Version2(io.BytesIO(b"V" * 100)).read(1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb"(?m)^V -1 .*$", b""),
        (rb"(?m)^V(?= -1 )", b"S"),
        (rb"(?m)^P 10003 .*\n", b""),
        (rb"(?m)^(P 10003 .*\n)", rb"\1\1"),
        (rb"(?m)^(V .*\n)", rb"\1\1"),
        (rb" 1 10001 10002", b" 2 10001 10002"),
    ],
    ids=["no vertex", "another line", "a particle less", "a particle more", "a vertex more", "a vertex less"],
)
def test_vertices_and_particles_of_version_2_are_counted(tmp_path: Path, checks: Any, old: bytes, new: bytes) -> None:
    """An event with other vertices or particles than it says is refused, before it ends the process."""
    path = tmp_path / "events.hepmc"
    _write(path, format="HepMC2")
    checks.read(path)
    path.write_bytes(re.sub(old, new, path.read_bytes(), count=1))
    with pytest.raises(InputError, match=r"a line of it is none of an event|other vertices than it says"):
        checks.read(path)


@pytest.mark.parametrize("version", ["HepMC3", "HepMC2"])
def test_damage_ends_no_process(tmp_path: Path, checks: Any, version: str) -> None:
    """Wherever bytes are changed, a file of either version is read or refused, and no signal ends the process."""
    path = tmp_path / "events.hepmc"
    _write(path, format=version)
    checks.survives(path)


@pytest.mark.parametrize("signal", [0, -1, -5])
@pytest.mark.parametrize("weights", ["0", "1 0.5"])
def test_a_vertex_that_nothing_comes_into(tmp_path: Path, signal: int, weights: str) -> None:
    """An event whose only vertex has no incoming particle is refused, weighted or not; the process does not end."""
    path = tmp_path / "events.hepmc"
    lines = [
        "HepMC::Version 2.06.09",
        "HepMC::IO_GenEvent-START_EVENT_LISTING",
        f"E 7 -1 -1 -1 -1 0 {signal} 1 10001 10002 0 1 1",
        "U GEV MM",
        f"V -1 0 0 0 0 0 0 1 {weights}",
        "P 10003 22 0 3 4 5 0 1 0 0 0 0",
        "HepMC::IO_GenEvent-END_EVENT_LISTING",
    ]
    path.write_text("\n".join(lines) + "\n")
    code = (
        "import sys; from pytest_ganvalid.samples.files import read_events\n"
        "try: read_events(sys.argv[1])\nexcept ValueError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "event 0 of 1 cannot be read, or has no particles" in done.stdout


def _collisions(path: Path, seed: int, n: int = 300) -> str:
    """Write events of a few photons, one of them along the beam, with weights and numbers."""
    rng = np.random.default_rng(seed)
    run = pyhepmc.GenRunInfo()
    run.weight_names = ["nominal", "up"]
    with pyhepmc.open(path, "w") as file:
        for number in range(n):
            event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
            event.event_number = number
            vertex = pyhepmc.GenVertex()
            vertex.add_particle_in(pyhepmc.GenParticle((0, 0, 7, 7), 2212, 4))
            for x, y, z in [(0.0, 0.0, 5.0), *rng.normal(size=(rng.poisson(3), 3)).tolist()]:
                vertex.add_particle_out(
                    pyhepmc.GenParticle((x, y, z, np.sqrt(x * x + y * y + z * z)), 22 if x > 0 else 11, 1)
                )
            event.add_vertex(vertex)
            event.run_info = run
            event.weights = [rng.normal(1, 0.1), rng.normal(1, 0.2)]
            file.write(event)
    return str(path)


def test_a_check_of_all_columns(tmp_path: Path) -> None:
    """Without named observables, weights and numbers are left out and listed, and an infinite eta is no fault."""
    files = [_collisions(tmp_path / f"{seed}.hepmc", seed) for seed in (1, 2)]
    report = gv.validate(files[0], files[1], n_required=20, bins=5)
    assert {"px", "pt", "eta", "n_particles"} <= set(report.comparisons)
    assert not {"weight", "weight_up", "event_number"} & set(report.comparisons)
    assert report.skipped["event_number"] == "numbers the events"
    assert "is a weight of the events" in report.skipped["weight"]
    assert "is a weight of the events" in report.skipped["weight_up"]
    weighted = gv.validate(files[0], files[1], n_required=20, bins=5, weight="weight")
    assert "weight" not in weighted.skipped
    named = gv.validate(files[0], files[1], n_required=20, bins=5, observables=["weight_up"])
    assert list(named.comparisons) == ["weight_up"]
    with pytest.raises(InputError, match=r"eta' has .* infinite values"):
        gv.validate(files[0], files[1], n_required=20, bins=5, observables=["eta"])
