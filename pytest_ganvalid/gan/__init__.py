"""The reference generative adversarial network: an honest baseline, and something for every check to look at.

Needs the extra ``gan``. `train` makes a `Generator` of events; `Config` has the settings. Several GPUs are used by
starting a script with ``torchrun``. To read it: `config`, `model` (networks and what they minimise), `preprocess` (what
networks see of events), `trainer` and `sample`; each module imports only those of the list ``config``, ``numbers``,
``model``, ``devices``, ``smoothing``, ``quantiles``, ``preprocess``, ``artefacts``, ``checkpoints``, ``batches``,
``evaluation``, ``stopping``, ``progress``, ``sample``, ``trainer`` that come before it. What needs torch is loaded when
it is first used: the settings can be listed without.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pytest_ganvalid._extras import imported
from pytest_ganvalid.gan.config import Config

if TYPE_CHECKING:
    from pytest_ganvalid.gan.sample import Generator
    from pytest_ganvalid.gan.trainer import train

__all__ = ["Config", "Generator", "train"]

_HOMES = {"Generator": "sample", "train": "trainer"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class and a function
    """Load what needs torch when it is first used.

    Raises:
        MissingExtraError: If torch or safetensors is not installed.
    """
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    for package in ("safetensors", "torch"):
        imported(package, feature=__name__, extra="gan")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
