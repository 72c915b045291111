"""Runners apply a function to every part of a source and add up the results: in threads, or on a Dask cluster.

What else there is to do side by side in this process, they do in threads, too.

Results are added in the order of the parts in threads, and in a tree on a cluster, so that what a machine is sent or
holds does not grow with the number of parts.
"""

from __future__ import annotations

import operator
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, Protocol, TypeVar

from pytest_ganvalid._extras import imported
from pytest_ganvalid.histograms.lookup import threads
from pytest_ganvalid.samples.lazy import LazyPart, materialised

MANY = 1 << 16
"""Rows from which on it pays to look at them in several threads."""
Item = TypeVar("Item")
Result = TypeVar("Result")
Tick = Callable[[int], None]
Work = Callable[[Any, int, Any, Tick], Any]
"""Takes a task, the number of a part, the part, and a callback for each chunk; returns a summand, or None."""
Join = Callable[[Any, Any], Any]
"""Adds the results of two parts."""
_BRANCHES = 8  # results that are added at a time, on a cluster
_PATIENCE = 0.2  # s
_AHEAD = 4  # parts per thread that are begun before the results of earlier ones have been added


class Interrupted(Exception):  # noqa: N818 - no error: another thread has met one, or the user has had enough
    """Raised in threads whose work is no longer wanted."""


class Runner(Protocol):
    """Applies work to parts.

    Attributes:
        workers: Number of workers that share the memory.
    """

    workers: int

    def total(self, work: Work, task: Any, parts: Sequence[Any], join: Join = operator.add) -> Any:  # noqa: ANN401
        """Return the sum of what ``work`` makes of each part; ``None`` if it makes nothing of any."""
        ...

    def each(self, function: Callable[[Item], Result], items: Sequence[Item], *, at_once: bool) -> list[Result]:
        """Return what a function makes of each item, in this process.

        Args:
            function: May use this runner.
            items: What it is applied to.
            at_once: Whether items may be worked on at the same time.
        """
        ...


class Threads:
    """Threads of this process; an error in a part, or Ctrl-C, stops them at their next chunk."""

    def __init__(self, tick: Tick | None = None, workers: int | None = None) -> None:
        """Start no threads yet.

        Args:
            tick: Called with the number of rows of each chunk that is done, by any thread.
            workers: Number of threads; ``None`` for as many as there are processors.
        """
        self._show = tick
        self._local = threading.local()  # has what is set once this thread is to stop
        self.workers = threads() if workers is None else workers

    def total(self, work: Work, task: Any, parts: Sequence[Any], join: Join = operator.add) -> Any:  # noqa: ANN401
        """Return the sum of what ``work`` makes of each part; see `Runner`."""
        numbered = [*enumerate(parts)]
        if len(parts) == 1:  # what is small need not wait for a thread
            return work(task, *numbered[0], self._tick)
        add = partial(_sum, join=join)
        return self._in_threads(lambda part: work(task, *part, self._tick), numbered, add, stop_all=True)

    def each(self, function: Callable[[Item], Result], items: Sequence[Item], *, at_once: bool) -> list[Result]:
        """Return what a function makes of each item; see `Runner`."""
        if self.workers == 1 or len(items) == 1 or not at_once:
            return [*map(function, items)]
        results: list[Result] = self._in_threads(function, items, list, stop_all=False)
        return results

    @property
    def _stops(self) -> tuple[threading.Event, ...]:
        return getattr(self._local, "stops", ())

    def _tick(self, rows: int) -> None:
        if any(stop.is_set() for stop in self._stops):
            raise Interrupted
        if self._show is not None:
            self._show(rows)

    def _in_threads(
        self,
        function: Callable[[Item], Any],
        items: Sequence[Item],
        take: Callable[[Iterator[Any]], Any],
        *,
        stop_all: bool,
    ) -> Any:  # noqa: ANN401
        """Take the results of all items; an error stops all, or only those after it, so that the first is raised."""
        stopped = threading.Event()
        stops = (*self._stops, stopped)  # this may be a part of what is done in another thread

        def result_of(item: Item) -> Any:  # noqa: ANN401
            if stopped.is_set():
                raise Interrupted
            self._local.stops = stops
            try:
                return function(item)
            except BaseException:
                if stop_all:
                    stopped.set()
                raise

        ahead: deque[Future[Any]] = deque()
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                return take(_results(pool, result_of, items, ahead, self.workers * _AHEAD))
            except BaseException as error:
                stopped.set()
                for result in ahead:
                    result.cancel()
                if isinstance(error, Interrupted):  # by the error of a later item, or of what goes on around this
                    raise _cause(ahead, error) from None
                raise


def _results(
    pool: ThreadPoolExecutor,
    function: Callable[[Item], Any],
    items: Sequence[Item],
    ahead: deque[Future[Any]],
    limit: int,
) -> Iterator[Any]:
    """Yield the results of items in their order, so many at most being worked on or waiting to be taken."""
    for item in items:
        ahead.append(pool.submit(function, item))
        if len(ahead) == limit:
            yield _settled(ahead[0])
            ahead.popleft()
    while ahead:
        yield _settled(ahead[0])
        ahead.popleft()


def _settled(result: Future[Any]) -> Any:  # noqa: ANN401
    """Wait for a result in short steps: a signal that comes just before a wait would not end it."""
    while not result.done():
        wait([result], _PATIENCE)
    return result.result()


def _cause(results: Iterable[Future[Any]], interrupted: Interrupted) -> BaseException:
    """Return the error that made other threads stop."""
    errors = (result.exception() for result in results if not result.cancelled())
    return next((error for error in errors if error is not None and not isinstance(error, Interrupted)), interrupted)


class Cluster:
    """Workers of a Dask cluster; a worker that dies is made up for by Dask, and changes nothing."""

    def __init__(self, client: Any = None) -> None:  # noqa: ANN401 - dask has no types
        """Connect to nothing yet.

        Args:
            client: A ``dask.distributed.Client``; ``None`` for whatever scheduler Dask is set to.

        Raises:
            MissingExtraError: If dask is not installed.
        """
        self._dask = imported("dask", feature="Dask", extra="dask")
        self._client = client
        self.workers = 1  # of each task

    def total(self, work: Work, task: Any, parts: Sequence[Any], join: Join = operator.add) -> Any:  # noqa: ANN401
        """Return the sum of what ``work`` makes of each part; see `Runner`."""
        delayed = self._dask.delayed
        shared = delayed(task, traverse=False)
        do, do_lazy, add = (delayed(function, pure=False) for function in (work, _on_table, _sum))
        level = [
            do_lazy(work, shared, number, part.delayed)
            if isinstance(part, LazyPart)
            else do(shared, number, delayed(part, traverse=False), _nothing)
            for number, part in enumerate(parts)
        ]
        while len(level) > 1:
            level = [add(level[start : start + _BRANCHES], join) for start in range(0, len(level), _BRANCHES)]
        if self._client is not None:
            return self._client.compute(level[0]).result()
        return level[0].compute()

    def each(self, function: Callable[[Item], Result], items: Sequence[Item], *, at_once: bool) -> list[Result]:  # noqa: ARG002
        """Return what a function makes of each item, in turns; see `Runner`."""
        return [*map(function, items)]


def _on_table(work: Work, task: Any, number: int, table: Any) -> Any:  # noqa: ANN401
    """Do the work on a partition that Dask has computed."""
    part = materialised(table, number)
    return None if part is None else work(task, number, part, _nothing)


def _nothing(rows: int) -> None:
    """Show no progress."""


def _sum(results: Iterable[Any], join: Join) -> Any:  # noqa: ANN401
    total = None
    for result in results:
        total = result if total is None else total if result is None else join(total, result)
    return total
