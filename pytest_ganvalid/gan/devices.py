"""Where a training runs: a device, its precision, the processes that share the work, and calls replayed on a GPU."""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

from pytest_ganvalid._torchrun import is_launched
from pytest_ganvalid.errors import InputError

Tensor = Any
_TF32_FROM = (8, 0)  # compute capability
_WARM_UP = 3  # calls in which libraries choose their kernels


def as_device(name: str) -> torch.device:
    """Return a device by name; ``"auto"`` is the GPU if there is one.

    Raises:
        InputError: If there is no such device here.
    """
    if re.fullmatch(r"auto|cpu|cuda(:\d+)?", str(name)) is None:
        msg = f"device={name!r} is not supported; expected 'auto', 'cpu', 'cuda' or 'cuda:N'"
        raise InputError(msg)
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
    try:
        device = torch.device(chosen)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        msg = f"device={name!r} cannot be used here ({reason}); expected 'auto', 'cpu', 'cuda' or 'cuda:N'"
        raise InputError(msg) from error
    return device


@contextmanager
def matrix_products(device: torch.device, precision: str) -> Iterator[None]:
    """Set device and precision of single-precision matrix products, which are global, and restore them."""
    if device.type != "cuda":
        yield
        return
    products = torch.backends.cuda.matmul
    previous = products.fp32_precision
    products.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    try:
        with torch.cuda.device(device):
            yield
    finally:
        products.fp32_precision = previous


class Replayed:
    """A call that is captured once as a CUDA graph on a GPU, and replayed from then on.

    It must do the same operations on the same tensors every time, and wait for none of them. On a CPU it is called
    every time.
    """

    def __init__(self, call: Callable[[], None], device: torch.device, rng: torch.Generator | None = None) -> None:
        """Keep the call, and the source of the random numbers in it."""
        self._call, self._on_gpu, self._rng = call, device.type == "cuda", rng
        self._graph: Any = None
        self._calls = 0

    def __call__(self) -> None:
        """Make the call; on a GPU this returns before its work is done."""
        if not self._on_gpu:
            self._call()
        elif self._calls < _WARM_UP:
            self._calls += 1
            side = torch.cuda.Stream()  # never the default one, which cannot be captured
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                self._call()
            torch.cuda.current_stream().wait_stream(side)
        else:
            if self._graph is None:
                self._graph = torch.cuda.CUDAGraph()
                if self._rng is not None:
                    self._graph.register_generator_state(self._rng)
                # This does nothing yet; other threads may use the GPU meanwhile.
                with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                    self._call()
            self._graph.replay()


@dataclass(frozen=True, slots=True)
class World:
    """The device of this process, and its place among the processes of one training.

    Attributes:
        device: Where tensors live.
        precision: Precision of matrix products: ``"float32"``, ``"tf32"`` or ``"bfloat16"``.
        rank: Number of this process.
        size: Number of processes.
    """

    device: torch.device
    precision: str
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and shows the progress."""
        return self.rank == 0

    def broadcast(self, decision: bool) -> bool:  # noqa: FBT001
        """Return the leading process's decision."""
        if self.size == 1:
            return decision
        decisions = torch.tensor([decision], dtype=torch.int32, device=self.device)
        distributed.broadcast(decisions, src=0)
        return bool(decisions.item())

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """Return the tensors of all processes, in the order of their ranks."""
        if self.size == 1:
            return [tensor]
        local = tensor.to(self.device)
        tensors = [torch.empty_like(local) for _ in range(self.size)]
        distributed.all_gather(tensors, local)
        return tensors

    def average(self, tensor: Tensor) -> None:
        """Replace a tensor by its mean over all processes."""
        if self.size > 1:
            distributed.all_reduce(tensor)
            tensor.div_(self.size)


def world(device: str, precision: str) -> World:
    """Find the place of this process, joining the others if it was started by ``torchrun``.

    Args:
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``; with ``torchrun``, ``"auto"`` and ``"cuda"`` give
            each process of a machine a GPU of its own.
        precision: As in `Config`.

    Raises:
        InputError: If there is no such device.
    """
    launched = is_launched() and distributed.is_available() and int(os.environ["WORLD_SIZE"]) > 1
    if launched and device in {"auto", "cuda"} and torch.cuda.is_available():
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    torch_device = as_device(device)
    if torch_device.type == "cpu":
        precision = "float32"
    elif precision == "auto":
        precision = "tf32" if torch.cuda.get_device_capability(torch_device) >= _TF32_FROM else "float32"
    if not launched:
        return World(torch_device, precision)
    if torch_device.type == "cuda":
        torch.cuda.set_device(torch_device)  # which the group uses for its own messages
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch_device.type == "cuda" else "gloo")
        # Not at the end of this training: a second group would look for the others at the address of the first.
        atexit.register(lambda: distributed.is_initialized() and distributed.destroy_process_group())
    return World(torch_device, precision, distributed.get_rank(), distributed.get_world_size())
