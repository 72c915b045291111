"""Units that titles and metadata of the data state. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TITLE = re.compile(r"(?P<label>.*\S)\s+\[(?P<unit>[^\[\]]+)\]\s*")
_KEYS = ("unit", "units")


def split_title(title: str) -> tuple[str, str]:
    """Split ``mass [GeV]`` into label and unit; the unit is empty if there is none.

    Text in brackets is a unit if there is a space before them: ``pt[nMuon]`` is an array.
    """
    match = _TITLE.fullmatch(title)
    return (match["label"], match["unit"]) if match else (title, "")


def stated_unit(metadata: Mapping[Any, Any] | None) -> str:
    """Return the unit that metadata of a column state under ``unit`` or ``units``, as text or bytes; else empty."""
    for key in _KEYS:
        for value in ((metadata or {}).get(key), (metadata or {}).get(key.encode())):
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
            if isinstance(text, str) and text.strip() and text.isprintable():
                return text.strip()
    return ""
