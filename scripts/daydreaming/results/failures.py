"""Generations that failed: which, why, the file to look at, and what to do about each kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from daydreaming.base.errors import FailureKind
from daydreaming.base.paths import DataPaths, GenerationFiles
from daydreaming.base.terminal_tables import table_text
from daydreaming.generation.inspection import Inspection, inspect_cohort
from daydreaming.generation.study import Study
from daydreaming.ledger.metadata import read_metadata
from daydreaming.ledger.tally import GenerationResult
from daydreaming.results.score_table import write_csv
from daydreaming.results.scores import INVALID, KINDS_WITH_REPLY, MISSING, STALE, trouble_of

SHOWN_GROUPS = 20
_MESSAGE_CHARACTERS = 200
_FRESH_ATTEMPTS = "or allow fresh attempts, each a paid call, with `retry_replies: {{{}: 1}}` in config.yaml."
_KEPT = "The reply is kept, and read again without a call."
_LARGER = "For one beyond max_reply_bytes, do what its message says."

CURES: Mapping[str, str] = {
    FailureKind.TEMPLATE: "Correct the template; `python scripts/validate_inputs.py` checks all without a call.",
    FailureKind.PARENT: "Run again: the generation that it is made from is made first.",
    FailureKind.MISSING_KEY: "Set the environment variable that the message names, and run again.",
    FailureKind.API: "Read what the provider says in the message; correct the model's name, its settings or the key.",
    FailureKind.RATE_LIMIT: "Lower requests_per_minute or max_concurrency of the endpoint, and run again.",
    FailureKind.TIMEOUT: "Run again. If it comes back, raise timeout_s of the endpoint, or lower max_tokens.",
    FailureKind.CONNECTION: "Check the network and the endpoint's base_url or start in config.yaml, and run again.",
    FailureKind.MALFORMED: f"{_KEPT} Ask the provider, {_FRESH_ATTEMPTS.format('malformed')} {_LARGER}",
    FailureKind.TRUNCATED: f"{_KEPT} Raise max_tokens (`--explain` says where), {_FRESH_ATTEMPTS.format('truncated')}",
    FailureKind.REFUSED: f"{_KEPT} Change the template or the model, {_FRESH_ATTEMPTS.format('refused')}",
    FailureKind.UNFINISHED: f"{_KEPT} If the server's word means success, add it to the endpoint's finish_reasons.",
    FailureKind.PROMPT_CUT: "Raise the server's context (num_ctx, --ctx-size) and move the stored reply away.",
    FailureKind.EMPTY: f"{_KEPT} Raise max_tokens (reasoning may use it up), {_FRESH_ATTEMPTS.format('empty')}",
    FailureKind.TOO_SHORT: f"{_KEPT} Change the template or min_lines, {_FRESH_ATTEMPTS.format('too_short')}",
    FailureKind.PARSE: f"{_KEPT} Change the template or the parser, {_FRESH_ATTEMPTS.format('parse')}",
    FailureKind.TOO_LONG: "Shorten the prompt, lower max_tokens, or correct the model's context_length.",
    FailureKind.BUDGET: "Raise budget_usd or budget_calls in config.yaml, and run again.",
    FailureKind.OFFLINE: "Run again without offline: the store has no reply to this request.",
    FailureKind.NOT_TRIED: "Do what the message says of the first failure, and run again.",
    FailureKind.STORAGE: (
        "The message names the file and says what is wrong: a full disk needs room, a folder that refuses other "
        "permissions; what cannot be read is to be repaired or moved away. Then run again."
    ),
    FailureKind.INTERNAL: "This should not happen: please report it, with metadata.json.",
    FailureKind.EDITED: "Run again: the text is put back from its stored reply. A stored reply that was edited is not.",
    FailureKind.CONFLICT: "Give the row another gen_id, move the folder away, or set remake_adopted.",
    FailureKind.WAITING: "Put back what has changed, or set remake_adopted to have it made again: its texts are kept.",
    INVALID: "Run again: the files are made again, from the stored reply where there is one.",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A generation that failed. `message` is "" where it has not been read from metadata.json."""

    stage: str
    gen_id: str
    template_id: str
    llm_model_id: str
    kind: str
    look_at: Path
    message: str = ""

    @property
    def cure(self) -> str:
        """What to do about it."""
        return CURES.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one kind, stage, template and model: how many, and the first of them."""

    count: int
    example: Failure


def run_failures(results: Iterable[GenerationResult], paths: DataPaths) -> list[Failure]:
    """The failures of a run, from what its journal says."""
    return [
        _failure(result, result.result, paths.generation(result.stage, result.gen_id))
        for result in results
        if result.failed
    ]


def cohort_failures(study: Study, inspection: Inspection | None = None) -> list[Failure]:
    """The generations of a cohort whose last try failed or whose files cannot be relied on, in the membership's order.

    What is to be made, because it was never tried or is out of date, is not among them. `inspection`: a look at the
    cohort's texts, where there was one.
    """
    inspection, failures = inspection or inspect_cohort(study), []
    for generation in study.membership.generations.values():
        trouble = trouble_of(study, inspection, generation)
        if trouble is not None and trouble.error not in (MISSING, STALE):
            files = study.files(generation.stage, generation.gen_id)
            failures.append(_failure(generation, trouble.error, files, _one_line(trouble.message)))
    return failures


def failure_groups(failures: Iterable[Failure]) -> list[FailureGroup]:
    """Count failures by kind, stage, template and model, the commonest first."""
    groups: dict[tuple[str, ...], list[Failure]] = {}
    for failure in failures:
        key = (failure.kind, failure.stage, failure.template_id, failure.llm_model_id)
        groups.setdefault(key, []).append(failure)
    counted = [FailureGroup(len(members), members[0]) for members in groups.values()]
    return sorted(counted, key=lambda group: -group.count)


def failures_text(failures: Iterable[Failure], heading: str = "Failed generations") -> str:
    """A table of failures for the terminal: counts, a file to look at for each, and what to do; "" without any."""
    groups = failure_groups(failures)
    if not groups:
        return ""
    names = ("count", "kind", "stage", "template and model, and a file to look at")
    table = table_text(names, map(_group_cells, groups[:SHOWN_GROUPS]), numbers=["count"])
    lines = [f"{heading}: {sum(group.count for group in groups):,}", table]
    if len(groups) > SHOWN_GROUPS:
        lines.append(f"  ... and {len(groups) - SHOWN_GROUPS:,} more rows: `python scripts/show_failures.py --all`")
    lines.append("What to do")
    first_of_kind: dict[str, Failure] = {}
    for group in groups:
        first_of_kind.setdefault(group.example.kind, group.example)
    for kind, example in first_of_kind.items():
        lines += [f"  {kind}: {example.cure}", f"    For example: {example.message or _message(example)}"]
    return "\n".join(lines)


def write_failures(path: Path, failures: Iterable[Failure]) -> None:
    """Write failures as a CSV file, one row each, whole or not at all. Raises OSError."""
    columns = ("kind", "stage", "gen_id", "template_id", "llm_model_id", "message", "look_at", "cure")
    write_csv(path, columns, map(attrgetter(*columns), failures))


def _failure(who: object, kind: str, files: GenerationFiles, message: str = "") -> Failure:
    """A failure of a generation, which its row in the membership or its result in the journal names."""
    stage, gen_id, template_id, model = attrgetter("stage", "gen_id", "template_id", "llm_model_id")(who)
    look_at = files.raw if kind in KINDS_WITH_REPLY else files.metadata
    return Failure(stage, gen_id, template_id, model, kind, look_at, message)


def _message(failure: Failure) -> str:
    record = read_metadata(GenerationFiles(failure.look_at.parent).metadata)
    message = record.metadata.error_message or record.problem
    return _one_line(message) if message else "(metadata.json says nothing)"


def _one_line(message: object) -> str:
    text = " ".join(str(message or "no message").split())
    return text if len(text) <= _MESSAGE_CHARACTERS else f"{text[:_MESSAGE_CHARACTERS]}..."


def _group_cells(group: FailureGroup) -> tuple[str, ...]:
    """A group's cells; its path stands below its ids, where 80 columns have room for it."""
    example = group.example
    ids = f"{example.template_id}  {example.llm_model_id}".rstrip()
    return f"{group.count:,}", example.kind, example.stage, f"{ids}\n{example.look_at}"
