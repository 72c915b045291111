"""Shared set-up of all tests."""

import os

from hypothesis import HealthCheck, settings

# pytester runs pytest in this process and forgets what that run imported; numpy must not be imported twice.
import pytest_ganvalid.gate
import pytest_ganvalid.report.session  # noqa: F401

pytest_plugins = ["pytester"]

# No test is timed: machines are shared. Under tox the same few examples come every time, so that a run means something;
# elsewhere Hypothesis goes on looking for new ones.
TOX = "GANVALID_TEST_WHEEL" in os.environ
settings.register_profile(
    "ganvalid",
    deadline=None,
    derandomize=TOX,
    max_examples=25 if TOX else 100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ganvalid")
