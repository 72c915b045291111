"""Analyses whose truth is known: workspaces for pyhf, and the law of the sample that a generator is to make.

- `counting`: one bin; the generator makes the signal, and what matters is how much of it is selected.
- `bump`: a peak on a falling background, which the generator makes.
- `two_channels`: a signal and a control region with systematics that both have; the generator makes the background.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.histograms.counts import Counts

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """An analysis, and where events of one of its samples are.

    Attributes:
        workspace: For `pyhf.Workspace`.
        sample: The sample that is generated, in all channels.
        law: Probability of an event to be in each bin of all channels, and in the last place in none.
        sizes: Channel -> number of bins.
        tilt: A distortion of the law by a generator, law * (1 + strength * tilt): between -1 and 1, of average 0.
    """

    workspace: Mapping[str, Any]
    sample: str
    law: FloatArray
    sizes: Mapping[str, int]
    tilt: FloatArray

    @classmethod
    def of(cls, workspace: Mapping[str, Any], sample: str, accepted: float, tilt: FloatArray) -> Analysis:
        """Let the sample be distributed as its contents in the workspace.

        Args:
            workspace: All channels of it have the sample.
            sample: Its name.
            accepted: Share of its events in the channels.
            tilt: Any distortion, a number for each bin and one for the events in none.
        """
        contents = {
            channel["name"]: np.array(part["data"])
            for channel in workspace["channels"]
            for part in channel["samples"]
            if part["name"] == sample
        }
        nominal = np.concatenate(list(contents.values()))
        law = np.append(accepted * nominal / nominal.sum(), 1 - accepted)
        centred = tilt - tilt @ law
        sizes = {name: part.size for name, part in contents.items()}
        return cls(workspace, sample, law, sizes, centred / np.abs(centred).max())

    def distorted(self, strength: float) -> FloatArray:
        """Return the law of a generator that is off by so much; strength lies between -1 and 1."""
        return np.asarray(self.law * (1 + strength * self.tilt))

    def histograms(self, contents: FloatArray) -> dict[str, Counts]:
        """Return a histogram for each channel; events in none are in the overflow of the last.

        Args:
            contents: Of all bins, and of the events in none.
        """
        ends = np.cumsum(list(self.sizes.values()))
        parts = np.split(contents, ends[:-1])
        last = len(parts) - 1
        return {
            name: Counts(part, part, edges=[*range(size + 1), *([np.inf] if index == last else [])])
            for index, ((name, size), part) in enumerate(zip(self.sizes.items(), parts, strict=True))
        }

    def drawn(self, events: int, seed: int, law: FloatArray | None = None) -> dict[str, Counts]:
        """Draw events of the law, or of another, as a histogram for each channel."""
        rng = np.random.default_rng(seed)
        return self.histograms(rng.multinomial(events, self.law if law is None else law).astype(np.float64))


def counting() -> Analysis:
    """Return an analysis that counts events: 4,000 of signal, of which 30 % are selected, and 1,000 of background."""
    signal = _sample("signal", [4_000.0], _free("mu"))
    background = _sample("background", [1_000.0], _scaled("normalisation", 0.03))
    workspace = _workspace({"selected": [signal, background]})
    return Analysis.of(workspace, "signal", 0.3, np.array([1.0, 0.0]))


def bump(bins: int = 20) -> Analysis:
    """Return an analysis of a peak of 600 events on a background of 10,000 whose normalisation is free."""
    edges = np.linspace(100, 160, bins + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    peak, falling = np.exp(-(((centres - 125) / 4) ** 2) / 2), np.exp(-centres / 30)
    peak, falling = 600 * peak / peak.sum(), 10_000 * falling / falling.sum()
    signal = _sample("signal", peak, _free("mu"), _scaled("efficiency", 0.03))
    slope = (centres - 130) / 30
    background = _sample("background", falling, _free("background"), _shaped("slope", falling, 0.02 * slope))
    workspace = _workspace({"mass": [signal, background]})
    tilt = np.append(np.exp(-(((centres - 125) / 8) ** 2) / 2), 0.3)
    return Analysis.of(workspace, "background", 0.8, tilt)


def two_channels() -> Analysis:
    """Return an analysis of two channels with an energy scale, an efficiency and a luminosity that both have."""
    rows = {
        "signal region": ([60.0, 120, 220, 180, 100, 50], [800.0, 600, 440, 320, 220, 160]),
        "control region": ([10.0, 15, 20, 12], [1_000.0, 840, 660, 500]),
    }
    channels = {}
    for name, (signal, background) in rows.items():
        slope = np.linspace(-1, 1, len(signal))
        luminosity = {"name": "lumi", "type": "lumi", "data": None}
        channels[name] = [
            _sample(
                "signal",
                signal,
                _free("mu"),
                _scaled("efficiency", 0.04),
                _shaped("energy scale", signal, 0.05 * slope),
                luminosity,
            ),
            _sample(
                "background",
                background,
                _free("background"),
                _shaped("energy scale", background, 0.03 * slope),
                {"name": f"statistics of {name}", "type": "staterror", "data": np.sqrt(background).tolist()},
            ),
        ]
    settings = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.017], "bounds": [[0.5, 1.5]], "inits": [1.0]}
    workspace = _workspace(channels, settings)
    tilt = np.array([0.0, 0.2, 0.8, 0.8, 0.4, 0.1, -0.2, -0.2, -0.2, -0.2, 0.0])
    return Analysis.of(workspace, "background", 0.9, tilt)


def _workspace(channels: Mapping[str, list[dict[str, Any]]], *parameters: dict[str, Any]) -> dict[str, Any]:
    observed = {name: np.sum([part["data"] for part in parts], axis=0) for name, parts in channels.items()}
    return {
        "channels": [{"name": name, "samples": parts} for name, parts in channels.items()],
        "observations": [{"name": name, "data": data.tolist()} for name, data in observed.items()],
        "measurements": [{"name": "measurement", "config": {"poi": "mu", "parameters": list(parameters)}}],
        "version": "1.0.0",
    }


def _sample(name: str, contents: Any, *modifiers: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - an array or list
    return {"name": name, "data": np.asarray(contents, dtype=np.float64).tolist(), "modifiers": list(modifiers)}


def _free(name: str) -> dict[str, Any]:
    return {"name": name, "type": "normfactor", "data": None}


def _scaled(name: str, size: float) -> dict[str, Any]:
    return {"name": name, "type": "normsys", "data": {"hi": 1 + size, "lo": 1 - size}}


def _shaped(name: str, contents: Any, slope: FloatArray) -> dict[str, Any]:  # noqa: ANN401 - an array or list
    up, down = np.asarray(contents) * (1 + slope), np.asarray(contents) * (1 - slope)
    return {"name": name, "type": "histosys", "data": {"hi_data": up.tolist(), "lo_data": down.tolist()}}
