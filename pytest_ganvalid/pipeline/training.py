"""The training: its rows, to be looked for among those of the generated events and of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.overlaps.fingerprint import Fingerprint
from pytest_ganvalid.overlaps.key import Key
from pytest_ganvalid.pipeline.draft import Draft, no_common_columns
from pytest_ganvalid.pipeline.fill import runner_for, summarise
from pytest_ganvalid.pipeline.filled import Training
from pytest_ganvalid.pipeline.plan import FillPlan
from pytest_ganvalid.pipeline.preview import has_numbers
from pytest_ganvalid.pipeline.request import Request, Side
from pytest_ganvalid.pipeline.run import Runner
from pytest_ganvalid.pipeline.summary import Histograms


def training_rows(
    training: Side | Fingerprint | None, draft: Draft, generated: Histograms, reference: Histograms, runner: Runner
) -> Training | None:
    """Read the rows of the training, and those of both sides by its key."""
    key = draft.training_key
    if training is None or key is None:
        return None
    shared_key = key == draft.key
    generated_rows, reference_rows = (
        summary.fingerprint if shared_key else summary.training_fingerprint for summary in (generated, reference)
    )
    rows = training if isinstance(training, Fingerprint) else _rows_of(training, key, draft.request, runner)
    obstacles: tuple[str, ...] = ()
    if not key.tells and draft.key is not None and draft.key.tells:
        obstacles = (
            f"whether reference rows are in the training cannot be known: they have only {list(key.columns)} in "
            f"common, which do not tell events apart; give the training the columns {list(draft.key.columns)}",
        )
    return Training(rows.rows, (generated_rows, reference_rows, rows), obstacles)


def _rows_of(training: Side, key: Key, request: Request, runner: Runner) -> Fingerprint:
    plan = FillPlan(weight=None, condition=None, histograms=(), key=key)
    side = replace(training, source=training.source.keeping(key.columns))
    rows = summarise(side, plan, key.columns, request, runner, (key, None)).fingerprint
    if rows is None:
        msg = f"training: {training.source.name}: its rows cannot be recognised by {list(key.columns)}"
        raise InputError(msg)
    return rows


def stored_training_rows(
    training: Side | Fingerprint, gen: Histograms, ref: Histograms, request: Request
) -> Training | None:
    """Read the rows of the training by the key of the reference, which is filled already.

    Raises:
        InputError: If training and reference have no column in common.
    """
    if ref.fingerprint is None:
        return None
    key = ref.fingerprint.key
    names = training.columns if isinstance(training, Fingerprint) else training.source.names
    if not set(key.columns) & set(names):
        raise no_common_columns(key.columns, names)
    if isinstance(training, Side):
        with runner_for(request, training) as runner:
            if not has_numbers(training, key.columns, runner):
                return Training(training.source.rows, None, (_different_keys(key, names),))
            rows = _rows_of(training, key, request, runner)
    else:
        rows = training
    if not key.same_rows(rows.key):
        return Training(rows.rows, None, (_different_keys(key, names),))
    generated_rows = gen.fingerprint if gen.fingerprint is not None and gen.fingerprint.key.same_rows(key) else None
    return Training(rows.rows, (generated_rows, ref.fingerprint, rows))


def _different_keys(key: Key, names: Sequence[str]) -> str:
    return (
        "whether reference rows are in the training cannot be known: those of the reference, which is filled, are "
        f"recognised by {list(key.columns)}, and the training by {sorted(filter(None, names))}; give the training "
        f"those columns, gv.fingerprint(events, columns={list(key.columns)}), or hand over the events of the reference"
    )
