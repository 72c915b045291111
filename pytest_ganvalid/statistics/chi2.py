"""The classical χ² test of two histograms, weighted or not.

What to use when: ``profile`` (the default) keeps its nominal size for weighted samples with few large
weights; ``gagunashvili`` is what ROOT's ``TH1::Chi2Test`` computes, and for two unweighted histograms
equals Pearson's χ² of the 2 x bins contingency table. Both are undefined for fewer than two populated bins.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid._arguments import check_choice
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.results import Chi2Result
from pytest_ganvalid.statistics.roots import brentq
from pytest_ganvalid.statistics.separation import Fractions, Noise

FloatArray = NDArray[np.float64]
_RANK = 1e-9  # relative; rounding leaves about 1e-15 of a direction that cannot vary
_MAX_LOG_RATIO = 50.0  # of log c from the ratio of the totals


def chi2_test(
    generated: BinSums, reference: BinSums, *, method: str = "profile", cross: FloatArray | None = None
) -> Chi2Result:
    """Test whether two histograms come from one distribution, whatever their normalisations.

    Args:
        generated: Bin sums, at least two bins populated on either side.
        reference: The same bins.
        method: ``"profile"`` or ``"gagunashvili"``; bins that are correlated because events have several entries
            or are clusters of rows are tested by `correlated_chi2` whatever the method.
        cross: The covariance of the fractions of both sides, shape (bins, bins); ``None`` for independent samples.

    Returns:
        The statistic, its degrees of freedom and p-value, and a residual per bin.

    Raises:
        InputError: If the method is unknown or fewer than two bins are populated.
    """
    check_choice("method", method, _METHODS)
    populated = generated.populated | reference.populated
    ndf = int(populated.sum()) - 1
    if ndf < 1:
        msg = f"a χ² test needs at least two populated bins; got {ndf + 1} of {populated.size}"
        raise InputError(msg)
    gen, ref = generated.select(populated), reference.select(populated)
    if any(part is not None for part in (gen.covariances, ref.covariances, cross)):
        chi2, pulls, ndf = correlated_chi2(gen, ref, None if cross is None else cross[np.ix_(populated, populated)])
    else:
        chi2, pulls = _METHODS[method](gen, ref)
    residuals = np.zeros(populated.size)
    residuals[populated] = pulls
    p_value = float(special.chdtrc(ndf, chi2)) if ndf else 1.0  # no cluster differs
    return Chi2Result(chi2=chi2, ndf=ndf, p_value=p_value, residuals=tuple(residuals.tolist()))


def profile_chi2(generated: BinSums, reference: BinSums) -> tuple[float, FloatArray]:
    """Minimise Σ (g - c r)² / (v^g + c² v^r) over the relative normalisation c.

    Args:
        generated: Bin sums with a positive total, every bin populated on either side.
        reference: The same bins.

    Returns:
        The minimum and the signed pulls at it, shape (bins,).
    """
    # As fractions: whatever the scale of the weights, their powers stay in range.
    (g, vg), (r, vr) = ((s.sumw / s.total, s.sumw2 / s.total**2) for s in (generated, reference))

    def slope(log_c: float) -> float:
        """-dχ²/dc up to a positive factor."""
        c = math.exp(log_c)
        return float(np.sum((g - c * r) * (r * vg + c * g * vr) / (vg + c * c * vr) ** 2))

    c = math.exp(_nearest_root(slope, 0.0))
    pulls = (g - c * r) / np.sqrt(vg + c * c * vr)
    return float(pulls @ pulls), pulls


def _nearest_root(slope: Callable[[float], float], centre: float) -> float:
    """Follow a slope from ``centre`` to where it changes sign; where it never does, stay.

    Histograms without a common bin have no slope at all, and very negative weights may have no minimum.
    """
    direction = float(np.sign(slope(centre)))
    step = 0.1 * direction
    near, far = centre, centre + step
    while direction and direction * slope(far) > 0:
        step *= 2
        near, far = far, far + step
        if abs(far - centre) > _MAX_LOG_RATIO:
            return centre
    return float(brentq(slope, near, far, xtol=1e-13)) if direction else centre


def gagunashvili_chi2(generated: BinSums, reference: BinSums) -> tuple[float, FloatArray]:
    """Compare after N. Gagunashvili, arXiv:physics/0605123: the form that fits the weights of the two samples.

    Args:
        generated: Bin sums with a positive total, every bin populated on either side.
        reference: The same bins.

    Returns:
        The statistic and the signed residuals, shape (bins,).
    """
    if generated.unweighted and reference.unweighted:
        return _unweighted_unweighted(generated, reference)
    if generated.unweighted:
        return _unweighted_weighted(generated, reference)
    if reference.unweighted:
        chi2, residuals = _unweighted_weighted(reference, generated)
        return chi2, -residuals
    return _weighted_weighted(generated, reference)


def correlated_chi2(
    generated: BinSums, reference: BinSums, cross: FloatArray | None = None
) -> tuple[float, FloatArray, int]:
    """Wald's test of equal fractions, with the covariance of either sample taken event by event, or by cluster.

    Args:
        generated: Bin sums with a positive total, every bin populated on either side.
        reference: The same bins.
        cross: The covariance of the fractions of both sides; ``None`` for independent samples.

    Returns:
        dᵀ M⁺ d for the difference d of the fractions and its covariance M, the signed differences in units of their
        errors, shape (bins,), and the rank of M, which is its number of degrees of freedom.
    """
    from scipy import linalg  # which takes a twentieth of a second

    gen, ref = (Fractions.from_sums(s.sumw, s.sumw2, s.covariances) for s in (generated, reference))
    noise = Noise(gen, ref, cross)
    difference, covariance = gen.minus(ref), noise.covariance()
    # In units of the errors, so that the rank does not depend on how large the bins are.
    # Rounding leaves a little variance where clusters fill both sides alike.
    threshold = 0.0 if cross is None else _RANK * (gen.variance + ref.variance)
    error = np.sqrt(np.where(covariance.diagonal() > threshold, covariance.diagonal(), 0.0))
    unit = np.where(error > 0, error, 1.0)
    covariance[error == 0] = 0.0
    covariance[:, error == 0] = 0.0
    inverse, rank = linalg.pinvh(covariance / np.outer(unit, unit), rtol=_RANK, return_rank=True)
    pulls = difference / unit
    return float(pulls @ inverse @ pulls), pulls, int(rank)


def _unweighted_unweighted(first: BinSums, second: BinSums) -> tuple[float, FloatArray]:
    n, m, total_n, total_m = first.sumw, second.sumw, first.total, second.total
    chi2 = float(np.sum((total_m * n - total_n * m) ** 2 / (n + m))) / (total_n * total_m)
    expected = total_n * (n + m) / (total_n + total_m)
    variance = expected * (1 - total_n / (total_n + total_m)) * (1 - (n + m) / (total_n + total_m))
    return chi2, (n - expected) / np.sqrt(variance)


def _weighted_weighted(first: BinSums, second: BinSums) -> tuple[float, FloatArray]:
    total_1, total_2 = first.total, second.total
    pulls = (total_2 * first.sumw - total_1 * second.sumw) / np.sqrt(
        total_1**2 * second.sumw2 + total_2**2 * first.sumw2
    )
    return float(pulls @ pulls), pulls


def _unweighted_weighted(counts: BinSums, weighted: BinSums) -> tuple[float, FloatArray]:
    """Maximum-likelihood bin probabilities from counts and weighted sums (section 3 of the paper)."""
    n, total_n = counts.sumw, counts.total
    w, total_w = weighted.sumw, weighted.total
    # A weighted bin without entries gets the sample's mean squared weight per weight, as in ROOT.
    s2 = np.where(weighted.sumw2 > 0, weighted.sumw2, weighted.sumw2.sum() / total_w)
    b = total_w * w - total_n * s2
    root = np.sqrt(b**2 + 4 * total_w**2 * s2 * n)
    probability = (b + root) / (2 * total_w**2)
    expected, difference = total_n * probability, w - total_w * probability
    # The estimate is zero only where the count is: such a bin adds nothing to the sum over counts.
    count_terms = np.divide((n - expected) ** 2, expected, out=np.zeros_like(expected), where=expected > 0)
    chi2 = float(np.sum(count_terms + difference**2 / s2))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (total_w * s2 / root) ** 2 * expected * (1 - probability) + (1 - b / root) ** 2 * s2 / 4
    return chi2, -difference / np.sqrt(np.where(root > 0, variance, s2))


_METHODS = {"profile": profile_chi2, "gagunashvili": gagunashvili_chi2}
