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


def test_words_of_others_are_shown_and_not_obeyed() -> None:
    """Escape sequences, line breaks, marks of direction and bytes of no encoding are spelled out, once."""
    name = "a\x1b[31m\nb\x00\x9b\u202ec\udc80"
    text = errors.printable(name)
    assert text == "a\\x1b[31m\\nb\\x00\\x9b\\u202ec\\udc80"
    assert errors.printable(text) == text
    assert errors.printable("χ² of a mass") == "χ² of a mass"
    with pytest.raises(errors.InputError) as caught, errors.placed(name), errors.placed(name):
        raise errors.InputError(name)
    assert str(caught.value) == text


def test_a_misspelt_name_has_a_guess() -> None:
    """The nearest of the valid names is asked about, in whatever case, unless none is near or another is meant."""
    names = ["n_required", "observables", "n_train"]
    assert errors.suggestion("n_requird", names) == " (did you mean 'n_required'?)"
    assert errors.suggestion("PT", ["pt", "mass"]) == " (did you mean 'pt'?)"
    assert errors.suggestion("zeta", names) == errors.suggestion("x", []) == errors.suggestion("x", ["x"]) == ""
    absence = errors.absence("column", "mas", ["pt", "", "mass"])
    assert absence == "there is no column 'mas' (did you mean 'mass'?); there are ['mass', 'pt']"
    assert errors.absence("column", "m:m", ["m"], "; meant") == "there is no column 'm:m'; there are ['m']; meant"
