"""Base of the toy simulators: uniform draws, one row per event, and the exact truth of one column.

A toy turns a fixed number of uniform draws per event into an event, by inverting distribution functions. Hence the
same events come from every machine and version of numpy, to rounding (PCG64 and its 53-bit uniform numbers are fixed
by definition, numpy's normal and gamma generators are not), and the first events of a longer sample are those of a
shorter one. Different toys, and one toy with different parameters, share the draws of a seed: samples to be compared
need different seeds.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_ganvalid._arguments import check_integer, check_not_negative, check_number
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import Sample

FloatArray = NDArray[np.float64]

_HALVINGS = 80  # of an interval: below the spacing of floats, whatever its length
_MAX_TERMS = 2_000_000  # evaluated at once in a mixture: 16 MB
_BELOW_ANY_DRAW = 2.0**-54


class Events(Protocol):
    """Columns by name: a `Sample`, a mapping, a data frame."""

    def __getitem__(self, name: str, /) -> Any:  # noqa: ANN401 - any array
        """Return a column."""
        ...


class Toy(ABC):
    """A simulator whose events are functions of uniform draws; subclasses are dataclasses of its parameters."""

    __slots__ = ()

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw ``n`` events.

        Args:
            n: Number of events, at least 1.
            seed: Any non-negative integer; samples of different seeds are independent.

        Returns:
            The columns named in the description of the class, float64 of shape (n,). The first events of a longer
            sample are those of a shorter one.

        Raises:
            InputError: If an argument is out of range.
        """
        return Sample(drawn(self, n, seed), provenance=provenance(self, seed))

    @abstractmethod
    def _draws(self) -> int:
        """Return the number of uniform draws per event."""

    @abstractmethod
    def _events(self, draws: FloatArray) -> dict[str, FloatArray]:
        """Return the columns made of draws of shape (draws per event, events)."""


class Univariate(ABC):
    """A continuous distribution of one column that is known exactly."""

    __slots__ = ()

    @abstractmethod
    def pdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability density at ``x``, any shape."""

    @abstractmethod
    def cdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability of a value up to ``x``, any shape."""

    @abstractmethod
    def _reach(self) -> tuple[float, float]:
        """Return an interval outside of which there is less than 1e-15 of the distribution."""

    def bin_probabilities(self, edges: Sequence[float]) -> FloatArray:
        """Return the exact probabilities of the bins between ``edges``, underflow and overflow included.

        Args:
            edges: Increasing, shape (edges,).

        Returns:
            Shape (edges + 1,), summing to 1.

        Raises:
            InputError: If the edges do not increase.
        """
        if np.isnan(edges).any() or not np.all(np.diff(edges) > 0):
            msg = f"edges={edges!r} do not increase; sort them and remove repeated ones"
            raise InputError(msg)
        return np.diff(np.concatenate([[0.0], self.cdf(edges), [1.0]]))

    def equiprobable_edges(self, bins: int) -> tuple[float, ...]:
        """Return the ``bins - 1`` edges of exactly equiprobable bins, at least 2."""
        check_integer("bins", bins, minimum=2)
        shares = np.arange(1, bins) / bins
        low, high = (np.full(bins - 1, end, dtype=float) for end in self._reach())
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = self.cdf(middle) < shares
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return tuple(high.tolist())


def uniforms(n: int, draws: int, seed: int, *, stream: int = 0) -> FloatArray:
    """Return numbers above 0 and below 1, shape (draws, n); those of the first events do not depend on ``n``.

    Streams of different numbers are independent.

    Raises:
        InputError: If ``n`` or ``seed`` is out of range.
    """
    sequence = np.random.SeedSequence(check_integer("seed", seed, minimum=0), spawn_key=(stream,))
    numbers = np.random.Generator(np.random.PCG64(sequence)).random((check_integer("n", n), draws))
    # Zero is drawn once in 2⁵³ times, and would be an infinite normal deviate.
    return np.maximum(numbers, _BELOW_ANY_DRAW).T


def drawn(toy: Toy, n: int, seed: int, *, stream: int = 0) -> dict[str, FloatArray]:
    """Return the columns of ``n`` events of a toy; other streams are for whatever else draws from its law.

    Raises:
        InputError: If ``n`` or ``seed`` is out of range.
    """
    return toy._events(uniforms(n, toy._draws(), seed, stream=stream))  # noqa: SLF001 - of the class above


def provenance(toy: Any, seed: int) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
    """Return the provenance of a sample."""
    return {"source": type(toy).__name__, "parameters": asdict(toy), "seed": int(seed)}


def column(events: Events | Mapping[str, ArrayLike], name: str) -> FloatArray:
    """Return a column as floats."""
    return np.asarray(events[name], dtype=float)


def mixture(term: Callable[[FloatArray], FloatArray], x: ArrayLike, weights: FloatArray) -> FloatArray:
    """Return Σ_j weights_j term_j(x) at ``x`` of any shape.

    Args:
        term: Takes x of shape (points, 1) and returns the terms, shape (points, terms).
        x: Points, of any shape.
        weights: Shape (terms,).
    """
    points = np.asarray(x, dtype=float)
    parts = np.array_split(points.ravel(), math.ceil(points.size * weights.size / _MAX_TERMS) or 1)
    return np.concatenate([term(part[:, None]) @ weights for part in parts]).reshape(points.shape)


def check_share(name: str, value: object) -> float:
    """Return ``value`` if it is 0 or more and below 1."""
    share = check_not_negative(name, value)
    if share >= 1:
        msg = f"{name}={value!r} is out of range; expected a share, 0 or more and below 1"
        raise InputError(msg)
    return share


def check_interval(name: str, value: tuple[float, float], *, limit: float = math.inf) -> None:
    """Refuse limits that are not 0 < low < high < ``limit``."""
    low, high = (check_number(name, end) for end in value)
    if not 0 < low < high < limit:
        msg = f"{name}={value!r} is out of range; expected 0 < low < high < {limit:g}"
        raise InputError(msg)


def check_between(name: str, value: object, low: float, high: float) -> None:
    """Refuse a number outside of ``low`` to ``high``."""
    if not low <= check_number(name, value) <= high:
        msg = f"{name}={value!r} is out of range; expected {low:g} to {high:g}"
        raise InputError(msg)
