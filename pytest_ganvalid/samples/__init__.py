"""Samples of events: columns of numbers with optional weights, from whatever physicists hold them in."""

from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.samples.tables import as_sample

__all__ = ["Entries", "Sample", "as_sample"]
