"""Tensors are a source whose events stay where they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import device
from pytest_ganvalid.samples.device import device_source, on_gpu


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few events make several chunks."""
    monkeypatch.setattr(device, "_CHUNK", 8)


def _source(n: int = 21) -> Any:
    return device_source({"x": torch.arange(n, dtype=torch.float32), "n": torch.arange(n)})


def test_chunks() -> None:
    """Events come in chunks no longer than asked for, as arrays or as tensors, in their order."""
    (part,) = _source().parts
    assert part.rows == 21
    arrays = [chunk["x"] for chunk in part.chunks(("x",), 5)]
    assert max(map(len, arrays)) <= 5
    assert all(isinstance(one, np.ndarray) for one in arrays)
    assert np.concatenate(arrays).tolist() == list(range(21))
    tensors = list(part.tensors(("n",)))
    assert [len(one["n"]) for one in tensors] == [8, 8, 5]
    assert torch.equal(torch.cat([one["n"] for one in tensors]), torch.arange(21))
    assert set(tensors[0]) == {"n"}


@pytest.mark.parametrize("rows", [1, 8, 9, 21, 100])
def test_heads(rows: int) -> None:
    """The head of a part is its first events."""
    head = _source().parts[0].head(rows)
    assert head.rows == min(rows, 21)
    found = np.concatenate([chunk["n"] for chunk in head.chunks(("n",), 4)])
    assert found.tolist() == list(range(min(rows, 21)))


def test_gradients_are_left_behind() -> None:
    """Tensors that are part of a graph are taken without it."""
    x = torch.ones(4, requires_grad=True) * 2
    (part,) = device_source({"x": x}).parts
    (chunk,) = part.tensors(("x",))
    assert not chunk["x"].requires_grad


def test_provenance() -> None:
    """The report says where the tensors were."""
    assert _source().provenance == {"source": "tensors on cpu"}


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ({"x": torch.zeros(3), "y": torch.zeros(4)}, r"shape \(events,\) on one device"),
        ({"x": torch.zeros(3, 2, 2)}, r"shape \(events,\)"),
        ({"x": torch.zeros(())}, r"shape \(events,\)"),
        ({"x": torch.zeros(0)}, "no events"),
        ({"x": torch.zeros(3), "y": torch.zeros(3, device="meta")}, r"on \['cpu', 'meta'\]"),
    ],
)
def test_refusals(events: Any, text: str) -> None:
    """Tensors of other shapes, or on several devices, are refused."""
    with pytest.raises(InputError, match=text):
        device_source(events)


def test_what_is_on_a_gpu() -> None:
    """Only mappings of tensors all of which are on a GPU that knows double precision are taken for such."""
    here, nowhere = torch.zeros(3), torch.zeros(3, device="meta")
    there = SimpleNamespace(device=SimpleNamespace(type="cuda"), detach=lambda: None)
    assert on_gpu({"x": there})
    others: tuple[Any, ...] = ({"x": here}, {"x": here, "y": there}, {"x": nowhere}, {}, there, {"x": np.zeros(3)}, "x")
    assert not any(on_gpu(one) for one in others)
