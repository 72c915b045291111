"""Workspaces of pyhf: the model of an analysis, with the template of one sample taken from elsewhere.

pyhf evaluates the model; its rates are linear in the template of any sample, which is used: a histosys that is added to
the sample, and nobody fits, says how much a unit of its template contributes to each bin.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._extras import imported
from pytest_ganvalid.errors import InputError, InputTypeError, absence, suggestion
from pytest_ganvalid.statistics.template_fit import Constraints, Likelihood

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
PROBE = "ganvalid_probe"
"""Name of the modifier that says what a unit of the template contributes."""
OWN_ERROR = "staterror"
"""The modifier that stands for the statistical error of a template."""
_ABSOLUTE = ("histosys", "shapesys", "staterror")  # whose data have the unit of the contents
_SETTINGS = {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}}
_BATCHES = (2, 16, 64, 256, 1024)
"""Numbers of parameter points that pyhf evaluates at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Workspace:
    """A workspace with one of its measurements.

    Attributes:
        channels: As in the workspace.
        parameters: Settings of the measurement.
        poi: The parameter of interest; empty if the measurement names none.
    """

    channels: list[dict[str, Any]]
    parameters: list[dict[str, Any]]
    poi: str

    @classmethod
    def read(cls, source: object, measurement: str | None = None, poi: str | None = None) -> Workspace:
        """Read a workspace.

        Args:
            source: A `pyhf.Workspace`, its specification, or the name of a JSON file.
            measurement: Which of its measurements; ``None`` for the first.
            poi: The parameter of interest; ``None`` for that of the measurement.

        Raises:
            InputError: If the workspace is not valid, or has no such measurement.
            InputTypeError: If ``source`` is no workspace, mapping or name of a file.
            MissingExtraError: If pyhf is not installed.
        """
        pyhf = _pyhf()
        spec = copy.deepcopy(dict(_parsed(source)))
        try:
            with _numpy_backend(), warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of jsonschema, which pyhf calls the old way
                pyhf.Workspace(spec)
        except (pyhf.exceptions.InvalidSpecification, pyhf.exceptions.InvalidWorkspaceOperation) as error:
            msg = f"the workspace is not valid: {str(error).splitlines()[0]}"
            raise InputError(msg) from None
        measurements = {entry["name"]: entry["config"] for entry in spec["measurements"]}
        chosen = next(iter(measurements)) if measurement is None else measurement
        if chosen not in measurements:
            msg = f"the workspace: {absence('measurement', chosen, measurements)}"
            raise InputError(msg)
        config = measurements[chosen]
        return cls(spec["channels"], config["parameters"], config["poi"] if poi is None else poi)

    def samples(self, sample: object, channel: object = None) -> dict[str, str]:
        """Return channel -> sample for the channels that a generator's events enter.

        Args:
            sample: Its name, or a mapping of channel -> name.
            channel: The name of a channel, or several; ``None`` for all that have the sample.

        Raises:
            InputError: If the workspace has no such channel, or the channel no such sample.
            InputTypeError: If a name is no text.
        """
        assignment = sample if isinstance(sample, Mapping) else None
        if assignment is not None and channel is not None:
            msg = f"sample={dict(assignment)!r} names the channels, and so does channel={channel!r}; leave channel out"
            raise InputError(msg)
        available = {entry["name"]: [part["name"] for part in entry["samples"]] for entry in self.channels}
        if assignment is None:
            in_all = [name for name, samples in available.items() if sample in samples]
            chosen = in_all if channel is None else [channel] if isinstance(channel, str) else channel
            if not isinstance(sample, str) or not isinstance(chosen, Sequence):
                msg = f"sample={sample!r}, channel={channel!r}; expected names of the workspace"
                raise InputTypeError(msg)
            assignment = dict.fromkeys(chosen, sample)
        for name, part in assignment.items():
            if name not in available:
                msg = f"the workspace: {absence('channel', name, available)}"
                raise InputError(msg)
            if part not in available[name]:
                msg = f"channel {name!r}: {absence('sample', part, available[name])}"
                raise InputError(msg)
        if not assignment:
            everywhere = {part for parts in available.values() for part in parts}
            msg = f"the workspace: {absence('sample', sample, everywhere)}"
            raise InputError(msg)
        return {name: assignment[name] for name in available if name in assignment}

    def contents(self, samples: Mapping[str, str]) -> dict[str, FloatArray]:
        """Return the contents that the workspace has for a sample, channel by channel."""
        return {
            channel["name"]: np.array(part["data"], dtype=np.float64)
            for channel in self.channels
            for part in channel["samples"]
            if samples.get(channel["name"]) == part["name"]
        }

    def with_template(
        self, samples: Mapping[str, str], template: Mapping[str, FloatArray], luminosity: float = 1.0
    ) -> dict[str, Any]:
        """Return the specification of a model with another template, at another luminosity.

        The relative variations of the sample are kept; its statistical error is taken away.

        Args:
            samples: Channel -> sample.
            template: Channel -> contents, which are not scaled with the luminosity.
            luminosity: In units of that of the workspace.
        """
        channels = copy.deepcopy(self.channels)
        for channel in channels:
            for part in channel["samples"]:
                replaced = samples.get(channel["name"]) == part["name"]
                old = np.array(part["data"], dtype=np.float64)
                new = template[channel["name"]] if replaced else old * luminosity
                part["data"] = new.tolist()
                if replaced:
                    part["modifiers"] = [entry for entry in part["modifiers"] if entry["type"] != OWN_ERROR]
                for modifier in part["modifiers"]:
                    if modifier["type"] in _ABSOLUTE:
                        modifier["data"] = _rescaled(modifier["data"], old, new, luminosity)
        return {"channels": channels, "parameters": self.parameters}

    def model(
        self,
        samples: Mapping[str, str],
        template: Mapping[str, FloatArray],
        luminosity: float = 1.0,
        poi_value: float | None = None,
    ) -> Model:
        """Return the likelihood of a model with another template, at another luminosity; see `with_template`.

        Args:
            samples: Channel -> sample.
            template: Channel -> contents.
            luminosity: In units of that of the workspace.
            poi_value: The true value of the parameter of interest; ``None`` for where its fits begin.

        Raises:
            InputError: If the parameter of interest does not exist, or is not free.
        """
        spec = self.with_template(samples, template, luminosity)
        unit = {name: np.maximum(contents, max(contents.mean(), 1e-6)) for name, contents in template.items()}
        for channel in spec["channels"]:
            for part in channel["samples"]:
                if samples.get(channel["name"]) == part["name"]:
                    part["modifiers"].append(_probe(template[channel["name"]], unit[channel["name"]]))
        with _numpy_backend():
            evaluator = _Evaluator(spec, unit)
            start, free = evaluator.start(), evaluator.free()
            poi = evaluator.position(self.poi)
        if poi_value is not None:
            start[poi] = poi_value
        likelihood = Likelihood(evaluator, evaluator.constraints(), free, start)
        return Model(likelihood, poi, evaluator.positions(tuple(template)), spec)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The likelihood of an analysis.

    Attributes:
        likelihood: Of the bins of all channels.
        poi: Position of the parameter of interest.
        bins: Positions of the template's bins among those of all channels, in the order of its channels.
        spec: What pyhf makes it of.
    """

    likelihood: Likelihood
    poi: int
    bins: IntArray
    spec: Mapping[str, Any]

    @property
    def size(self) -> int:
        """Number of bins of all channels."""
        return int(self.likelihood.rates(self.likelihood.start[None])[0].shape[1])


class _Evaluator:
    """The rates of a pyhf model, for many parameters at a time."""

    def __init__(self, spec: dict[str, Any], unit: Mapping[str, FloatArray]) -> None:
        self._spec = spec
        self._models: dict[int, Any] = {}
        self._config = self._model(_BATCHES[0]).config
        self._probe = self._config.par_slice(PROBE).start
        sizes = self._config.channel_nbins
        self._unit = np.concatenate([unit.get(name, np.ones(sizes[name])) for name in self._config.channels])

    def __call__(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the rates, and the contribution of a unit of the template."""
        doubled = np.concatenate([theta, theta])
        doubled[:, self._probe] = np.repeat([0.0, 1.0], theta.shape[0])
        size = _BATCHES[-1]
        with _numpy_backend():
            parts = [self._rates(doubled[first : first + size]) for first in range(0, doubled.shape[0], size)]
        rates, shifted = np.split(np.concatenate(parts), 2)
        return rates, (shifted - rates) / self._unit

    def _rates(self, theta: FloatArray) -> FloatArray:
        n_points = theta.shape[0]
        size = next(size for size in _BATCHES if size >= n_points)
        padded = np.concatenate([theta, np.repeat(theta[-1:], size - n_points, axis=0)])
        with np.errstate(all="ignore"):
            rates = self._model(size).expected_actualdata(padded)
        return np.asarray(rates, dtype=np.float64)[:n_points]

    def _model(self, size: int) -> Any:  # noqa: ANN401 - of pyhf
        if size not in self._models:
            pyhf = _pyhf()
            try:
                self._models[size] = pyhf.Model(
                    self._spec, poi_name=None, batch_size=size, modifier_settings=_SETTINGS, validate=False
                )
            except (pyhf.exceptions.InvalidModel, pyhf.exceptions.InvalidModifier) as error:
                msg = f"pyhf makes no model of the workspace: {error}"
                raise InputError(msg) from None
        return self._models[size]

    def start(self) -> FloatArray:
        return np.array(self._config.suggested_init(), dtype=np.float64)

    def free(self) -> NDArray[np.bool_]:
        free = ~np.array(self._config.suggested_fixed(), dtype=bool)
        free[self._probe] = False
        return free

    def positions(self, channels: Sequence[str]) -> IntArray:
        """Return the positions of the bins of some channels."""
        config = self._config
        ends = np.cumsum([config.channel_nbins[name] for name in config.channels])
        starts = dict(zip(config.channels, ends - np.diff(ends, prepend=0), strict=True))
        return np.concatenate([starts[name] + np.arange(config.channel_nbins[name]) for name in channels])

    def position(self, poi: str) -> int:
        """Return the position of the parameter of interest.

        Raises:
            InputError: If the parameter does not exist, is fixed or constrained, or has several components.
        """
        config = self._config
        names = [name for name in config.par_order if name != PROBE]
        plain = [
            name
            for name in names
            if not config.param_set(name).constrained
            and config.param_set(name).n_parameters == 1
            and not any(config.param_set(name).suggested_fixed)
        ]
        if poi in plain:
            return int(config.par_slice(poi).start)
        expected = f"expected one of the free parameters {plain}"
        if not poi:
            msg = f"the measurement names no parameter of interest; {expected}: poi=..."
        elif poi not in names:
            msg = f"the model has no parameter {poi!r}{suggestion(poi, plain)}; {expected}"
        elif config.param_set(poi).constrained:
            msg = f"{poi!r} is not free: it has a constraint of its own; {expected}"
        elif config.param_set(poi).n_parameters != 1:
            msg = f"{poi!r} is {config.param_set(poi).n_parameters} parameters; {expected}"
        else:
            msg = f"{poi!r} is not free: the measurement holds it fixed; {expected}"
        raise InputError(msg)

    def constraints(self) -> Constraints:
        """Return the auxiliary measurements in the order of pyhf."""
        config = self._config
        parameter: list[int] = []
        sigma: list[float] = []
        factor: list[float] = []
        for name in config.auxdata_order:
            settings, indices = config.param_set(name), config.par_slice(name)
            poisson = settings.pdf_type == "poisson"
            parameter += range(indices.start, indices.stop)
            factor += list(settings.factors) if poisson else [0.0] * settings.n_parameters
            sigma += [1.0] * settings.n_parameters if poisson else list(settings.width())
        return Constraints(np.array(parameter, dtype=np.intp), np.array(sigma, dtype=np.float64), np.array(factor))


def _pyhf() -> Any:  # noqa: ANN401 - a module
    return imported("pyhf", feature="the verdict on an analysis", extra="hep")


@contextmanager
def _numpy_backend() -> Iterator[None]:
    """Let pyhf compute with numpy in double precision, log nothing, and go back to what the user has chosen."""
    pyhf = _pyhf()
    backend, optimizer = pyhf.get_backend()
    other = (backend.name, backend.precision) != ("numpy", "64b")
    log = logging.getLogger("pyhf")
    level = log.level
    log.setLevel(logging.WARNING)  # it has a line for every modifier
    if other:
        pyhf.set_backend("numpy", precision="64b")
    try:
        yield
    finally:
        log.setLevel(level)
        if other:
            pyhf.set_backend(backend, optimizer)


def _parsed(source: object) -> Mapping[str, Any]:
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        try:
            source = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            msg = f"{path}: no workspace can be read: {error}"
            raise InputError(msg) from None
    if not isinstance(source, Mapping):
        msg = (
            f"the workspace is a {type(source).__name__}; expected a pyhf.Workspace, the dictionary that it is made "
            "of, or the name of its JSON file"
        )
        raise InputTypeError(msg)
    return source


def _rescaled(data: Any, old: FloatArray, new: FloatArray, luminosity: float) -> Any:  # noqa: ANN401 - as in JSON
    """Keep what is relative to contents as they change; where there were none, scale with the luminosity."""
    if isinstance(data, Mapping):
        return {name: _rescaled(part, old, new, luminosity) for name, part in data.items()}
    factor = np.divide(new, old, out=np.full_like(old, luminosity), where=old > 0)
    return (np.array(data, dtype=np.float64) * factor).tolist()


def _probe(template: FloatArray, unit: FloatArray) -> dict[str, Any]:
    sides = {"hi_data": (template + unit).tolist(), "lo_data": (template - unit).tolist()}
    return {"name": PROBE, "type": "histosys", "data": sides}
