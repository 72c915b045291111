"""Workspaces of pyhf: the likelihood is pyhf's own, the template is linear in it, and what is wrong is named."""

from __future__ import annotations

import copy
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError, InputTypeError, MissingExtraError
from pytest_ganvalid.statistics.template_fit import Data, fit, no_error
from pytest_ganvalid.toys import analyses
from pytest_ganvalid.workspaces import PROBE, Workspace

pyhf: Any = pytest.importorskip("pyhf")
TOYS = {"counting": analyses.counting(), "bump": analyses.bump(5), "two channels": analyses.two_channels()}
SETTINGS = {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}}


def with_everything() -> dict[str, Any]:
    """A workspace with every kind of modifier, and a parameter that is held fixed."""
    spec: dict[str, Any] = copy.deepcopy(dict(TOYS["two channels"].workspace))
    region, control = (channel["samples"] for channel in spec["channels"])
    region[0]["modifiers"].append({"name": "uncorrelated", "type": "shapesys", "data": [3.0, 6, 11, 9, 5, 3]})
    control[1]["modifiers"].append({"name": "shape", "type": "shapefactor", "data": None})
    control[0]["modifiers"].append({"name": "fixed", "type": "normfactor", "data": None})
    spec["measurements"][0]["config"]["parameters"].append({"name": "fixed", "fixed": True})
    return spec


@pytest.mark.parametrize("name", [*TOYS, "everything"])
def test_likelihood_and_fits_are_those_of_pyhf(name: str) -> None:
    """At random parameters the likelihood differs from pyhf's by a constant, and toys are fitted alike."""
    spec = with_everything() if name == "everything" else TOYS[name].workspace
    space = Workspace.read(spec)
    samples = space.samples("signal")
    model = space.model(samples, space.contents(samples))
    theirs = pyhf.Model(dict(model.spec), poi_name="mu", modifier_settings=SETTINGS, validate=False)
    likelihood, rng = model.likelihood, np.random.default_rng(1)
    rates, _ = likelihood.rates(likelihood.start[None])
    np.testing.assert_allclose(rates[0], theirs.expected_actualdata(theirs.config.suggested_init()))
    contents = rng.poisson(rates).astype(np.float64)
    measured = likelihood.constraints.drawn(likelihood.start, 1, rng)
    everything = [*contents[0], *measured[0]]
    differences = []
    for _ in range(5):
        theta = np.where(
            likelihood.free, likelihood.start + rng.uniform(-0.3, 0.3, likelihood.start.size), likelihood.start
        )
        mean = likelihood.rates(theta[None])[0]
        own = (mean - contents * np.log(mean)).sum() + likelihood.constraints.minus_log(theta[None], measured)[0]
        differences.append(float(own + np.asarray(theirs.logpdf(theta, everything)).item()))
    assert np.ptp(differences) < 1e-6 * max(1.0, abs(differences[0])) or np.ptp(differences) < 1e-6
    if name != "everything":  # there a shape is free that the parameters of the channel leave undetermined
        fixed = (~likelihood.free).tolist()
        best = pyhf.infer.mle.fit(everything, theirs, fixed_params=fixed)
        found = fit(likelihood, Data(contents, measured, np.zeros_like(contents), no_error(contents.shape[1])))
        np.testing.assert_allclose(found.theta[0], best, atol=3e-3)


@pytest.mark.parametrize("name", TOYS)
def test_the_template_is_linear(name: str) -> None:
    """Rates with a shifted template are those of a workspace that holds the shifted contents and variations."""
    toy = TOYS[name]
    space = Workspace.read(toy.workspace)
    samples = space.samples(toy.sample)
    contents = space.contents(samples)
    model = space.model(samples, contents)
    rng = np.random.default_rng(2)
    shift = {place: rng.uniform(-0.2, 0.5, part.size) * part for place, part in contents.items()}
    spec: dict[str, Any] = copy.deepcopy(dict(model.spec))
    for channel in spec["channels"]:
        for part in channel["samples"]:
            if part["name"] == toy.sample:
                more = shift[channel["name"]]
                part["data"] = (np.array(part["data"]) + more).tolist()
                for modifier in part["modifiers"]:
                    if modifier["type"] == "histosys":
                        modifier["data"] = {k: (np.array(v) + more).tolist() for k, v in modifier["data"].items()}
    theirs = pyhf.Model(spec, poi_name=None, modifier_settings=SETTINGS, validate=False)
    theta = np.where(model.likelihood.free, model.likelihood.start + 0.2, model.likelihood.start)[None]
    rates, factors = model.likelihood.rates(theta)
    moved = np.zeros(model.size)
    moved[model.bins] = np.concatenate(list(shift.values()))
    np.testing.assert_allclose((rates + factors * moved)[0], theirs.expected_actualdata(theta[0]), rtol=1e-9)


def test_luminosity_scales_every_absolute_number() -> None:
    """At three times the luminosity all rates are three times as large, at any parameters, and relative errors stay."""
    space = Workspace.read(TOYS["two channels"].workspace)
    samples = space.samples("background")
    contents = space.contents(samples)
    tripled = {place: 3 * part for place, part in contents.items()}
    once, thrice = space.model(samples, contents), space.model(samples, tripled, 3.0)
    theta = np.where(once.likelihood.free, once.likelihood.start + 0.3, once.likelihood.start)[None]
    np.testing.assert_allclose(3 * once.likelihood.rates(theta)[0], thrice.likelihood.rates(theta)[0])
    np.testing.assert_allclose(once.likelihood.rates(theta)[1], thrice.likelihood.rates(theta)[1], atol=1e-9)


def test_relative_variations_follow_the_template() -> None:
    """Variations of the sample keep their relative size; its own statistical error is taken away, no other one."""
    space = Workspace.read(TOYS["two channels"].workspace)
    samples = space.samples("background", "signal region")
    spec = space.with_template(samples, {"signal region": np.full(6, 100.0)})
    region, control = (channel["samples"][1] for channel in spec["channels"])
    up = region["modifiers"][1]["data"]["hi_data"]
    np.testing.assert_allclose(up, 100 * (1 + 0.03 * np.linspace(-1, 1, 6)))
    assert "staterror" not in {modifier["type"] for modifier in region["modifiers"]}
    assert "staterror" in {modifier["type"] for modifier in control["modifiers"]}


def test_the_workspace_is_left_alone() -> None:
    """Neither what is handed over nor the backend that is chosen changes."""
    spec: dict[str, Any] = copy.deepcopy(dict(TOYS["bump"].workspace))
    before = json.dumps(spec)
    space = Workspace.read(spec)
    pyhf.set_backend("numpy", precision="32b")
    try:
        samples = space.samples("background")
        model = space.model(samples, space.contents(samples))
        assert model.likelihood.rates(model.likelihood.start[None])[0].dtype == np.float64
        assert pyhf.get_backend()[0].precision == "32b"
    finally:
        pyhf.set_backend("numpy", precision="64b")
    assert json.dumps(spec) == before
    assert PROBE not in before


def test_kinds_of_workspaces(tmp_path: Path) -> None:
    """A dictionary, a file and pyhf's own object are one workspace."""
    spec = TOYS["counting"].workspace
    (tmp_path / "workspace.json").write_text(json.dumps(spec), encoding="utf-8")
    one, two = Workspace.read(spec), Workspace.read(tmp_path / "workspace.json")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of jsonschema, which pyhf calls the old way
        own = pyhf.Workspace(copy.deepcopy(dict(spec)))
    assert one.channels == two.channels == Workspace.read(own).channels
    assert (one.poi, Workspace.read(spec, poi="normalisation").poi) == ("mu", "normalisation")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    for path in ("broken.json", "none.json"):
        with pytest.raises(InputError, match=f"{path}: no workspace can be read"):
            Workspace.read(tmp_path / path)
    with pytest.raises(InputTypeError, match=r"the workspace is a list; expected a pyhf\.Workspace"):
        Workspace.read([])
    with pytest.raises(InputError, match=r"the workspace is not valid: .*channels"):
        Workspace.read({name: part for name, part in spec.items() if name != "channels"})
    with pytest.raises(InputError, match=r"no measurement 'other'; there are \['measurement'\]"):
        Workspace.read(spec, "other")


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        (
            {"sample": "sgnal"},
            r"no sample 'sgnal' \(did you mean 'signal'\?\); there are \['background', 'signal'\]",
        ),
        ({"sample": "signal", "channel": "SR"}, r"no channel 'SR'; there are \['control region', 'signal region'\]"),
        ({"sample": {"signal region": "top"}}, "channel 'signal region': there is no sample 'top'; there are"),
        ({"sample": {"signal region": "signal"}, "channel": "signal region"}, "leave channel out"),
        ({"sample": 3}, "sample=3, channel=None; expected names of the workspace"),
    ],
)
def test_names_that_are_not_there(keywords: dict[str, Any], words: str) -> None:
    """A sample or channel that the workspace lacks is named, with those that there are."""
    with pytest.raises((InputError, InputTypeError), match=words):
        Workspace.read(TOYS["two channels"].workspace).samples(**keywords)


@pytest.mark.parametrize(
    ("poi", "words"),
    [
        ("", "names no parameter of interest; expected one of the free parameters"),
        ("nu", "the model has no parameter 'nu'; expected one of the free parameters .*'mu'"),
        (PROBE, "the model has no parameter"),
        ("efficiency", "'efficiency' is not free: it has a constraint of its own"),
        ("fixed", "'fixed' is not free: the measurement holds it fixed"),
        ("shape", "'shape' is 4 parameters"),
    ],
)
def test_parameters_that_cannot_be_of_interest(poi: str, words: str) -> None:
    """A parameter of interest that does not exist, or is not free, is an error that lists those that are."""
    space = Workspace.read(with_everything(), poi=poi)
    samples = space.samples("signal")
    with pytest.raises(InputError, match=words):
        space.model(samples, space.contents(samples))


def test_without_pyhf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyhf is not installed the extra that installs it is named."""
    monkeypatch.setitem(sys.modules, "pyhf", None)
    with pytest.raises(MissingExtraError, match=r"needs the package 'pyhf', .*pytest-ganvalid\[hep\]"):
        Workspace.read({})
