"""A training runs where it was told to, and a replayed call does what the call does."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan.devices import Replayed, World, as_device, matrix_products, world

CPU = torch.device("cpu")
needs_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def test_names_of_devices() -> None:
    """A device goes by its name, and auto is the GPU if there is one."""
    assert as_device("cpu") == CPU
    assert as_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("quantum", "device='quantum' is not supported"),
        ("hpu", "device='hpu' is not supported"),
        ("cuda:99", "device='cuda:99' cannot be used here"),
        ("meta", "device='meta' is not supported; expected 'auto', 'cpu', 'cuda' or 'cuda:N'"),
    ],
)
def test_impossible_devices(name: str, text: str) -> None:
    """A device that does not exist, or on which nothing is computed, is refused by name."""
    with pytest.raises(InputError, match=text):
        as_device(name)


@pytest.mark.parametrize("precision", ["auto", "float32", "tf32", "bfloat16"])
def test_a_process_alone(monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    """A process that torchrun did not start leads, is the only one, and computes in float32 on a CPU."""
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    place = world("cpu", precision)
    assert place == World(CPU, "float32", rank=0, size=1)
    assert place.leads
    assert place.broadcast(decision=True)
    assert not place.broadcast(decision=False)
    tensor = torch.arange(3.0)
    assert place.gather(tensor) == [tensor]
    place.average(tensor)
    assert torch.equal(tensor, torch.arange(3.0))


def test_a_replayed_call_on_a_cpu() -> None:
    """On a CPU, the call is made every time."""
    total = torch.zeros(())
    call = Replayed(lambda: total.add_(1), CPU)
    for _ in range(10):
        call()
    assert total == 10


@needs_a_gpu
def test_a_replayed_call_on_a_gpu() -> None:
    """On a GPU, a call that is replayed draws the numbers, and leaves the sums, of one that is made every time."""
    device = torch.device("cuda")
    sums = []
    for captured in (False, True):
        total, rng = torch.zeros(5, device=device), torch.Generator(device).manual_seed(1)

        def call(total: torch.Tensor = total, rng: torch.Generator = rng) -> None:
            total.add_(torch.rand(5, generator=rng, device=total.device))

        step = Replayed(call, device, rng) if captured else call
        for _ in range(10):
            step()
        sums.append(total.cpu())
    assert torch.equal(*sums)


@needs_a_gpu
def test_the_precision_is_put_back() -> None:
    """Matrix products have the stated precision inside, and outside the one they had."""
    products = torch.backends.cuda.matmul
    before = products.fp32_precision
    for precision, expected in (("tf32", "tf32"), ("float32", "ieee"), ("bfloat16", "ieee")):
        with matrix_products(torch.device("cuda"), precision):
            assert products.fp32_precision == expected
        assert products.fp32_precision == before
