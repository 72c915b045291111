"""Files at an address, such as ``s3://bucket/events.parquet``, through fsspec.

ROOT files are read where they are. Others are copied first, to the folder for temporary files, once for all that read
them as long as size, time and tag at the address stay the same; the copies go when the process ends.
"""

from __future__ import annotations

import tempfile
import threading
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from pytest_ganvalid._extras import imported
from pytest_ganvalid.errors import GanvalidError, InputError

Copy = tuple[str, str]
_COPIES: dict[str, Copy] = {}  # address -> what it was like, and the copy
_LOCKS: dict[str, threading.Lock] = {}
_PACKAGES = {"root": "fsspec-xrootd", "xrootd": "fsspec-xrootd"}  # that fsspec cannot name by itself


def is_address(path: str) -> bool:
    """Tell an address from the path of a file."""
    return "://" in path


def check_address(address: str) -> None:
    """Refuse an address that no installed package can read.

    Raises:
        InputError: If the file or the protocol does not exist; the message says what to install.
        MissingExtraError: If fsspec is not installed.
    """
    system, path = _system(address)
    try:
        exists = system.exists(path)
    except Exception as error:
        msg = f"the address cannot be reached ({_reason(error)}); check it, the network, and your credentials"
        raise InputError(msg) from error
    if not exists:
        msg = "there is no such file at this address; check it"
        raise InputError(msg)


def state_of(address: str) -> tuple[int, int, int] | None:
    """Return size and a checksum of all details of a file; ``None`` where there are none."""
    try:
        details = _info(*_system(address))
    except Exception:  # noqa: BLE001 - that it cannot be read is said where it is opened
        return None
    return int(details.get("size") or 0), zlib.crc32(repr(sorted(details.items())).encode()), 0


def copied(address: str) -> str:
    """Return the path of a copy, which is as the file at the address is now.

    Raises:
        InputError: If the file cannot be copied.
        MissingExtraError: If fsspec is not installed.
    """
    system, path = _system(address)
    with _LOCKS.setdefault(address, threading.Lock()):
        try:
            details = repr(sorted(_info(system, path).items()))
            previous = _COPIES.get(address)
            if previous is not None and previous[0] == details:
                return previous[1]
            folder = Path(tempfile.mkdtemp(dir=_folder().name))  # a name of its own, of the same suffix
            copy = str(folder / path.rstrip("/").rpartition("/")[2])
            system.get_file(path, copy)
        except Exception as error:
            msg = f"the file cannot be copied ({_reason(error)}); check the address, the network, and the free space"
            raise InputError(msg) from error
        if previous is not None:
            Path(previous[1]).unlink(missing_ok=True)
        _COPIES[address] = details, copy
        return copy


def written(address: str, content: bytes) -> None:
    """Write a file to an address.

    Raises:
        InputError: If nothing can be written there.
        MissingExtraError: If fsspec is not installed.
    """
    system, path = _system(address)
    try:
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        system.pipe_file(path, content)
    except Exception as error:
        msg = f"{address}: nothing can be written to this address ({_reason(error)}); check it, and your credentials"
        raise InputError(msg) from error


def expanded(address: str) -> list[str]:
    """Return the addresses that a pattern matches, in order; an address without ``*`` or ``[`` is no pattern.

    Raises:
        InputError: If the pattern matches nothing, or cannot be listed.
        MissingExtraError: If fsspec is not installed.
    """
    if not {"*", "["}.intersection(address):
        return [address]
    system, path = _system(address)
    try:
        if system.exists(path):
            return [address]
        matches = [system.unstrip_protocol(match) for match in sorted(system.glob(path))]
    except Exception as error:
        msg = f"the pattern cannot be listed at this address ({_reason(error)}); name the files one by one"
        raise InputError(msg) from error
    if not matches:
        msg = "the pattern matches no file at this address; check it"
        raise InputError(msg)
    return matches


def canonical(address: str) -> str:
    """Return the one form of an address that may be written in several."""
    try:
        system, path = _system(address)
    except GanvalidError:
        return address
    return str(system.unstrip_protocol(path))


def _system(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it.

    Raises:
        InputError: If the package for its protocol is not installed, or the protocol unknown.
        MissingExtraError: If fsspec is not installed.
    """
    fsspec = imported("fsspec", feature="a file at an address", extra="hep")
    protocol = address.partition("://")[0].rpartition("::")[2]
    try:
        system, path = fsspec.core.url_to_fs(address)
    except Exception as error:
        package = _PACKAGES.get(protocol)
        remedy = f"install {package}" if package else "install what fsspec needs for it, or copy the file"
        msg = f"addresses with {protocol}:// cannot be read ({_reason(error)}); {remedy}"
        raise InputError(msg) from error
    return system, str(path)


def _info(system: Any, path: str) -> dict[str, Any]:  # noqa: ANN401 - fsspec has no types
    system.invalidate_cache()
    return dict(system.info(path))


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="ganvalid-")
