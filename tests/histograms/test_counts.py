"""Contents of bins say that they are contents, and what cannot be any is refused in words."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.bins import Axis, Grid, Unlabelled
from pytest_ganvalid.histograms.counts import Counts, refuse_bare
from pytest_ganvalid.histograms.sums import as_bin_sums, check_same_bins

COUNTS = np.array([3.0, 5.0, 0.0, 7.0])
MASKED = np.ma.array([1, 2, 3], mask=[False, True, False])
INF = math.inf


@pytest.mark.parametrize(
    "values",
    [
        COUNTS,
        COUNTS.tolist(),
        tuple(COUNTS.tolist()),
        COUNTS.astype(np.uint8),
        COUNTS.astype(np.int16),
        COUNTS.astype(np.float16),
        COUNTS.astype(np.float32),
        np.ma.array(COUNTS, mask=False),
        [3, 5, 0, 7],
    ],
    ids=lambda values: f"{type(values).__name__}-{getattr(values, 'dtype', '')}",
)
def test_values_of_any_kind(values: Any) -> None:
    """Contents mean the same whatever holds them."""
    for counts in (Counts(values), Counts(values, values)):
        np.testing.assert_array_equal(counts.values, COUNTS)
        assert counts.values.dtype == np.float64
    assert Counts(values).variances is None


def test_contents_do_not_change() -> None:
    """The arrays are copies that cannot be written to, and no field can be replaced."""
    values, variances = COUNTS.copy(), COUNTS.copy()
    counts: Any = Counts(values, variances)
    values[0] = variances[0] = 99
    assert (counts.values[0], counts.variances[0]) == (3, 3)
    for array in (counts.values, counts.variances):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(FrozenInstanceError):
        counts.values = COUNTS


def test_words_and_copies() -> None:
    """The words for contents are what makes them again, and pickling and copying keep all of them."""
    counts = Counts([3, 4], [3, 8], [0, 1, 2])
    again = eval(repr(counts), {"Counts": Counts, "array": np.array})  # noqa: S307
    for other in (again, pickle.loads(pickle.dumps(counts)), copy.deepcopy(counts)):  # noqa: S301
        assert repr(other) == repr(counts)
    assert repr(Counts([3])) == "Counts(values=array([3.]), variances=None, edges=None)"


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=6, unique=True), st.booleans(), st.booleans())
def test_edges_make_an_axis(finite: list[float], below: bool, above: bool) -> None:  # noqa: FBT001
    """Each bin lies between two edges; those that reach to infinity are underflow and overflow."""
    inner = tuple(sorted(finite))
    edges = (*((-INF,) if below else ()), *inner, *((INF,) if above else ()))
    counts = Counts(np.ones(len(edges) - 1), edges=edges)
    assert counts.edges == edges
    assert counts.bins == Grid((Axis(inner, underflow=below, overflow=above),))
    assert counts.bins.shape == counts.values.shape


def test_edges_of_two_axes() -> None:
    """Contents in two dimensions take an array of edges for each axis, and label their bins by them."""
    counts = Counts(np.ones((2, 3)), edges=([0, 1, 2], np.array([0.0, 10, 20, INF])))
    assert counts.edges == ((0, 1, 2), (0, 10, 20, INF))
    assert counts.bins.shape == (2, 3)
    assert counts.bins.label(5, 5) == "[1, 2) x >= 20"
    square = Counts(np.ones((2, 2)), edges=np.array([[0, 1, 2], [3, 4, 5]]))
    assert square.edges == ((0, 1, 2), (3, 4, 5))


def test_without_edges_bins_are_known_by_position() -> None:
    """Contents without edges have the shape of their values, and no more."""
    assert Counts(COUNTS).bins == Unlabelled((4,))


def test_edges_label_the_worst_bin() -> None:
    """A result names bins by their edges where these are known, and by position else."""
    generated, reference, edges = [900, 1500, 1100], [1000, 1000, 1000], [0, 2.5, 5, INF]
    named = gv.compare(Counts(generated, edges=edges), Counts(reference, edges=edges), n_required=10)
    plain = gv.compare(Counts(generated), Counts(reference), n_required=10)
    assert (named.worst_bins[0].label, plain.worst_bins[0].label) == ("[2.5, 5)", "bin 1")
    with pytest.raises(InputError, match=r"different bin edges: on axis 0 edge 1 is 2\.5 and 2\.6"):
        gv.compare(Counts(generated, edges=edges), Counts(reference, edges=[0, 2.6, 5, INF]), n_required=10)


def test_edges_are_those_of_a_filled_histogram() -> None:
    """Contents with their edges match a histogram of the same axis, with its flow bins or without."""
    bh: Any = pytest.importorskip("boost_histogram")
    for flow in (True, False):
        axis = bh.axis.Regular(3, 0, 3, underflow=flow, overflow=flow)
        filled = bh.Histogram(axis).fill([0.5, 1.5, 1.6, 7])
        values, edges = filled.to_numpy(flow=flow)
        ours, theirs = as_bin_sums(Counts(values, edges=edges), "generated"), as_bin_sums(filled, "reference")
        assert isinstance(ours.bins, Grid)
        check_same_bins(ours, theirs)
        with pytest.raises(InputError, match="different bins"):
            check_same_bins(ours, as_bin_sums(Counts(values[:-1], edges=edges[:-1]), "reference"))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (([1, -2, 3],), InputError, r"a count is negative at bin 1; weighted\? then gv\.Counts\(values, variances\)"),
        (([[1, 2], [3, -4]],), InputError, r"negative at bin \(1, 1\)"),
        (([1, 2.5, 3],), InputError, r"count at bin 1 is 2\.5, not an integer; are these events.*Counts\(values, var"),
        (([1, np.nan, 3],), InputError, "values has 1 NaN or infinite bins, the first at 1"),
        (([1, np.inf, 3],), InputError, "1 NaN or infinite bins"),
        (([1.0, np.nan], [1.0, 1.0]), InputError, "values has 1 NaN"),
        (([1.0, 1.0], [1.0, np.inf]), InputError, "variances has 1 NaN"),
        ((np.array([1, 2, None]),), InputTypeError, "dtype object; expected real numbers"),
        (([True, False],), InputTypeError, "dtype bool"),
        (([1 + 2j, 3],), InputTypeError, "dtype complex"),
        ((["1", "2"],), InputTypeError, "dtype <U1"),
        (([[1, 2], [3]],), InputError, "values is not a rectangular array"),
        (([1, 2], [[1, 2], [3]]), InputError, "variances is not a rectangular array"),
        ((MASKED,), InputError, "values has masked bins"),
        (([1, 2, 3], MASKED), InputError, "variances has masked bins"),
        ((np.ones((2, 2, 2)),), InputError, "3 dimensions; expected 1 or 2"),
        ((3,), InputError, "0 dimensions"),
        (([1.0, 2.0], [1.0, -2.0]), InputError, "squared weights is negative at bin 1"),
        (([1.0, 2.0], [1.0, 0.0]), InputError, "bin 1 has a sum of weights 2 but no sum of squared weights"),
        (([1, 2], [1, 2, 3, 4]), InputError, r"shape \(2,\) and variances of shape \(4,\); expected one shape$"),
        (([1, 2], [[1, 2]]), InputError, r"variances of shape \(1, 2\); expected one shape$"),
        (([100.0, 400.0], [10.0, 20.0]), InputError, r"square the errors: gv\.Counts\(values, errors\*\*2\)"),
        (np.histogram([1, 2, 3], bins=4), InputError, r"numpy\.histogram returns.*Counts\(counts, edges=edges\)"),
        ((np.ones((3, 3)), np.arange(4)), InputError, r"gv\.Counts\(counts, edges=\(x_edges, y_edges\)\)"),
        ((np.histogram([1, 2, 3], bins=4),), InputTypeError, r"a tuple of arrays; .*Counts\(counts, edges=edges\)"),
        ((([1, 2], [1, 2]),), InputTypeError, r"tuple of arrays; expected one array.*gv\.Counts\(values, variances\)"),
        ((Counts([1, 2]),), InputTypeError, "values is a Counts, which is a histogram already"),
        (([1, 2], None, [0, 1]), InputError, r"edges has shape \(2,\); expected \(3,\).*-inf and inf"),
        (([1, 2], None, [[0, 1, 2]]), InputError, r"edges has shape \(1, 3\)"),
        (([1, 2], None, [0, 2, 1]), InputError, r"edges must be strictly increasing.*got \[0\.0, 2\.0, 1\.0\]"),
        (([1, 2], None, [0, 1, 1]), InputError, "strictly increasing"),
        (([1, 2], None, [0, np.nan, 1]), InputError, "strictly increasing"),
        (([1, 2], None, [0, INF, INF]), InputError, "strictly increasing"),
        (([1], None, [-INF, INF]), InputError, "at least one of them finite"),
        (([1, 2], None, ["a", "b", "c"]), InputTypeError, "edges is a list, and not an array of numbers"),
        (([1, 2], None, len), InputTypeError, "edges is a builtin_function_or_method, and not an array of numbers"),
        (([[1, 2]], None, [0, 1, 2]), InputError, r"edges is a list; values of two dimensions need a pair"),
        (([[1, 2]], None, 5), InputError, "edges is a int; values of two dimensions"),
        (([[1, 2]], None, ([0, 1], [0, 1])), InputError, r"edges\[1\] has shape \(2,\); expected \(3,\)"),
    ],
)
def test_refusals(arguments: tuple[Any, ...], error: type[Exception], text: str) -> None:
    """What cannot be the contents of a histogram is refused, saying what is wrong with it."""
    with pytest.raises(error, match=text):
        Counts(*arguments)


def test_a_histogram_is_not_read_as_an_array() -> None:
    """A filled histogram is handed over as it is, as its flow bins would be lost."""
    bh: Any = pytest.importorskip("boost_histogram")
    with pytest.raises(InputTypeError, match="values is a Histogram, which is a histogram already"):
        Counts(bh.Histogram(bh.axis.Regular(3, 0, 1)))


@pytest.mark.parametrize(
    ("errors", "refused"), [([1.0, 1.0], False), ([1.0, 2.0], True), ([2.0, 3.0], True), ([2.0, 3.001], False)]
)
def test_errors_are_not_squared_errors(errors: list[float], *, refused: bool) -> None:
    """Roots of contents instead of squares are noticed, but not where all of them are 1 and so their own squares."""
    contents = [round(error**2) for error in errors]
    if refused:
        with pytest.raises(InputError, match="variances are the errors of values; square the errors"):
            Counts(contents, errors)
    else:
        assert Counts(contents, errors).values.tolist() == contents


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ([], "a list"),
        ([1, 2], "a list"),
        ([[1, 2], [3, 4]], "a list"),
        ([np.float32(1.5)], "a list"),
        ((1, 2), "a tuple"),
        (([1.0, 2.0], [1.0, 4.0]), "a tuple"),
        ((COUNTS, COUNTS), "a tuple"),
        (COUNTS, "an array"),
        (np.array(["a"], dtype=object), "an array"),
    ],
)
def test_numbers_without_a_name_are_refused(value: object, kind: str) -> None:
    """Every way to write numbers without a word what they are is refused with both remedies."""
    words = (
        f"^reference: {kind} of numbers without a name; are these events.*{{'x': values}}; contents of bins.*"
        r"gv\.Counts\(values\)"
    )
    with pytest.raises(InputTypeError, match=words) as caught:
        refuse_bare(value, "reference")
    assert ("gv.Counts(values, variances)" in str(caught.value)) is isinstance(value, tuple)


@pytest.mark.parametrize(
    "value", [Counts([1]), {"x": [1]}, "file.root", ["a.root"], np.zeros(1, dtype=[("x", float)]), 5, None, [{}]]
)
def test_what_says_its_kind_is_left_alone(value: object) -> None:
    """Contents, tables and names of files are not numbers without a name."""
    refuse_bare(value, "reference")
