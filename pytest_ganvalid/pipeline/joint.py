"""What needs the rows of both sides, and so only a road that holds them can give.

That is what is learned or estimated from all events at once: the score of a classifier, a mean, a fit. Histograms that
were filled elsewhere have no rows, and a report on them says what was not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, placed
from pytest_ganvalid.histograms.binning import bins_for
from pytest_ganvalid.histograms.bins import refuse_nonfinite
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.observables.observable import Observable
from pytest_ganvalid.observables.resolve import Estimating, Scoring
from pytest_ganvalid.observables.strata import Stratum, condition_values
from pytest_ganvalid.pipeline.draft import Draft
from pytest_ganvalid.pipeline.plan import FillPlan
from pytest_ganvalid.pipeline.preview import COPIES, load
from pytest_ganvalid.pipeline.request import Request
from pytest_ganvalid.pipeline.run import Runner
from pytest_ganvalid.pipeline.summary import Histograms
from pytest_ganvalid.results import Estimate
from pytest_ganvalid.samples import Sample

NOT_LOOKED_FOR = "nothing that takes the events of both sides was looked for: a histogram does not hold them"


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """The rows of both sides, in memory.

    Attributes:
        samples: The generated and the reference events.
        bins_of: For either, the stratum of each event; ``None`` if there is but one.
        request: What the user said.
        observables: What takes all events at once.
    """

    samples: tuple[Sample, Sample]
    bins_of: tuple[NDArray[np.intp] | None, NDArray[np.intp] | None]
    request: Request
    observables: tuple[Estimating | Scoring, ...]

    @classmethod
    def of(cls, draft: Draft, plan: FillPlan, summaries: tuple[Histograms, Histograms], runner: Runner) -> Joint | None:
        """Read the rows of both sides, if anything takes them.

        Raises:
            InputError: If they do not fit into memory.
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
        generated, reference = (
            sample if where is None else sample.select(where == position)
            for sample, where in zip(self.samples, self.bins_of, strict=True)
        )
        for observable in self.observables:
            with placed(f"observable {stratum.name(observable.name)!r}"):
                if isinstance(observable, Estimating):
                    estimates: list[Estimate] = [
                        observable.estimate(sample, side, self.request.seed)
                        for sample, side in ((generated, "generated"), (reference, "reference"))
                    ]
                    yield observable.name, {"generated": estimates[0], "reference": estimates[1]}
                else:
                    yield observable.name, self._scored(observable, generated, reference, stratum)

    def _scored(self, observable: Scoring, generated: Sample, reference: Sample, stratum: Stratum) -> dict[str, Any]:
        if self.request.nonfinite_of(observable.name) == "error":
            for sample, side in ((generated, "generated"), (reference, "reference")):
                for name in observable.names(generated, reference):
                    for values in Observable(name, (name,)).values(sample, side).columns:
                        refuse_nonfinite(values, f"{side}: column {name!r}")
        scores = observable.scores(generated, reference, self.request.seed)
        spec = self.request.bins_of(observable.name)
        bins = bins_for(spec, (scores.reference,), scores.reference_weight, "error")
        return {
            "generated": fill(bins, (scores.generated,), scores.generated_weight),
            "reference": fill(bins, (scores.reference,), scores.reference_weight),
            "used": (
                stratum.share_generated * scores.generated.size / len(generated),
                stratum.share_reference * scores.reference.size / len(reference),
            ),
            "how": scores.provenance,
        }
