"""Events are recognised by what is in them, so that none counts twice, and are not confused with others."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.pipeline.origins import Origin, OriginList, Tally, chosen_share, common_origin
from pytest_ganvalid.pipeline.summary import added
from pytest_ganvalid.samples.sources import Part, Source

Table = dict[str, Any]
Make = Callable[..., Table]
PartOf = Callable[[Table, str], Part]
N = 240


def rows_of(table: Table, rows: Any) -> Table:
    """Some of the events."""
    return {name: column[rows] for name, column in table.items()}


def test_an_origin_is_known_by_its_events(events: Make) -> None:
    """The id of an origin is that of its events, whatever their order, and another for other events."""
    table = events(6, N)
    whole = gv.fill(table, observables=["x", "jet"])
    shuffled = gv.fill(rows_of(table, np.random.default_rng(0).permutation(N)), like=whole)
    assert shuffled.origins == whole.origins
    ids = {whole.origins[0].id}
    for other in (events(7, N), rows_of(table, slice(1, None)), {**table, "x": np.append(table["x"][1:], 0.5)}):
        ids.add(gv.fill(other, like=whole).origins[0].id)
    twice = rows_of(table, np.r_[0:N, 0, 0, 1])
    thrice = rows_of(table, np.r_[0:N, 0, 1, 1])
    ids |= {gv.fill(some, like=whole).origins[0].id for some in (twice, thrice)}
    assert len(ids) == 6


def test_the_same_events_twice_are_refused(tmp_path: Path, events: Make) -> None:
    """Events are added once, under whatever names; the error gives both."""
    columns = {name: events(8, N)[name] for name in ("x", "y")}
    for name in ("one.npz", "two.npz"):
        np.savez(tmp_path / name, **columns)
    one = gv.fill(tmp_path / "one.npz", observables=["x"])
    two = gv.fill(tmp_path / "two.npz", like=one)
    other = gv.fill({name: events(9, N)[name] for name in columns}, like=one)
    with pytest.raises(InputError, match=r"^one\.npz and two\.npz hold the same 240 events"):
        (one + other) + two
    with pytest.raises(InputError, match=r"^one\.npz \(in a\.json\) and two\.npz \(in c\.json\) hold the same 240"):
        added([("a.json", one), ("b.json", other), ("c.json", two)])
    for like in (one, None):
        with pytest.raises(InputError, match=r"one\.npz and two\.npz hold the same 240 events.*leave one of them out"):
            gv.fill([tmp_path / "one.npz", tmp_path / "two.npz"], like=like)


def test_origins_are_the_same_in_whatever_precision(events: Make) -> None:
    """Events stored in single precision are the same origin as in double, and repeat them where they are merged."""
    table = {name: events(6, N)[name] for name in ("x", "y")}
    whole = gv.fill(table)
    single = gv.fill({name: column.astype(np.float32) for name, column in table.items()}, like=whole)
    assert single.origins == whole.origins
    with pytest.raises(InputError, match="hold the same 240 events"):
        whole + single
    more = {name: np.append(column, 0.5).astype(np.float32) for name, column in table.items()}
    report = gv.validate(events(7, N), whole + gv.fill(more, like=whole), n_required=10)
    assert "reference rows repeat another one" in report.reasons[0]


def test_events_that_look_alike_by_chance_add_up(tmp_path: Path) -> None:
    """Events of few distinct values may be the same by chance; they add up, unless the name of the file is the same."""
    for name in ("one.npz", "two.npz"):
        np.savez(tmp_path / name, passed=np.arange(100) % 2)
    one = gv.fill(tmp_path / "one.npz", observables=["passed"])
    two = gv.fill(tmp_path / "two.npz", like=one)
    assert one.origins[0].id == two.origins[0].id
    assert one.origins[0].chance > 0.05
    assert (one + two).n_events == 200
    with pytest.raises(InputError, match="hold the same 100 events"):
        one + one


def test_the_chance_of_an_origin_is_that_of_its_own_number(file_part: PartOf) -> None:
    """How likely other events look the same depends on their number: few coarse ones do, many do not."""
    table = {"x": np.random.default_rng(1).integers(0, 3, 40).astype(float)}
    source = Source(
        ("x",),
        [file_part(rows_of(table, slice(0, 2)), "few.npz"), file_part(rows_of(table, slice(2, 40)), "many.npz")],
    )
    few, many = sorted(gv.fill(source, bins=[1.0]).origins, key=lambda origin: origin.events)
    assert (few.source, many.source) == ("few.npz", "many.npz")
    assert 0.1 < few.chance < 1
    assert many.chance < few.chance / 3


def test_parts_of_a_file_are_one_origin(events: Make, file_part: PartOf) -> None:
    """However many parts a file is read in, in whatever order, it is one origin, and so is a source without files."""
    table = {name: events(1, 90)[name] for name in "xy"}
    cuts = [slice(0, 20), slice(20, 21), slice(21, 90)]
    like = gv.fill(table)
    for names in (["a", "a", "a"], ["a", "a", "b"], ["", "", ""]):
        parts = [file_part(rows_of(table, cut), name) for cut, name in zip(cuts, names, strict=True)]
        summary = gv.fill(Source(("x", "y"), parts[::-1], provenance={"source": "parts"}), like=like)
        sources = [(origin.source, origin.events) for origin in summary.origins]
        assert sources == {"aaa": [("a", 90)], "aab": [("a", 21), ("b", 69)], "": [("parts", 90)]}["".join(names)]
        if len(set(names)) == 1:
            assert summary.origins[0].id == like.origins[0].id


def test_origins_in_common() -> None:
    """An origin of one side is known on the other by its id and, where it may be chance, its name."""
    rare = Origin(source="a", id="1", events=3, chance=0.0)
    coarse = Origin(source="a", id="2", events=3, chance=0.5)
    assert common_origin([rare], [replace(rare, source="b")]) == (rare, replace(rare, source="b"))
    assert common_origin([coarse], [replace(coarse, source="b")]) is None
    assert common_origin([rare, coarse], [coarse]) == (coarse, coarse)
    assert common_origin([replace(coarse, chance=0.0)], [replace(coarse, source="b")]) is None
    assert common_origin([], [rare]) is None
    origins = OriginList()
    origins.extend([coarse, rare])
    origins.extend([replace(coarse, source="b")])
    assert origins.sorted() == tuple(sorted([rare, coarse, replace(coarse, source="b")]))
    with pytest.raises(InputError, match=r"^a and b \(in x\) hold the same 3 events \(content 1\)"):
        origins.extend([replace(rare, source="b")], "x")


def test_histograms_hold_builtins(events: Make) -> None:
    """Origins are builtins, which any JSON library can write, in order of their names."""
    (origin,) = gv.fill(events(1, N), observables=["x"]).origins
    assert [type(value) for value in (origin.source, origin.id, origin.events, origin.chance)] == [str, str, int, float]
    assert math.isfinite(origin.chance)
    assert replace(origin, source="b") > replace(origin, source="a")


def test_tallies_do_not_depend_on_the_order_or_the_blocks() -> None:
    """Sums of hashes are those of all of them, however they are divided, and tell other hashes from these."""
    hashes = np.random.default_rng(1).integers(0, 2**32, 5_000, dtype=np.uint32)
    whole = Tally.of(hashes)
    assert whole == Tally.of(hashes[::-1]) == Tally.of(hashes[:7]) + Tally.of(hashes[7:])
    assert (whole.events, whole.sum) == (5_000, sum(hashes.tolist()) % 2**64)
    assert whole.squares == sum(h * h for h in hashes.tolist()) % 2**64
    assert Tally(1, 2**64 - 1, 2**64 - 2) + Tally(2, 3, 5) == Tally(3, 2, 3)
    assert Tally(1, 2**63, 2**63) + Tally(2, 1, 2) == Tally(3, 2**63 + 1, 2**63 + 2)
    other = hashes.copy()
    other[0], other[1] = int(other[0]) ^ 1, int(other[1]) ^ 1
    ids = {
        tally.origin("a", None, np.ones(1, dtype=int)).id
        for tally in (whole, Tally.of(other), Tally(5_000), Tally(4_999))
    }
    assert len(ids) == 4
    assert whole.origin("a", None, np.ones(1, dtype=int)).chance == 1


def test_the_share_that_bins_were_chosen_from(events: Make) -> None:
    """It is that of the origins bins were chosen from, also if those are divided in another way, and less with more."""
    table, more = events(6, N), events(7, N // 2)
    whole = gv.fill(table, observables=["x"])
    assert whole.plan.bins_from == (whole.origins[0].id,)
    assert whole.chosen == 1
    added_later = gv.fill(more, like=whole)
    assert added_later.chosen == 0
    assert (whole + added_later).chosen == pytest.approx(2 / 3)
    parts = [gv.fill(rows_of(table, some), like=whole) for some in (slice(0, 50), slice(50, 51), slice(51, None))]
    assert added(("", part) for part in parts[::-1]).chosen == 1
    assert added(("", part) for part in parts[1:]).chosen == 0
    assert gv.fill(table, observables=["x"], bins=[0.0]).chosen == 0
    stored = gv.Histograms.from_json((whole + added_later).to_json())
    assert stored.chosen == pytest.approx(2 / 3)


def test_origins_that_do_not_know_their_sums_are_recognised_by_their_ids() -> None:
    """Origins of files written before sums were kept count where their own ids are named, and not together."""
    a, b = (Origin(source=name, id=name, events=n, chance=0.0) for name, n in (("a", 3), ("b", 1)))
    assert chosen_share([a, b], ["a"], None) == 0.75
    assert chosen_share([a, b], ["c"], None) == 0
    assert chosen_share([], ["c"], None) == 0
