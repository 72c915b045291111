"""Mutation run: which share of small faults put into the package do its tests notice?

python benchmarks/mutation.py --modules statistics samples/formats/npy.py --mutants 100 --seed 1 --jobs 1 > mutation.md
"""

from __future__ import annotations

import argparse
import ast
import compileall
import itertools
import os
import py_compile
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pytest_ganvalid"
COPIED = ("pytest_ganvalid", "tests", "examples", "docs", "benchmarks", "README.md", "pyproject.toml")
COMPARISONS = {"Lt": ("<=", ">"), "LtE": ("<", ">="), "Gt": (">=", "<"), "GtE": (">", "<="), "Eq": ("!=",)}
COMPARISONS |= {"NotEq": ("==",), "In": ("not in",), "NotIn": ("in",), "Is": ("is not",), "IsNot": ("is",)}
ARITHMETIC = {"Add": "-", "Sub": "+", "Mult": "/", "Div": "*", "FloorDiv": "*", "Mod": "*", "Pow": "*", "MatMult": "*"}
ARITHMETIC |= {"BitAnd": "|", "BitOr": "&", "BitXor": "&", "LShift": ">>", "RShift": "<<"}
SYMMETRIC = ("min", "max", "minimum", "maximum", "hypot", "array_equal")
IGNORED_FIELDS = ("annotation", "returns", "decorator_list", "format_spec")
LISTED = (ast.Constant, ast.Attribute, ast.Tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One fault: the text that takes the place of a node of a module's syntax tree."""

    module: Path
    original: bytes
    node: ast.expr | ast.stmt
    text: str

    def source(self) -> bytes:
        """The whole module with the fault in it, every other byte as it was."""
        lines = self.original.splitlines(keepends=True)
        first, last = self.node.lineno - 1, (self.node.end_lineno or 0) - 1
        before = b"".join(lines[:first]) + lines[first][: self.node.col_offset]
        return before + self.text.encode() + lines[last][self.node.end_col_offset :] + b"".join(lines[last + 1 :])

    def row(self, outcome: str) -> str:
        """The mutant's line of the table."""
        old = " ".join(ast.unparse(self.node).split())[:110].replace("|", "\\|")
        new = " ".join(self.text.split())[:110].replace("|", "\\|")
        return f"| {outcome} | {self.module.relative_to(PACKAGE)}:{self.node.lineno} | `{old}` | `{new}` |"


def faulty_operations(node: ast.AST) -> Iterator[str]:
    """Other operators and numbers, negated or swapped conditions."""
    match node:
        case ast.Constant(value=bool()):
            yield str(not node.value)
        case ast.Constant(value=int()):
            yield from (f"({node.value!r} + 1)", f"({node.value!r} - 1)")
        case ast.Constant(value=float()):
            yield from (f"(-{node.value!r})", f"(2 * {node.value!r})") if node.value else ("1.0",)
        case ast.Compare(ops=[operator], comparators=[right]):
            yield from (
                f"({ast.unparse(node.left)} {o} {ast.unparse(right)})" for o in COMPARISONS[type(operator).__name__]
            )
        case ast.BinOp():
            yield f"(({ast.unparse(node.left)}) {ARITHMETIC[type(node.op).__name__]} ({ast.unparse(node.right)}))"
        case ast.BoolOp():
            other = ") or (" if isinstance(node.op, ast.And) else ") and ("
            yield f"(({other.join(ast.unparse(value) for value in node.values)}))"
        case ast.UnaryOp():
            yield f"({ast.unparse(node.operand)})"


def faulty_structure(node: ast.AST) -> Iterator[str]:
    """Dropped statements, other returns and branches, swapped arguments, lists without one of their items."""
    match node:
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break() | ast.If(orelse=[]):
            yield "pass"
        case ast.Return(value=ast.expr()):
            yield "return None"
        case ast.IfExp():
            yield from (f"({ast.unparse(node.body)})", f"({ast.unparse(node.orelse)})")
        case ast.Call(args=[first, second, *rest]) if ast.unparse(node.func).rpartition(".")[2] not in SYMMETRIC:
            yield ast.unparse(ast.Call(node.func, [second, first, *rest], node.keywords))
        case ast.List() | ast.Tuple() | ast.Set() if all(isinstance(item, LISTED) for item in node.elts):
            rests = [[*node.elts[:k], *node.elts[k + 1 :]] for k in range(len(node.elts)) if len(node.elts) > 1]
            yield from (f"({ast.unparse(type(node)(elts=rest))})" for rest in rests)
        case ast.Dict():
            pairs = list(zip(node.keys, node.values, strict=True))
            rest_of = [pairs[:k] + pairs[k + 1 :] for k in range(len(pairs))]
            yield from (ast.unparse(ast.Dict([k for k, _ in rest], [v for _, v in rest])) for rest in rest_of)


def nodes(tree: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Every node where a fault matters: not in annotations, docstrings, imports, or the text of messages."""
    for field, value in ast.iter_fields(tree):
        for child in value if isinstance(value, list) else [value]:
            ignored = field in IGNORED_FIELDS or isinstance(
                child, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.pattern
            )
            match child:
                case ast.Expr(value=ast.Constant()) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
                    ignored = True
                case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")]):
                    ignored = True
            if isinstance(child, ast.AST) and not ignored:
                if isinstance(child, ast.expr | ast.stmt):
                    yield child
                yield from nodes(child)


def mutants(module: Path) -> Iterator[Mutant]:
    """All mutants of a module, some of which may be no Python, or say the same."""
    original = module.read_bytes()
    for node in nodes(ast.parse(original)):
        for text in (*faulty_operations(node), *faulty_structure(node)):
            yield Mutant(module=module, original=original, node=node, text=text)


def is_fault(mutant: Mutant) -> bool:
    """Tell whether Python can parse a mutant, and it says something else."""
    try:
        return ast.dump(ast.parse(mutant.source())) != ast.dump(ast.parse(mutant.original))
    except SyntaxError:
        return False


def mirror(module: Path) -> Path:
    """The test module of a module, from the root: tests/samples/formats/test_arrow.py of samples/formats/_arrow.py."""
    return Path("tests") / module.relative_to(PACKAGE).with_name(f"test_{module.stem.strip('_')}.py")


def passes(folder: Path, tests: Iterable[Path], limit: float) -> bool:
    """Whether tests pass in a copy of the project, within a limit in seconds."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *map(str, tests)]
    environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(  # noqa: S603 - our own tests
        command, cwd=folder, env=environment, start_new_session=True, stdout=subprocess.DEVNULL
    ) as process:
        try:
            return process.wait(limit) == 0
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return False


def copy_of_project(folder: Path) -> Path:
    """Copy the project, with compiled files that go by contents: two mutants may share one tick of the clock."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    checked = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(folder / PACKAGE.name, quiet=2, force=True, invalidation_mode=checked)
    return folder


def outcome(mutant: Mutant, folder: Path, wider: list[Path], limit: float) -> str:
    """Whether a mutant is killed by its mirrored test module, by the wider tests, or survives."""
    target, own = folder / mutant.module.relative_to(ROOT), mirror(mutant.module)
    target.write_bytes(mutant.source())
    try:
        if (folder / own).exists() and not passes(folder, [own], limit):
            return "killed"
        return "killed by wider tests" if wider and not passes(folder, wider, limit) else "survived"
    finally:
        target.write_bytes(mutant.original)


def main() -> None:
    """Draw mutants, try each, print the table as it grows and then the counts by folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", nargs="+", default=["."], help="files or folders, relative to the package")
    parser.add_argument(
        "--wider", nargs="*", default=[], type=Path, help="tests for what the mirrored module lets live"
    )
    parser.add_argument("--mutants", type=int, default=100, help="how many are drawn")
    parser.add_argument("--seed", type=int, default=1, help="of the draw")
    parser.add_argument("--jobs", type=int, default=1, help="mutants tried at once")
    parser.add_argument(
        "--limit", type=float, default=120, help="seconds for one mutant's tests; more counts as killed"
    )
    options = parser.parse_args()
    named = [PACKAGE / name for name in options.modules]
    modules = sorted({path for name in named for path in ([name] if name.is_file() else name.rglob("*.py"))})
    everything = [mutant for module in modules for mutant in mutants(module)]
    order = np.random.default_rng(options.seed).permutation(len(everything)).tolist()
    faults = filter(lambda index: is_fault(everything[index]), order)
    drawn = [everything[index] for index in sorted(itertools.islice(faults, options.mutants))]
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(options.jobs) as pool:
        folders: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for job in range(options.jobs):
            folders.put(copy_of_project(Path(temporary) / str(job)))
        own = sorted({mirror(mutant.module) for mutant in drawn if (ROOT / mirror(mutant.module)).exists()})
        if not passes(Path(temporary) / "0", {*own, *options.wider}, options.limit * len(drawn)):
            parser.error("the tests fail without any mutant; mend them first")

        def tried(mutant: Mutant) -> str:
            folder = folders.get()
            try:
                return outcome(mutant, folder, options.wider, options.limit)
            finally:
                folders.put(folder)

        print("| outcome | line | original | mutant |\n|---|---|---|---|")
        for mutant, result in zip(drawn, pool.map(tried, drawn), strict=True):
            print(mutant.row(result), flush=True)
            counts[str(mutant.module.relative_to(PACKAGE).parent), result.split()[0]] += 1
    print("\n| folder | killed | mutants |\n|---|---|---|")
    for folder in sorted({folder for folder, _ in counts}):
        killed = counts[folder, "killed"]
        print(f"| {folder} | {killed} | {killed + counts[folder, 'survived']} |")


if __name__ == "__main__":
    main()
