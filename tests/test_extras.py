"""A package that is not there is named with how to install it."""

from __future__ import annotations

import sys

import pytest

from pytest_ganvalid._extras import imported
from pytest_ganvalid.errors import MissingExtraError


def test_what_is_there_is_imported() -> None:
    """The module itself comes back, not its package."""
    import xml.dom.minidom

    assert imported("xml.dom.minidom", feature="a document", extra="xml") is xml.dom.minidom


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package, not its module, is what has to be installed; the cause is kept."""
    monkeypatch.setitem(sys.modules, "xml.dom.minidom", None)
    with pytest.raises(MissingExtraError, match=r"^a document needs the package 'xml', .*pytest-ganvalid\[hep\]") as e:
        imported("xml.dom.minidom", feature="a document", extra="hep")
    assert isinstance(e.value.__cause__, ImportError)
