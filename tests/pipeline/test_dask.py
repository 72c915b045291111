"""Workers of a Dask cluster find what threads find, and what one of them does not live to tell another does."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.observables import KDTree, Mean, Selection

distributed: Any = pytest.importorskip("distributed")
dask: Any = pytest.importorskip("dask")
da: Any = pytest.importorskip("dask.array")
dd: Any = pytest.importorskip("dask.dataframe")
pd: Any = pytest.importorskip("pandas")

Table = dict[str, Any]
N_GENERATED, N_REFERENCE = 600, 700


def _events(seed: int, n: int) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {
        "x": x,
        "y": x + rng.exponential(size=n),
        "n": rng.poisson(3, n),
        "w": rng.normal(1, 0.3, n),
        "e": rng.choice([1.0, 2.0], n),
        "ok": rng.random(n) < 0.4,
    }


GENERATED, REFERENCE = _events(1, N_GENERATED), _events(2, N_REFERENCE)
OBSERVABLES = ["x", ("x", "y"), KDTree(("x", "y", "n")), ("sum", lambda e: e["x"] + e["y"]), Selection("y", "ok")]
ASKED: dict[str, dict[str, Any]] = {
    "all columns": {},
    "observables": {"observables": OBSERVABLES},
    "weights": {"observables": OBSERVABLES, "weight": "w"},
    "strata": {"observables": ["x", "y"], "by": "e", "bins": 10},
    "at once": {"observables": ["x", Mean("y")]},
    "clusters of a row": {"observables": ["y"], "cluster": "x"},
    "clusters across": {"observables": ["y"], "cluster": "n", "weight": "w"},
}


@contextmanager
def _cluster(workers: int, *, processes: bool) -> Iterator[Any]:
    """Start workers, and stop them in the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stated = {
            "distributed.worker.memory.target": False,
            "distributed.worker.memory.spill": False,
            "distributed.worker.memory.pause": False,
            "distributed.worker.memory.terminate": False,
            "distributed.scheduler.allowed-failures": 5,
        }
        with (
            dask.config.set(stated),
            distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=processes,
                dashboard_address=None,
                memory_limit=None,
                silence_logs=50,
            ) as cluster,
            distributed.Client(cluster) as one,
        ):
            yield one


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Start two workers in threads of this process."""
    with _cluster(2, processes=False) as one:
        yield one


def _validate(generated: Any, reference: Any, **asked: Any) -> gv.Report:
    return gv.validate(generated, reference, n_required=40, **asked)


def _frame(table: Table, partitions: int = 2) -> Any:
    return dd.from_pandas(pd.DataFrame(table), npartitions=partitions, sort=False)


def _arrays(table: Table, chunk: int = 300) -> Table:
    return {name: da.from_array(values, chunks=chunk) for name, values in table.items()}


def _files(folder: Path, name: str, table: Table, number: int = 2) -> list[str]:
    names = []
    for i, rows in enumerate(np.array_split(np.arange(len(table["x"])), number)):
        names.append(str(folder / f"{name}{i}.parquet"))
        pd.DataFrame({key: values[rows] for key, values in table.items()}).to_parquet(names[-1])
    return names


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """Write both samples to several files."""
    folder = tmp_path_factory.mktemp("dask")
    return _files(folder, "gen", GENERATED), _files(folder, "ref", REFERENCE)


@pytest.mark.parametrize("kind", ASKED)
def test_dataframes(client: Any, kind: str) -> None:
    """Dataframes give the comparisons of arrays in memory."""
    found = _validate(_frame(GENERATED), _frame(REFERENCE), client=client, **ASKED[kind])
    expected = _validate(GENERATED, REFERENCE, **ASKED[kind])
    assert found.comparisons == expected.comparisons
    assert found.reasons == expected.reasons
    assert found.provenance["generated"] == {"source": "a Dask collection of 2 partitions"}


@pytest.mark.parametrize("kind", ["all columns", "weights"])
def test_arrays(client: Any, kind: str) -> None:
    """Mappings of arrays give the comparisons of arrays in memory."""
    found = _validate(_arrays(GENERATED), _arrays(REFERENCE), client=client, **ASKED[kind])
    assert found.comparisons == _validate(GENERATED, REFERENCE, **ASKED[kind]).comparisons


@pytest.mark.parametrize(("kind", "pattern"), [("all columns", True), ("weights", False), ("at once", False)])
def test_files(client: Any, files: tuple[list[str], list[str]], kind: str, pattern: bool) -> None:  # noqa: FBT001
    """Files, listed or by a pattern, that workers read give the comparisons of arrays in memory."""
    folder = Path(files[0][0]).parent
    given: Any = [str(folder / "gen*.parquet"), str(folder / "ref*.parquet")] if pattern else files
    found = _validate(*given, client=client, **ASKED[kind])
    assert found.comparisons == _validate(GENERATED, REFERENCE, **ASKED[kind]).comparisons


def test_mixtures(client: Any, files: tuple[list[str], list[str]]) -> None:
    """Either side may be in memory, in files or in a collection."""
    expected = _validate(GENERATED, REFERENCE, observables=OBSERVABLES).comparisons
    pairs: list[tuple[Any, Any]] = [
        (_frame(GENERATED), REFERENCE),
        (GENERATED, _arrays(REFERENCE)),
        (files[0], _frame(REFERENCE)),
        (files[0], REFERENCE),
    ]
    for generated, reference in pairs:
        assert _validate(generated, reference, observables=OBSERVABLES, client=client).comparisons == expected


def test_without_a_client() -> None:
    """A collection is computed by whatever scheduler Dask is set to."""
    with dask.config.set(scheduler="sync"):
        found = _validate(_frame(GENERATED), REFERENCE, observables=["x", "y"])
    assert found.comparisons == _validate(GENERATED, REFERENCE, observables=["x", "y"]).comparisons


@pytest.mark.parametrize("empty", [0, 2])
def test_empty_partitions(client: Any, empty: int) -> None:
    """Partitions that a selection has left empty, the first one too, change nothing."""
    size = N_GENERATED // 4
    inside = np.ones(N_GENERATED, dtype=bool)
    inside[empty * size : (empty + 1) * size] = False
    frame = _frame(GENERATED | {"inside": inside}, 4)
    generated = frame[frame["inside"]][["x", "y"]]
    kept = {name: GENERATED[name][inside] for name in "xy"}
    reference = {name: REFERENCE[name] for name in "xy"}
    found = _validate(generated, reference, client=client, observables=["x", ("x", "y")])
    assert found.comparisons == _validate(kept, reference, observables=["x", ("x", "y")]).comparisons
    flipped = _validate(reference, generated, client=client)
    assert flipped.comparisons == _validate(reference, kept).comparisons


def test_nothing_but_empty_partitions(client: Any) -> None:
    """A collection without any events is refused."""
    frame = _frame(GENERATED)
    none = frame[frame["x"] > 1e9]
    for generated, reference, side in ((none, REFERENCE, "generated"), (GENERATED, none, "reference")):
        with pytest.raises(InputError, match=f"{side}: a Dask collection of 2 partitions holds no events"):
            _validate(generated, reference, client=client)


def test_unequal_chunks(client: Any) -> None:
    """Arrays that are chunked differently are refused before anything is computed."""
    arrays = _arrays(GENERATED)
    arrays["y"] = arrays["y"].rechunk(150)
    with pytest.raises(InputError, match=r"generated: columns must be chunked alike; 'y' has chunks"):
        _validate(arrays, REFERENCE, client=client)


def test_errors_name_the_partition(client: Any) -> None:
    """NaN in a partition is an error that says in which, and in which of its events."""
    x = GENERATED["x"].copy()
    x[500] = np.nan
    frame = _frame({"x": x}, 4)
    with pytest.raises(InputError, match=r"partition 3: events 0 to 149: generated: observable 'x' has 1 NaN"):
        _validate(frame, {"x": REFERENCE["x"]}, client=client)


def test_errors_name_the_file(client: Any, tmp_path: Path) -> None:
    """What is wrong with a file that a worker reads is said of that file."""
    names = _files(tmp_path, "gen", GENERATED, 4)
    pd.DataFrame({**{name: v[:100] for name, v in GENERATED.items()}, "x": np.nan}).to_parquet(names[2])
    with pytest.raises(InputError, match=r"gen2\.parquet: rows 0 to 99: generated: observable 'x' has 100 NaN"):
        _validate(names, REFERENCE, client=client, observables=["x"])


def test_a_client_is_for_files(client: Any) -> None:
    """A client that has nothing to do is refused."""
    with pytest.raises(InputError, match="the samples are in memory: leave it out"):
        _validate(GENERATED, REFERENCE, client=client)
    with pytest.raises(InputTypeError, match="must be the name of a column"):
        _validate(_frame(GENERATED), REFERENCE, client=client, weight=(GENERATED["w"], None))


def _dying(flag: str) -> Any:
    """Return a function of the events that kills the process of the first worker that calls it on many of them."""
    here = os.getpid()

    def column(events: Any) -> Any:
        if os.getpid() != here and len(events) > 300:
            try:
                os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return events["x"] + events["y"]

    return column


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no process can be killed")
def test_a_worker_that_is_killed_changes_nothing(tmp_path: Path) -> None:
    """A worker killed while it fills a file loses nothing and counts nothing twice."""
    table = _events(3, 6_000)
    names = _files(tmp_path, "long", table, 8)
    flag = tmp_path / "killed"
    with _cluster(2, processes=True) as client:
        found = _validate(names, REFERENCE, observables=[("sum", _dying(str(flag))), "x"], client=client)
    assert flag.exists()
    expected = _validate(table, REFERENCE, observables=[("sum", lambda e: e["x"] + e["y"]), "x"])
    assert found.comparisons == expected.comparisons
    assert found.provenance["generated_events"] == 6_000


def test_histograms_are_filled_the_same(client: Any, files: tuple[list[str], list[str]]) -> None:
    """A collection, or files that workers read, give the histograms and the origins that a table or files here give."""
    keywords: dict[str, Any] = {"observables": ["x", ("x", "y"), Selection("y", "ok")], "by": "e", "bins": 4}
    whole = gv.fill(GENERATED, **keywords)
    frame = gv.fill(_frame(GENERATED), like=whole, client=client)
    assert frame.to_json().replace("a Dask collection of 2 partitions", "memory") == whole.to_json()
    assert gv.fill(files[0], client=client, **keywords) == gv.fill(files[0], **keywords)
    with dask.config.set(scheduler="sync"):
        assert gv.fill(_frame(GENERATED), like=whole) == frame
    report = _validate(_frame(GENERATED), gv.fill(REFERENCE, **keywords), client=client)
    assert report.comparisons == _validate(GENERATED, REFERENCE, **keywords).comparisons
