"""Whether ``torchrun`` started this process; standard library only."""

from __future__ import annotations

import os

_VARIABLES = {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR"}


def is_launched() -> bool:
    """Tell whether all is there that ``torchrun`` sets: a batch system may set some of it for purposes of its own."""
    return _VARIABLES.issubset(os.environ)
