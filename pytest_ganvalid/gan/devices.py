"""Where a training runs: a device, its precision, and the processes that share the work."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from pytest_ganvalid._torchrun import is_launched
from pytest_ganvalid.errors import InputError

_TF32_FROM = (8, 0)  # compute capability


def as_device(device: str) -> torch.device:
    """Return a device by name; ``"auto"`` is the GPU if there is one.

    Raises:
        InputError: If there is no such device here.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        msg = f"device={device!r} cannot be used here ({reason}); expected 'auto', 'cpu', 'cuda' or 'cuda:N'"
        raise InputError(msg) from error
    if found.type not in {"cpu", "cuda"}:
        msg = f"device={device!r} is not supported; expected 'auto', 'cpu', 'cuda' or 'cuda:N'"
        raise InputError(msg)
    return found


@dataclass(frozen=True, slots=True)
class World:
    """The device of this process, and its place among the processes of one training.

    Attributes:
        device: Where tensors live.
        precision: Of matrix products: ``"float32"``, ``"tf32"`` or ``"bfloat16"``.
        rank: Number of this process.
        size: Number of processes.
    """

    device: torch.device
    precision: str
    rank: int = 0
    size: int = 1

    @property
    def device_type(self) -> str:
        """``"cpu"`` or ``"cuda"``."""
        return str(self.device.type)

    @property
    def captures(self) -> bool:
        """Whether steps are captured as a CUDA graph; processes that talk to each other are not."""
        return self.device_type == "cuda" and self.size == 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and shows the progress."""
        return self.rank == 0

    def shared(self, loss: nn.Module) -> Any:  # noqa: ANN401 - a module
        """Average the gradients of a loss over all processes."""
        if self.size == 1:
            return loss
        return nn.parallel.DistributedDataParallel(loss)

    def agreed(self, decision: bool) -> bool:  # noqa: FBT001
        """Return the leading process's decision."""
        if self.size == 1:
            return decision
        said = torch.tensor([decision], dtype=torch.int32, device=self.device)
        torch.distributed.broadcast(said, src=0)
        return bool(said.item())

    def gathered(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        """Return the tensors of all processes, in the order of their ranks."""
        if self.size == 1:
            return [tensor]
        here = tensor.to(self.device)
        everyone = [torch.empty_like(here) for _ in range(self.size)]
        torch.distributed.all_gather(everyone, here)
        return everyone

    @contextmanager
    def matrix_products(self) -> Iterator[None]:
        """Set device and precision of single-precision matrix products, and put them back: the process has but one."""
        if self.device_type == "cpu":
            yield
            return
        products = torch.backends.cuda.matmul
        before = products.fp32_precision
        products.fp32_precision = "tf32" if self.precision == "tf32" else "ieee"
        try:
            with torch.cuda.device(self.device):
                yield
        finally:
            products.fp32_precision = before


@contextmanager
def world(device: str, precision: str) -> Iterator[World]:
    """Find the place of this process, joining the others if it was started by ``torchrun``.

    Args:
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``; with ``torchrun``, ``"auto"`` and ``"cuda"`` give
            each process of a machine a GPU of its own.
        precision: As in `Config`.

    Raises:
        InputError: If there is no such device.
    """
    launched = is_launched() and torch.distributed.is_available()
    size = int(os.environ["WORLD_SIZE"]) if launched else 1
    if size > 1 and device in {"auto", "cuda"} and torch.cuda.is_available():
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    found = as_device(device)
    chosen = _precision(found, precision)
    if size == 1:
        yield World(found, chosen)
        return
    if found.type == "cuda":
        torch.cuda.set_device(found)  # the group's own messages go by it
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if found.type == "cuda" else "gloo")
        # Not at the end of this training: a second group would look for the others where the first one was.
        atexit.register(_leave)
    yield World(found, chosen, torch.distributed.get_rank(), torch.distributed.get_world_size())


def _leave() -> None:
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _precision(device: torch.device, asked: str) -> str:
    if device.type == "cpu":
        return "float32"
    if asked == "auto":
        return "tf32" if torch.cuda.get_device_capability(device) >= _TF32_FROM else "float32"
    return asked
