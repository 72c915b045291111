"""Observables that need the rows of both sides in memory.

These are learned or estimated from all events at once: the score of a classifier, a mean, a fit. Histograms that
were filled elsewhere have no rows, and a report on them says what was not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, placed
from pytest_ganvalid.histograms.binning import bins_for
from pytest_ganvalid.histograms.bins import refuse_nonfinite
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.observables.control import ControlSamples
from pytest_ganvalid.observables.observable import Observable
from pytest_ganvalid.observables.requested import Estimating, Scoring
from pytest_ganvalid.observables.resampling import difference_error, share_clusters
from pytest_ganvalid.observables.strata import Stratum, condition_values
from pytest_ganvalid.pipeline.draft import Draft
from pytest_ganvalid.pipeline.pair import MOST_CONTROLS, Control, Controls
from pytest_ganvalid.pipeline.plan import FillPlan
from pytest_ganvalid.pipeline.preview import COPIES, load
from pytest_ganvalid.pipeline.request import Request
from pytest_ganvalid.pipeline.run import Runner
from pytest_ganvalid.pipeline.summary import Histograms
from pytest_ganvalid.results import Estimate
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.statistics.clusters import MAX_PER_CLUSTER
from pytest_ganvalid.statistics.equivalence import Difference


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """The rows of both sides, in memory.

    Attributes:
        samples: The generated and the reference events.
        bins_of: For either, the stratum of each event; ``None`` if there is but one.
        request: The settings of the user.
        observables: Observables that take all events at once.
    """

    samples: tuple[Sample, Sample]
    bins_of: tuple[NDArray[np.intp] | None, NDArray[np.intp] | None]
    request: Request
    observables: tuple[Estimating | Scoring, ...]

    @classmethod
    def of(cls, draft: Draft, plan: FillPlan, summaries: tuple[Histograms, Histograms], runner: Runner) -> Joint | None:
        """Read the rows of both sides, if any observable takes them.

        Raises:
            InputError: If the rows do not fit into memory.
        """
        observables = tuple(observable for observable in draft.observables if not isinstance(observable, Observable))
        if not observables:
            return None
        memory = draft.request.memory
        sizes = [
            summary.n_events * preview.row
            for summary, preview, side in zip(summaries, draft.previews, draft.sides, strict=True)
            if side.source.columns is None
        ]
        if sum(sizes) * COPIES > memory:
            msg = (
                f"observable {observables[0].name!r} needs all events at once, which with what is made of them takes "
                f"about {sum(sizes) * COPIES / 1e9:.3g} GB, more than memory={memory:.3g} bytes; allow for more, give "
                "fewer events, or compare a column or a function of the events"
            )
            raise InputError(msg)
        samples, bins_of = [], []
        for side, columns, preview in zip(draft.sides, draft.columns, draft.previews, strict=True):
            sample = load(side, columns, preview.row, memory, runner)
            samples.append(sample)
            bins_of.append(
                None
                if plan.condition is None
                else plan.condition[1].index(condition_values(sample, plan.condition[0], side.name))
            )
        return cls((samples[0], samples[1]), (bins_of[0], bins_of[1]), draft.request, observables)

    def pairs(self, position: int, stratum: Stratum) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what is compared in a stratum: the name of each observable, and the fields of a `pair.Pair`.

        Args:
            position: Of the bin of the condition.
            stratum: Its events.

        Raises:
            InputError: If an observable cannot be computed; the message names it.
        """
        generated, reference = self._of_stratum(position)
        for observable in self.observables:
            with placed(f"observable {stratum.name(observable.name)!r}"):
                if isinstance(observable, Estimating):
                    estimates: list[Estimate] = [
                        observable.estimate(sample, side, self.request.seed)
                        for sample, side in ((generated, "generated"), (reference, "reference"))
                    ]
                    fields: dict[str, Any] = {"generated": estimates[0], "reference": estimates[1]}
                    if share_clusters(generated, reference):
                        fields["difference"] = self._difference(observable, generated, reference)
                    yield observable.name, fields
                else:
                    scored = self._scored(observable, generated, reference, stratum)
                    controls = partial(self.controls, observable, position)
                    yield observable.name, scored | {"controls": controls, "labels": (f"{observable.name} score",)}

    def controls(self, observable: Scoring, position: int, n_required: float) -> Controls:
        """Plant biases of the size that is to be excluded, to test whether a learned observable sees them.

        Args:
            observable: The learned observable.
            position: Of the stratum.
            n_required: Number of true events to stand in for, of that stratum.

        Raises:
            InputError: If the observable cannot be learned of these events; the message names the biased column.
        """
        generated, reference = self._of_stratum(position)
        names = observable.names(generated, reference)
        samples = ControlSamples.of(generated, reference, names, self.request.seed)

        def comparisons() -> Iterator[Control]:
            for column in samples.columns[:MOST_CONTROLS]:
                with placed(f"positive control in {column!r}"):
                    biased = samples.biased(column, n_required)
                    sides, _ = self._histograms(observable, biased, samples.reference)
                yield Control(column, *sides)

        return Controls(samples.columns, (len(samples.generated), len(samples.reference)), samples.scale, comparisons())

    def _of_stratum(self, position: int) -> tuple[Sample, Sample]:
        generated, reference = (
            sample if where is None else sample.select(where == position)
            for sample, where in zip(self.samples, self.bins_of, strict=True)
        )
        return generated, reference

    def _difference(self, observable: Estimating, generated: Sample, reference: Sample) -> Difference:
        """Return the error of the difference of two numbers that depend on each other."""
        seed = self.request.seed

        def value(sample: Sample, side: str) -> float:
            value_only = getattr(observable, "value", None)  # without the error, which takes time
            return float(value_only(sample, side) if value_only else observable.estimate(sample, side, seed).value)

        error, dof = difference_error(value, generated, reference, observable.name, seed)
        clusters = np.union1d(generated.cluster, reference.cluster).size  # type: ignore[arg-type]
        return Difference(error, dof, MAX_PER_CLUSTER * clusters)

    def _scored(self, observable: Scoring, generated: Sample, reference: Sample, stratum: Stratum) -> dict[str, Any]:
        if self.request.nonfinite_of(observable.name) == "error":
            for sample, side in ((generated, "generated"), (reference, "reference")):
                for name in observable.names(generated, reference):
                    for values in Observable(name, (name,)).values(sample, side).columns:
                        refuse_nonfinite(values, f"{side}: column {name!r}")
        sides, scores = self._histograms(observable, generated, reference)
        return {
            "generated": sides[0],
            "reference": sides[1],
            "used": (
                stratum.share_generated * scores.generated.size / len(generated),
                stratum.share_reference * scores.reference.size / len(reference),
            ),
            "provenance": scores.provenance,
            "chosen": 0.0 if sides[1].bins.nominal is None else 1.0,
        }

    def _histograms(
        self, observable: Scoring, generated: Sample, reference: Sample
    ) -> tuple[tuple[BinSums, BinSums], Any]:
        """Train, and fill the scores of either side; return the scores too."""
        scores = observable.scores(generated, reference, self.request.seed)
        bins = bins_for(self.request.bins_of(observable.name), (scores.reference,), scores.reference_weight, "error")
        filled = (
            fill(bins, (scores.generated,), scores.generated_weight, cluster=scores.generated_cluster),
            fill(bins, (scores.reference,), scores.reference_weight, cluster=scores.reference_cluster),
        )
        return filled, scores
