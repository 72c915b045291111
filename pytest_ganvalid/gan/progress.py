"""What a training says of itself: a bar for people, lines of JSON for programs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from pytest_ganvalid._extras import imported
from pytest_ganvalid._files import named, write_whole
from pytest_ganvalid.gan.config import Config

_BAR = "{n_fmt}/{total_fmt} steps |{bar}| {remaining} left{postfix}"  # 80 columns hold it, with a bar of ten


class Progress:
    """A bar on stderr and a log file; both optional."""

    def __init__(
        self,
        config: Config,
        start: int,
        log: str | os.PathLike[str] | None,
        *,
        shown: bool,
        compared_with: str = "training events",
    ) -> None:
        """Begin at a step.

        Args:
            config: Settings of the training.
            start: Steps already made, by a training that goes on.
            log: File of JSON lines; those of steps after ``start`` are dropped, as they will be made again.
            shown: Whether to show the bar.
            compared_with: The events from which the energy distance is taken.

        Raises:
            MissingExtraError: If a bar is requested and tqdm is not installed.
            OSError: If the log cannot be written.
        """
        self._length, self._start, self._last = config.length, start, start
        self._events = config.batch * config.members  # per step
        self._compared_with = compared_with
        self._log = Path(log) if log is not None else None
        self._bar: Any = None
        if shown:
            tqdm = imported("tqdm", feature="progress=True of gan.train", extra="gan").tqdm
            sys.stderr.write(
                f"training{_settings(config)}\ndistance: energy distance from {compared_with}, columns scaled to a "
                "spread of 1\n"
            )
            self._bar = tqdm(total=config.length, initial=start, bar_format=_BAR, dynamic_ncols=True)
        lines = [] if self._log is None else _lines_until(self._log, start)
        self._seconds = json.loads(lines[-1]).get("seconds", 0.0) if lines else 0.0
        if self._log is not None:
            write_whole(self._log, b"".join(lines))
        self._began = time.monotonic()

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Report a step, with the energy distance and any other values, by name."""
        if self._bar is not None:
            if "energy_distance" in values:
                distance, equal = values["energy_distance"], values["equal_samples"]
                text = f"distance {distance:.2g} (equal samples: {equal:.2g})"
                self._bar.set_postfix_str(text, refresh=False)
            self._bar.update(step - self._last)
        self._last = step
        if self._log is not None:
            seconds = time.monotonic() - self._began
            rate = (step - self._start) / max(seconds, 1e-9)
            line = {"step": step, "seconds": self._seconds + seconds, **values}
            if "energy_distance" in values:
                line["compared_with"] = self._compared_with
            line |= {"events_per_second": rate * self._events, "seconds_left": (self._length - step) / rate}
            with named(self._log), self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, allow_nan=False) + "\n")

    def close(self) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()


def _settings(config: Config) -> str:
    """Return the settings that are not the defaults, but for the steps, which the bar counts."""
    values = [(field.name, getattr(config, field.name), getattr(Config(), field.name)) for field in fields(config)]
    changed = [f"{name}={value}" for name, value, default in values if name != "steps" and value != default]
    return f" with {', '.join(changed)}" if changed else " with the default settings"


def _lines_until(log: Path, step: int) -> list[bytes]:
    """Return the lines of a log up to a step, or up to a line that was cut short."""
    lines: list[bytes] = []
    if step and log.exists():
        for line in log.read_bytes().splitlines(keepends=True):
            try:
                if json.loads(line)["step"] > step or not line.endswith(b"\n"):
                    break
            except (ValueError, KeyError, TypeError):
                break
            lines.append(line)
    return lines
