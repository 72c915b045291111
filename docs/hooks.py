"""Build the site of pages that are read in the repository, too: what they link to beside the docs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
_OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./(?!benchmarks/[\w.]+\.md)[^)]*\)")


def on_files(files: Files, config: Any) -> Files:  # noqa: ANN401 - MkDocs' configuration
    """Add the tables of benchmarks."""
    for path in sorted((ROOT / "benchmarks").glob("*.md")):
        files.append(File.generated(config, f"benchmarks/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:  # noqa: ANN401 - MkDocs' page
    """Link to the tables of benchmarks as pages, and name what is no page without a link."""
    if not page.file.src_uri.startswith("benchmarks/"):
        markdown = markdown.replace("](../benchmarks/", "](benchmarks/")
    return _OUTSIDE.sub(r"`\1`", markdown.replace("](../docs/", "](../"))
