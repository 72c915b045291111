"""References of a release gate: histograms that are addressed by their content.

``references.toml`` says which histograms are the reference of what, one line each::

    store = "references"

    [references]
    zmumu = "8a6c…"  # SHA-256 of the file references/8a6c….json

so that a change of a reference is a change of one line, and no file can be exchanged unseen.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from pytest_ganvalid._files import write_whole
from pytest_ganvalid.errors import InputError, placed, suggestion
from pytest_ganvalid.pipeline.fill import fill
from pytest_ganvalid.pipeline.summary import Histograms
from pytest_ganvalid.samples import addresses

FILE = "references.toml"
_SETTINGS = {"store": "references", "candidates": "candidates"}
_TABLE = "references"
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HEADER = re.compile(r"\s*\[\s*references\s*\]\s*(#.*)?")


@dataclass(frozen=True, slots=True)
class References(Mapping[str, Histograms]):
    """The references of a release gate, by name; each is read, and its hash checked, when it is looked up.

    Attributes:
        file: ``references.toml``.
        store: Folder or address (of fsspec) of the files, each called by its SHA-256.
        candidates: Folder that `candidate` writes to.
        digests: Name -> SHA-256 in hexadecimal digits.
    """

    file: Path
    store: str
    candidates: Path
    digests: Mapping[str, str]

    @classmethod
    def read(cls, file: str | os.PathLike[str]) -> Self:
        """Read ``references.toml``.

        Args:
            file: Name of the file, or of its folder.

        Raises:
            InputError: If the file cannot be read, or is not understood.
        """
        path = Path(file) / FILE if Path(file).is_dir() else Path(file)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{path}: {getattr(error, 'strerror', None) or error}; check the name, and the folder you are in"
            raise InputError(msg) from error
        with placed(str(path)):
            return cls._parsed(path, text)

    @classmethod
    def _parsed(cls, path: Path, text: str) -> Self:
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            msg = f"this is no TOML: {error}"
            raise InputError(msg) from error
        unknown = sorted(document.keys() - {*_SETTINGS, _TABLE})
        if unknown:
            guess = suggestion(unknown[0], (*_SETTINGS, _TABLE))
            msg = f"{unknown[0]!r} is not known{guess}; expected {', '.join(_SETTINGS)} and the table [{_TABLE}]"
            raise InputError(msg)
        settings = {name: document.get(name, default) for name, default in _SETTINGS.items()}
        for name, value in settings.items():
            if not isinstance(value, str) or not value:
                msg = f"{name} = {value!r}; expected the name of a folder{' or an address' * (name == 'store')}"
                raise InputError(msg)
        table = document.get(_TABLE, {})
        if not isinstance(table, dict):
            msg = f"{_TABLE} = {table!r}; expected the table [{_TABLE}]"
            raise InputError(msg)
        for name, digest in table.items():
            _check_name(name)
            if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
                msg = f"{name} = {digest!r}; expected a SHA-256, 64 hexadecimal digits, which 'ganvalid promote' writes"
                raise InputError(msg)
        store = settings["store"]
        store = store.rstrip("/") if addresses.is_address(store) else str(path.parent / store)
        return cls(path, store, path.parent / settings["candidates"], table)

    def __getitem__(self, name: str) -> Histograms:
        """Read a reference.

        Raises:
            InputError: If there is no reference of this name, its file is missing, or was changed.
        """
        if name not in self.digests:
            wrong, names = f"{name!r}{suggestion(name, self.digests)}", ", ".join(self.digests) or "none yet"
            msg = (
                f"{self.file}: there is no reference {wrong}, but {names}; once a run has written the candidate "
                f"{self._candidate(name)}, make it one: ganvalid promote {self.file} {name}"
            )
            raise InputError(msg)
        location = self.place(name)
        with placed(f"{self.file}: {name}"), placed(location):
            content = _content(location)
            digest = hashlib.sha256(content).hexdigest()
            if digest != self.digests[name]:
                msg = (
                    f"the file was changed: its SHA-256 is {digest}, expected {self.digests[name]}; restore it, or "
                    "promote a candidate"
                )
                raise InputError(msg)
            return Histograms.from_json(content)

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self.digests)

    def __len__(self) -> int:
        """Return the number of references."""
        return len(self.digests)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a reference of this name, without reading it."""
        return name in self.digests

    def place(self, name: str) -> str:
        """Return the file or address of a reference."""
        return _store_path(self.store, self.digests[name])

    def _candidate(self, name: str) -> Path:
        return self.candidates / f"{name}.json"

    def candidate(self, name: str, events: object, **keywords: Any) -> Histograms:  # noqa: ANN401 - those of fill
        """Fill the events of a new release as the reference of this name was filled, and write the candidate.

        The candidate is written whatever the verdict will be: `promote` makes it the reference.

        Args:
            name: Of the reference: letters, digits, ``-`` and ``_``.
            events: As for `pytest_ganvalid.fill`.
            keywords: Of `pytest_ganvalid.fill`: ``memory`` and ``client``, and, as long as there is no reference, what
                to fill and in which bins. Once there is one, it says that.

        Raises:
            InputError: If the events cannot be filled, or the reference cannot be read.
            OSError: If the candidate cannot be written.
        """
        _check_name(name)
        if name in self:
            keywords = {key: value for key, value in keywords.items() if key in {"memory", "client"}}
            histograms = fill(events, like=self[name], **keywords)
        else:
            histograms = fill(events, **keywords)
        write_whole(self._candidate(name), histograms.to_json().encode())
        return histograms

    def promote(self, name: str, candidate: str | os.PathLike[str] | None = None) -> Self:
        """Make a candidate the reference: copy it to the store, and change its line in the file.

        Args:
            name: Of the reference, which need not exist yet.
            candidate: File of histograms; ``None`` for the one that `candidate` wrote.

        Returns:
            The references as they are then.

        Raises:
            InputError: If the candidate is missing or no file of histograms, or cannot be stored.
            OSError: If a file cannot be written.
        """
        _check_name(name)
        path = self._candidate(name) if candidate is None else Path(candidate)
        with placed(str(path)):
            content = _content(str(path))
            Histograms.from_json(content)
        digest = hashlib.sha256(content).hexdigest()
        text = self.file.read_text(encoding="utf-8")
        changed = _with_line(text, name, digest)
        digests = {**self.digests, name: digest}
        if self._parsed(self.file, changed).digests != digests:
            msg = f'{self.file}: the line of {name!r} is not found; write each as {name} = "…" below [{_TABLE}]'
            raise InputError(msg)
        _store(_store_path(self.store, digest), content)  # first: a line never names what is not there
        if changed != text:
            write_whole(self.file, changed.encode())
        return replace(self, digests=digests)


def _check_name(name: str) -> None:
    """Refuse what cannot be a key of TOML and the name of a file.

    Raises:
        InputError: If the name is not valid.
    """
    if not _NAME.fullmatch(name):
        msg = f"a reference cannot be called {name!r}; expected letters, digits, '-' and '_'"
        raise InputError(msg)


def _store_path(store: str, digest: str) -> str:
    name = f"{digest}.json"
    return f"{store}/{name}" if addresses.is_address(store) else str(Path(store) / name)


def _content(location: str) -> bytes:
    """Return the content of a file or of an address.

    Raises:
        InputError: If the content cannot be read.
    """
    if addresses.is_address(location):
        addresses.check_address(location)
        return Path(addresses.copied(location)).read_bytes()
    try:
        return Path(location).read_bytes()
    except OSError as error:
        msg = f"the file cannot be read ({error.strerror or error}); restore it, or promote a candidate"
        raise InputError(msg) from error


def _store(location: str, content: bytes) -> None:
    """Write to the store.

    Raises:
        InputError: If nothing can be written to the address.
        OSError: If the file cannot be written.
    """
    if addresses.is_address(location):
        addresses.written(location, content)
    else:
        write_whole(location, content)


def _with_line(text: str, name: str, digest: str) -> str:
    """Return the text with one line changed, or added at the end of the table."""
    lines = text.splitlines(keepends=True)
    start = next((i for i, line in enumerate(lines) if _HEADER.fullmatch(line.strip())), None)
    if start is None:
        gap = "" if not lines or not lines[-1].strip() else "\n" if lines[-1].endswith("\n") else "\n\n"
        return f'{text}{gap}[{_TABLE}]\n{name} = "{digest}"\n'
    following = (i for i, line in enumerate(lines[start + 1 :], start + 1) if line.lstrip().startswith("["))
    end = next(following, len(lines))
    pattern = re.compile(rf"(\s*[\"']?{re.escape(name)}[\"']?\s*=\s*)[\"'][^\"']*[\"'](.*)", flags=re.DOTALL)
    for i in range(start + 1, end):
        if match := pattern.fullmatch(lines[i]):
            lines[i] = f'{match[1]}"{digest}"{match[2]}'
            return "".join(lines)
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    return "".join([*lines[:end], f'{name} = "{digest}"\n', *lines[end:]])
