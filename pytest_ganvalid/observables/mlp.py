"""A small neural network that tells two classes apart, with the methods of a scikit-learn classifier.

It runs on one thread of the CPU, so that the result depends on no number of threads and does not stall where they
outnumber the free cores. Torch's global random state is not touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import MissingExtraError

FloatArray = NDArray[np.float64]
_HIDDEN = (64, 64)
_BATCH = 1024
_LEAST_STEPS, _PASSES = 300, 10  # whichever takes more steps
_RATE = 3e-3
_FARTHEST = 20.0  # standard deviations; an outlier must not rule the gradient
_CHUNK = 65_536  # events scored at a time


class MLP:
    """Two hidden layers of 64, trained by Adam (Kingma & Ba, arXiv:1412.6980) on the weighted cross-entropy."""

    library = "torch"

    def __init__(self, seed: int) -> None:
        """Keep the seed of the initial weights and of the order of the events.

        Raises:
            MissingExtraError: If torch is not installed.
        """
        try:
            import torch
        except ImportError as error:
            feature, package, extra = "a neural network as classifier", "torch", "gan"
            raise MissingExtraError(feature, package, extra) from error
        self._torch: Any = torch
        self._seed = seed

    def fit(self, events: FloatArray, labels: NDArray[Any], sample_weight: FloatArray) -> None:
        """Train from the beginning.

        Args:
            events: Shape (events, columns). NaN and infinities are told from numbers, not from each other.
            labels: 1 or 0, shape (events,).
            sample_weight: Not negative, shape (events,).
        """
        torch = self._torch
        dice = torch.Generator(device="cpu").manual_seed(self._seed)
        self._learn_scale(events)
        inputs, targets, weights = (self._tensor(values) for values in (self._scaled(events), labels, sample_weight))
        self._layers = [self._layer(*sizes, dice) for sizes in pairwise((inputs.shape[1], *_HIDDEN, 1))]
        optimiser = torch.optim.Adam([values for layer in self._layers for values in layer], lr=_RATE)
        steps = max(_LEAST_STEPS, _PASSES * len(events) // _BATCH)
        loss = torch.nn.functional.binary_cross_entropy_with_logits
        with self._one_thread(), torch.enable_grad():
            for step, rows in zip(range(steps), self._batches(len(events), dice), strict=False):
                optimiser.param_groups[0]["lr"] = _RATE * (1 - step / steps)  # ends at rest, not on a random step
                optimiser.zero_grad()
                loss(self._logit(inputs[rows]), targets[rows], weight=weights[rows]).backward()
                optimiser.step()

    def decision_function(self, events: FloatArray) -> FloatArray:
        """Return the logit of class 1, shape (events,).

        Args:
            events: Shape (events, columns).
        """
        with self._one_thread(), self._torch.no_grad():
            parts = [
                self._logit(self._tensor(self._scaled(events[start : start + _CHUNK]))).numpy()
                for start in range(0, len(events), _CHUNK)
            ]
        return np.concatenate(parts).astype(np.float64)

    @contextmanager
    def _one_thread(self) -> Iterator[None]:
        threads = self._torch.get_num_threads()
        self._torch.set_num_threads(1)
        try:
            yield
        finally:
            self._torch.set_num_threads(threads)

    def _learn_scale(self, events: FloatArray) -> None:
        """Learn centre and width of each column, safe from overflow, and which columns have missing numbers."""
        finite = np.isfinite(events)
        self._largest = np.maximum(np.abs(np.where(finite, events, 0)).max(axis=0), np.finfo(np.float64).tiny)
        numbers = np.where(finite, events / self._largest, 0)
        count = np.maximum(finite.sum(axis=0), 1)
        self._centre = numbers.sum(axis=0) / count
        width = np.sqrt((np.where(finite, numbers - self._centre, 0) ** 2).sum(axis=0) / count)
        self._width = np.where(width > 0, width, 1)
        self._gaps = ~finite.all(axis=0)

    def _scaled(self, events: FloatArray) -> FloatArray:
        """Return standardised columns, and for each that had missing numbers one that marks them."""
        finite = np.isfinite(events)
        with np.errstate(over="ignore"):  # a generated outlier beyond all that was seen is clipped
            scaled = (np.where(finite, events, 0) / self._largest - self._centre) / self._width
        return np.hstack([np.where(finite, scaled.clip(-_FARTHEST, _FARTHEST), 0), ~finite[:, self._gaps]])

    def _tensor(self, values: NDArray[Any]) -> Any:  # noqa: ANN401
        return self._torch.from_numpy(values.astype(np.float32))

    def _layer(self, n_in: int, n_out: int, dice: Any) -> tuple[Any, Any]:  # noqa: ANN401
        """Return weights by He's rule (arXiv:1502.01852) and zero biases."""
        torch, kind = self._torch, {"dtype": self._torch.float32, "device": "cpu"}
        weight = torch.randn(n_out, n_in, generator=dice, **kind) * (2 / n_in) ** 0.5
        return weight.requires_grad_(), torch.zeros(n_out, **kind).requires_grad_()

    def _batches(self, events: int, dice: Any) -> Iterator[Any]:  # noqa: ANN401
        """Yield positions of events, pass after pass without end."""
        while True:
            yield from self._torch.randperm(events, generator=dice, device="cpu").split(_BATCH)

    def _logit(self, inputs: Any) -> Any:  # noqa: ANN401
        for weight, bias in self._layers[:-1]:
            inputs = self._torch.nn.functional.linear(inputs, weight, bias).relu()
        weight, bias = self._layers[-1]
        return self._torch.nn.functional.linear(inputs, weight, bias)[:, 0]
