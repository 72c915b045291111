"""Every kind of histogram becomes the same bin sums, and what cannot is refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.bins import Axis, Grid, Unlabelled
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums, check_same_bins

COUNTS = np.array([3.0, 5.0, 0.0, 7.0])
EDGES = [0.0, 1.0, 2.5, 4.0, 8.0]
VALUES = np.repeat([0.5, 2.0, 5.0, 9.0], [3, 5, 7, 2])  # one beyond the last edge
WEIGHTS = np.linspace(-0.5, 2, VALUES.size)


def _read(histogram: object) -> BinSums:
    return as_bin_sums(histogram, "generated")


def _edges(sums: BinSums) -> tuple[float, ...]:
    assert isinstance(sums.bins, Grid)
    return sums.bins.axes[0].edges


def test_counts() -> None:
    """The variances of counts are the counts."""
    sums = _read(gv.Counts(COUNTS))
    np.testing.assert_array_equal(sums.sumw, COUNTS)
    np.testing.assert_array_equal(sums.sumw2, COUNTS)
    assert sums.bins == Unlabelled((4,))
    assert sums.unweighted
    assert (sums.total, sums.n_effective) == (15, 15)
    assert sums.populated.tolist() == [True, True, False, True]


def test_two_dimensional_counts() -> None:
    """A 2-D array keeps its shape as the shape of its bins, and is read row by row."""
    sums = _read(gv.Counts(np.arange(6).reshape(2, 3)))
    assert sums.bins.shape == (2, 3)
    assert sums.sumw.tolist() == [0, 1, 2, 3, 4, 5]


def test_variances_are_sums_of_squared_weights() -> None:
    """Contents with variances are sums of weights and of squared weights, and weights may be negative."""
    sums = _read(gv.Counts([3.0, -1.0, 4.0], [9.0, 1.0, 8.0]))
    assert sums.total == 6
    assert sums.n_effective == pytest.approx(36 / 18)
    assert not sums.unweighted
    matrix = _read(gv.Counts(np.ones((2, 2)) * 2, np.ones((2, 2))))
    assert matrix.bins.shape == (2, 2)
    assert matrix.sumw2.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("module", ["hist", "boost_histogram"])
@pytest.mark.parametrize("storage", ["Double", "Int64", "AtomicInt64", "Unlimited", "Weight"])
def test_uhi_counts(module: str, storage: str) -> None:
    """A histogram that was filled without weights gives counts, flow bins included, in every storage."""
    library: Any = pytest.importorskip(module)
    make = library.Hist if module == "hist" else library.Histogram
    filled = make(library.axis.Variable(EDGES), storage=getattr(library.storage, storage)())
    filled.fill(VALUES)
    sums = _read(filled)
    np.testing.assert_array_equal(sums.sumw, [0, 3, 5, 0, 7, 2])
    assert sums.unweighted
    assert _edges(sums) == tuple(EDGES)


def test_uhi_weights() -> None:
    """A Weight storage gives sums of weights and of squared weights, signed weights and overflow included."""
    bh: Any = pytest.importorskip("boost_histogram")
    filled = bh.Histogram(bh.axis.Variable(EDGES), storage=bh.storage.Weight()).fill(VALUES, weight=WEIGHTS)
    index = np.searchsorted(EDGES, VALUES, side="right")
    sums = _read(filled)
    np.testing.assert_allclose(sums.sumw, np.bincount(index, WEIGHTS, minlength=6), rtol=1e-14)
    np.testing.assert_allclose(sums.sumw2, np.bincount(index, WEIGHTS**2, minlength=6), rtol=1e-14)


def test_uhi_two_dimensional() -> None:
    """A 2-D histogram keeps all four sides of flow bins."""
    bh: Any = pytest.importorskip("boost_histogram")
    filled = bh.Histogram(bh.axis.Regular(2, 0, 1), bh.axis.Integer(0, 3)).fill([-1, 0.2, 2], [5, 1, -1])
    sums = _read(filled)
    assert sums.bins.shape == (4, 5)
    assert np.flatnonzero(sums.sumw).tolist() == [4, 7, 15]


@pytest.mark.parametrize("where", [-5.0, 15.0])
def test_flow_bins_are_compared(where: float) -> None:
    """A difference that only underflow or overflow shows changes the verdict."""
    bh: Any = pytest.importorskip("boost_histogram")
    axis = bh.axis.Regular(10, 0, 10)
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 10, 20_000), rng.uniform(0, 10, 20_000)
    reference = bh.Histogram(axis).fill(y)
    fair = gv.compare(bh.Histogram(axis).fill(x), reference, n_required=2_000)
    lost = gv.compare(bh.Histogram(axis).fill(np.append(x, np.full(5_000, where))), reference, n_required=2_000)
    assert fair.verdict is gv.Verdict.ROBUST
    assert lost.verdict is gv.Verdict.BIASED
    # An empty flow bin is merged with its neighbour, so the worst bin is that neighbour or the flow bin itself.
    assert lost.worst_bin == (0 if where < 0 else 11)


@pytest.mark.parametrize("weighted", [False, True])
def test_root_files(tmp_path: Path, weighted: bool) -> None:  # noqa: FBT001
    """TH1 and TH2 read back by uproot are the histograms that were written, and match them bin by bin."""
    uproot: Any = pytest.importorskip("uproot")
    hist: Any = pytest.importorskip("hist")
    storage = hist.storage.Weight() if weighted else hist.storage.Double()
    axes = hist.axis.Regular(50, -2.5, 2.7), hist.axis.Variable([0.1, 0.2, 0.7])
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 300))
    weight = {"weight": rng.uniform(0, 2, 300)} if weighted else {}
    one = hist.Hist(axes[0], storage=storage).fill(x, **weight)
    two = hist.Hist(*axes, storage=storage).fill(x, y, **weight)
    with uproot.recreate(tmp_path / "h.root") as file:
        file["one"], file["two"] = one, two
    with uproot.open(tmp_path / "h.root") as file:
        for name, written in (("one", one), ("two", two)):
            ours, theirs = _read(written), _read(file[name])
            np.testing.assert_allclose(theirs.sumw, ours.sumw, rtol=1e-14)
            np.testing.assert_allclose(theirs.sumw2, ours.sumw2, rtol=1e-14)
            assert theirs.bins.shape == ours.bins.shape
            check_same_bins(ours, theirs)  # although the edges differ in the last digit


def test_bin_sums_pass_through() -> None:
    """Bin sums that the package filled are taken as they are."""
    sums = _read(gv.Counts(COUNTS))
    assert _read(sums) is sums


def test_input_is_not_mutated() -> None:
    """Reading and comparing leave the arrays of the caller as they were."""
    counts, other = np.array([30, 50, 0, 70]), np.array([35, 45, 3, 60])
    before = counts.copy()
    gv.compare(gv.Counts(counts), gv.Counts(other), n_required=10)
    gv.compare(gv.Counts(counts, counts), gv.Counts(other), n_required=10)
    np.testing.assert_array_equal(counts, before)


@pytest.mark.parametrize(
    ("histogram", "error", "text"),
    [
        (gv.Counts([0, 0, 0]), InputError, "generated: the histogram has no events"),
        (gv.Counts(np.zeros(0)), InputError, "has no bins"),
        (gv.Counts(np.zeros((2, 0))), InputError, "has no bins"),
        (np.float64(3), InputTypeError, "a float64 is not a histogram"),
        (5, InputTypeError, r"a int is not a histogram; expected one with \.values.*or gv\.Counts.*with validate"),
        (None, InputTypeError, "a NoneType is not a histogram"),
        ("counts", InputTypeError, "a str is not a histogram"),
        (["1", "2"], InputTypeError, "a list is not a histogram"),
        ({"a": 1}, InputTypeError, "a dict is not a histogram"),
        (np.zeros(2, dtype=[("x", float)]), InputTypeError, "a ndarray is not a histogram"),
        (gv.Counts([1.0, -1.0], [1.0, 1.0]), InputError, "the total weight is 0"),
        (gv.Counts([1.0, -3.0], [1.0, 9.0]), InputError, "the total weight is -2; expected a positive"),
        (gv.Counts([1e200, 1e200], [1.0, 1.0]), InputError, "scale all weights by a constant"),
        (gv.Counts([1e-200, 1e-200], [1e-320, 1e-320]), InputError, "scale all weights by a constant"),
        ([1, 2], InputTypeError, "generated: a list of numbers without a name; are these events"),
    ],
)
def test_refusals(histogram: object, error: type[Exception], text: str) -> None:
    """What is no histogram of events is refused, saying what is wrong with it."""
    with pytest.raises(error, match=text):
        _read(histogram)


def test_weights_in_a_storage_without_squares_are_refused() -> None:
    """A Double storage filled with weights, or any scaled counts, has lost its variances and is not guessed at."""
    bh: Any = pytest.importorskip("boost_histogram")
    weighted = bh.Histogram(bh.axis.Regular(3, 0, 1)).fill([0.1, 0.2], weight=[1, 2])
    scaled = bh.Histogram(bh.axis.Regular(3, 0, 1), storage=bh.storage.Int64()).fill([0.1, 0.2]) * 10
    for histogram in (weighted, scaled):
        with pytest.raises(InputError, match=r"does not know its variances.*Weight storage"):
            _read(histogram)


def test_contents_set_by_hand_are_counts_or_refused() -> None:
    """Contents that are written into a counting storage must be counts."""
    bh: Any = pytest.importorskip("boost_histogram")
    histogram = bh.Histogram(bh.axis.Regular(3, 0, 1))
    histogram[...] = [1.0, 2.0, 3.0]
    assert _read(histogram).unweighted
    histogram[...] = [0.37, 0.74, 1.11]
    with pytest.raises(InputError, match=r"0\.37 at bin 1 and takes it for a count"):
        _read(histogram)


def test_profiles_are_refused() -> None:
    """A profile holds averages, of which no comparison of counts can be made."""
    bh: Any = pytest.importorskip("boost_histogram")
    profile = bh.Histogram(bh.axis.Regular(3, 0, 1), storage=bh.storage.Mean()).fill([0.1, 0.2], sample=[1, 2])
    with pytest.raises(InputTypeError, match=r"kind .*MEAN holds averages"):
        _read(profile)


def test_three_dimensional_histograms_are_refused() -> None:
    """A histogram of three axes is refused like an array of three dimensions."""
    bh: Any = pytest.importorskip("boost_histogram")
    axis = bh.axis.Regular(2, 0, 1)
    with pytest.raises(InputError, match="3 dimensions"):
        _read(bh.Histogram(axis, axis, axis))


@pytest.mark.parametrize(
    ("generated", "reference", "text"),
    [
        ([1, 2], [1, 2, 3], r"generated has shape \(2,\), reference \(3,\)"),
        ([[1, 2], [3, 4]], [1, 2, 3, 4], r"generated has shape \(2, 2\), reference \(4,\)"),
        ([1], [1], "a histogram of 1 bin compares nothing"),
    ],
)
def test_bins_must_match(generated: ArrayLike, reference: ArrayLike, text: str) -> None:
    """Histograms of different shapes, or of a single bin, are not compared."""
    with pytest.raises(InputError, match=text):
        gv.compare(gv.Counts(generated), gv.Counts(reference), n_required=10)


@pytest.mark.parametrize(
    ("axes", "text"),
    [
        ((("Regular", 3, 0, 1), ("Regular", 3, 0, 1.1)), "edge 1 is 0.333"),
        ((("Variable", [0, 0.1, 1]), ("Variable", [0, 0.100001, 1])), "edge 1 is 0.1 and 0.100001"),
        ((("Variable", [0, 1e6, 2e6]), ("Variable", [0, 1e6 + 1, 2e6])), "edge 1 is 1000000.0 and 1000001.0"),
        ((("Integer", 0, 3), ("Integer", 1, 4)), "category 0 is '0' and '1'"),
        ((("StrCategory", ["a", "b"]), ("StrCategory", ["b", "a"])), "category 0 is 'a' and 'b'"),
        ((("IntCategory", [5, 7, 9]), ("Variable", [0, 1, 3])), "bin 0 is '5' and '< 0'"),
    ],
)
def test_edges_must_match(axes: tuple[tuple[Any, ...], tuple[Any, ...]], text: str) -> None:
    """Histograms whose edges or categories differ are not compared, however small the difference."""
    bh: Any = pytest.importorskip("boost_histogram")
    ours, theirs = (bh.Histogram(getattr(bh.axis, kind)(*arguments)) for kind, *arguments in axes)
    ours[...], theirs[...] = np.ones(ours.shape), np.ones(theirs.shape)
    with pytest.raises(InputError, match=text):
        gv.compare(ours, theirs, n_required=10)


def test_flow_must_match() -> None:
    """A histogram with flow bins is not compared with one without, nor one side's flow with the other's."""
    bh: Any = pytest.importorskip("boost_histogram")
    flags: tuple[dict[str, bool], ...] = (
        {},
        {"underflow": False},
        {"overflow": False},
        {"underflow": False, "overflow": False},
    )
    histograms = [bh.Histogram(bh.axis.Regular(3, 0, 1, **flag)).fill([0.1, 0.5]) for flag in flags]
    for i, ours in enumerate(histograms):
        for j, theirs in enumerate(histograms):
            if i == j:
                check_same_bins(_read(ours), _read(theirs))
            else:
                with pytest.raises(InputError, match="different bin"):
                    check_same_bins(_read(ours), _read(theirs))


def test_counts_go_with_any_edges() -> None:
    """Counts without edges have none to compare, so only its shape must fit."""
    bh: Any = pytest.importorskip("boost_histogram")
    filled = bh.Histogram(bh.axis.Regular(2, 0, 1)).fill([0.1, 0.6, 0.7])
    check_same_bins(_read(filled), _read(gv.Counts([1, 1, 1, 1])))
    check_same_bins(_read(gv.Counts([1, 1, 1, 1])), _read(filled))


def test_rounding_of_edges_is_forgiven() -> None:
    """Edges that agree to a billionth of a bin are the same edges; a ten-thousandth is another."""
    sums = np.ones(4)
    ours = BinSums(sums, sums, Grid((Axis((0.0, 1.0, 2.0)),)))
    rounded = BinSums(sums, sums, Grid((Axis((0.0, 1.0 + 1e-12, 2.0)),)))
    other = BinSums(sums, sums, Grid((Axis((0.0, 1.0 + 1e-4, 2.0)),)))
    check_same_bins(ours, rounded)
    with pytest.raises(InputError, match="on axis 0 edge 1"):
        check_same_bins(ours, other)


def test_selecting_bins() -> None:
    """Bins that are selected keep their sums and lose their edges."""
    chosen = _read(gv.Counts([1.0, 2.0, 3.0], [1.0, 4.0, 9.0])).select(np.array([True, False, True]))
    assert (chosen.sumw.tolist(), chosen.sumw2.tolist()) == ([1, 3], [1, 9])
    assert chosen.bins == Unlabelled((2,))


def test_identical_histograms_demonstrate_nothing() -> None:
    """A histogram compared with itself, with a copy, or with a multiple of itself is never ROBUST."""
    counts = np.random.default_rng(3).poisson(1000, 20)
    reference = gv.Counts(counts)
    for generated in (reference, gv.Counts(counts), gv.Counts(7 * counts), gv.Counts(3 * counts, 9 * counts)):
        assert gv.compare(generated, reference, n_required=100).verdict is gv.Verdict.UNPROVEN


def test_equal_counts_in_two_bins_are_not_rare() -> None:
    """Of independent samples with few bins as many are called too good as are of many bins, though counts are equal."""
    rng = np.random.default_rng(7)
    suspect = 0
    for n in (100, 3_000):
        for p in ([0.5, 0.5], [0.1, 0.9], [0.2, 0.3, 0.5]):
            pairs = zip(rng.multinomial(n, p, 100), rng.multinomial(n, p, 100), strict=True)
            suspect += sum(gv.compare(gv.Counts(g), gv.Counts(r), n_required=10).p_agreement < 1e-3 for g, r in pairs)
    assert suspect <= 4  # of 600


def test_scaling_counts_gains_nothing() -> None:
    """Counts blown up to look like more events show their own noise as a disagreement."""
    rng = np.random.default_rng(4)
    generated, reference = rng.poisson(50, (2, 20))
    honest = gv.compare(gv.Counts(generated), gv.Counts(reference), n_required=10_000)
    blown = gv.compare(gv.Counts(1000 * generated), gv.Counts(1000 * reference), n_required=10_000)
    assert honest.verdict is gv.Verdict.UNPROVEN
    assert blown.verdict is gv.Verdict.BIASED


def test_one_huge_weight_counts_as_one_event() -> None:
    """A sample that one event dominates is as good as one event, and decides nothing."""
    rng = np.random.default_rng(5)
    generated, reference = rng.poisson(1000, (2, 20)).astype(float)
    sumw, sumw2 = generated.copy(), generated.copy()
    sumw[3] += 1e9
    sumw2[3] += 1e18
    found = gv.compare(gv.Counts(sumw, sumw2), gv.Counts(reference), n_required=10)
    assert found.verdict is gv.Verdict.UNPROVEN
    assert found.n_generated == pytest.approx(1, rel=1e-3)


def test_small_integers_do_not_overflow() -> None:
    """Counts of a byte are summed and subtracted as real numbers, not modulo 256."""
    rng = np.random.default_rng(6)
    generated, reference = rng.poisson(200, (2, 30)).clip(0, 255).astype(np.uint8)
    small = gv.compare(gv.Counts(generated), gv.Counts(reference), n_required=1000)
    wide = (gv.Counts(counts.astype(np.int64)) for counts in (generated, reference))
    large = gv.compare(*wide, n_required=1000)
    assert small == large
    assert small.n_generated == generated.astype(int).sum()


@pytest.mark.parametrize(
    ("reach", "refused"), [(1.01e-100, False), (0.99e-100, True), (0.99e100, False), (1e100, True)]
)
def test_sums_that_can_be_squared(reach: float, *, refused: bool) -> None:
    """Sums of weights between 10⁻¹⁰⁰ and 10¹⁰⁰ can be compared, also where only their squares are that large."""
    for pair in (
        ([reach, reach / 4], [(reach / 2) ** 2] * 2),
        ([reach / 8, reach / 8], [reach * reach, reach / 9 * reach]),
    ):
        if refused:
            with pytest.raises(InputError, match="beyond what can be squared; scale all weights by a constant"):
                _read(gv.Counts(*pair))
        else:
            assert _read(gv.Counts(*pair)).total > 0
