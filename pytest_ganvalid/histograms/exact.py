"""Sums that lose nothing: of millions of weights of either sign, in whatever parts they are summed up.

A float is too short to hold the sum of many others. A `Total` is held as two, the second being what the first could not
take (Dekker, Numer. Math. 18 (1971) 224), and weights are cut before they are added, so that their leading parts,
multiples of one power of two, add up without rounding, and so do the rest (Rump, Ogita & Oishi, SIAM J. Sci. Comput.
31 (2008) 189).
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.histograms.compiled import kernels
from pytest_ganvalid.histograms.lookup import parts, plain

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
_BITS = 53  # of a float
_MAGIC = 1.5 * 2.0 ** (_BITS - 1)  # times a power of two, added and taken away: rounds to multiples of the power
BLOCK = 1 << 15
"""Numbers at a time: what is worked on stays in the processor's cache."""
_MIN_EXPONENT = -900  # exponent of a sum that is too small to be cut into parts


@dataclass(frozen=True, slots=True, eq=False)
class Total:
    """Sums, one per bin, to twice the precision of a float.

    Attributes:
        leading: The sums, rounded; any shape.
        rest: What rounding took away, of the same shape.
    """

    leading: FloatArray
    rest: FloatArray

    @classmethod
    def of(cls, values: NDArray[np.generic]) -> Total:
        """Start from numbers that are exact."""
        leading = np.asarray(values, dtype=np.float64)
        return cls(leading, np.zeros_like(leading))

    def __add__(self, other: Total) -> Total:
        """Add two totals."""
        leading, error = two_sum(self.leading, other.leading)
        return Total(*two_sum(leading, error + self.rest + other.rest))

    @property
    def value(self) -> FloatArray:
        """The sums as floats."""
        return self.leading + self.rest


def total_by_bin(index: IntArray, values: FloatArray, size: int) -> Total:
    """Sum numbers up in bins, with an error of 10⁻³⁰ of the largest of them.

    Args:
        index: The bin of each number, shape (values,).
        values: Finite numbers, shape (values,).
        size: Number of bins.
    """
    if (loops := kernels()) is not None:
        total = Total.of(np.zeros(size))
        loops.total(plain(index, np.int64), plain(values), total.leading, total.rest)
        return total
    blocks = [_block_total(index[part], values[part], size) for part in parts(values.size, BLOCK)]
    return functools.reduce(operator.add, blocks, Total.of(np.zeros(size)))


def _block_total(index: IntArray, values: FloatArray, size: int) -> Total:
    """Sum a few numbers up in bins, at least one."""
    largest, smallest = _magnitude_range(values)
    sums = []
    while largest and not adds_exactly(largest, smallest, values.size):
        part = leading_part(values, largest, values.size)
        sums.append(np.bincount(index, part, minlength=size))
        values = np.subtract(values, part, out=part)  # new memory for each array would cost as much as the work
        largest = max(float(values.max()), -float(values.min()))
    sums.append(np.bincount(index, values, minlength=size))
    return sum_of(sums)


def _magnitude_range(values: FloatArray) -> tuple[float, float]:
    """Return the largest and the smallest magnitude of numbers, but for 0; 0 and infinity if all are 0."""
    smallest, largest = float(values.min()), float(values.max())
    if smallest > 0:
        return largest, smallest
    magnitudes = np.abs(values)
    magnitudes[magnitudes == 0] = np.inf
    return max(largest, -smallest), float(magnitudes.min())


def adds_exactly(largest: float, smallest: float, number: int) -> bool:
    """Tell whether floats can be added without rounding, as their last bits are not far below the largest sum.

    Args:
        largest: The largest magnitude.
        smallest: The smallest magnitude above 0 of the floats, or of those that they are the last bits of.
        number: How many there are.
    """
    return math.frexp(largest)[1] + carry(number) <= max(math.frexp(smallest)[1], _MIN_EXPONENT)


def leading_part(values: Any, largest: float, number: int) -> Any:  # noqa: ANN401 - arrays or tensors
    """Round numbers to multiples of a power of two that can be added without rounding."""
    magic = rounding_number(largest, number)
    part = values + magic
    part -= magic
    return part


def rounding_number(largest: float, number: int) -> float:
    """Return what, added and taken away, rounds so many numbers to such multiples; see `leading_part`."""
    return _MAGIC * 2.0 ** (math.frexp(largest)[1] + carry(number) + 1 - _BITS)


def sum_of(sums: Sequence[NDArray[np.generic]]) -> Total:
    """Add sums, the leading ones first."""
    return functools.reduce(operator.add, map(Total.of, sums))


def carry(number: int) -> int:
    """Return how many bits a sum of so many numbers may be longer than they are."""
    return math.ceil(math.log2(number))


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:  # noqa: ANN401 - arrays or floats
    """Return the rounded sum and, exactly, what rounding took away (Knuth, TAOCP 2, 4.2.2)."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)
