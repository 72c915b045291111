"""Histograms of some of the events, which add up to those of all: filled in any number of jobs, kept in small files."""

from pytest_ganvalid.partial.histograms import Histograms, Part, total
from pytest_ganvalid.partial.recipe import Recipe

__all__ = ["Histograms", "Part", "Recipe", "total"]
