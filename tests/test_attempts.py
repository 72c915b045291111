"""Attempts: what tells samples apart, how a check is counted, and how often a generator on the boundary passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.attempts import (
    Trial,
    counted,
    counted_by,
    estimate_digest,
    generator_digest,
    histogram_digest,
)
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.bins import Axis, Grid
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.statistics.limits import Limits, level

RNG = np.random.default_rng(5)
SAMPLES: list[dict[str, Any]] = [
    {"x": RNG.normal(size=n), "y": RNG.exponential(size=n), "w": RNG.uniform(1, 2, n)} for n in (3_000, 3_000, 4_000)
]


def digests(generated: Any, reference: Any, **keywords: Any) -> tuple[str, str]:
    """Digests of both sides in the report on them."""
    found = gv.validate(generated, reference, n_required=50, **{"observables": ["x"], **keywords})
    told = found.provenance["digests"]
    return told["generated"], told["reference"]


def test_events_have_one_digest_however_they_are_handed_over(tmp_path: Path) -> None:
    """Arrays in any order, one file, several files and a Dask collection of the same events have one digest."""
    generated, _, reference = SAMPLES
    expected = digests(generated, reference)
    order = RNG.permutation(3_000)
    assert digests({name: values[order] for name, values in generated.items()}, reference) == expected
    for number, part in enumerate((slice(0, 1_000), slice(1_000, 3_000))):
        np.savez(tmp_path / f"part{number}.npz", **{name: values[part] for name, values in generated.items()})
    np.savez(tmp_path / "all.npz", **generated)
    for name in ("all.npz", "part*.npz"):
        assert digests(str(tmp_path / name), reference) == expected
    dask: Any = pytest.importorskip("dask")
    da: Any = pytest.importorskip("dask.array")
    lazy = {name: da.from_array(values, chunks=1_000) for name, values in generated.items()}
    with dask.config.set(scheduler="synchronous"):
        assert digests(lazy, reference) == expected


@pytest.mark.parametrize("keywords", [{}, {"weight": "w"}, {"observables": ["x", ("x", "y")]}])
def test_other_events_have_another_digest(keywords: dict[str, Any]) -> None:
    """Other generated events, or one changed value, change the digest of their side and not that of the other."""
    generated, fresh, reference = SAMPLES
    ours, theirs = digests(generated, reference, **keywords)
    changed = {**generated, "x": np.concatenate([generated["x"][:-1], [0.5]])}
    for other in (fresh, changed):
        found = digests(other, reference, **keywords)
        assert found[0] != ours
        assert found[1] == theirs


def test_bins_do_not_matter_to_events() -> None:
    """The same events in other bins are the same events."""
    generated, _, reference = SAMPLES
    assert digests(generated, reference, bins=10) == digests(generated, reference, bins=20)


def test_weights_matter() -> None:
    """The same events with other weights are another sample."""
    generated, _, reference = SAMPLES
    changed = {**generated, "w": generated["w"] ** 2}
    plain, weighted = (digests(generated, reference, weight=weight) for weight in (None, "w"))
    assert len({plain[0], weighted[0], digests(changed, reference, weight="w")[0]}) == 3


def test_stored_histograms_tell_their_events(tmp_path: Path) -> None:
    """Histograms read from a file have a digest of the events that they hold: the same again, and not others'."""
    generated, fresh, reference = SAMPLES
    theirs = gv.fill(reference, observables=["x"])
    names = {}
    for name, events in {"ref": reference, "gen": generated, "again": generated, "fresh": fresh}.items():
        names[name] = tmp_path / f"{name}.json"
        names[name].write_text(gv.fill(events, like=theirs).to_json())
    found = {name: digests(str(names[name]), str(names["ref"]))[0] for name in ("gen", "again", "fresh")}
    assert found["gen"] == found["again"] != found["fresh"]
    assert found["gen"] == digests(gv.fill(generated, like=theirs), theirs)[0]


def test_contents_of_histograms() -> None:
    """The digest of histograms depends on contents, squared weights, edges and names, and not on their order."""

    def sums(edges: tuple[float, ...] = (0.0, 1.0, 2.0), *, last: float = 3.0, square: float = 3.0) -> BinSums:
        axis = Axis(edges=edges, underflow=False, overflow=False)
        return BinSums(np.array([5.0, last]), np.array([5.0, square]), Grid((axis,)))

    base = [("a", sums()), ("b", sums(last=4.0))]
    others = [
        [("a", sums()), ("c", sums(last=4.0))],
        [("a", sums()), ("b", sums(last=5.0))],
        [("a", sums()), ("b", sums(last=4.0, square=4.0))],
        [("a", sums((0.0, 1.0, 3.0))), ("b", sums(last=4.0))],
        base[:1],
    ]
    assert histogram_digest(base) == histogram_digest(reversed(base))
    assert len({histogram_digest(some) for some in (base, *others)}) == 6


def test_numbers() -> None:
    """The digest of an estimate depends on its value, error and events."""
    estimates = [gv.Estimate(1.0, 0.1, 5), gv.Estimate(1.5, 0.1, 5), gv.Estimate(1.0, 0.2, 5), gv.Estimate(1.0, 0.1, 6)]
    assert len({estimate_digest(estimate) for estimate in estimates}) == 4
    assert estimate_digest(estimates[0]) == estimate_digest(gv.Estimate(1.0, 0.1, 5))


def test_generators(tmp_path: Path) -> None:
    """A file is known by its content, whatever its name; a digest is taken as it is; none stays none."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"weights")
    (tmp_path / "c").write_bytes(b"others")
    found = {name: generator_digest(tmp_path / name) for name in "abc"}
    assert found["a"] == found["b"] != found["c"]
    assert generator_digest(str(tmp_path / "a")) == found["a"] == generator_digest(f"sha256:{found['a']}")
    assert generator_digest("DEADBEEF") == "deadbeef"
    assert generator_digest(None) is None
    assert gv.validate(*SAMPLES[::2], n_required=50, generator="deadbeef").provenance["generator"] == "deadbeef"
    for wrong in (tmp_path / "none", "v3", "abc", ""):
        with pytest.raises(InputError, match=r"^generator='.*' is neither a file nor a digest; expected the file"):
            generator_digest(wrong)
    with pytest.raises(InputTypeError, match="generator is a int; expected the name of its file"):
        generator_digest(5)


def test_a_generator_is_its_file(tmp_path: Path) -> None:
    """A trained generator in memory and the file that it is saved to are the same."""
    pytest.importorskip("torch")
    from pytest_ganvalid import gan

    config = gan.Config(steps=20, batch=20, width=4, critic_width=4, depth=1, latent=2)
    generator = gan.train({"x": RNG.normal(size=200)}, config=config, seed=1)
    generator.save(tmp_path / "g")
    assert generator_digest(generator) == generator_digest(tmp_path / "g")


def test_who_counts_is_asked_once_the_samples_are_known() -> None:
    """Each kind of check tells what it compares before it decides, and takes the larger of the two attempts."""
    trials: list[Trial] = []

    def count(trial: Trial) -> int:
        trials.append(trial)
        return 3

    counts = [1000, 1100, 900], [2000, 2050, 2100]
    gen, ref = map(gv.Counts, counts)
    estimates = gv.Estimate(1.001, 0.01, 10_000), gv.Estimate(1.0, 0.008, 15_000)
    with counted_by(count):
        results = [
            gv.validate(*SAMPLES[::2], n_required=50, observables=["x", "y"], generator="deadbeef").comparisons["x"],
            gv.compare(gen, ref, n_required=50, name="m"),
            gv.compare_estimates(*estimates, n_required=50, attempt=4, looks=2),
        ]
    assert [result.attempt for result in results] == [3, 3, 4]
    assert [trial.observables for trial in trials] == [("x", "y"), ("m",), ("",)]
    assert [trial.limits.attempt for trial in trials] == [1, 1, 4]
    assert [trial.generator for trial in trials] == ["deadbeef", None, None]
    assert trials[0].generated.sums is not None
    assert trials[0].generated.sums[0] == 3_000
    assert gv.compare(gen, ref, n_required=50).attempt == 1


def test_nobody_is_asked_beside_the_block() -> None:
    """Without anyone who counts, limits stay as they are, and after an error in the block, too."""

    def never() -> Trial:
        raise AssertionError

    with pytest.raises(RuntimeError), counted_by(lambda _: 9):
        raise RuntimeError
    assert counted(Limits(attempt=2), never) == Limits(attempt=2)


def interval(result: gv.Comparison) -> tuple[float, float]:
    """Limits of the separation."""
    return result.separation.lower, result.separation.upper


def test_a_later_attempt_is_the_first_at_a_higher_confidence() -> None:
    """Limits of attempt 3, one of 2 looks, are at its level; what an analysis keeps is at the stated confidence."""
    generated, reference = [1000, 1130, 900, 1210, 1010] * 2, [2000, 2050, 2100, 2080, 1990] * 2
    gen, ref = gv.Counts(generated), gv.Counts(reference)
    first, later = (gv.compare(gen, ref, n_required=500, attempt=n, looks=m) for n, m in ((1, 1), (3, 2)))
    strict = gv.compare(gen, ref, n_required=500, confidence=1 - level(0.95, 3, 2))
    assert interval(later) == pytest.approx(interval(strict), rel=1e-9)
    assert interval(later)[1] > interval(first)[1]
    assert (later.chi2_critical, later.confidence) == (first.chi2_critical, 0.95)
    assert later.n_supported < first.n_supported
    assert later.n_equivalent.lower < first.n_equivalent.lower
    assert later.n_systematic == pytest.approx(first.n_systematic)
    assert (later.attempt, later.looks) == (3, 2)
    assert gv.Comparison.from_json(later.to_json()) == later


def test_numbers_have_attempts_too() -> None:
    """Two one-sided tests of a later attempt are those of its level."""
    estimates = gv.Estimate(1.001, 0.01, 10_000), gv.Estimate(1.0, 0.008, 15_000)
    first, later = (gv.compare_estimates(*estimates, n_required=500, attempt=n) for n in (1, 3))
    strict = gv.compare_estimates(*estimates, n_required=500, confidence=1 - 0.05 / 12)
    assert (later.bias.lower, later.bias.upper) == pytest.approx((strict.bias.lower, strict.bias.upper))
    assert later.n_equivalent.lower < first.n_equivalent.lower
    assert later.n_systematic == first.n_systematic
    assert later.power < first.power
    assert gv.EstimateComparison.from_json(later.to_json()) == later


def keywords(name: str, value: Any) -> dict[str, Any]:
    """One keyword."""
    return {name: value}


def test_attempts_are_not_mixed() -> None:
    """Comparisons of different attempts or looks do not combine."""
    gen, ref = gv.Counts([1000, 1100]), gv.Counts([2000, 2050])
    for name in ("attempt", "looks"):
        pair = {str(n): gv.compare(gen, ref, n_required=50, **keywords(name, n)) for n in (1, 2)}
        with pytest.raises(InputError, match=rf"{name} is \[1, 2\]; compare all with one {name}"):
            gv.combine(pair)


TRIES, TOYS = 100, 80


def test_a_hundred_tries_on_the_boundary() -> None:
    """Fresh generated events until they pass err by at most 1.5 of the level; at the level itself they err far more."""
    rng = np.random.default_rng(11)
    n_required, n_reference, n_generated = 2_000, 8_000, 80_000
    ten = gv.Counts([1000] * 10)
    perfect = gv.compare(ten, ten, n_required=n_required)
    excess = min(perfect.chi2_critical - perfect.ndf, perfect.ndf / 2)
    # With p = 0.1 in ten bins and q = 0.1 (1 ± s) in turn Δ is 2 s²/(4 - s²).
    size = np.sqrt(4 * (excess / n_required) / (2 + excess / n_required))
    truth = 0.1 * (1 + size * np.where(np.arange(10) % 2, 1, -1))
    delta = ((truth - 0.1) ** 2 / (truth + 0.1)).sum()
    assert n_required * delta == pytest.approx(excess, rel=1e-3)
    samples = rng.multinomial(n_generated, truth, size=(TOYS, TRIES))
    references = rng.multinomial(n_reference, np.full(10, 0.1), size=TOYS)
    q, p = samples / n_generated, references[:, None] / n_reference
    statistic = ((q - p) ** 2 / (q + p)).sum(axis=2)
    close = np.argwhere(statistic < np.quantile(statistic, 0.08))  # none of the others is near 0.05
    passed = np.zeros((2, TOYS), dtype=bool)
    for toy, try_ in close.tolist():
        pair = gv.Counts(samples[toy, try_]), gv.Counts(references[toy])
        found = gv.compare(*pair, n_required=n_required, attempt=try_ + 1)
        passed[:, toy] |= found.p_robust <= 0.05, found.robust
    without, with_levels = passed.mean(axis=1)
    assert without > 0.15
    assert with_levels <= 0.075 + 3 * (0.075 * 0.925 / TOYS) ** 0.5
