"""A progress bar with events per second, for whoever watches a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

from pytest_ganvalid.pipeline.run import Tick
from pytest_ganvalid.samples.sources import Source

_MIN_EVENTS = 10_000_000  # fewer are read before a bar could be seen


@contextmanager
def progress_bar(sources: Sequence[Source]) -> Iterator[Tick | None]:
    """Show a bar while events are read, if there are many, a terminal and tqdm; yield the callback for each chunk."""
    rows = [source.rows for source in sources]
    total = None if None in rows else sum(number for number in rows if number is not None)
    if (
        sys.stderr is None
        or not sys.stderr.isatty()
        or find_spec("tqdm") is None
        or (total is not None and total < _MIN_EVENTS)
    ):
        yield None
        return
    from tqdm import tqdm

    lock = threading.Lock()
    with tqdm(total=total, desc="reading", unit=" events", unit_scale=True, leave=False) as bar:

        def tick(rows: int) -> None:
            with lock:
                bar.update(rows)

        yield tick
