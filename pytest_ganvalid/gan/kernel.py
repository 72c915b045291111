"""The whole generator as one GPU kernel: from the number of an event to its columns, nothing in between in memory.

Written for Triton, which comes with torch on a GPU; layer by layer, the same network spends its time moving hidden
units to memory and back. The events are those of a CPU to the rounding of the matrix products.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

from pytest_ganvalid.gan.networks import SLOPE

Tensor = Any
WIDEST = 128
"""Most units of a layer: wider ones do not fit on chip together with their events."""
_ROWS = 128  # groups of events per program: the fewer programs, the less often weights are read
# Products of float32 numbers cut to tf32; or of three such parts each, which add up to float32.
_WARPS = {"tf32": 4, "tf32x3": 8}
_LEAST = 16  # inner width of a matrix product
_GOLDEN = tl.constexpr(0x9E3779B97F4A7C15)
_FIRST = tl.constexpr(0xBF58476D1CE4E5B9)
_SECOND = tl.constexpr(0x94D049BB133111EB)
_SLOPE = tl.constexpr(SLOPE)


class FusedGenerator:
    """Weights padded to what matrix units take, and the launch."""

    def __init__(self, weights: list[Tensor], biases: list[Tensor], latent: int, *, exact: bool = True) -> None:
        """Pad the weights.

        Args:
            weights: Of each layer, shape (members, inputs, outputs), on the GPU.
            biases: Likewise, shape (members, 1, outputs).
            latent: Inputs that are latent; conditions follow.
            exact: Whether matrix products are of float32 numbers, and not of tf32 ones.
        """
        self._precision = "tf32x3" if exact else "tf32"
        self._members, inputs, _ = weights[0].shape
        self._latent, self._conditions, self._columns = latent, inputs - latent, weights[-1].shape[2]
        self._width, self._depth = _padded(weights[0].shape[2]), len(weights) - 1
        self._inputs, self._outputs = _padded(inputs), _padded(self._columns)
        ins = [self._inputs] + [self._width] * self._depth
        outs = [self._width] * self._depth + [self._outputs]
        self._weights = torch.cat([_flat(w, a, b) for w, a, b in zip(weights, ins, outs, strict=True)], dim=1)
        self._biases = torch.cat([_flat(b, 1, n) for b, n in zip(biases, outs, strict=True)], dim=1)

    def __call__(self, start: int, groups: int, keys: tuple[int, int], conditions: Tensor) -> Tensor:
        """Return events scaled as the network has them, float32, shape (groups · members, columns).

        Args:
            start: Number of the first group.
            groups: How many.
            keys: Starts of the random numbers: latent ones, and members.
            conditions: Scaled, float32, shape (groups · members, conditions).
        """
        out = torch.empty((groups * self._members, self._columns), dtype=torch.float32, device=self._weights.device)
        grid = triton.cdiv(groups, _ROWS), self._members
        _events[grid](
            out, conditions.contiguous(), self._weights, self._biases, start, groups, *(key % 2**64 for key in keys),
            MEMBERS=self._members, LATENT=self._latent, CONDITIONS=self._conditions, COLUMNS=self._columns,
            INPUTS=self._inputs, WIDTH=self._width, DEPTH=self._depth, OUTPUTS=self._outputs, ROWS=_ROWS,
            WEIGHTS=self._weights.shape[1], BIASES=self._biases.shape[1],
            PRECISION=self._precision, num_warps=_WARPS[self._precision],
        )  # fmt: skip
        return out


def _padded(size: int) -> int:
    return max(_LEAST, int(triton.next_power_of_2(size)))


def _flat(values: Tensor, rows: int, columns: int) -> Tensor:
    """Pad the last two dimensions with zeros and make them one."""
    pad = (0, columns - values.shape[2], 0, rows - values.shape[1])
    return torch.nn.functional.pad(values.detach().float(), pad).flatten(1)


@triton.jit
def _bits(start, positions):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    z = (positions.to(tl.uint64) + 1) * _GOLDEN + start
    z = (z ^ (z >> 30)) * _FIRST
    z = (z ^ (z >> 27)) * _SECOND
    return z ^ (z >> 31)


@triton.jit(do_not_specialize=["start", "groups", "latent_key", "member_key"])
def _events(  # type: ignore[no-untyped-def] # noqa: ANN202
    out, conditions, weights, biases, start, groups, latent_key, member_key,  # noqa: ANN001
    MEMBERS: tl.constexpr, LATENT: tl.constexpr, CONDITIONS: tl.constexpr, COLUMNS: tl.constexpr,  # noqa: N803
    INPUTS: tl.constexpr, WIDTH: tl.constexpr, DEPTH: tl.constexpr, OUTPUTS: tl.constexpr, ROWS: tl.constexpr,  # noqa: N803
    WEIGHTS: tl.constexpr, BIASES: tl.constexpr, PRECISION: tl.constexpr,  # noqa: N803
):  # fmt: skip
    start = start.to(tl.int64)  # or a small one would be of 32 bits, and overflow
    latent_key = latent_key.to(tl.uint64)
    member_key = member_key.to(tl.uint64)
    member = tl.program_id(1)
    local = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    group = start + local.to(tl.int64)
    turn = (_bits(member_key, group) >> 32).to(tl.int64) % MEMBERS
    row = local.to(tl.int64) * MEMBERS + (member - turn + MEMBERS) % MEMBERS
    event = start * MEMBERS + row
    inside = local < groups

    k = tl.arange(0, INPUTS)
    draws = _bits(latent_key, event[:, None] * LATENT + k[None, :]) >> 40
    x = (draws.to(tl.float32) + 0.5) * (2.0 / 16777216.0) - 1.0
    x = tl.where(k[None, :] < LATENT, x, 0.0)
    if CONDITIONS > 0:
        given = (k[None, :] >= LATENT) & (k[None, :] < LATENT + CONDITIONS) & inside[:, None]
        x += tl.load(conditions + row[:, None] * CONDITIONS + (k[None, :] - LATENT), mask=given, other=0.0)

    w = weights + member * WEIGHTS
    b = biases + member * BIASES
    j = tl.arange(0, WIDTH)
    x = tl.dot(x, tl.load(w + k[:, None] * WIDTH + j[None, :]), input_precision=PRECISION) + tl.load(b + j)[None, :]
    x = tl.where(x > 0, x, _SLOPE * x)
    w += INPUTS * WIDTH
    b += WIDTH
    for _ in tl.static_range(DEPTH - 1):
        x = tl.dot(x, tl.load(w + j[:, None] * WIDTH + j[None, :]), input_precision=PRECISION) + tl.load(b + j)[None, :]
        x = tl.where(x > 0, x, _SLOPE * x)
        w += WIDTH * WIDTH
        b += WIDTH
    c = tl.arange(0, OUTPUTS)
    x = tl.dot(x, tl.load(w + j[:, None] * OUTPUTS + c[None, :]), input_precision=PRECISION) + tl.load(b + c)[None, :]
    tl.store(out + row[:, None] * COLUMNS + c[None, :], x, mask=inside[:, None] & (c[None, :] < COLUMNS))
