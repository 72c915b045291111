"""Whether ``torchrun`` started this process; standard library only."""

from __future__ import annotations

import os

_VARIABLES = {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR"}


def is_launched() -> bool:
    """Tell whether all variables of ``torchrun`` are set: a batch system may set some of them for its own purposes."""
    return _VARIABLES.issubset(os.environ)
