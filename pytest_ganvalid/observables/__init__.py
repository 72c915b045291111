"""Observables: the numbers a histogram is made of, from the columns of a sample."""

from pytest_ganvalid.observables.observable import Observable, resolve

__all__ = ["Observable", "resolve"]
