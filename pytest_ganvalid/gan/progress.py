"""What a training says of itself: a bar for people, lines of JSON for programs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_ganvalid._extras import imported
from pytest_ganvalid._files import named, write_whole
from pytest_ganvalid.gan.config import Config


class Progress:
    """A bar on stderr and a log file; both optional."""

    def __init__(self, config: Config, start: int, log: str | os.PathLike[str] | None, *, shown: bool) -> None:
        """Begin at a step.

        Args:
            config: Settings of the training.
            start: Steps made before, by a training that goes on.
            log: File of JSON lines; those of steps after ``start`` are dropped, as they will be made again.
            shown: Whether to show the bar.

        Raises:
            MissingExtraError: If a bar is wanted and tqdm is not installed.
            OSError: If the log cannot be written.
        """
        self._length, self._start, self._last = config.length, start, start
        self._events = config.batch * config.members  # per step
        self._log = Path(log) if log is not None else None
        self._bar: Any = None
        if shown:
            total, done = config.length * self._events, start * self._events
            tqdm = imported("tqdm", feature="progress=True of gan.train", extra="gan").tqdm
            self._bar = tqdm(total=total, initial=done, desc="training", unit=" events", unit_scale=True)
        if self._log is not None:
            write_whole(self._log, b"".join(_lines_until(self._log, start)))
        self._began = time.monotonic()

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Say that a step has been reached, with losses and whatever else there is to tell, by name."""
        if self._bar is not None:
            self._bar.set_postfix_str(", ".join(f"{name} {value:.3g}" for name, value in values.items()), refresh=False)
            self._bar.update((step - self._last) * self._events)
        self._last = step
        if self._log is not None:
            seconds = time.monotonic() - self._began
            rate = (step - self._start) / max(seconds, 1e-9)
            times = {
                "seconds": seconds,
                "events_per_second": rate * self._events,
                "seconds_left": (self._length - step) / rate,
            }
            with named(self._log), self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **values, **times}, allow_nan=False) + "\n")

    def close(self) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()


def _lines_until(log: Path, step: int) -> list[bytes]:
    """Return the lines of a log up to a step; one that was cut short ends it."""
    kept: list[bytes] = []
    if step and log.exists():
        for line in log.read_bytes().splitlines(keepends=True):
            try:
                if json.loads(line)["step"] > step or not line.endswith(b"\n"):
                    break
            except (ValueError, KeyError, TypeError):
                break
            kept.append(line)
    return kept
