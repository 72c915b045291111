"""The reference generative adversarial network: an honest baseline, and something for every check to look at.

Needs the extra ``gan``. `train` makes a `Generator` of events; `Config` has the settings. Several GPUs are used by
starting a script with ``torchrun``.
"""

from __future__ import annotations

from pytest_ganvalid.errors import MissingExtraError

try:
    import safetensors
    import torch
except ImportError as error:
    _FEATURE, _PACKAGE = "pytest_ganvalid.gan", str(error.name)
    raise MissingExtraError(_FEATURE, _PACKAGE, "gan") from error

from pytest_ganvalid.gan.config import Config
from pytest_ganvalid.gan.generator import Generator
from pytest_ganvalid.gan.training import train

__all__ = ["Config", "Generator", "train"]
del safetensors, torch
