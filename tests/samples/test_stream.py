"""Streams: the events of a generator, made chunk by chunk whenever they are needed, and never held."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.samples.stream import CHUNK, stream

NAMES = ["x", "y"]


def made(n: int, seed: int) -> np.ndarray[Any, Any]:
    """Two columns of events."""
    return np.random.default_rng(seed).normal(size=(n, 2))


def read(source: Any, columns: Any = None, chunk: int = 1 << 18) -> dict[str, Any]:
    """All events of a source."""
    (part,) = source.parts
    names = source.names if columns is None else columns
    chunks = list(part.chunks(names, chunk))
    return {name: np.concatenate([rows[name] for rows in chunks]) for name in names}


def test_events_depend_on_the_seed_alone() -> None:
    """A stream is the same in each pass, in whatever chunks it is read; another seed gives others, chunks differ."""
    n = 2 * CHUNK + 7
    source = stream(made, n, 1, columns=NAMES)
    first = read(source)
    assert len(first["x"]) == n == source.rows
    for again in (read(source), read(source, chunk=1_000), read(stream(made, n, 1, columns=NAMES))):
        np.testing.assert_array_equal(again["x"], first["x"])
    assert not np.array_equal(read(stream(made, n, 2, columns=NAMES))["x"], first["x"])
    assert not np.array_equal(first["x"][:7], first["x"][CHUNK : CHUNK + 7])
    (part,) = source.parts
    (head,) = part.head(5).chunks(["y"], 100)
    np.testing.assert_array_equal(head["y"], first["y"][:5])


def test_no_more_than_a_chunk_is_held() -> None:
    """However many chunks there are, at most two are alive at a time while they are filled."""
    living: list[weakref.finalize[Any, Any]] = []
    most = 0

    class Watched(np.ndarray):
        """An array that something can be told the end of."""

    def watched(n: int, seed: int) -> Any:
        nonlocal most
        array = made(n, seed).view(Watched)
        living.append(weakref.finalize(array, lambda: None))
        most = max(most, sum(one.alive for one in living))
        return array

    filled = gv.fill(stream(watched, 12 * CHUNK, 1, columns=NAMES), observables=["x"], bins={"x": [-1.0, 0.0, 1.0]})
    assert filled.n_events == 12 * CHUNK
    assert len(living) >= 12
    assert most <= 2


@pytest.mark.parametrize("kind", ["function", "tables", "list", "iterator", "samples"])
def test_a_check_of_a_stream(kind: str) -> None:
    """The report is that of the same events in memory, whatever gives the chunks."""
    n = CHUNK + 100
    whole = read(stream(made, n, 1, columns=NAMES))
    chunks = [{name: values[a:b] for name, values in whole.items()} for a, b in ((0, 9_000), (9_000, n))]
    sources: dict[str, Any] = {
        "function": lambda: gv.stream(made, n, 1, columns=NAMES),
        "tables": lambda: gv.stream(chunks),
        "list": lambda: gv.stream([np.stack(list(chunk.values()), axis=1) for chunk in chunks], columns=NAMES),
        "iterator": lambda: gv.stream(iter(chunks)),
        "samples": lambda: gv.stream([gv.Sample(chunk) for chunk in chunks], n, 1),
    }
    reference = dict(zip(NAMES, made(20_000, 5).T, strict=True))
    report = gv.validate(sources[kind](), reference, n_required=500)
    expected = gv.validate(whole, reference, n_required=500)
    assert report.comparisons == expected.comparisons
    assert report.robust
    assert report.notes == expected.notes


def test_a_stream_as_the_reference() -> None:
    """A stream may be the reference, whose events are needed in several passes; an iterator may not."""
    generated = dict(zip(NAMES, made(20_000, 5).T, strict=True))
    assert gv.validate(generated, gv.stream(made, 20_000, 1, columns=NAMES), n_required=500).robust
    with pytest.raises(InputError, match=r"an iterator can be read once, .*give a function: gv\.stream\(f, n, seed\)"):
        gv.validate(generated, gv.stream(iter([generated])), n_required=500)


def test_torch() -> None:
    """Data sets and loaders of torch are taken, and a module's tensors of half precision, which a note says."""
    torch: Any = pytest.importorskip("torch")
    data: Any = pytest.importorskip("torch.utils.data")
    reference = dict(zip(NAMES, made(20_000, 5).T, strict=True))
    tensor = torch.from_numpy(made(20_000, 1))
    dataset = data.TensorDataset(tensor[:, 0], tensor[:, 1:])
    for source in (dataset, data.DataLoader(dataset, batch_size=3_000)):
        found = read(gv.stream(source, columns=NAMES))
        np.testing.assert_array_equal(found["y"], tensor[:, 1].numpy())
        report = gv.validate(gv.stream(source, columns=NAMES), reference, n_required=500)
        assert report.robust
        assert not report.notes
    module = torch.nn.Linear(2, 2)

    def half(n: int, seed: int) -> Any:
        return module(torch.from_numpy(made(n, seed)).float()).bfloat16()

    report = gv.validate(gv.stream(half, 2_000, 1, columns=NAMES), reference, n_required=50)
    assert any("the generated values are of bfloat16" in note and "quantised" in note for note in report.notes)


def test_names_without_columns() -> None:
    """The columns of arrays without names are called by their position, as those of a file of one array."""
    assert stream(made, 10, 1).names == ("0", "1")


def _short(n: int, seed: int) -> Any:
    return made(n, seed)[1:]


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((made,), InputError, r"how many events, and by which seed: gv\.stream\(f, n, seed\)"),
        ((made, 0, 1), InputError, "n=0 is too small"),
        ((made, 10, -1), InputError, "seed=-1 is too small"),
        ((made, 10, 1, "xy"), InputTypeError, "columns='xy'; expected a list of names"),
        ((made, 10, 1, ["x"]), InputError, r"chunk 0 has 2 columns, and columns=\['x'\]; expected a name"),
        ((_short, 10, 1), InputError, "returned 9 events where 10 were asked for"),
        (([],), InputError, "has no events"),
        (([np.zeros((3, 2, 2))],), InputError, r"shapes \[\(3, 2, 2\)\]; expected \(events, columns\)"),
        (([gv.Sample({"x": np.ones(3)}, np.ones(3))],), InputError, "a Sample with weights; give them as a column"),
        ((5, 10, 1), InputTypeError, r"a int is no stream of events; expected a function f\(n, seed\)"),
        (("events.root",), InputTypeError, "a str is no stream"),
        ((np.zeros((3, 2)),), InputTypeError, "a ndarray is no stream"),
    ],
)
def test_refusals(arguments: tuple[Any, ...], error: type[Exception], text: str) -> None:
    """What is no stream is refused with what is expected."""
    with pytest.raises(error, match=text):
        stream(*arguments)


def test_streams_that_end_too_early_or_change() -> None:
    """A stream that is shorter than it was said to be, or whose chunks have other columns, is refused."""
    with pytest.raises(InputError, match="ended 4 events before the 10 that it was said to have"):
        read(stream([{"x": np.zeros(6)}], 10))
    with pytest.raises(InputError, match="chunk 1 has no column 'x'; the first has it"):
        read(stream([{"x": np.zeros(6)}, {"y": np.zeros(6)}]))
    assert len(read(stream([{"x": np.zeros(6)}, {"x": np.zeros(6)}], 10))["x"]) == 10
