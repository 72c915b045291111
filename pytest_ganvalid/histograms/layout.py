"""How the bins of a histogram lie to each other: what the smooth components of a difference are made along."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.intp]


class Arrangement(StrEnum):
    """The kinds of neighbourhood that bins have."""

    LINE = "line"
    """In order, along one axis."""
    CIRCLE = "circle"
    """In order, the last next to the first."""
    PRODUCT = "product"
    """By one position along each of several axes."""
    SLABS = "slabs"
    """By the position of the slab, and the position within it."""
    PARTS = "parts"
    """In parts of space, each of several bins."""
    NONE = "none"
    """Without order, as categories are."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where bins lie.

    Attributes:
        arrangement: What kind of neighbourhood they have.
        positions: Shape (bins, axes): along a line or circle the position of each bin, of a product and of slabs those
            along both axes, and of parts the part that the bin is in; (bins, 0) without order.
    """

    arrangement: Arrangement
    positions: IntArray

    @classmethod
    def line(cls, bins: int) -> Layout:
        """Return the layout of bins in their own order."""
        return cls(Arrangement.LINE, np.arange(bins)[:, None])

    @classmethod
    def product(cls, shape: tuple[int, ...]) -> Layout:
        """Return the layout of a grid of bins."""
        if len(shape) == 1:
            return cls.line(shape[0])
        return cls(Arrangement.PRODUCT, np.stack(np.unravel_index(np.arange(np.prod(shape)), shape), axis=1))

    @classmethod
    def none(cls, bins: int) -> Layout:
        """Return the layout of bins without order."""
        return cls(Arrangement.NONE, np.empty((bins, 0), dtype=np.intp))

    def with_last(self) -> Layout:
        """Return the layout with one more bin, after all others."""
        last = np.zeros((1, self.positions.shape[1]), dtype=np.intp)
        if last.size:
            last[0, 0] = self.positions[:, 0].max() + 1
        return Layout(self.arrangement, np.concatenate([self.positions, last]))

    def at(self, bins: IntArray) -> Layout:
        """Return the layout of some bins, each of which stands for those that were merged with it."""
        return Layout(self.arrangement, self.positions[bins])
