"""Toy simulators, each stating its truth: density, exact bin probabilities, parameters.

All have ``.sample(n, seed=...)``, which returns a `pytest_ganvalid.Sample`.
"""

from pytest_ganvalid.toys.camel_back import CamelBack
from pytest_ganvalid.toys.pythia import PythiaZ

__all__ = ["CamelBack", "PythiaZ"]
