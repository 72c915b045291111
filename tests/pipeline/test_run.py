"""Work on parts is added up in their order, and stops everywhere when it stops anywhere."""

from __future__ import annotations

import signal
import threading
import time
import weakref
from typing import Any, ClassVar

import numpy as np
import pytest

from pytest_ganvalid.pipeline.run import Cluster, Runner, Threads, Tick
from pytest_ganvalid.samples.lazy import LazyPart


def _threads_left() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


def _word(task: str, number: int, part: Any, tick: Tick) -> str | None:
    tick(1)
    return f"{task}{number}{part};" if part is not None else None


@pytest.mark.parametrize("workers", [1, 2, 7, None])
@pytest.mark.parametrize("parts", [1, 2, 8, 9, 65, 200])
def test_results_are_added_in_order(workers: int | None, parts: int) -> None:
    """The total is that of the parts one after the other, however many threads there are."""
    names = [None if i % 5 == 3 else "p" for i in range(parts)]
    expected = "".join(f"t{i}p;" for i, name in enumerate(names) if name)
    assert Threads(workers=workers).total(_word, "t", names) == expected


def test_nothing_of_nothing() -> None:
    """Parts of which nothing comes, or none at all, make nothing."""
    assert Threads().total(_word, "t", [None, None]) is None
    assert Threads().total(_word, "t", []) is None


def test_parts_are_worked_on_at_once() -> None:
    """As many parts as there are threads are worked on at a time, and no more."""
    meeting = threading.Barrier(3, timeout=30)
    now, most, lock = [0], [0], threading.Lock()

    def work(task: None, number: int, part: int, tick: Tick) -> int:  # noqa: ARG001
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        meeting.wait()
        with lock:
            now[0] -= 1
        return part

    assert Threads(workers=3).total(work, None, range(9)) == 36
    assert most[0] == 3


def test_ticks_are_told() -> None:
    """The number of rows of every chunk is passed on."""
    told: list[int] = []

    def work(task: None, number: int, part: int, tick: Tick) -> int:  # noqa: ARG001
        for _ in range(3):
            tick(part)
        return part

    Threads(told.append, 2).total(work, None, [1, 10, 100])
    assert sum(told) == 333


class _Slow:
    """Work of many chunks on all parts but one, which fails after a while."""

    def __init__(self, bad: int, error: BaseException) -> None:
        self.bad, self.error = bad, error
        self.begun: set[int] = set()
        self.chunks = 0

    def __call__(self, task: None, number: int, part: Any, tick: Tick) -> int:  # noqa: ARG002
        self.begun.add(number)
        if number == self.bad:
            time.sleep(0.05)
            raise self.error
        for _ in range(2_000):
            time.sleep(0.005)
            self.chunks += 1
            tick(1)
        return 1


@pytest.mark.parametrize("bad", [0, 1, 2])
@pytest.mark.parametrize("error", [ValueError("of a part"), KeyboardInterrupt(), MemoryError(), SystemExit(3)])
def test_an_error_stops_all(bad: int, error: BaseException) -> None:
    """An error in one part stops the others at their next chunk, begins no more, and is the one that is raised."""
    slow = _Slow(bad, error)
    before = _threads_left()
    with pytest.raises(type(error)) as caught:
        Threads(workers=3).total(slow, None, range(100))
    assert caught.value is error
    assert slow.chunks < 1_000  # half of what one part has
    assert len(slow.begun) <= 6
    assert _threads_left() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("of the bar")])
def test_a_tick_that_raises_stops_all(error: BaseException) -> None:
    """Whatever the progress bar raises ends the work at once."""
    told: list[int] = []

    def tick(rows: int) -> None:
        told.append(rows)
        if len(told) == 10:
            raise error

    slow = _Slow(-1, error)
    with pytest.raises(type(error)) as caught:
        Threads(tick, 2).total(slow, None, range(20))
    assert caught.value is error
    assert slow.chunks < 100
    assert not _threads_left()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals can be sent to a thread")
def test_ctrl_c_stops_all() -> None:
    """Ctrl-C in the main thread, which only waits, ends the work at the next chunk."""
    slow = _Slow(-1, ValueError())
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            Threads(workers=2).total(slow, None, range(100))
    finally:
        signal.signal(signal.SIGINT, before)
    timer.join()
    assert slow.chunks < 1_000  # half of what one part has
    assert len(slow.begun) <= 4
    assert not _threads_left()


def test_the_first_part_with_an_error_is_reported() -> None:
    """Of errors in parts that were all begun, it is a real one that is raised, not that a thread was stopped."""
    meeting = threading.Barrier(3, timeout=30)

    def work(task: None, number: int, part: int, tick: Tick) -> int:  # noqa: ARG001
        meeting.wait()
        if number:
            msg = f"part {number}"
            raise ValueError(msg)
        for _ in range(500):
            time.sleep(0.005)
            tick(1)
        return 0

    with pytest.raises(ValueError, match=r"part [12]"):
        Threads(workers=3).total(work, None, range(3))


class _Result:
    """Something large, of which one wants to know how many are held."""

    alive: ClassVar[weakref.WeakSet[_Result]] = weakref.WeakSet()
    most = 0
    lock = threading.Lock()

    def __init__(self) -> None:
        with _Result.lock:
            _Result.alive.add(self)
            _Result.most = max(_Result.most, len(_Result.alive))

    def __add__(self, other: _Result) -> _Result:
        return _Result()


def _heavy(task: None, number: int, part: int, tick: Tick) -> _Result:  # noqa: ARG001
    if number == 0:
        time.sleep(0.2)  # while the others finish
    return _Result()


def test_results_are_not_hoarded() -> None:
    """The results that are held at a time do not grow with the number of parts, even if the first one takes long."""
    most = []
    for parts in (50, 400):
        _Result.most = 0
        Threads(workers=2).total(_heavy, None, range(parts))
        most.append(_Result.most)
    assert most[1] <= most[0] + 1
    assert most[1] <= 14


def _counted(task: str, number: int, part: Any, tick: Tick) -> Any:
    tick(1)
    return f"{task}{number}{part};"


@pytest.mark.parametrize("parts", [1, 2, 8, 9, 64, 65])
def test_cluster_adds_in_a_tree(parts: int) -> None:
    """On a cluster the order is the same, and no task takes more than eight results, whatever the number of parts."""
    dask: Any = pytest.importorskip("dask")
    graphs: list[Any] = []

    def get(graph: Any, keys: Any, **more: Any) -> Any:
        graphs.append(graph.__dask_graph__() if hasattr(graph, "__dask_graph__") else graph)
        return dask.local.get_sync(graph, keys, **more)

    with dask.config.set(scheduler=get):
        found = Cluster().total(_counted, "t", list(range(parts)))
    assert found == "".join(f"t{i}{i};" for i in range(parts))
    (graph,) = graphs
    graph = dict(graph)
    tasks = {key: set(task.dependencies) & set(graph) for key, task in graph.items()}
    assert max(map(len, tasks.values())) <= 10  # eight results; of work, a task and a part
    joins = {key: inputs for key, inputs in tasks.items() if any(_is_result(one, tasks) for one in inputs)}
    assert max((len(inputs) for inputs in joins.values()), default=0) <= 8


def _is_result(key: Any, tasks: Any) -> bool:
    return bool(tasks[key])


def test_cluster_computes_partitions_where_they_are() -> None:
    """Partitions are computed by the task that works on them, and empty ones leave nothing."""
    dask: Any = pytest.importorskip("dask")

    def rows(task: str, number: int, part: Any, tick: Tick) -> Any:
        tick(1)
        assert (task, sizes[number]) == ("t", part.rows)
        return sum(len(chunk["x"]) for chunk in part.chunks(("x",), 2))

    sizes = (0, 3, 0, 5, 0)
    parts = [LazyPart(dask.delayed({"x": np.arange(n)})) for n in sizes]
    with dask.config.set(scheduler="sync"):
        assert Cluster().total(rows, "t", parts) == 8
        assert Cluster().total(rows, "t", parts[:1]) is None


@pytest.mark.parametrize("workers", [0, 1, 2, None])
@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("n", [0, 1, 3, 50])
def test_each_in_order(workers: int | None, at_once: bool, n: int) -> None:  # noqa: FBT001
    """What comes of each item is in the order of the items, whatever does the work."""
    if workers == 0:
        pytest.importorskip("dask")
    runner: Runner = Cluster() if workers == 0 else Threads(workers=workers)
    assert runner.each(lambda item: f"{item};", range(n), at_once=at_once) == [f"{i};" for i in range(n)]


def test_each_at_once() -> None:
    """Items are worked on at the same time where they may be, and else in turns, in the thread that asks."""
    meeting = threading.Barrier(3, timeout=30)
    assert {*Threads(workers=3).each(lambda _: meeting.wait(), range(3), at_once=True)} == {0, 1, 2}
    ours = threading.get_ident()
    assert {*Threads(workers=3).each(lambda _: threading.get_ident(), range(3), at_once=False)} == {ours}


@pytest.mark.parametrize("parts", [1, 100])
@pytest.mark.parametrize("error", [ValueError("of a task"), KeyboardInterrupt()])
def test_an_error_stops_what_goes_on_beside_it(parts: int, error: BaseException) -> None:
    """An error in one task ends the filling of many parts, or of one, in a later one; then all can begin anew."""
    runner, slow = Threads(workers=2), _Slow(-1, error)
    before = _threads_left()

    def task(number: int) -> Any:
        if number:
            return runner.total(slow, None, range(parts))
        time.sleep(0.05)
        raise error

    with pytest.raises(type(error)) as caught:
        runner.each(task, range(2), at_once=True)
    assert caught.value is error
    assert slow.chunks < 1_000  # half of what one part has
    assert _threads_left() == before
    assert runner.total(_word, "t", ["p", "p"]) == "t0p;t1p;"


@pytest.mark.parametrize("parts", [1, 3])
def test_the_first_of_several_errors_is_raised(parts: int) -> None:
    """Of errors in several tasks, that of the first one is raised, however late it comes."""
    errors = ValueError("first"), ValueError("second")

    def work(task: int, number: int, part: Any, tick: Tick) -> int:  # noqa: ARG001
        if task == 0:
            for _ in range(20):
                time.sleep(0.005)
                tick(1)
        raise errors[task]

    runner = Threads(workers=2)
    with pytest.raises(ValueError, match="first") as caught:
        runner.each(lambda number: runner.total(work, number, range(parts)), range(2), at_once=True)
    assert caught.value is errors[0]


def test_cluster_passes_errors_on() -> None:
    """An error in one part is raised as it is."""
    dask: Any = pytest.importorskip("dask")

    def fail(task: None, number: int, part: Any, tick: Tick) -> Any:  # noqa: ARG001
        msg = f"part {number}"
        raise ValueError(msg)

    with dask.config.set(scheduler="sync"), pytest.raises(ValueError, match="part 0"):
        Cluster().total(fail, None, [1])
