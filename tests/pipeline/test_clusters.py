"""Declared clusters, from the column that says them to the verdict, however events are handed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import InputError, InputTypeError, Verdict
from pytest_ganvalid.observables import Efficiency, Estimator, KDTree, Mean, Quantile, Selection
from pytest_ganvalid.pipeline.clusters import PAIRED_NOTE

Table = dict[str, Any]
N = 1_500


def pairs(seed: int = 1, n: int = N, noise: float = 0.02) -> tuple[Table, Table]:
    """Both sides of the same truth events, the rows of one in another order."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(2, n))
    sides = []
    for _ in range(2):
        x, y = truth + noise * rng.normal(size=(2, n))
        order = rng.permutation(n)
        sides.append({"x": x[order], "y": y[order], "id": order, "e": np.where(order % 2, 1.0, 2.0)})
    return sides[0], sides[1]


def folds(seed: int = 2, inputs: int = 300, times: int = 10) -> tuple[Table, Table]:
    """Generated rows of few inputs, and independent reference rows without keys."""
    rng = np.random.default_rng(seed)
    keys = np.repeat(np.arange(inputs), times)
    order = rng.permutation(keys.size)
    x = rng.normal(size=inputs)[keys] + 0.05 * rng.normal(size=keys.size)
    return {"x": x[order], "id": keys[order]}, {"x": rng.normal(size=2_000)}


def supported(report: gv.Report) -> dict[str, float]:
    """What each comparison supports."""
    return {name: c.n_supported for name, c in report.comparisons.items()}


def test_pairs_are_judged_by_their_differences() -> None:
    """With keys on both sides as many pairs as n_required suffice; the column is skipped, and the report says why."""
    generated, reference = pairs()
    report = gv.validate(generated, reference, n_required=N, observables=None, cluster="id")
    assert report.verdict is Verdict.ROBUST
    assert list(report.comparisons) == ["x", "y", "e", "joint"]
    assert report.skipped["id"] == "says which rows are one cluster"
    assert report.provenance["clusters"] == {"cluster": "id", "cluster_of": "repeats"}
    assert "1,500 clusters are on both sides: the verdict is on the response to these inputs" in report.notes[0]
    assert "(6,000)" in report.notes[0]
    assert PAIRED_NOTE in report.notes
    drop = ({k: v for k, v in side.items() if k != "id"} for side in (generated, reference))
    assert not gv.validate(*drop, n_required=N).robust


@pytest.mark.parametrize(
    "change",
    [
        lambda keys: keys.astype(np.float64),
        lambda keys: keys.astype(np.int32),
    ],
)
def test_keys_of_another_type_are_the_same(change: Any) -> None:
    """Equal keys are one cluster whatever the types of both sides are."""
    generated, reference = pairs()
    plain = gv.validate(generated, reference, n_required=N, observables="x", cluster="id")
    other = gv.validate(
        generated, reference | {"id": change(reference["id"])}, n_required=N, observables="x", cluster="id"
    )
    assert supported(other) == supported(plain)
    texts = [side | {"id": np.array([f"run{i}" for i in side["id"]])} for side in (generated, reference)]
    assert supported(gv.validate(*texts, n_required=N, observables="x", cluster="id")) == pytest.approx(
        supported(plain)
    )


def test_a_pair_of_names() -> None:
    """Either side may call the column what it likes, and may have none."""
    generated, reference = pairs()
    plain = gv.validate(generated, reference, n_required=N, observables="x", cluster="id")
    renamed = {("truth" if name == "id" else name): values for name, values in reference.items()}
    both = gv.validate(generated, renamed, n_required=N, observables="x", cluster=("id", "truth"))
    assert supported(both) == supported(plain)
    repeated, alone = folds()
    one = gv.validate(repeated, alone, n_required=50, cluster=("id", None))
    assert supported(one) == supported(gv.validate(repeated, alone, n_required=50, cluster="id"))


def test_clusters_of_one_side() -> None:
    """Ten rows of each input are worth the inputs, whichever side they are on, and in whatever order."""
    generated, reference = folds()
    stated: Any = {"n_required": 50, "bins": 8, "cluster": "id"}
    report = gv.validate(generated, reference, **stated)
    c = report.histograms["x"]
    assert 250 < c.n_generated < 450
    assert "the 3,000 generated rows are 300 clusters by 'id'" in report.notes[0]
    order = np.argsort(generated["id"])
    sorted_ = gv.validate({k: v[order] for k, v in generated.items()}, reference, **stated)
    assert supported(sorted_) == {"x": pytest.approx(c.n_supported, rel=1e-9)}
    assert 250 < gv.validate(reference, generated, **stated).histograms["x"].n_reference < 450
    ignored = gv.validate({"x": generated["x"]}, reference, n_required=50).histograms["x"]
    assert ignored.n_generated == pytest.approx(3_000)


def test_files_are_as_arrays(tmp_path: Path) -> None:
    """Clusters in files give the same report but for where events come from, if the rows fit into memory."""
    for sides in (pairs(), folds()):
        names = []
        for side, table in zip(("gen", "ref"), sides, strict=True):
            name = tmp_path / f"{side}.npz"
            np.savez(name, **table)
            names.append(str(name))
        for keyword in ({"observables": "x"}, {"observables": ["x", Mean("x")]}):
            arrays = gv.validate(*sides, n_required=100, cluster="id", **keyword)
            files = gv.validate(*names, n_required=100, cluster="id", **keyword)
            assert supported(files) == supported(arrays)
            assert files.notes == arrays.notes


def test_rows_that_do_not_fit_into_memory(tmp_path: Path) -> None:
    """What is too large to be read at once is refused, with the number of bytes and what else can be done."""
    generated, reference = folds(inputs=10_000, times=10)
    name = tmp_path / "gen.npz"
    np.savez(name, **generated)
    with pytest.raises(InputError, match=r"generated: the rows of a cluster may be anywhere.* fill parts of whole"):
        gv.validate(str(name), reference, n_required=50, cluster="id", memory=2**20)


@pytest.mark.parametrize(
    "observable",
    [
        "x",
        ("x", "y"),
        KDTree(("x", "y")),
        Selection("x", lambda s: s["y"] > 0, name="s"),
        ("f", lambda s: s["x"] + s["y"]),
    ],
)
def test_every_kind_of_histogram_knows_clusters(observable: Any) -> None:
    """Pairs of rows that do not differ show the same in one column, two, the cells of a tree and a selection."""
    generated, reference = pairs(noise=0.01)
    report = gv.validate(generated, reference, n_required=500, observables=[observable], bins=25, cluster="id")
    without = gv.validate(
        *({k: v for k, v in side.items() if k != "id"} for side in (generated, reference)),
        n_required=500,
        observables=[observable],
        bins=25,
    )
    (c,), (plain,) = report.comparisons.values(), without.comparisons.values()
    assert c.power > plain.power + 0.2


def test_strata_have_clusters_of_their_own() -> None:
    """Within a stratum clusters are judged by themselves."""
    generated, reference = pairs()
    report = gv.validate(generated, reference, n_required=N, observables="x", by="e", cluster="id")
    for value in (1, 2):
        some = [{k: v[side["e"] == value] for k, v in side.items()} for side in (generated, reference)]
        alone = gv.validate(*some, n_required=N / 2, observables="x", cluster="id").comparisons["x"]
        assert report.comparisons[f"x | e = {value}"].n_supported == pytest.approx(alone.n_supported, rel=1e-6)


def test_weights_in_clusters() -> None:
    """Weights that are all two change nothing, and those that differ are taken into account."""
    generated, reference = pairs()
    plain = gv.validate(generated, reference, n_required=500, observables="x", cluster="id")
    sides = [side | {"w": np.full(N, 2.0)} for side in (generated, reference)]
    twice = gv.validate(*sides, n_required=500, observables="x", weight="w", cluster="id")
    assert supported(twice) == {"x": pytest.approx(plain.comparisons["x"].n_supported, rel=1e-6)}
    uneven = [side | {"w": np.random.default_rng(3).exponential(size=N)[side["id"]]} for side in (generated, reference)]
    assert gv.validate(*uneven, n_required=500, observables="x", weight="w", cluster="id").verdict is Verdict.ROBUST


def test_filled_clusters_are_stored_and_add_up() -> None:
    """Histograms of clusters survive JSON, add up, and give the verdict of the events."""
    generated, reference = folds()
    like = gv.fill(reference)
    parts = [{k: v[generated["id"] % 2 == i] for k, v in generated.items()} for i in (0, 1)]
    filled = [gv.fill(part, like=like, cluster="id") for part in parts]
    total = filled[0] + filled[1]
    again = gv.Histograms.from_json(total.to_json())
    assert again == total
    report = gv.validate(again, like, n_required=50)
    events_ = gv.validate(generated, reference, n_required=50, cluster="id")
    assert supported(report) == {"x": pytest.approx(events_.comparisons["x"].n_supported, rel=1e-9)}
    with pytest.raises(InputError, match=r"do not add up: clustered by 'id' and by nothing"):
        _ = filled[0] + gv.fill(parts[1], like=like)
    weighted = gv.fill(generated | {"w": np.full(3_000, 2.0)}, like=like, cluster="id", weight="w")
    assert gv.Histograms.from_json(weighted.to_json()) == weighted
    few = gv.fill({"x": np.random.default_rng(1).normal(size=500), "id": np.arange(500) % 3}, like=like, cluster="id")
    assert "too few clusters" in gv.validate(few, like, n_required=20).reasons[0]
    with pytest.raises(InputError, match=r"cluster can only be chosen when histograms are filled"):
        gv.validate(again, like, n_required=50, cluster="id")


def test_one_side_may_be_filled_already() -> None:
    """Events with clusters against stored histograms are as against the events."""
    generated, reference = folds()
    stored = gv.validate(generated, gv.fill(reference), n_required=50, cluster="id")
    plain = gv.validate(generated, reference, n_required=50, cluster="id")
    assert supported(stored) == {"x": pytest.approx(plain.comparisons["x"].n_supported, rel=1e-9)}


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        (
            {"cluster": "idd"},
            InputError,
            r"generated: there is no cluster column 'idd' \(did you mean 'id'\?\); there are \['e', 'id', 'x', 'y'\]",
        ),
        ({"cluster": ("id", "z")}, InputError, "reference: there is no cluster column 'z'"),
        ({"cluster": 3}, InputTypeError, "cluster=3 is a int; expected the name of a column, or a pair"),
        ({"cluster": ("id", 2)}, InputTypeError, "expected the name of a column, or a pair"),
        ({"cluster": "id", "cluster_of": "jets"}, InputError, "cluster_of='jets' is unknown; expected one of"),
        ({"cluster": "id", "observables": ["x", "id"]}, InputError, "'id' says which rows are one cluster, and is not"),
        ({"cluster": "id", "weight": "id"}, InputError, "there is no cluster column 'id'"),
    ],
)
def test_what_cannot_be_meant(keywords: Table, error: type[Exception], message: str) -> None:
    """Unknown columns and values of another kind are refused, with what there is."""
    with pytest.raises(error, match=message):
        gv.validate(*pairs(n=100), n_required=50, **keywords)


def test_a_sample_keeps_its_column() -> None:
    """Clusters are said by a column, and not by what a sample was made of one."""
    sample = gv.Sample({"x": np.arange(9.0)}, cluster=np.arange(9, dtype=np.uint64))
    with pytest.raises(InputError, match="leave it a column, and name it by cluster="):
        gv.validate(sample, sample, n_required=10)


ESTIMATES = [
    Mean("x"),
    Quantile("x", 0.5),
    Efficiency(lambda s: s["x"] > 0.5, name="cut"),
    Estimator("fit", lambda s: float(np.mean(s["x"])), errors="jackknife"),
    Estimator("boot", lambda s: float(np.mean(s["x"])), replicas=100),
]


@pytest.mark.parametrize("observable", ESTIMATES)
def test_numbers_of_clusters_have_the_errors_of_clusters(observable: Any) -> None:
    """Ten rows of an input have the error of one, and the error bar of n_required events is that of single events."""
    generated, reference = folds()
    c = gv.validate(generated, reference, n_required=50, observables=[observable], cluster="id").estimates
    (found,) = c.values()
    (plain,) = gv.validate({"x": generated["x"]}, reference, n_required=50, observables=[observable]).estimates.values()
    assert found.generated.value == plain.generated.value
    assert found.generated.error == pytest.approx(plain.generated.error * np.sqrt(10), rel=0.25)
    assert found.n_generated == pytest.approx(300, rel=0.5)
    assert found.required_error == plain.required_error


@pytest.mark.parametrize("observable", ESTIMATES)
def test_the_error_of_a_difference_of_pairs(observable: Any) -> None:
    """Numbers of pairs differ by far less than their errors, which is what the bias is judged by."""
    generated, reference = pairs(noise=0.05)
    (paired,) = gv.validate(
        generated, reference, n_required=N, observables=[observable], cluster="id"
    ).estimates.values()
    assert paired.verdict is Verdict.ROBUST
    assert paired.n_supported <= 4 * N
    error = np.hypot(paired.generated.error, paired.reference.error) / paired.required_error
    assert paired.bias.upper < 0.7 * error
    beyond = gv.validate(generated, reference, n_required=4 * N + 1, observables=[observable], cluster="id")
    assert not beyond.robust
    shifted = generated | {"x": generated["x"] + 4 / np.sqrt(N)}
    (off,) = gv.validate(shifted, reference, n_required=N, observables=[observable], cluster="id").estimates.values()
    assert off.verdict is Verdict.BIASED


def test_rows_that_repeat_by_right() -> None:
    """Equal rows of a cluster, within a side or across, are no copies; those of the training still are."""
    rng = np.random.default_rng(6)
    x, y, keys = rng.normal(size=900), rng.normal(size=900), np.repeat(np.arange(300), 3)
    single = {"x": x[:300], "y": y[:300], "id": np.arange(300)}
    thrice = {name: values[keys] for name, values in single.items()}
    other = {"x": rng.normal(size=900), "y": rng.normal(size=900)}
    assert gv.validate(other, thrice, n_required=50, cluster=(None, "id"), bins=8).verdict is Verdict.ROBUST
    copied = gv.validate(other, {k: v for k, v in thrice.items() if k != "id"}, n_required=50, bins=8)
    assert copied.shared
    pair = gv.validate(thrice, single, n_required=50, cluster="id", bins=8)
    assert not pair.shared
    training = {"x": x[:100], "y": y[:100]}
    learned = gv.validate(single, single | {"x": x[:300] + 0.01}, n_required=50, cluster="id", training=training)
    assert "of 300 generated rows are also in the training sample" in learned.shared[0]


def test_a_value_that_few_inputs_repeat() -> None:
    """How often a value occurs is judged by clusters: many rows of an input that has it are no bias."""
    rng = np.random.default_rng(7)
    keys = np.repeat(np.arange(60), 50)
    generated = {
        "x": np.where(keys < 25, 0.0, rng.normal(size=60)[keys] + 0.3 * rng.normal(size=keys.size)),
        "id": keys,
    }
    reference = {"x": np.where(rng.random(5_000) < 0.3, 0.0, rng.normal(size=5_000))}
    stated: Any = {"n_required": 100, "observables": "x", "bins": [-0.5, 0.5], "max_local_bias": 1}
    plain = gv.validate({"x": generated["x"]}, reference, **stated)
    assert any("0 is the value of 41.67 % of the generated" in why for why in plain.reasons)
    assert gv.validate(generated, reference, cluster="id", **stated).verdict is Verdict.UNPROVEN
