"""``python -m pytest_ganvalid``: the command line."""

from __future__ import annotations

import sys

from pytest_ganvalid.cli import main

if __name__ == "__main__":
    sys.exit(main())
