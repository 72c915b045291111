"""The ledger of attempts: which generated events were compared with which reference, with which verdict.

A file of JSON lines that is only ever appended to, or a list that lasts as long as a session. Standard library only.

A file is locked from the moment an attempt is counted until its line is written, so that runs at once, of whatever
number of processes, count each other. A process killed in between leaves the ledger as it was: nobody has seen that
verdict. A line is whole only with its newline; what a writer that was killed, or a full disk, has left of one is cut
off by the next, as the lock says that nobody is writing. Any other damage is refused.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from pytest_ganvalid._files import named
from pytest_ganvalid.errors import InputError

VERSION = 1
_MAX_PARTS = 32  # files of a sample that a line names
_MODULUS = 2**64
_BIASED = "BIASED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Generated events in a ledger.

    Attributes:
        digest: Digest of all events.
        parts: Digests of its files; empty if they are too many, or not known.
        sums: Number of events and two sums of their hashes, which add up when samples are pooled; ``None`` if unknown.
        generator: Digest of their generator; ``None`` if unknown, which means a new one.
    """

    digest: str
    parts: tuple[str, ...] = ()
    sums: tuple[int, int, int] | None = None
    generator: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One attempt.

    Attributes:
        gate: The test, its observables, n_required and limits.
        reference: Digest of the reference.
        generated: The generated events.
        attempt: Number of the attempt.
        pooled: Whether these are the events of all earlier attempts of their generator, together.
        verdict: Verdict of the check.
        time: Time of the check, in UTC by ISO 8601.
    """

    gate: Mapping[str, Any]
    reference: str
    generated: Sample
    attempt: int
    pooled: bool
    verdict: str
    time: str

    def written(self) -> bytes:
        """Return the line of the file, with its newline."""
        return json.dumps({"ledger": VERSION, **asdict(self)}, allow_nan=False, ensure_ascii=True).encode() + b"\n"

    @classmethod
    def read(cls, text: bytes) -> Line:
        """Read what `written` wrote.

        Raises:
            ValueError: If the text is no line of a ledger; the message says why.
        """
        values = json.loads(text)
        names = {"ledger", *(field.name for field in fields(cls))}
        if not isinstance(values, dict) or set(values) != names:
            msg = f"expected an object with {', '.join(sorted(names))}"
            raise ValueError(msg)
        if values.pop("ledger") != VERSION:
            msg = f"it is of another version; expected {VERSION}"
            raise ValueError(msg)
        generated = values["generated"]
        if not isinstance(generated, dict) or set(generated) != {field.name for field in fields(Sample)}:
            msg = f"expected generated with {', '.join(field.name for field in fields(Sample))}"
            raise ValueError(msg)
        parts, sums = generated["parts"], generated["sums"]
        validity = {
            "gate": isinstance(values["gate"], dict),
            "reference": isinstance(values["reference"], str),
            "attempt": type(values["attempt"]) is int and values["attempt"] >= 1,
            "pooled": isinstance(values["pooled"], bool),
            "verdict": values["verdict"] in ("ROBUST", _BIASED, "UNPROVEN"),
            "time": isinstance(values["time"], str),
            "digest": isinstance(generated["digest"], str),
            "parts": isinstance(parts, list) and all(isinstance(part, str) for part in parts),
            "sums": sums is None or (isinstance(sums, list) and [type(n) for n in sums] == [int] * 3),
            "generator": isinstance(generated["generator"], str | None),
        }
        invalid = [name for name, valid in validity.items() if not valid]
        if invalid:
            msg = f"{invalid[0]} cannot be what it is"
            raise ValueError(msg)
        generated = {**generated, "parts": tuple(parts), "sums": None if sums is None else tuple(sums)}
        return cls(**{**values, "generated": Sample(**generated)})


@dataclass(slots=True)
class Attempt:
    """An attempt that is being made; `verdict` is to be set once it is known, or the attempt is not counted.

    Attributes:
        number: Number of the attempt.
        earlier: Attempts at the same gate with other generated events, oldest first.
        standing: Earlier attempts of the same generator that were BIASED and whose events are not pooled in these.
        pooled: Whether the events of all attempts of the generator are pooled in these.
        notes: Notes on the ledger.
        verdict: Verdict of the check.
    """

    number: int
    earlier: tuple[Line, ...]
    standing: tuple[Line, ...]
    pooled: bool
    notes: tuple[str, ...] = ()
    verdict: str = ""

    @property
    def biased(self) -> tuple[Line, ...]:
        """Earlier attempts that were BIASED."""
        return tuple(line for line in self.earlier if line.verdict == _BIASED)


class Ledger:
    """Attempts, in a file or in memory."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Open nothing yet.

        Args:
            path: The file, made when the first attempt is written; ``None`` to count in memory.
        """
        self._path = None if path is None else Path(path)
        self._lines: list[Line] = []
        self._lock = threading.Lock()

    @contextmanager
    def attempt(self, gate: Mapping[str, Any], reference: str, generated: Sample, stated: int = 1) -> Iterator[Attempt]:
        """Count an attempt, and write it down at the end of the block, if it has a verdict by then.

        The same generated events against the same reference are the same attempt; others are the next one. The larger
        of this and ``stated`` is its number.

        Args:
            gate: The test, its observables, n_required and limits; JSON types.
            reference: Digest of the reference.
            generated: The generated events.
            stated: The attempt as the user counts.

        Raises:
            InputError: If a line of the file is damaged.
            OSError: If the file cannot be read or written.
        """
        if len(generated.parts) > _MAX_PARTS:
            generated = replace(generated, parts=())
        if self._path is None:
            with self._lock:
                attempt = _counted(self._lines, gate, reference, generated, stated)
                yield attempt
                self._lines += _new_line(self._lines, attempt, gate, reference, generated)
            return
        with _locked(self._path) as file:
            lines, notes = _read(file, self._path)
            attempt = _counted(lines, gate, reference, generated, stated)
            attempt.notes = notes
            yield attempt
            for line in _new_line(lines, attempt, gate, reference, generated):
                with named(self._path):
                    _append(file, line.written())


def _counted(
    lines: Iterable[Line], gate: Mapping[str, Any], reference: str, generated: Sample, attempt: int
) -> Attempt:
    entries = [line for line in lines if line.reference == reference and line.gate == gate]
    repeats = [line.attempt for line in entries if line.generated.digest == generated.digest]
    counted = max(repeats) if repeats else max((line.attempt for line in entries), default=0) + 1
    earlier = tuple(line for line in entries if line.generated.digest != generated.digest)
    same_generator = [
        line for line in earlier if generated.generator and line.generated.generator == generated.generator
    ]
    pooled = bool(same_generator) and _pools(generated, [line for line in same_generator if not line.pooled])
    standing = () if pooled else tuple(line for line in same_generator if line.verdict == _BIASED)
    return Attempt(max(attempt, counted), earlier, standing, pooled)


def _pools(pool: Sample, lines: Iterable[Line]) -> bool:
    """Tell whether a sample is known to pool the events of others: all of their files, or exactly their events."""
    samples = {line.generated.digest: line.generated for line in lines}.values()
    if all(sample.parts and {*sample.parts} <= {*pool.parts} for sample in samples):
        return True
    sums = [sample.sums for sample in samples if sample.sums is not None]
    if pool.sums is None or len(sums) < len(samples):
        return False
    events, *others = (sum(column) for column in zip(*sums, strict=True))
    return pool.sums == (events, *(number % _MODULUS for number in others))


def _new_line(
    lines: Iterable[Line], attempt: Attempt, gate: Mapping[str, Any], reference: str, generated: Sample
) -> list[Line]:
    """Return the line of an attempt, unless it has no verdict, or an equal line exists."""
    if not attempt.verdict:
        return []
    line = Line(
        gate=gate,
        reference=reference,
        generated=generated,
        attempt=attempt.number,
        pooled=attempt.pooled,
        verdict=attempt.verdict,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    names = ("gate", "reference", "generated", "attempt", "verdict")
    recorded = any(all(getattr(line, name) == getattr(other, name) for name in names) for other in lines)
    return [] if recorded else [line]


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to read and append, with an exclusive lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b", buffering=0) as file:
        _lock(file.fileno())
        try:
            yield file
        finally:
            _unlock(file.fileno())


if os.name == "nt":
    import msvcrt
    import time

    _FAR = 2**40  # a byte that no ledger reaches: bytes that are locked cannot be read by others

    def _lock(file: int) -> None:
        while True:
            os.lseek(file, _FAR, os.SEEK_SET)
            try:
                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
            except OSError:
                time.sleep(0.05)
            else:
                return

    def _unlock(file: int) -> None:
        os.lseek(file, _FAR, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined, unused-ignore]

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _unlock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


def _read(file: IO[bytes], path: Path) -> tuple[list[Line], tuple[str, ...]]:
    """Read all lines, and make the last one whole if a writer did not end it.

    Raises:
        InputError: If a line is damaged.
    """
    file.seek(0)
    content = file.read()
    end = content.rfind(b"\n") + 1
    lines = []
    for number, text in enumerate(content[:end].split(b"\n")[:-1], 1):
        try:
            lines.append(Line.read(text))
        except (ValueError, RecursionError) as error:
            msg = (
                f"{path}, line {number}: this is no line of a ledger ({error}); a ledger is only appended to: restore "
                "the line from a copy of the file, as without it attempts would not be counted"
            )
            raise InputError(msg) from None
    rest = content[end:]
    if not rest:
        return lines, ()
    try:
        lines.append(Line.read(rest))
    except (ValueError, RecursionError):
        file.truncate(end)
        note = f"{path.name} ended in {len(rest)} bytes of a line that a run has not ended; they were removed"
        return lines, (note,)
    _append(file, b"\n")  # an editor may have taken it away
    return lines, ()


def _append(file: IO[bytes], text: bytes) -> None:
    """Append a text whole, and flush it to the disk.

    Raises:
        OSError: If the text cannot be written; nothing of it is left then.
    """
    end = file.seek(0, os.SEEK_END)
    try:
        written = file.write(text)
    except OSError:
        _cut(file, end)
        raise
    if written != len(text):
        _cut(file, end)
        raise OSError(errno.ENOSPC, f"only {written} of {len(text)} bytes could be written")
    os.fsync(file.fileno())


def _cut(file: IO[bytes], end: int) -> None:
    with suppress(OSError):  # what was written of the line, if anything, the next writer cuts off
        file.truncate(end)
