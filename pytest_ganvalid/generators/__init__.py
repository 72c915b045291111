"""Generators with known behaviour: honest baselines, and flawed ones that every check must catch.

All are made from training events of any kind that `pytest_ganvalid.validate` reads, and have ``.sample(n, seed=...)``,
which returns a `pytest_ganvalid.Sample`. The flawed ones wrap any of them.
"""

from pytest_ganvalid.generators.baselines import Bootstrap, GaussianKDE, HistogramSampler
from pytest_ganvalid.generators.fit import CamelBackFit
from pytest_ganvalid.generators.flawed import DropRegion, Shift, Shuffle, Smear, Source

__all__ = [
    "Bootstrap",
    "CamelBackFit",
    "DropRegion",
    "GaussianKDE",
    "HistogramSampler",
    "Shift",
    "Shuffle",
    "Smear",
    "Source",
]
