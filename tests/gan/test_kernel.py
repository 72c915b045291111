"""The fused kernel makes the events that the layers make one by one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("triton")

COMPARED = """
import torch
from pytest_ganvalid.gan import sampling
from pytest_ganvalid.gan.kernel import FusedGenerator
from pytest_ganvalid.gan.networks import Perceptron

torch.set_num_threads(1)
sampling.BLOCKS["cpu"] = 256
for members, latent, given, width, depth, columns in [(1, 2, 0, 16, 1, 1), (3, 4, 2, 20, 3, 2), (2, 32, 1, 32, 2, 3)]:
    sizes = (latent + given, *[width] * depth, columns)
    network = Perceptron(members, sizes, torch.Generator().manual_seed(0)).requires_grad_(False)
    for bias in network.biases:
        bias.normal_(generator=torch.Generator().manual_seed(1))
    sampler = sampling.Sampler(network, latent, 7)
    conditions = torch.randn(sampler.block, given, generator=torch.Generator().manual_seed(2))
    fused = FusedGenerator(list(network.weights), list(network.biases), latent)
    groups = sampler.block // members
    for block in (0, 1, 2**31, 2**40):
        found = fused(block * groups, groups, sampler._keys, conditions)
        torch.testing.assert_close(found, sampler.events(block, conditions), atol=1e-5, rtol=1e-5)
"""


def test_the_kernel_makes_the_same_events() -> None:
    """Block by block, with conditions or without, the kernel's events are those of the network to rounding."""
    run = subprocess.run(
        [sys.executable, "-c", COMPARED],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, "TRITON_INTERPRET": "1"},
    )
    assert run.returncode == 0, run.stderr
