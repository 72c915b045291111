"""Toy simulators, each stating its truth: density, exact bin probabilities, parameters.

All but `analyses` have ``.sample(n, seed=...)``, which returns a `pytest_ganvalid.Sample`.

What to use when:

- a density in one, two or more dimensions: `CamelBack`, `Ring`, `SphericalShell`;
- the search for a signal: `DijetMass`; the measurement of a parameter: `ZLineShape`;
- a conditional generator, and rare fakes: `Calorimeter`;
- resampling: `MinimumBias` and `Pileup`;
- a density to be queried event by event: `MatrixElement`;
- a full simulation without a stated truth: `PythiaZ`;
- an analysis with its pyhf workspace, and histograms of one of its samples: the module `analyses`.

The modules import scipy as a whole, whose parts load when they are first used: a help text lists the toys.
"""

from pytest_ganvalid.toys.calorimeter import Calorimeter, ResponseAt
from pytest_ganvalid.toys.camel_back import CamelBack
from pytest_ganvalid.toys.dijet_mass import DijetMass
from pytest_ganvalid.toys.matrix_element import MatrixElement
from pytest_ganvalid.toys.minimum_bias import MinimumBias, Pileup
from pytest_ganvalid.toys.pythia import PythiaZ
from pytest_ganvalid.toys.shell import Ring, SphericalShell
from pytest_ganvalid.toys.z_line_shape import ZLineShape

__all__ = [
    "Calorimeter",
    "CamelBack",
    "DijetMass",
    "MatrixElement",
    "MinimumBias",
    "Pileup",
    "PythiaZ",
    "ResponseAt",
    "Ring",
    "SphericalShell",
    "ZLineShape",
]
