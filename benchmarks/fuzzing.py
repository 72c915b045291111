"""Hand nonsense to what reads text: command lines, options of pytest, stored histograms, ledgers, column expressions.

    python benchmarks/fuzzing.py --seconds 600

prints what was tried, and every input that was answered by anything but a refusal in words. Each input comes from a
seed of its own: ``--seed`` begins there.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.cli import COMMANDS, main
from pytest_ganvalid.ledger import Ledger, Sample

Random = np.random.Generator
Target = Callable[[Random, Path], str]
"""Does one thing with nonsense in a folder, and says how it was answered."""

WORDS = "x y word nan inf 1e400 -1 0 0.5 1_0 é None True name.0 x:y x,y no_such leading( sum( count( entries("
PIECES = [
    *"()[]{}\"'\\,;:=+-*/<>|&!?.#%@~^$ \t",
    *WORDS.split(),
    *("x y", "__import__('os')", "\u202e", "\x1b[2J", "x" * 300),
]
FLAG_WORDS = "n-required observables bins by weight nonfinite report like seed help confidence max-bias attempt looks"
FLAGS = ["-o", "--", "--no-smooth", *(f"--{word}" for word in FLAG_WORDS.split())]
NAMES = ["g.npz", "r.npz", "h.json", "missing.npz", "*.npz", "g.npz:x", "csv:g.npz", "http://", "r.npz:", ".", ""]
OPTIONS = [f"--ganvalid-{name}" for name in ("n-required", "confidence", "max-bias", "require", "ledger", "report")]


def text(rng: Random, most: int = 6) -> str:
    """Put pieces together."""
    return "".join(str(PIECES[i]) for i in rng.integers(len(PIECES), size=rng.integers(1, most)))


def damaged(rng: Random, content: bytes) -> bytes:
    """Change bytes, cut, repeat, or exchange a number."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        place, how = int(rng.integers(len(data))), rng.integers(5)
        if how == 0:
            data[place] ^= int(rng.integers(1, 256))
        elif how == 1:
            del data[place : place + int(rng.integers(1, 40))]
        elif how == 2:
            data[place:place] = data[place : place + int(rng.integers(1, 40))]
        elif how == 3:
            data[place:place] = text(rng).encode("utf-8", "surrogatepass")
        else:
            data[place : place + 1] = rng.choice([b"1e308", b"-1", b"NaN", b"null", b"[]", b"{}", b'"', b"9" * 30])
        if not data:
            data = bytearray(b" ")
    return bytes(data)


def refused(error: Exception) -> str:
    """Answer that an input was refused, in words that any terminal can show."""
    if not str(error).isprintable():
        raise AssertionError(str(error)) from error
    return "refused"


def command_line(rng: Random, folder: Path) -> str:
    """Run a command with words that may make sense or not; its answer is a status of 0 to 3."""
    sensible = ["check", "g.npz", "r.npz", "--n-required", "50"]
    words = sensible if rng.random() < 0.3 else [str(rng.choice([command.name for command in COMMANDS]))]
    for _ in range(rng.integers(0, 7)):
        kind = rng.integers(4)
        more = [[rng.choice(NAMES)], [rng.choice(FLAGS)], [expression(rng)], ["--observables", expression(rng)]]
        words = [*words, *more[kind]]
    words = [word for word in words if word != "train" and not word.startswith("--memory")]
    before = Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
            status = main([str(word) for word in words])
    finally:
        os.chdir(before)
    if status not in (0, 1, 2, 3) or "Traceback" in said.getvalue():
        raise AssertionError(words, status, said.getvalue())
    return f"status {status}"


def options_of_pytest(rng: Random, folder: Path) -> str:
    """Read the options of the plugin; its answer is settings or a usage error."""
    from pytest_ganvalid import _options

    arguments = [f"{rng.choice(OPTIONS)}={text(rng)}" for _ in range(rng.integers(1, 4))]
    parser = pytest.Parser(_ispytest=True) if hasattr(pytest, "Parser") else None
    assert parser is not None
    _options.add_options(parser)
    given = vars(parser.parse_known_args(arguments))

    class Config:
        """As much of pytest's as is asked for."""

        rootpath = folder
        invocation_params = type("Parameters", (), {"dir": folder})

        def getoption(self, name: str) -> object:
            """Of the command line."""
            return given.get(name)

        def getini(self, _: str) -> object:
            """Nothing."""
            return None

    try:
        _options.read_settings(Config())  # type: ignore[arg-type]
    except pytest.UsageError as error:
        return refused(error)
    return "read"


def stored_histograms(rng: Random, folder: Path) -> str:
    """Read damaged histograms, and check against them."""
    content = damaged(rng, (folder / "h.json").read_bytes())
    try:
        histograms = gv.Histograms.from_json(content)
        gv.validate(gv.fill(str(folder / "g.npz"), like=histograms), histograms, n_required=20)
    except gv.GanvalidError as error:
        return refused(error)
    return "read"


def ledger_lines(rng: Random, folder: Path) -> str:
    """Count an attempt in a damaged ledger."""
    path = folder / "ledger.jsonl"
    if not path.exists():
        for number in range(3):
            with Ledger(path).attempt({"test": "t"}, "r", Sample(digest=f"g{number}")) as attempt:
                attempt.verdict = "UNPROVEN"
    other = folder / "other.jsonl"
    other.write_bytes(damaged(rng, path.read_bytes()))
    try:
        with Ledger(other).attempt({"test": "t"}, "r", Sample(digest="new")) as attempt:
            attempt.verdict = "ROBUST"
    except gv.GanvalidError as error:
        return refused(error)
    return "read"


def expression(rng: Random) -> str:
    """Return an expression, what has become of one, or nonsense."""
    known = str(rng.choice(("x", "y", "name.0", "leading(x)", "sum(y)", "count(x)", "entries(x)")))
    kind = rng.integers(3)
    return known if kind == 0 else text(rng) if kind == 1 else damaged(rng, known.encode()).decode(errors="replace")


def column_expressions(rng: Random, folder: Path) -> str:
    """Ask for observables that may make sense or not."""
    del folder
    sides = [{name: np.random.default_rng(seed).normal(size=300) for name in ("x", "y", "name.0")} for seed in (1, 2)]
    wanted: list[object] = [expression(rng) if rng.random() < 0.7 else (expression(rng), expression(rng))]
    stated = {"by": text(rng, 3)} if rng.random() < 0.2 else {}
    try:
        gv.validate(*sides, n_required=20, observables=wanted, **stated)  # type: ignore[arg-type]
    except gv.GanvalidError as error:
        return refused(error)
    return "compared"


TARGETS: dict[str, Target] = {
    "command lines": command_line,
    "options of pytest": options_of_pytest,
    "stored histograms": stored_histograms,
    "ledger lines": ledger_lines,
    "column expressions": column_expressions,
}


def prepared(folder: Path) -> Path:
    """Write the files that inputs may name."""
    for seed, name in enumerate(("g.npz", "r.npz")):
        rng = np.random.default_rng(seed)
        np.savez(folder / name, x=rng.normal(size=400), y=rng.exponential(size=400))
    filled = gv.fill(str(folder / "r.npz"), observables=["x"], bins=5)
    (folder / "h.json").write_text(filled.to_json(), encoding="utf-8")
    return folder


def tried(target: str, seed: int, folder: Path) -> str:
    """Try one input."""
    return TARGETS[target](np.random.default_rng([*map(ord, target), seed]), folder)


def run() -> None:
    """Try inputs until the time is over, and print what came of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    answers: Counter[tuple[str, str]] = Counter()
    end, seed = time.monotonic() + arguments.seconds, arguments.seed
    with tempfile.TemporaryDirectory() as name:
        folder = prepared(Path(name))
        while time.monotonic() < end:
            for target in TARGETS:
                try:
                    answers[target, tried(target, seed, folder)] += 1
                except BaseException as error:
                    if isinstance(error, KeyboardInterrupt):
                        raise
                    answers[target, f"{type(error).__name__}"] += 1
                    print(f"{target}, seed {seed}: {''.join(traceback.format_exception(error))[-1500:]}", flush=True)
            seed += 1
    for (target, answer), number in sorted(answers.items()):
        print(f"{target}: {answer} {number:,}")


if __name__ == "__main__":
    run()
