"""Shared set-up of all tests."""

# pytester runs pytest in this process and forgets what that run imported; numpy must not be imported twice.
import pytest_ganvalid.gate
import pytest_ganvalid.report.session  # noqa: F401

pytest_plugins = ["pytester"]
