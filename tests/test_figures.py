"""Figure 1 of a toy: what is measured against the truth lies where the curves say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.figures import BINS, against_truth, toy_column, toy_figure

TOY = gv.toys.CamelBack()


@pytest.mark.parametrize("components", [None, 9])
def test_true_events_have_their_statistical_uncertainty(components: int | None) -> None:
    """Against the truth, N true events are off by sqrt(bins/N), in all bins as in smooth components."""
    points = against_truth("simulated", TOY, TOY, [500, 20_000], components=components)
    degrees = 10 * (BINS - 1 if components is None else components)
    for point in points:
        assert point.uncertainty == pytest.approx(math.sqrt(BINS / point.n_events), rel=4 / math.sqrt(2 * degrees))
        assert point.error < point.uncertainty
        assert (point.kind, point.components, point.samples) == ("simulated", components, 10)


def test_generated_events_flatten() -> None:
    """A bootstrap of n_train events is off by what these were, however many events it gives, plus the statistics."""
    training = TOY.sample(1_000, seed=5)
    few, many = against_truth("generated", gv.generators.Bootstrap(training), TOY, [500, 100_000])
    counts = np.bincount(np.searchsorted(TOY.equiprobable_edges(BINS), training["x"]), minlength=BINS)
    inherited = math.sqrt(np.sum((counts / 1_000 - 1 / BINS) ** 2) * BINS**2 / (BINS - 1))
    assert many.uncertainty == pytest.approx(math.hypot(inherited, math.sqrt(BINS / 100_000)), rel=0.02)
    assert few.uncertainty == pytest.approx(math.hypot(inherited, math.sqrt(BINS / 500)), rel=0.15)


def test_a_systematic_uncertainty_adds_in_quadrature() -> None:
    """What no comparison with the toy's own truth sees is added to what is measured."""
    plain, more = (against_truth("simulated", TOY, TOY, [1_000], systematic=s)[0] for s in (0.0, 0.3))
    assert more.uncertainty == pytest.approx(math.hypot(plain.uncertainty, 0.3))


def test_the_band_holds_what_is_measured() -> None:
    """The band, from a reference, and what is measured against the truth agree where the generator's bias dominates."""
    generator = gv.generators.Bootstrap(TOY.sample(1_000, seed=5))
    figure = toy_figure(TOY, generator, n_required=20_000, n_train=1_000, events=100_000)
    last = [p for p in figure.points if p.kind == "generated" and p.components == figure.components][-1]
    assert last.n_events == 50_000
    curves = gv.uncertainty_curves([last.n_events], n_equivalent=figure.n_equivalent, probability=figure.probability)
    assert curves.generated_least[0] - 2 * last.error < last.uncertainty < curves.generated_most[0] + 2 * last.error
    assert (figure.title, figure.n_train, figure.probability) == ("Bootstrap of CamelBack", 1_000, 1 / BINS)
    assert {point.kind for point in figure.points} == {"simulated", "generated"}


def test_training_events_are_not_a_reference() -> None:
    """A generator that carries the fingerprint of its training shows that these are not used to validate it."""

    class Trained:
        fingerprint = gv.fingerprint(TOY.sample(500, seed=0))

        def sample(self, n: int, *, seed: int) -> gv.Sample:
            return TOY.sample(n, seed=seed)

    with pytest.raises(gv.InputError, match="nothing is known of n_equivalent in 'x'"):
        toy_figure(TOY, Trained(), n_required=500, n_train=500, events=2_000, seed=0)


@pytest.mark.parametrize("name", ["CamelBack", "Ring", "SphericalShell", "DijetMass", "ZLineShape"])
def test_every_toy_of_one_truth_is_measured(name: str) -> None:
    """The column whose truth a toy states is the one that is compared."""
    toy: Any = getattr(gv.toys, name)()
    (point,) = against_truth("simulated", toy, toy, [20_000])
    assert point.uncertainty == pytest.approx(math.sqrt(BINS / 20_000), rel=0.15)


def test_a_toy_without_one_is_refused() -> None:
    """A toy that states no distribution of a single column cannot be drawn."""
    with pytest.raises(gv.InputTypeError, match="Pileup has no single column of known truth"):
        toy_column(gv.toys.Pileup())
    with pytest.raises(gv.InputError, match="events=10 is too small"):
        toy_figure(TOY, TOY, n_required=10, n_train=10, events=10)
