"""Draw the pictures of the docs, and figure 1 for the package's own GAN.

python -m benchmarks.pictures

Figure 1 is drawn from its numbers, docs/pictures/figure1.json. Where that file is missing, a GAN is trained on 10,000
events of the camel back (some four minutes) and measured anew.
"""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.figures import toy_figure
from pytest_ganvalid.histograms.layout import Layout
from pytest_ganvalid.report.figure import UncertaintyFigure, picture
from pytest_ganvalid.report.plots import png
from pytest_ganvalid.statistics.power import allowed_excess
from pytest_ganvalid.statistics.separation import Fractions, separation
from pytest_ganvalid.statistics.smooth import Components, smooth_basis

FloatArray = NDArray[np.float64]
FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
N_REQUIRED, BINS, SHIFT = 20_000, 50, 4.2
ALPHA = 0.05
N_TRAIN = 10_000


def tilted(rng: np.random.Generator) -> tuple[Fractions, Fractions]:
    """Draw a generated sample whose mean is off by `SHIFT` standard errors at n_required, and a reference."""
    x = (np.arange(BINS) + 0.5) / BINS - 0.5
    q = (1 + math.sqrt(12) * SHIFT / math.sqrt(N_REQUIRED) * x) / BINS
    counts = rng.multinomial(16 * N_REQUIRED, q), rng.multinomial(16 * N_REQUIRED, np.full(BINS, 1 / BINS))
    return fractions(counts[0]), fractions(counts[1])


def fractions(counts: NDArray[np.int64]) -> Fractions:
    """Normalise counts."""
    return Fractions.from_sums(counts.astype(np.float64), counts.astype(np.float64))


def draw_components(file: Path) -> None:
    """A tilt that no bin shows, and its smooth components."""
    generated, reference = tilted(np.random.default_rng(3))
    basis = smooth_basis(Layout.line(BINS), (generated.q + reference.q) / 2, 12)
    found = Components.of(generated, reference, basis)
    size = math.sqrt(N_REQUIRED) * found.theta
    error = np.sqrt(N_REQUIRED * found.noise.diagonal())
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    band = math.sqrt(BINS / N_REQUIRED)
    position = np.arange(BINS) + 0.5
    left.axhspan(1 - band, 1 + band, color="0.85", label="error bar of 20,000 events")
    left.axhline(1, color="0.4", lw=0.8)
    errors = np.sqrt(generated.variance + reference.variance) * BINS
    left.errorbar(position, generated.q / reference.q, errors, fmt="o", ms=3, color="C0", lw=0.9)
    left.set(xlabel="bin", ylabel="generated / reference", ylim=(0.86, 1.14))
    whole = N_REQUIRED * separation(generated, reference).estimate
    left.set_title(f"all bins: n_required Δ = {whole:.1f}, 17.3 allowed")
    left.legend(frameon=False, loc="upper left")
    right.axhline(0, color="0.4", lw=0.8)
    right.errorbar(np.arange(1, 13), size, error, fmt="o", ms=4, color="C0")
    right.axvspan(0.5, 9.5, color="C1", alpha=0.12)
    right.set(xlabel="smooth component", ylabel="bias in error bars of 20,000 events", xticks=np.arange(1, 13))
    half = 0.5 * float(np.sum(size[:9] ** 2 - error[:9] ** 2))
    right.set_title(f"the first nine: n_required Δ = {half:.1f}, 4.5 allowed")
    right.annotate("location: shifted up", (1, size[0]), (2.2, size[0]), va="center", arrowprops={"arrowstyle": "->"})
    figure.savefig(file)
    plt.close(figure)


def draw_cls(file: Path) -> None:
    """The plain upper limit and that by CLs, of a lucky reference and of an ordinary one."""
    rng = np.random.default_rng(1)
    flat = np.full(10, 0.1)
    pairs = [(rng.multinomial(10_000, flat), rng.multinomial(1_000, flat)) for _ in range(400)]
    found = [separation(fractions(g), fractions(r)) for g, r in pairs]
    found.sort(key=lambda one: one.t)
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained", sharey=True)
    excess = allowed_excess(9, 1.0)
    delta = np.linspace(0, 0.015, 300)
    for axis, one, title in zip(axes, (found[8], found[200]), ("a lucky T", "an ordinary T"), strict=True):
        plain = [one.lower_tail(d) for d in delta]
        axis.plot(delta, plain, color="0.5", label="P(T' ≤ T | Δ)")
        axis.plot(delta, [math.exp(one.log_ratio(d)) for d in delta], color="C0", label="over P(T' ≤ T | 0)")
        axis.axhline(ALPHA, color="0.4", lw=0.8, ls="--")
        limits = one.upper_limit(ALPHA), one.cls_limit(ALPHA)
        for limit, colour in zip(limits, ("0.5", "C0"), strict=True):
            axis.plot([limit], [ALPHA], "o", color=colour, clip_on=False, zorder=3)
        supported = ["∞" if limit == 0 else f"{excess / limit:,.0f}" for limit in limits]
        axis.set_title(f"{title}: n_supported {supported[0]} by the plain limit, {supported[1]} by CLs", fontsize=10)
        axis.set(xlabel="Δ", yscale="log", ylim=(3e-3, 1.2), xlim=(0, delta[-1]))
    axes[0].set_ylabel("probability")
    axes[1].legend(frameon=False)
    figure.savefig(file)
    plt.close(figure)


def observable() -> bytes:
    """A mass whose resolution is 6 % too wide, as in a report."""
    true, generated = (gv.toys.ZLineShape().sample(n, seed=seed)["mass"] for n, seed in ((40_000, 2), (100_000, 1)))
    sides = {"mass": 91.2 + 1.06 * (generated - 91.2)}, {"mass": true}
    report = gv.validate(*sides, n_required=10_000, units={"mass": "GeV"})
    return png("mass", report.comparisons["mass"])


def figure1(file: Path) -> UncertaintyFigure:
    """The numbers of figure 1 for the GAN with its default settings, the first seed."""
    if file.exists():
        return UncertaintyFigure.from_json(file.read_bytes())
    toy = gv.toys.CamelBack()
    generator = gv.gan.train(toy.sample(N_TRAIN, seed=10_000), seed=0)
    title = "A GAN of this package, trained on 10,000 camel-back events"
    figure = toy_figure(toy, generator, n_required=10 * N_TRAIN, n_train=N_TRAIN, title=title)
    file.write_text(figure.to_json(), encoding="utf-8")
    return figure


def main() -> None:
    """Write all."""
    (FOLDER / "figure1.svg").write_bytes(picture(figure1(FOLDER / "figure1.json"), ".svg"))
    (FOLDER / "observable.png").write_bytes(observable())
    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "ganvalid", "svg.fonttype": "none", "font.size": 10}
    FOLDER.mkdir(exist_ok=True)
    draw_components(FOLDER / "components.svg")
    draw_cls(FOLDER / "cls.svg")


if __name__ == "__main__":
    main()
