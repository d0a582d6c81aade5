"""Why a generation is to be made: what differs between its specification and what its metadata.json recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from daydreaming.base.paths import GenerationFiles
from daydreaming.generation.specification import Specification
from daydreaming.inputs.templates import template_name

# These words of a fingerprint are names with a digest of what is behind them: `name@digest`.
_WITH_DIGESTS = ("template", "parser", "concepts")


def why_made(
    specification: Specification, metadata: Mapping[str, Any] | None, files: GenerationFiles, prompt_sha256: str
) -> str:
    """Say, for a generation that is not up to date, which files and settings are the reason."""
    if metadata is None:
        return "new: nothing of it was made yet"
    return "; ".join(_reasons(specification, metadata, files, prompt_sha256))


def _reasons(
    specification: Specification, metadata: Mapping[str, Any], files: GenerationFiles, prompt_sha256: str
) -> Iterator[str]:
    if metadata.get("error") != "none":
        yield f"it failed last time ({metadata.get('error')})"
    elif not files.parsed.exists():
        yield f"{files.parsed} is missing"
    recorded = metadata.get("fingerprint") or ""
    yield from fingerprint_changes(specification, recorded)
    if recorded != specification.fingerprint():
        return
    if metadata.get("prompt_sha256") not in (None, prompt_sha256):
        yield (
            "its prompt has changed"
            if specification.parent is None
            else f"the text of {_parent(specification)} changed"
        )
    elif specification.is_copy and files.parsed.exists():
        yield f"its text is not that of {_parent(specification)}"


def fingerprint_changes(specification: Specification, recorded: str) -> Iterator[str]:
    """Say in words what differs between a specification and the fingerprint that an earlier one had."""
    if not recorded:
        yield "its metadata.json does not say what it was made of"
        return
    before, now = _parts(recorded), _parts(specification.fingerprint())
    for name in dict.fromkeys([*now, *before]):
        if before.get(name) != now.get(name):
            yield _change(specification, name, before.get(name), now.get(name))


def _change(specification: Specification, name: str, before: str | None, now: str | None) -> str:
    """One difference; where the names are the same, the content behind them changed."""
    if name == "concepts" and before and now and _names(before) == _names(now):
        old = set(before.split())
        changed = [str(text.path) for text in specification.concepts if f"{text.concept_id}@{text.digest}" not in old]
        return f"{', '.join(changed)} (or the concept's name) changed"
    if name == "template" and _names(before) == _names(now):
        return f"{template_name(specification.template)} changed"
    if name == "parser" and before and now and _names(before) == _names(now):
        return f"the code of the parser {specification.parser} changed"
    if name == "extra_body":
        return "extra_body changed"
    shown = _without_digests if name in _WITH_DIGESTS else str
    return f"{name} is {shown(now) if now else 'not set'}, was {shown(before) if before else 'not set'}"


def _parts(fingerprint: str) -> dict[str, str]:
    """The words of a fingerprint by name."""
    return {name: value for name, _, value in (part.partition(" ") for part in fingerprint.split("; "))}


def _names(words: str) -> list[str]:
    return [word.partition("@")[0] for word in words.split()]


def _without_digests(words: str) -> str:
    return " ".join(_names(words))


def _parent(specification: Specification) -> str:
    return "its parent, {} {},".format(*specification.parent)
