"""What a training says of itself: a bar for people, lines of JSON for programs."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pytest_ganvalid._extras import imported
from pytest_ganvalid._files import write_whole
from pytest_ganvalid.gan.config import Config
from pytest_ganvalid.gan.stopping import Stopping


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
        self._config, self._start, self._last = config, start, start
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

    def update(self, step: int, losses: list[float], stopping: Stopping | None) -> None:
        """Say that a step has been reached.

        Args:
            step: Its number.
            losses: The critic's, the generator's, and the penalty.
            stopping: If there is early stopping.
        """
        if self._bar is not None:
            critic, generator, penalty = losses
            shown = f"critic {critic:.4f}, generator {generator:.4f}, penalty {penalty:.2g}"
            self._bar.set_postfix_str(shown, refresh=False)
            self._bar.update((step - self._last) * self._events)
        if self._log is not None:
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(self._entry(step, losses, stopping), allow_nan=False) + "\n")
        self._last = step

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()

    def _entry(self, step: int, losses: list[float], stopping: Stopping | None) -> dict[str, Any]:
        seconds = time.monotonic() - self._began
        rate = (step - self._start) / max(seconds, 1e-9)
        entry = {
            "step": step,
            **dict(zip(("critic_loss", "generator_loss", "penalty"), losses, strict=True)),
            "seconds": seconds,
            "events_per_second": rate * self._events,
            "seconds_left": (self._config.length - step) / rate,
        }
        if stopping is not None and math.isfinite(stopping.distance):
            entry["energy_distance"] = stopping.distance
        return entry


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
