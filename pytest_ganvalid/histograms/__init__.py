"""Binning, filling and merging: from numbers to bin sums, the sufficient statistics of a verdict."""
