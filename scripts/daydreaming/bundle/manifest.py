"""What a bundle says of itself, `bundle.json`, and the names of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from daydreaming.base.visible_text import visible

FORMAT = 1
MANIFEST = "bundle.json"
CRATE = "ro-crate-metadata.json"
GUIDE = "README.md"
GENERATIONS = "generations.jsonl"
CONFIGURATION = "config.yaml"
WORKFLOW = "workflow"
DATA = "data"
_LONGEST_VERSION = 100


class Scope(StrEnum):
    """How much of a study is in a bundle."""

    ALL = "all"
    WITHOUT_PROMPTS = "without-prompts"  # no templates, descriptions, prompts and replies as received; no reading pages
    ONLY_SCORES = "only-scores"  # no text at all


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a bundle and what made it.

    `inputs` and `results` have the SHA-256 of the files that lie in the bundle as they are, by their names there;
    `generations` says how many files stand in `generations.jsonl`, and `software` which versions made the results.
    """

    format: int
    cohort: str
    scope: Scope
    commit: str
    software: Mapping[str, str]
    inputs: Mapping[str, str]
    results: Mapping[str, str]
    generations: int

    @property
    def made_by(self) -> str:
        """The version of the workflow, in words; those of a stranger's bundle as a terminal may show them."""
        return visible(version_text(self.software.get("daydreaming", "?"), self.commit))[:_LONGEST_VERSION]


def version_text(version: str, commit: str) -> str:
    """A version of the workflow, in words."""
    return f"{version} (commit {commit[:12]}{'-dirty' if commit.endswith('-dirty') else ''})" if commit else version
