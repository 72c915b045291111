"""The attempt of a check: digests that tell samples apart, and the hook that counts earlier attempts.

Fresh generated events against the same reference until they pass are called ROBUST too often, so that each attempt is
made at a level of its own (see `statistics.limits.level`). The attempt must be known before the verdict, and it can be
counted only once the samples have been read: so whoever counts is asked in between.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.results import Estimate
from pytest_ganvalid.statistics.limits import Limits

_DIGEST = re.compile(r"(sha256:)?[0-9a-fA-F]{8,128}")
_LENGTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDigest:
    """Digest of a sample, whatever order its events are in.

    Attributes:
        digest: Digest of all events; for histograms that are filled elsewhere, of their contents.
        parts: Digests of the events of each of its files; empty if they are not known.
        sums: Number of events, and the sums of their hashes and of the squares of those, modulo 2⁶⁴, which add up when
            samples are pooled; ``None`` if they are not known.
    """

    digest: str
    parts: tuple[str, ...] = ()
    sums: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A check before its verdict, as far as it identifies an attempt.

    Attributes:
        observables: Names of what is compared.
        n_required: Number of true events to stand in for.
        limits: What counts as agreement, with the attempt as it was stated.
        generated: The generated sample.
        reference: The reference.
        generator: Digest of the generator; ``None`` if it is not known.
    """

    observables: tuple[str, ...]
    n_required: float
    limits: Limits
    generated: SampleDigest
    reference: SampleDigest
    generator: str | None = None


Count = Callable[[Trial], int]
_COUNT: ContextVar[Count | None] = ContextVar("ganvalid_count", default=None)


@contextmanager
def counted_by(count: Count) -> Iterator[None]:
    """Count the checks in the block: ``count`` is called with each before its verdict, and returns its attempt."""
    token = _COUNT.set(count)
    try:
        yield
    finally:
        _COUNT.reset(token)


def counted(limits: Limits, trial: Callable[[], Trial]) -> Limits:
    """Return the limits at the attempt that is counted, or that is stated if it is larger.

    Args:
        limits: With the attempt as it was stated.
        trial: Makes the trial to count; called only if attempts are counted.
    """
    count = _COUNT.get()
    return limits if count is None else replace(limits, attempt=max(limits.attempt, count(trial())))


def histogram_digest(histograms: Iterable[tuple[str, BinSums]]) -> SampleDigest:
    """Digest the contents and bins of histograms; the order does not matter."""
    digest = hashlib.sha256()
    for name, sums in sorted(histograms, key=lambda pair: pair[0]):
        digest.update(repr((name, sums.bins)).encode())
        for contents in (sums.sumw, sums.sumw2):
            digest.update(contents.astype("<f8").tobytes())
    return SampleDigest(digest=digest.hexdigest()[:_LENGTH])


def estimate_digest(estimate: Estimate) -> SampleDigest:
    """Digest a number with its error."""
    return SampleDigest(digest=hashlib.sha256(repr(estimate).encode()).hexdigest()[:_LENGTH])


def generator_digest(generator: object) -> str | None:
    """Return the digest of a generator.

    Args:
        generator: A file that holds it, whose content counts; a generator of `pytest_ganvalid.gan`, as it would be
            saved; or a digest in hexadecimal, such as that of a commit. ``None`` if it is not known.

    Raises:
        InputError: If the generator is neither the name of a file nor a digest.
        InputTypeError: If the generator is of another kind.
    """
    if generator is None:
        return None
    if isinstance(generator, str | os.PathLike):
        path = Path(generator)
        if path.is_file():
            return _file_digest(path)
        if isinstance(generator, str) and _DIGEST.fullmatch(generator):
            return generator.removeprefix("sha256:").lower()
        msg = (
            f"generator={os.fspath(generator)!r} is neither a file nor a digest; expected the file of a trained "
            "generator, or 8 or more hexadecimal digits"
        )
        raise InputError(msg)
    save = getattr(generator, "save", None)
    if callable(save) and hasattr(generator, "n_train"):
        with tempfile.TemporaryDirectory() as folder:
            save(saved := Path(folder) / "generator")
            return _file_digest(saved)
    msg = (
        f"generator is a {type(generator).__name__}; expected the name of its file, a generator of "
        "pytest_ganvalid.gan, or a digest"
    )
    raise InputTypeError(msg)


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
