"""The files that a repository is known by agree with each other and with the project."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[3]
DESCRIPTION = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read_yaml(name: str):
    return yaml.safe_load((PROJECT / name).read_text(encoding="utf-8"))


def commands(makefile: str, target: str) -> list[str]:
    """The commands of a target, as one writes them by hand."""
    _, _, rest = makefile.partition(f"\n{target}:")
    lines = rest.splitlines()[1:]
    end = next(number for number, line in enumerate(lines) if not line.startswith("\t"))
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in lines[:end]]


def test_citation_and_project_have_the_same_version_and_licence():
    citation = read_yaml("CITATION.cff")
    assert (citation["version"], citation["license"]) == (DESCRIPTION["version"], DESCRIPTION["license"])
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert (PROJECT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


def test_the_changelog_begins_with_what_is_not_released_and_has_this_version():
    lines = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    versions = [line for line in lines if line.startswith("## ")]
    assert versions[0] == "## [Unreleased]"
    assert versions[1].startswith(f"## [{DESCRIPTION['version']}]")


def test_the_hooks_run_the_linters_of_make_lint_and_no_others():
    linters = commands((PROJECT / "Makefile").read_text(encoding="utf-8"), "lint")
    hooks = [hook["entry"] for repo in read_yaml(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert len(hooks) == len(linters)
    for hook, linter in zip(hooks, linters, strict=True):
        # Hooks get the files that are committed; `make lint` names the folders.
        words = [word for word in hook.split() if word != "--force-exclude"]
        assert linter.split()[: len(words)] == words


def test_make_lists_its_targets():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    bench = (PROJECT / "benchmarks" / "bench.mk").read_text(encoding="utf-8")
    lines = [line for text in (makefile, bench) for line in text.splitlines()]
    targets = {word for line in lines if line.startswith(".PHONY: ") and "$" not in line for word in line.split()[1:]}
    listed = "\n".join(commands(makefile, "help"))
    assert {target for target in targets - {"help"} if f"make {target}" not in listed} == set()
