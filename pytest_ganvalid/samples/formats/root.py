"""ROOT's TTrees and RNTuples, through uproot.

A branch of a tree is called by the last part of its path where no other is called so, and by its whole path otherwise.
A field of an RNTuple is called by its whole path, as in ``"jets.pt"``. An array of fixed size is a column for each of
its positions (see `samples.features`), and one whose size differs from event to event a column with several
entries per event.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._extras import imported
from pytest_ganvalid._units import split_title
from pytest_ganvalid.errors import InputError, absence
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.features import feature_names, nesting_reason
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.formats._arrays import allocating, check_readable, step_of, steps

KIND = "ROOT"
DAMAGE = (Exception,)  # uproot takes the bytes at their word, and fails in as many ways as there are bytes
_NUMBERS = "biuf"
_STARTS = 4096  # at most
_TWO = 2  # axes


def open_file(path: str, inside: str) -> Root:
    """Open a file; see `formats.Format`."""
    with allocating():
        return Root(path, inside)


class Root:
    """A tree of a ROOT file, whose clusters can be read one by one."""

    def __init__(self, path: str, inside: str) -> None:
        """Find the tree and its branches.

        Raises:
            InputError: If the file has no such tree, no tree that can be read, or several and none is named.
            MissingExtraError: If uproot is not installed.
        """
        uproot = imported("uproot", feature="a ROOT file", extra="hep")
        # What uproot takes for a local file by default is mapped into memory, all of which then seems to be used.
        options = {} if "://" in path else {"handler": uproot.MultithreadedFileSource}
        self._file = uproot.open({path: None}, array_cache=None, object_cache=None, **options)
        try:
            _check_end(path, self._file.file.fEND)
            tree = self._file[_tree_name(self._file.classnames(recursive=True, cycle=False), inside)]
            self._table: _TreeReader = _Tree(tree) if hasattr(tree, "branches") else _Ntuple(tree)
            self.names, self.refused = tuple(self._table.paths), self._table.refused
            self.units = self._table.units
            self.rows: int | None = self._table.rows
            self.starts = _row_starts(self._table.starts, self._table.rows)
            check_readable(self.names, self.refused)
        except BaseException:
            self._file.close()
            raise

    def read(self, columns: Sequence[str], start: int, stop: int, chunk: int) -> Iterator[Columns]:
        """Yield rows; see `formats.Reader`."""
        with allocating():
            yield from self._table.read(columns, start, min(stop, self._table.rows), chunk)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _TreeReader(Protocol):
    """A tree of either kind: columns -> paths and positions, others -> reasons, rows, and where clusters begin."""

    paths: dict[str, tuple[str, int | None]]
    refused: dict[str, str]
    units: dict[str, str]
    rows: int
    starts: list[int]

    def read(self, columns: Sequence[str], start: int, stop: int, chunk: int) -> Iterator[Columns]:
        """Yield rows; see `formats.Reader`."""
        ...


class _Tree:
    """A TTree."""

    def __init__(self, tree: Any) -> None:  # noqa: ANN401 - uproot has no types
        """Find the branches with a number, or a list of numbers, per event."""
        self._tree = tree
        leaves = [(path, branch) for path, branch in tree.iteritems(full_paths=True) if not branch.branches]
        short_names = _leaf_names([path for path, _ in leaves])
        repeated = {path: count for path, count in Counter(path for path, _ in leaves).items() if count > 1}
        reasons = {
            path: _ambiguity(repeated[path], "branches") if path in repeated else _reason(_form(branch), _kind(branch))
            for path, branch in leaves
        }
        names = dict(zip((path for path, _ in leaves), short_names, strict=True))
        forms = {path: _form(branch) for path, branch in leaves if not reasons[path]}
        self.paths, self.refused = _columns(names, forms, reasons)
        units = {path: split_title(str(branch.title))[1] for path, branch in leaves}
        self.units = {name: units[path] for name, (path, _) in self.paths.items() if units[path]}
        self.rows = int(tree.num_entries)
        readable = {id(branch) for path, branch in leaves if not reasons[path]}
        self.starts = tree.common_entry_offsets(filter_branch=lambda branch: id(branch) in readable)

    def read(self, columns: Sequence[str], start: int, stop: int, chunk: int) -> Iterator[Columns]:
        """Yield rows; see `formats.Reader`."""
        branches = {path: self._tree[path] for path in dict.fromkeys(self.paths[name][0] for name in columns)}
        size = sum(branch.uncompressed_bytes for branch in branches.values()) // max(self.rows, 1)
        # With its interpretation a name is taken as it is; without, "a-b" would be a difference.
        interpretations = {path: branch.interpretation for path, branch in branches.items()}
        options = {"entry_start": start, "entry_stop": stop, "library": "ak", "how": dict}
        with closing(self._tree.iterate(interpretations, step_size=step_of(chunk, size), **options)) as batches:
            for rows in batches:
                yield {
                    name: _column(rows[path], position)
                    for name, (path, position) in ((name, self.paths[name]) for name in columns)
                }


class _Ntuple:
    """An RNTuple."""

    def __init__(self, ntuple: Any) -> None:  # noqa: ANN401 - uproot has no types
        """Find the fields with a number, or a list of numbers, per event."""
        self._ntuple = ntuple
        form = ntuple.to_akform()[0]
        leaves = [(".".join(parts), parts, leaf) for parts, leaf in _leaves(form)]
        repeated = {path: count for path, count in Counter(path for path, _, _ in leaves).items() if count > 1}
        reasons = {
            path: _ambiguity(repeated[path], "fields") if path in repeated else _reason(leaf, leaf.type)
            for path, _, leaf in leaves
        }
        forms = {path: leaf for path, _, leaf in leaves if not reasons[path]}
        self.paths, self.refused = _columns({path: path for path in reasons}, forms, reasons)
        self.units: dict[str, str] = {}
        self._parts = {path: parts for path, parts, _ in leaves}
        self.rows = int(ntuple.num_entries)
        self.starts = [int(cluster.num_first_entry) for cluster in ntuple.cluster_summaries if cluster.num_entries]

    def read(self, columns: Sequence[str], start: int, stop: int, chunk: int) -> Iterator[Columns]:
        """Yield rows; see `formats.Reader`."""
        paths = {self.paths[name][0] for name in columns}
        for first, last in pairwise([*self.starts, self.rows]):
            if not start <= first < stop:
                continue
            cluster = self._ntuple.arrays(  # whole, for a part of it would take as long
                filter_field=lambda field: field.path in paths, entry_start=first, entry_stop=min(last, stop)
            )
            for begin, end in steps(0, min(last, stop) - first, chunk):
                yield {
                    name: _column(_inner(cluster, self._parts[path])[begin:end], position)
                    for name, (path, position) in ((name, self.paths[name]) for name in columns)
                }


def _tree_name(classes: dict[str, str], inside: str) -> str:
    """Return the name of the tree to read.

    Raises:
        InputError: If the file has no such tree, or several and none is named.
    """
    tables = [
        name for name, kind in classes.items() if kind.endswith("RNTuple") or kind in {"TTree", "TNtuple", "TNtupleD"}
    ]
    if inside:
        if inside.strip("/").partition(";")[0] in tables:
            return inside.strip("/")
        raise InputError(absence("tree", inside, tables))
    if len(tables) != 1:
        problem = f"several trees in it: name one of {sorted(tables)} after a colon" if tables else "no tree in it"
        msg = f"there {'are' if tables else 'is'} {problem}"
        raise InputError(msg)
    return tables[0]


def _check_end(path: str, end: int) -> None:
    """Refuse a file that is shorter than it says.

    Raises:
        ValueError: If the file is shorter.
    """
    if "://" not in path and Path(path).stat().st_size < end:
        msg = f"it says that it has {end} bytes, and has {Path(path).stat().st_size}"
        raise ValueError(msg)


def _ambiguity(count: int, members: str) -> str:
    return f"is the name of {count} {members}, and which is meant cannot be told; write each under a name of its own"


def _kind(branch: Any) -> str:  # noqa: ANN401 - of uproot
    """Return the type of a branch; of one that uproot has no type for, the class that the file names."""
    try:
        return str(branch.typename)
    except Exception:  # noqa: BLE001 - what uproot cannot type is an error that it raises only now
        return str(branch.classname or "unknown")


def _leaf_names(paths: list[str]) -> list[str]:
    """Return the last part of each path, or all of it where that is not unique."""
    last_parts = [path.rpartition("/")[2] for path in paths]
    counts = Counter(last_parts)
    return [short if counts[short] == 1 else path for short, path in zip(last_parts, paths, strict=True)]


def _form(branch: Any) -> Any:  # noqa: ANN401 - of awkward
    """Return the form of what a branch holds; ``None`` if that cannot be an array."""
    try:
        return branch.interpretation.awkward_form(branch.file)
    except Exception:  # noqa: BLE001 - whatever a class that someone wrote has in it
        return None


def _leaves(
    form: Any,  # noqa: ANN401
    parts: tuple[str, ...] = (),
    lists: tuple[Any, ...] = (),
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the parts of the path, each of which may have a dot in it, and the form of what is not a record.

    The lists around it are included.
    """
    if form.is_list and not form.parameter("__array__") and form.content.is_record:
        yield from _leaves(form.content, parts, (*lists, form))
    elif form.is_record and form.fields:
        for name in form.fields:
            yield from _leaves(form.content(name), (*parts, name), lists)
    else:
        for outer in reversed(lists):
            form = outer.copy(content=form)
        yield parts, form


def _columns(
    names: dict[str, str], forms: dict[str, Any], reasons: dict[str, str]
) -> tuple[dict[str, tuple[str, int | None]], dict[str, str]]:
    """Name the columns: of an array of fixed size one for each of its positions.

    Args:
        names: Path -> name.
        forms: Path -> what it holds, of those that can be read.
        reasons: Path -> why it cannot be read; empty if it can.

    Returns:
        Column -> path and position, and name -> the reason why it cannot be read.
    """
    columns: dict[str, tuple[str, int | None]] = {}
    unreadable = {names[path]: reason for path, reason in reasons.items() if reason}
    for path, form in forms.items():
        size, column = _size(form), names[path]
        features = (column,) if size is None else feature_names(column, (0, size))
        if set(features) & ({*columns, *names.values()} - {column}):
            unreadable[column] = "is an array, and a column is named like its places are; write one under another name"
        else:
            columns |= {name: (path, None if size is None else position) for position, name in enumerate(features)}
    return columns, unreadable


def _size(form: Any) -> int | None:  # noqa: ANN401
    """Return the fixed number of values per event; ``None`` of one value, or of any number of them."""
    if form.is_numpy and form.inner_shape:
        return int(form.inner_shape[0])
    return int(form.size) if form.is_regular else None


def _reason(form: Any, kind: object) -> str:  # noqa: ANN401
    """Say why a form is no column; empty if it is one."""
    content, axes = form, 1
    while content is not None and content.is_list and not content.parameter("__array__"):
        content, axes = content.content, axes + 1
    axes += len(content.inner_shape) if content is not None and content.is_numpy else 0
    if content is not None and content.is_numpy and np.dtype(content.primitive).kind in _NUMBERS:
        return nesting_reason(f"type {kind}") if axes > _TWO else ""
    return f"is of type {kind}, neither a number nor a list of numbers per event; write its parts as branches"


def _inner(rows: Any, parts: Sequence[str]) -> Any:  # noqa: ANN401
    for name in parts:
        rows = rows[name]
    return rows


def _column(values: Any, position: int | None) -> NDArray[Any] | Entries:  # noqa: ANN401
    import awkward

    if position is not None:
        return np.asarray(awkward.to_numpy(values))[:, position]
    return Entries.of(values) if values.ndim > 1 else np.asarray(awkward.to_numpy(values))


def _row_starts(starts: Sequence[int], rows: int) -> Sequence[int]:
    """Select not too many of the starts, each of which is that of a row."""
    valid = [int(start) for start in starts if start < rows]
    return valid[:: math.ceil(len(valid) / _STARTS)] if valid else (0,)
