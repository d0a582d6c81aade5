"""Where the files of a study may lie, in a bundle and in the folder that it is opened in; nothing else is written."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from daydreaming.bundle.manifest import DATA

# Texts and tables: nothing that Snakemake or Python would run.
TEXT_SUFFIXES = frozenset({".csv", ".j2", ".jinja", ".jinja2", ".json", ".jsonl", ".md", ".txt", ".yaml", ".yml"})
_TEMPLATE_SUFFIXES = frozenset({".j2", ".jinja", ".jinja2", ".md", ".txt"})
_OF_RESULTS = frozenset({".css", ".html", ".js", ".svg", ".webmanifest", ".png", ".woff2"})
_OF_DATA = frozenset({"1_raw", "2_tasks", "cohorts", "gens", "replies", "combo_mappings.csv"})
# What snakemake, git or this project give a meaning.
_OURS = frozenset({"profiles", "rules", "scripts", "bundle", "workflow", "report", "logs", "readme.md"})
_UNWANTED = re.compile(r"[\x00-\x1f\x7f\\:*?\"<>|]")
_LONGEST_NAME, _DEEPEST = 255, 12


def is_plain_name(name: str) -> bool:
    """Whether a name is a path below a folder, on every system: no way up, no root, no drive, nothing hidden."""
    if not name or name.startswith("/") or name.endswith("/") or _UNWANTED.search(name):
        return False
    parts = name.split("/")
    return len(parts) <= _DEEPEST and all(
        part and not part.startswith(".") and not part.endswith((".", " ")) and _size(part) <= _LONGEST_NAME
        for part in parts
    )


def is_place_of_study(name: str) -> bool:
    """Whether a file of this name may be one of a study: below `data`, or a template's text beside it."""
    if not is_plain_name(name):
        return False
    first, *rest = PurePosixPath(name).parts
    suffix = PurePosixPath(name).suffix
    if first == DATA:
        known = suffix in TEXT_SUFFIXES | _OF_RESULTS | {".receipt"} or "reports" in rest
        return bool(rest) and rest[0] in _OF_DATA and known
    return suffix in _TEMPLATE_SUFFIXES and first.lower() not in _OURS


def _size(part: str) -> int:
    return len(part.encode("utf-8", "surrogatepass"))
