"""Sums that lose nothing: of millions of weights of either sign, in whatever parts they are summed up.

A float is too short to hold the sum of many others. A `Total` is held as two, the second being what the first could not
take (Dekker, Numer. Math. 18 (1971) 224), and weights are cut in two before they are added, so that the leading parts,
multiples of one power of two, add up without rounding (Rump, Ogita & Oishi, SIAM J. Sci. Comput. 31 (2008) 189).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
_BITS = 53  # of a float
_MAGIC = 1.5 * 2.0 ** (_BITS - 1)  # times a power of two, added and taken away: rounds to multiples of the power


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
        leading, lost = _two_sum(self.leading, other.leading)
        return Total(*_two_sum(leading, lost + self.rest + other.rest))

    @property
    def value(self) -> FloatArray:
        """The sums as floats."""
        return self.leading + self.rest


def total_by_bin(index: IntArray, values: FloatArray, size: int) -> Total:
    """Sum numbers up in bins, with a relative error, if no other number were larger, of 10⁻²⁰.

    Args:
        index: The bin of each number, shape (values,).
        values: Finite numbers, shape (values,); at most 2²⁰ at a time.
        size: Number of bins.
    """
    coarse, fine = _cut(values)
    return Total(*_two_sum(*(np.bincount(index, part, minlength=size) for part in (coarse, fine))))


def _cut(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Cut numbers in two: multiples of a power of two that can be added without rounding, and what is left."""
    largest = float(np.abs(values).max(initial=0.0))
    if not largest:
        return values, values
    unit = 2.0 ** max(math.frexp(largest)[1] + math.ceil(math.log2(values.size)) + 1 - _BITS, -1000)
    magic = _MAGIC * unit
    coarse = (values + magic) - magic
    return coarse, values - coarse


def _two_sum(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the rounded sum and, exactly, what rounding took away (Knuth, TAOCP 2, 4.2.2)."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)
