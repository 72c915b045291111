"""Events for the tests of the pipeline, and sources that are read in many small parts and chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.observables import KDTree, Selection
from pytest_ganvalid.pipeline import draft, preview
from pytest_ganvalid.samples import Entries, sources
from pytest_ganvalid.samples.sources import MemoryPart, Part, Source

Table = dict[str, Any]
OBSERVABLES = (
    "x",
    ("x", "y"),
    KDTree(("x", "y", "n")),
    Selection("x", "ok"),
    Selection("jet", "ok"),
    "jet",
    "sum(jet)",
)
KEYWORDS: dict[str, dict[str, Any]] = {
    "plain": {"observables": OBSERVABLES, "bins": 6},
    "strata": {"observables": OBSERVABLES, "bins": 3, "by": ("e", [15.0])},
    "separate": {"observables": ["hole", ("hole", "x"), KDTree(("hole", "y"))], "bins": 4, "nonfinite": "separate"},
    "edges": {
        "observables": ["x", ("x", "y"), "hole"],
        "bins": {"x": [-1.0, 0.0, 1.0], "x:y": ([0.0], [0.0, 1.0]), "hole": [0.5]},
        "nonfinite": {"hole": "underflow"},
    },
}


@pytest.fixture(scope="session", params=KEYWORDS)
def keywords(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return what to fill, and how."""
    return KEYWORDS[request.param]


@pytest.fixture(scope="session")
def events() -> Callable[..., Table]:
    """Return what makes events with all kinds of columns."""

    def made(seed: int, n: int, shift: float = 0.0) -> Table:
        rng = np.random.default_rng(seed)
        x = rng.normal(shift, 1, n)
        counts = rng.poisson(2, n)
        return {
            "x": x,
            "y": (x + rng.exponential(size=n)).astype(np.float32),
            "n": rng.poisson(3, n),
            "e": rng.choice([10.0, 20.0, 50.0], n),
            "ok": rng.random(n) < 0.4,
            "w": rng.normal(1, 0.5, n),
            "jet": Entries(rng.exponential(size=int(counts.sum())), counts),
            "hole": np.where(rng.random(n) < 0.1, rng.choice([np.nan, np.inf, -np.inf], n), rng.normal(size=n)),
        }

    return made


@pytest.fixture(scope="session")
def samples(events: Callable[..., Table]) -> tuple[Table, Table]:
    """Return the generated and the reference events."""
    return events(1, 500), events(2, 600)


@pytest.fixture(scope="session")
def streamed() -> Callable[..., Source]:
    """Return what makes a source of a table that is read part by part, as files are."""

    def made(table: Table, parts: int = 3, *, seekable: bool = True) -> Source:
        rows = len(next(iter(table.values())))
        cuts = (rows * np.linspace(0, 1, parts + 1) ** 1.5).astype(int).tolist()
        some = [
            MemoryPart({name: values[first:last] for name, values in table.items()}, first)
            for first, last in pairwise(cuts)
        ]
        return Source(tuple(table), some, seekable=seekable, provenance={"source": f"{parts} parts"})

    return made


class _FilePart:
    """Events of a file, which errors and origins name."""

    def __init__(self, table: Table, origin: str) -> None:
        self.table, self.origin = table, origin
        self.rows = len(next(iter(table.values())))

    def chunks(self, columns: Sequence[str], chunk: int) -> Any:
        """Yield them."""
        for start in range(0, self.rows, chunk):
            yield {name: self.table[name][start : start + chunk] for name in columns}

    def head(self, rows: int) -> _FilePart:
        """Return the first of them."""
        return _FilePart({name: values[:rows] for name, values in self.table.items()}, self.origin)

    def place(self, first: int, last: int) -> str:
        """Say where they are."""
        return f"{self.origin}: rows {first} to {last}"


@pytest.fixture(scope="session")
def file_part() -> Callable[[Table, str], Part]:
    """Return what makes a part of a file, of a table and the file's name."""
    return _FilePart


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few hundred rows make several parts, and several chunks of each."""
    monkeypatch.setattr(sources, "_MIN_ROWS", 500)
    monkeypatch.setattr(preview, "CHUNKS", (150, 150))


@pytest.fixture
def small_previews(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a thousand events be too many to look at all."""
    monkeypatch.setattr(preview, "SIZE", 1_000)
    monkeypatch.setattr(preview, "SUBSAMPLE_SIZE", 400)
    monkeypatch.setattr(draft, "HEAD", 250)
