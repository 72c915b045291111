"""The plugin as its users meet it: marker, fixture, options, summary."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from pytest_ganvalid._options import OPTIONS

SAMPLES = """
    import numpy as np
    import pytest

    from pytest_ganvalid import Counts

    rng = np.random.default_rng(1)
    GOOD = {"x": rng.normal(size=60_000), "y": rng.exponential(size=60_000)}
    REFERENCE = {"x": rng.normal(size=60_000), "y": rng.exponential(size=60_000)}
    BAD = {"x": rng.normal(0.1, size=60_000), "y": rng.exponential(size=60_000)}
"""


def make(pytester: pytest.Pytester, tests: str) -> None:
    """Write a test module that has samples at hand."""
    pytester.makepyfile(SAMPLES + tests)


def test_robust_sample_passes(pytester: pytest.Pytester) -> None:
    """A sample that is shown to be robust passes, and the summary says so."""
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_required=10_000)
    def test_it(ganvalid):
        report = ganvalid.check(GOOD, REFERENCE)
        assert set(report.comparisons) == {"x", "y", "joint"}
    """,
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*= ganvalid =*", "ROBUST *test_it", "* n_required 10,000, supported *; 3 observables"]
    )


def test_biased_sample_fails_with_what_to_do(pytester: pytest.Pytester) -> None:
    """A biased sample fails with a line for the whole, the next step and a line for each; -vv adds every number."""
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_required=10_000, n_train=1_000, observables=["x", "y"])
    def test_it(ganvalid):
        ganvalid.check(BAD, REFERENCE)
    """,
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    short = [
        "BIASED: 1 of 2 observables at n_required 10,000; supported * (x)",
        "next: improve x",
        "  x  BIASED    χ²/ndf * > 1.5 in 9 components",
        "               shifted up by *",
        "               worst bin *: +* error bars",
        "  1 ROBUST: y",
    ]
    result.stdout.fnmatch_lines(short, consecutive=True)
    result.stdout.no_fnmatch_line("*χ²_req/ndf*")
    result.stdout.no_fnmatch_line("*gate.py*")
    assert any("::test_it - Failed: BIASED:" in line for line in result.stdout.lines)
    result = pytester.runpytest("-vv")
    result.stdout.fnmatch_lines(short, consecutive=True)
    result.stdout.fnmatch_lines(
        [
            "x: BIASED",
            "  χ²_req/ndf *(limit 1.5) in 9 components; *",
            "  rms bias *(limit 1); *",
            "  n_equivalent *",
            "  n_supported *",
            "  samples *60,000 generated, 60,000 reference*",
            "  - a disagreement is demonstrated at 95 % confidence*",
            "  - more events cannot help: improve the generator*",
            "  worst bins*",
            "    *: ?*.* (at least *)",
            "  - until then an analysis must keep the relative error bars of * events*",
            "y: ROBUST",
            "  - agreement at n_required 10,000 is demonstrated at 95 % confidence*",
        ]
    )


def test_unproven_sample_fails_and_says_how_many_events_it_takes(pytester: pytest.Pytester) -> None:
    """Failing to find a difference is no pass, and the text names the reference events that would decide."""
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_required=300_000)
    def test_it(ganvalid):
        ganvalid.check(GOOD, REFERENCE)
    """,
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "UNPROVEN: 3 of 3 observables at *",
            "next: 1,189,904 reference events (have 60,000) and 3,000,000 generated events",
        ]
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("pass", "the test is marked but made no check\nnext: "),
        ("ganvalid.validate(GOOD, REFERENCE)", "made no check\ncompare, compare_estimates and validate only look"),
        (
            "\n        try:\n            ganvalid.check(BAD, REFERENCE)\n        except BaseException: pass",
            "did not reach the end of the\n  test",
        ),
    ],
)
def test_marked_test_without_a_passed_check_fails(pytester: pytest.Pytester, body: str, words: str) -> None:
    """A marked test passes only by a check that passed: none, a look, and a swallowed failure all fail."""
    make(
        pytester,
        f"""
    @pytest.mark.ganvalid(n_required=10_000)
    def test_it(ganvalid):
        {body}
    """,
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    assert words in result.stdout.str()


def test_marked_test_without_the_fixture_fails(pytester: pytest.Pytester) -> None:
    """A marked test that does not even ask for the fixture fails, in a class and in unittest too."""
    make(
        pytester,
        """
    import unittest

    @pytest.mark.ganvalid(n_required=10)
    def test_function(): pass

    @pytest.mark.ganvalid(n_required=10)
    class TestClass:
        def test_method(self): pass

    @pytest.mark.ganvalid(n_required=10)
    class TestUnit(unittest.TestCase):
        def test_method(self): pass
    """,
    )
    pytester.runpytest().assert_outcomes(failed=3)


def test_gates_in_classes(pytester: pytest.Pytester) -> None:
    """Parametrised classes and those of unittest are gates like functions; fixtures of a class cannot have the gate."""
    make(
        pytester,
        """
    import unittest

    @pytest.mark.ganvalid(n_required=10_000, observables=["x"])
    @pytest.mark.parametrize("sample", [GOOD, BAD], ids=["good", "bad"])
    class TestParameters:
        def test_it(self, ganvalid, sample):
            ganvalid.check(sample, REFERENCE)

    @pytest.mark.ganvalid(n_required=10_000, observables=["x"])
    class TestUnit(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def keep(self, ganvalid):
            self.gate = ganvalid

        def test_good(self):
            self.gate.check(GOOD, REFERENCE)

        def test_bad(self):
            self.gate.check(BAD, REFERENCE)

    class TestShared:
        @pytest.fixture(scope="class")
        def gate(self, ganvalid):
            return ganvalid

        @pytest.mark.ganvalid(n_required=10_000)
        def test_it(self, gate): pass
    """,
    )
    result = pytester.runpytest("-q")
    result.assert_outcomes(passed=2, failed=2, errors=1)
    result.stdout.fnmatch_lines_random(
        [
            "ROBUST *::TestParameters::test_it[[]good[]]",
            "BIASED *::TestParameters::test_it[[]bad[]]",
            "ROBUST *::TestUnit::test_good",
            "BIASED *::TestUnit::test_bad",
            "no demonstration *::TestShared::test_it: error",
        ]
    )


def test_without_a_terminal(pytester: pytest.Pytester) -> None:
    """Where pytest has no terminal to write to, gates decide and the report is written all the same."""
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_required=10_000, observables=["x"])
    @pytest.mark.parametrize("sample", [GOOD, BAD], ids=["good", "bad"])
    def test_it(ganvalid, sample):
        ganvalid.check(sample, REFERENCE)
    """,
    )
    assert pytester.runpytest("-p", "no:terminal", "--ganvalid-report=out").ret == pytest.ExitCode.TESTS_FAILED
    rows = json.loads((pytester.path / "out" / "report.json").read_text(encoding="utf-8"))["rows"]
    assert {row["nodeid"].partition("::")[2]: row["outcome"] for row in rows} == {
        "test_it[good]": "ROBUST",
        "test_it[bad]": "BIASED",
    }


def test_other_outcomes_of_a_marked_test_stay(pytester: pytest.Pytester) -> None:
    """A skip stays a skip, an expected failure is one, and an error of the test's own is shown as it is."""
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_required=10)
    def test_skip():
        pytest.skip("no data")

    @pytest.mark.xfail(strict=True, raises=pytest.fail.Exception)
    @pytest.mark.ganvalid(n_required=10_000)
    def test_known_bias(ganvalid):
        ganvalid.check(BAD, REFERENCE)

    @pytest.mark.ganvalid(n_required=10)
    def test_own():
        raise RuntimeError("the reader broke")
    """,
    )
    result = pytester.runpytest()
    result.assert_outcomes(skipped=1, xfailed=1, failed=1)
    assert "::test_skip: skipped: no data" in " ".join(result.stdout.str().split())
    result.stdout.fnmatch_lines(["*RuntimeError: the reader broke"])
    result.stdout.no_fnmatch_line("*made no check*")


def test_histograms_can_be_checked(pytester: pytest.Pytester) -> None:
    """The gate takes filled histograms as well, and refuses keywords that mean nothing for them."""
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_required=1_000)
    def test_it(ganvalid):
        report = ganvalid.check(Counts([5000, 5050, 4950]), Counts([4980, 5030, 5100]), name="jet_pt")
        assert list(report.comparisons) == ["jet_pt"]

    @pytest.mark.ganvalid(n_required=1_000, observables=["x"])
    def test_pointless(ganvalid):
        ganvalid.check(Counts([5000, 5050, 4950]), Counts([4980, 5030, 5100]))
    """,
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*InputError: *'observables'* have no meaning for histograms*"])


def test_looking_never_fails(pytester: pytest.Pytester) -> None:
    """compare, validate and plan return what they find, in tests without the marker, whatever the verdict."""
    make(
        pytester,
        """
    def test_it(ganvalid):
        report = ganvalid.validate(BAD, REFERENCE, n_required=10_000)
        assert report.verdict == "BIASED" and not report.robust
        assert ganvalid.compare(Counts([90, 10]), Counts([86, 14]), n_required=1_000).verdict == "UNPROVEN"
        assert ganvalid.plan(10_000, bins=50).n_reference > 10_000
    """,
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["BIASED *test_it", "* n_required 10,000, supported *", "* looked at, not gated"])


@pytest.mark.parametrize("workers", [(), ("-n1",), ("-n0",)])
def test_unknown_keyword_is_refused_with_the_valid_ones(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """A misspelt keyword of the marker stops the run and lists what there is, with xdist the test."""
    if workers:
        pytest.importorskip("xdist")
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_requird=10_000)
    def test_it(ganvalid): pass
    """,
    )
    result = pytester.runpytest(*workers)
    text = result.stdout.str() + result.stderr.str()
    assert "unknown keyword n_requird (did you mean 'n_required'?); expected n_required, observables, n_train" in text
    assert result.ret == (pytest.ExitCode.TESTS_FAILED if workers == ("-n1",) else pytest.ExitCode.USAGE_ERROR)


def test_all_wrong_markers_are_told_at_once(pytester: pytest.Pytester) -> None:
    """Where wrong markers stop the run each error is told once, and no test is without its row."""
    make(
        pytester,
        """
    @pytest.mark.parametrize("i", range(3))
    @pytest.mark.ganvalid(n_requird=10_000)
    def test_it(ganvalid, i): pass

    @pytest.mark.ganvalid(bin=10_000)
    def test_other(ganvalid): pass
    """,
    )
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *::test_it?0? and 2 more: *n_required*", "ERROR: *::test_other: *'bins'*"])
    result.stdout.fnmatch_lines(["ganvalid: 0 demonstrated, 4 no demonstration (4 not run)"])
    assert sum("::test_" in line for line in result.stdout.lines) == 4


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("10_000", "takes keywords only"),
        ("n_required=0", "expected a finite number of events, 1 or more"),
        ("n_required=-5", "expected a finite number of events, 1 or more"),
        ("n_required='many'", "expected a number"),
        ("n_required=float('nan')", "n_required is NaN"),
        ("n_required=True", "is a bool; expected a number"),
    ],
)
def test_impossible_marker_is_a_usage_error(pytester: pytest.Pytester, marker: str, words: str) -> None:
    """A marker that can never make sense stops the run before any test, naming the test."""
    make(
        pytester,
        f"""
    @pytest.mark.ganvalid({marker})
    def test_it(ganvalid): pass
    """,
    )
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *::test_it: ganvalid marker: *"])
    assert words in result.stderr.str()


def test_missing_n_required_is_an_error_at_the_users_line(pytester: pytest.Pytester) -> None:
    """Without n_required anywhere the check refuses, at the user's line, and names the three places to state it."""
    make(
        pytester,
        """
    def test_it(ganvalid):
        ganvalid.check(GOOD, REFERENCE)
    """,
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*InputError: n_required is missing*", "*test_*.py:*: InputError"])


def test_command_line_raises_n_required(pytester: pytest.Pytester) -> None:
    """The option raises what tests state, so a test that passed at its own n_required may fail."""
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_required=10_000)
    def test_it(ganvalid):
        assert ganvalid.check(GOOD, REFERENCE).n_required == 15_000
    """,
    )
    pytester.runpytest("--ganvalid-n-required=1.5e4").assert_outcomes(passed=1)
    pytester.runpytest("--ganvalid-n-required=1000000").assert_outcomes(failed=1)


def test_command_line_cannot_lower_n_required(pytester: pytest.Pytester) -> None:
    """Asking for less than a test states is a usage error, before any test runs."""
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_required=10_000)
    def test_it(ganvalid):
        ganvalid.check(GOOD, REFERENCE)
    """,
    )
    result = pytester.runpytest("--ganvalid-n-required=9999")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *::test_it: --ganvalid-n-required=9,999 would lower the n_required=10,000 *"])


def test_call_cannot_lower_n_required(pytester: pytest.Pytester) -> None:
    """Neither can the call lower what the marker states, nor the command line what the call states."""
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_required=10_000)
    def test_marker(ganvalid):
        ganvalid.check(GOOD, REFERENCE, n_required=9_000)

    def test_call(ganvalid):
        ganvalid.check(GOOD, REFERENCE, n_required=20_000)
    """,
    )
    result = pytester.runpytest("--ganvalid-n-required=15000")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*InputError: n_required=9000 lowers the marker's n_required=10000*"])
    result.stdout.fnmatch_lines(["*--ganvalid-n-required=15,000 would lower the n_required=20,000*"])


def test_ini_is_a_floor_and_command_line_goes_over_ini(pytester: pytest.Pytester) -> None:
    """The ini file bounds every test, and the command line may only bound it more."""
    make(
        pytester,
        """
    def test_floor(ganvalid):
        assert ganvalid.validate(GOOD, REFERENCE).n_required == 5_000
        assert ganvalid.validate(GOOD, REFERENCE, n_required=100).n_required == 5_000
        assert ganvalid.validate(GOOD, REFERENCE, n_required=9_000).n_required == 9_000

    def test_limits(ganvalid):
        found = ganvalid.validate(GOOD, REFERENCE).comparisons["x"]
        assert (found.confidence, found.max_bias) == (0.99, 2.0)
        assert ganvalid.validate(GOOD, REFERENCE, max_bias=3).comparisons["x"].max_bias == 2
        assert ganvalid.validate(GOOD, REFERENCE, max_bias=1).comparisons["x"].max_bias == 1
    """,
    )
    pytester.makeini("[pytest]\nganvalid_n_required = 5000\nganvalid_confidence = 0.95\nganvalid_max_bias = 2\n")
    pytester.runpytest("--ganvalid-confidence=0.99").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--ganvalid-n-required=0", "expected a finite number of events, 1 or more"),
        ("--ganvalid-n-required=many", "'many' is not a number; expected one such as 100000"),
        ("--ganvalid-n-required=nan", "NaN"),
        ("--ganvalid-confidence=95", "above 0.5 and below 1"),
        ("--ganvalid-max-bias=-1", "expected a positive finite number"),
        ("--ganvalid-plots", "needs --ganvalid-report"),
    ],
)
def test_bad_option_is_a_usage_error(pytester: pytest.Pytester, option: str, words: str) -> None:
    """An option out of range stops the run and says what is expected."""
    result = pytester.runpytest(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()


def test_markers_of_class_and_function_are_merged(pytester: pytest.Pytester) -> None:
    """Keywords of the class hold for its tests, with those of the closest marker."""
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_required=5_000, observables=["x"])
    class TestRelease:
        @pytest.mark.ganvalid(n_required=8_000)
        def test_it(self, ganvalid):
            report = ganvalid.check(GOOD, REFERENCE)
            assert report.n_required == 8_000 and list(report.comparisons) == ["x"]
    """,
    )
    pytester.runpytest("--strict-markers").assert_outcomes(passed=1)


@pytest.mark.parametrize("workers", [(), ("-n0",), ("-n2",)])
def test_summary_is_the_same_with_xdist(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """Every check appears once in the summary, whoever ran the test."""
    if workers:
        pytest.importorskip("xdist")
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_required=10_000)
    @pytest.mark.parametrize("column", ["x", "y"])
    def test_it(ganvalid, column):
        ganvalid.check(GOOD, REFERENCE, observables=[column])
    """,
    )
    result = pytester.runpytest(*workers)
    result.assert_outcomes(passed=2)
    lines = sorted(line for line in result.stdout.lines if line.startswith("ROBUST"))
    assert [name in line for name, line in zip(("test_it[x]", "test_it[y]"), lines, strict=True)] == [True, True]


def test_nothing_is_said_without_a_check(pytester: pytest.Pytester) -> None:
    """A run that makes no check prints nothing of the plugin."""
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*ganvalid =*")


def test_marker_and_options_are_documented(pytester: pytest.Pytester) -> None:
    """--markers and --help explain the plugin."""
    pytester.runpytest("--markers").stdout.fnmatch_lines(["@pytest.mark.ganvalid(n_required=*"])
    text = pytester.runpytest("--help").stdout.str()
    for option in OPTIONS:
        assert option.flag in text
        assert option.ini in text


def test_largest_n_required_of_all_markers_counts(pytester: pytest.Pytester) -> None:
    """n_required is only ever raised: by the class, the parameters, or at run time, in whatever order."""
    make(
        pytester,
        """
    RAISED = pytest.mark.ganvalid(n_required=15_000)

    @RAISED
    class TestClass:
        @pytest.mark.ganvalid(n_required=10)
        def test_it(self, ganvalid):
            assert ganvalid.validate(GOOD, REFERENCE).n_required == 15_000
            ganvalid.check(GOOD, REFERENCE, observables=["x"])

    @pytest.mark.ganvalid(n_required=10)
    @pytest.mark.parametrize("column", [pytest.param("x", marks=RAISED)])
    def test_parameter(ganvalid, column):
        assert ganvalid.check(GOOD, REFERENCE, observables=[column]).n_required == 15_000

    @pytest.fixture
    def late(request, ganvalid):
        request.node.add_marker(RAISED)

    @pytest.mark.ganvalid(n_required=10, observables=["x"])
    def test_at_run_time(late, ganvalid):
        assert ganvalid.check(GOOD, REFERENCE).n_required == 15_000

    @pytest.mark.ganvalid(n_required=10, observables=["x"])
    def test_misspelt_at_run_time(request, ganvalid):
        request.node.add_marker(pytest.mark.ganvalid(n_requird=15_000))
        with pytest.raises(ValueError, match="unknown keyword n_requird"):
            ganvalid.validate(GOOD, REFERENCE)
        pytest.skip("nothing to demonstrate")
    """,
    )
    pytester.runpytest().assert_outcomes(passed=3, skipped=1)


def test_check_that_breaks_off_is_not_forgotten(pytester: pytest.Pytester) -> None:
    """A check that ends in an error counts as failed, also where the error is suppressed or left in a thread."""
    make(
        pytester,
        """
    import contextlib
    from concurrent.futures import ThreadPoolExecutor

    @pytest.mark.ganvalid(n_required=10_000)
    def test_suppressed(ganvalid):
        for column in ("x", "z"):
            with contextlib.suppress(ValueError):
                ganvalid.check(GOOD, REFERENCE, observables=[column])

    @pytest.mark.ganvalid(n_required=10_000)
    def test_thread(ganvalid):
        with ThreadPoolExecutor() as pool:
            pool.submit(ganvalid.check, GOOD, REFERENCE)
            pool.submit(ganvalid.check, GOOD, REFERENCE, observables=["z"])

    @pytest.mark.ganvalid(n_required=10_000)
    def test_skip(ganvalid):
        with contextlib.suppress(BaseException):
            ganvalid.check(BAD, REFERENCE)
        pytest.skip("better not")
    """,
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=3)
    assert result.stdout.str().count("did not reach the end of the\n  test") >= 3


def test_an_array_without_a_name_is_refused(pytester: pytest.Pytester) -> None:
    """Events passed as a bare array are not taken for the contents of as many bins, few or many."""
    make(
        pytester,
        """
    def test_it(ganvalid):
        for n in (100, 20_000):
            with pytest.raises(TypeError, match="are these events"):
                ganvalid.check(rng.poisson(6, n), rng.poisson(5, n), n_required=10)
    """,
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_checks_in_fixtures_are_reported(pytester: pytest.Pytester) -> None:
    """A check in a fixture counts, and is told once, whether it passes or fails there."""
    make(
        pytester,
        """
    @pytest.fixture
    def checked(ganvalid, request):
        ganvalid.check(request.param, REFERENCE)

    @pytest.mark.ganvalid(n_required=10_000)
    @pytest.mark.parametrize("checked", [GOOD, BAD], indirect=True, ids=["good", "bad"])
    def test_it(checked): pass
    """,
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, errors=1)
    lines = [line.split()[0] for line in result.stdout.lines if "::test_it[" in line and "ERROR" not in line]
    assert lines == ["ROBUST", "BIASED"]


def test_deselected_tests_are_not_judged(pytester: pytest.Pytester) -> None:
    """A wrong marker of a test that does not run stops nothing."""
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_requird=10)
    def test_wrong(): pass

    @pytest.mark.ganvalid(n_required=100_000)
    def test_big(): pass

    def test_small(ganvalid):
        ganvalid.check(GOOD, REFERENCE, n_required=1_000)
    """,
    )
    pytester.runpytest("-k", "small", "--ganvalid-n-required=5000").assert_outcomes(passed=1, deselected=2)


FRESH = """
    @pytest.mark.ganvalid(n_required=1_000, observables=["x"])
    @pytest.mark.parametrize("name", ["a", "b"])
    def test_it(ganvalid, name):
        ganvalid.check({"x": np.random.default_rng().normal(size=20_000)}, REFERENCE)
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_a_ledger_counts_from_run_to_run(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """Runs with one ledger are attempts 1 and 2 of every test, whoever runs it, and the file has a line for each."""
    if workers:
        pytest.importorskip("xdist")
    make(pytester, FRESH)
    for attempt in (1, 2):
        result = pytester.runpytest("--ganvalid-ledger=out/ledger.jsonl", *workers)
        result.assert_outcomes(passed=2)
        assert sum(line.startswith("ROBUST") for line in result.stdout.lines) == 2
        told = sum(line.endswith("attempt 2, at level 0.00833") for line in result.stdout.lines)
        assert told == (2 if attempt == 2 else 0)
    content = (pytester.path / "out" / "ledger.jsonl").read_text(encoding="utf-8")
    found = [json.loads(line) for line in content.splitlines()]
    assert [(line["attempt"], line["gate"]["observables"]) for line in found] == [(n, ["x"]) for n in (1, 1, 2, 2)]
    assert {line["gate"]["test"].partition("::")[2] for line in found} == {"test_it[a]", "test_it[b]"}
    assert len({line["generated"]["digest"] for line in found}) == 4


def test_reruns_of_a_session_are_attempts(pytester: pytest.Pytester) -> None:
    """Without a file, a test that a plugin runs again with fresh events is the next attempt, and with the same not."""
    make(
        pytester,
        """
    runs = []

    @pytest.mark.ganvalid(n_required=1_000, observables=["x"])
    def test_it(ganvalid):
        runs.append(1)
        report = ganvalid.check({"x": np.random.default_rng(len(runs) // 2).normal(size=20_000)}, REFERENCE)
        assert report.comparisons["x"].attempt == 1 + len(runs) // 2
    """,
    )
    # As pytest-rerunfailures does it.
    pytester.makeconftest(
        """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        for _ in range(5):
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                item.ihook.pytest_runtest_logreport(report=report)
        return True
    """
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=5)


def test_a_damaged_ledger_stops_the_check(pytester: pytest.Pytester) -> None:
    """A ledger with a damaged line is an error of the test, by the name of the file and the line."""
    make(pytester, FRESH)
    (pytester.path / "ledger.jsonl").write_text("{}\n", encoding="utf-8")
    result = pytester.runpytest("--ganvalid-ledger=ledger.jsonl")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*InputError: *ledger.jsonl, line 1: this is no line of a ledger*"])


JUNIT = """
    import pytest, pytest_ganvalid as gv

    COUNTS = gv.Counts([500, 510, 495]), gv.Counts([505, 497, 502])

    @pytest.mark.ganvalid(n_required=20)
    def test_robust(ganvalid):
        ganvalid.check(*COUNTS, name="<a>\\x1b")

    @pytest.mark.ganvalid(n_required=1_000_000)
    def test_unproven(ganvalid):
        ganvalid.check(*COUNTS)

    def test_other():
        pass
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_junit_has_properties(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """JUnit's file has verdict, n_required, n_supported and weakest of each check, across processes too."""
    if workers:
        pytest.importorskip("xdist")
    pytester.makepyfile(JUNIT)
    pytester.runpytest_subprocess("--junitxml=junit.xml", *workers).assert_outcomes(passed=2, failed=1)
    tree = ET.fromstring((pytester.path / "junit.xml").read_text(encoding="utf-8"))  # noqa: S314 - our own
    told = {
        case.attrib["name"]: {entry.attrib["name"]: entry.attrib["value"] for entry in case.iter("property")}
        for case in tree.iter("testcase")
    }
    assert told["test_other"] == {}
    assert told["test_robust"]["ganvalid_verdict"] == "ROBUST"
    assert told["test_robust"]["ganvalid_weakest"].startswith("<a>")
    assert float(told["test_robust"]["ganvalid_n_supported"]) >= 20
    assert told["test_unproven"]["ganvalid_verdict"] == "UNPROVEN"
    assert float(told["test_unproven"]["ganvalid_n_required"]) == 1_000_000


def test_the_service_is_told(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """On GitHub Actions a failing check is an annotation at its test, and the summary of the step has a table."""
    summary = pytester.path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    make(
        pytester,
        """
    @pytest.mark.ganvalid(n_required=10_000, observables=["x"])
    def test_it(ganvalid):
        ganvalid.check(BAD, REFERENCE)
    """,
    )
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(
        ["::error file=test_the_service_is_told.py,line=*,title=ganvalid%3A BIASED::*x BIASED: *"]
    )
    assert "| **BIASED** | test\\_the\\_service" in summary.read_text()
