"""Run the experiments on the paper's claims, and write what they measured into the table of docs/paper.md.

python benchmarks/paper.py            # the quick form, as in the test suite
python benchmarks/paper.py --large    # ten times the toys
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "paper.md"
BEGIN, END = "<!-- table: benchmarks/paper.py -->", "<!-- end of table -->"
HEAD = ("", "claim, section", "measured", "value", "expected", "where the premise is broken")
Row = Mapping[str, Any]


def rows(*, large: bool) -> list[dict[str, Any]]:
    """Run the experiments and return what they noted, module by module.

    Raises:
        SystemExit: If one of them fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.jsonl"
        environment = {**os.environ, "GANVALID_PAPER_TABLE": str(table)}
        environment.pop("GANVALID_PAPER", None)
        if large:
            environment["GANVALID_PAPER"] = "large"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations", "10", "tests/paper"]
        status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603
        if status:
            sys.exit(f"the experiments failed with status {status}; the table stays as it is")
        lines = table.read_text(encoding="utf-8").splitlines()
    return sorted((json.loads(line) for line in lines), key=lambda row: str(row["module"]))


def number(value: float, error: float) -> str:
    """Format a number to two digits of its error, or to four digits where it has none."""
    if not (error > 0 and math.isfinite(error)):
        return f"{value:.4g}"
    digits = 1 - math.floor(math.log10(error))
    if digits > 6:
        return f"{value:.3g} ± {error:.2g}"
    shown = max(digits, 0)
    return f"{round(value, digits):,.{shown}f} ± {round(error, digits):,.{shown}f}"


def cells(module: str, block: Iterable[Row]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of a claim's rows; what stands above is not repeated."""
    link = f"[{module.split('_')[1]}](../tests/paper/{module}.py)"
    last = None
    for place, row in enumerate(block):
        claim = f"{row['claim']} (§ {row['section']})"
        what = "the same" if row["what"] == last else row["what"]
        last = row["what"]
        value = number(row["value"], row["error"])
        yield (*((link, claim) if place == 0 else ("", "")), what, value, row["expected"], row["broken_by"])


def table(found: Iterable[Row]) -> str:
    """Return the table in Markdown."""
    lines = [HEAD, tuple("---" for _ in HEAD)]
    for module, block in groupby(found, key=lambda row: str(row["module"])):
        lines += cells(module, block)
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def replaced(page: str, text: str) -> str:
    """Return the page with another table.

    Raises:
        SystemExit: If the page has no place for it.
    """
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", flags=re.DOTALL)
    if not pattern.search(page):
        sys.exit(f"{PAGE.name} has no lines {BEGIN} and {END}; the table goes between them")
    return pattern.sub(lambda _: f"{BEGIN}\n\n{text}\n\n{END}", page)


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="ten times the toys, and better trained networks")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(replaced(page, table(rows(large=parser.parse_args().large))), encoding="utf-8")


if __name__ == "__main__":
    main()
