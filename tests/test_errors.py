"""Errors can be caught as one kind, and as the builtin kinds that they are."""

from __future__ import annotations

import pytest

from pytest_ganvalid import errors


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [(errors.InputError, ValueError), (errors.InputTypeError, TypeError), (errors.TrainingError, RuntimeError)],
)
def test_errors_are_builtin_errors_too(kind: type[Exception], builtin: type[Exception]) -> None:
    """Whoever does not know the package catches its errors as those of Python."""
    error = kind("words")
    assert isinstance(error, builtin)
    assert isinstance(error, errors.GanvalidError)
    assert str(error) == "words"


def test_a_missing_extra_names_feature_package_and_remedy() -> None:
    """The error has the feature, the package and the command that installs it, and is an ``ImportError``."""
    error = errors.MissingExtraError("a Parquet file", "pyarrow", "hep")
    assert isinstance(error, errors.GanvalidError)
    assert isinstance(error, ImportError)
    assert str(error) == (
        "a Parquet file needs the package 'pyarrow', which is not installed; "
        'install it with: pip install "pytest-ganvalid[hep]"'
    )
