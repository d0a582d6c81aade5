"""The generations store: the four files of a generation, and its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from daydreaming.base.atomic import encoded, write_bytes, write_text
from daydreaming.base.errors import FailureKind
from daydreaming.base.paths import GenerationFiles
from daydreaming.generation.specification import Specification
from daydreaming.inputs.templates import template_name
from daydreaming.ledger.replies import Reply

PARSE_REPORT_MARKER = (
    "\n===== daydreaming: the reply ends above this line; below is the report of what is wrong with it =====\n"
)
PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


@dataclass
class Outcome:
    """How a generation went, as it fills up: what metadata.json says of it. Times are Unix seconds or milliseconds."""

    started_at: float
    finished_at: float = 0.0
    template_sha1: str | None = None
    prompt_sha256: str | None = None
    request_sha256: str | None = None
    seed: int | None = None
    reply: Reply | None = None
    attempts: int = 0
    reused: bool = False
    render_ms: float | None = None
    llm_ms: float | None = None
    parse_ms: float | None = None
    error: str = "none"
    error_message: str | None = None
    error_traceback: str | None = None
    written: set[str] = field(default_factory=set)


class GenerationStore:
    """Writes and reads `data/gens/<stage>/<gen_id>/`. Every write is atomic."""

    def __init__(self, files: GenerationFiles):
        self.files = files

    def write_prompt(self, text: str) -> None:
        """Write prompt.txt."""
        write_text(self.files.prompt, text, durable=False)

    def write_reply(self, text: str) -> None:
        """Write raw.txt: the model's reply to the last character."""
        write_text(self.files.raw, text, durable=False)

    def write_parsed(self, text: str) -> None:
        """Write parsed.txt."""
        write_text(self.files.parsed, text, durable=False)

    def write_error(self, report: str) -> None:
        """Write the report of a failed call to raw.txt."""
        write_text(self.files.raw, report, durable=False)

    def write_parse_error(self, reply: str, report: str) -> None:
        """Write the reply and, below a marker line, the report of what is wrong with it to raw.txt."""
        write_text(self.files.raw, f"{reply}{PARSE_REPORT_MARKER}{report}", durable=False)

    def read_reply(self) -> str | None:
        """The reply in raw.txt, without a report below it; None if there is no raw.txt."""
        try:
            with self.files.raw.open(encoding="utf-8", newline="") as stream:
                text = stream.read()
        except FileNotFoundError:
            return None
        # Only a parse error leaves a report: a model may quote the marker.
        metadata = self.read_metadata()
        has_report = metadata is None or metadata.get("error") == FailureKind.PARSE
        return text.rsplit(PARSE_REPORT_MARKER, 1)[0] if has_report else text

    def request_sha256(self) -> str | None:
        """The name of the request whose reply raw.txt holds, as metadata.json says; None where it holds none."""
        metadata = self.read_metadata() or {}
        return metadata.get("request_sha256") if metadata.get("usage") is not None else None

    def kept_reply(self) -> Reply | None:
        """The reply in raw.txt with what metadata.json says of it; None if they do not hold one."""
        metadata = self.read_metadata() or {}
        if self.request_sha256() is None or (text := self.read_reply()) is None:
            return None
        return Reply(
            request_sha256=metadata["request_sha256"],
            text=text,
            finish_reason=metadata.get("finish_reason"),
            refusal=metadata.get("error_message") if metadata.get("error") == FailureKind.REFUSED else None,
            usage=metadata["usage"],
            cost_usd=metadata.get("cost_usd"),
            served_model=metadata.get("served_model"),
            request_id=metadata.get("request_id"),
            started_at=metadata["started_at"],
            finished_at=metadata["finished_at"],
            malformed=metadata.get("error_message") if metadata.get("error") == FailureKind.MALFORMED else None,
        )

    def has_parsed(self, text: str) -> bool:
        """Whether parsed.txt is there with this text."""
        try:
            return self.files.parsed.read_bytes() == encoded(text)
        except FileNotFoundError:
            return False

    def remove_raw(self) -> None:
        """Take away the reply of a time when this generation was no copy."""
        self.files.raw.unlink(missing_ok=True)

    def remove_parsed(self) -> None:
        """Take away the result of an earlier run: a failed generation has none."""
        self.files.parsed.unlink(missing_ok=True)

    def read_metadata(self) -> dict[str, Any] | None:
        """The metadata; None if there is none that can be read."""
        try:
            metadata = orjson.loads(self.files.metadata.read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return metadata if isinstance(metadata, dict) else None

    def matches(
        self,
        metadata: Mapping[str, Any] | None,
        specification: Specification,
        prompt_sha256: str,
        parent_text: str | None,
    ) -> bool:
        """Whether the files that are there are what this specification, this prompt and this parent would give."""
        if metadata is None or metadata.get("error") != "none" or not self.files.parsed.exists():
            return False
        # A copy is its parent's text, whatever its prompt shows of it.
        if specification.is_copy and self.files.parsed.read_bytes() != parent_text.encode():
            return False
        return (
            metadata.get("prompt_sha256") == prompt_sha256
            and metadata.get("fingerprint") == specification.fingerprint()
        )

    def write_metadata(self, specification: Specification, outcome: Outcome) -> None:
        """Write metadata.json, which says how the generation went and what it was made of."""
        metadata = _metadata(specification, outcome, self.files)
        write_bytes(self.files.metadata, orjson.dumps(metadata, option=PRETTY), durable=False)


def _metadata(specification: Specification, outcome: Outcome, files: GenerationFiles) -> dict[str, Any]:
    """The keys of metadata.json, in the order of the contract (schemas/metadata.schema.json)."""
    reply, sampling = outcome.reply, specification.sampling
    parent = specification.parent
    return {
        "stage": specification.stage,
        "gen_id": specification.gen_id,
        "template_id": specification.template.template_id,
        "template_path": template_name(specification.template),
        "template_sha1": outcome.template_sha1,
        "model": specification.model,
        "parser_name": specification.parser,
        "skip_llm": specification.is_copy,
        "pass_through_from": _pass_through_from(specification, files),
        "files": {name: str(path) if name in outcome.written else None for name, path in _views(files).items()},
        "started_at": outcome.started_at,
        "finished_at": outcome.finished_at,
        "duration_s": outcome.finished_at - outcome.started_at,
        "mode": "copy" if specification.is_copy else "llm",
        "error": outcome.error,
        "error_message": outcome.error_message,
        "cohort_id": specification.cohort_id,
        "parent_gen_id": specification.parent_gen_id if parent else None,
        "combo_id": specification.combo_id or None,
        "llm_model_id": specification.llm_model_id or None,
        "replicate": specification.replicate,
        "render_ms": outcome.render_ms,
        "llm_ms": outcome.llm_ms,
        "parse_ms": outcome.parse_ms,
        "finish_reason": reply.finish_reason if reply else None,
        "usage": dict(reply.usage) if reply else None,
        "cost_usd": reply.cost_usd if reply else None,
        "served_model": reply.served_model if reply else None,
        "request_id": reply.request_id if reply else None,
        "temperature": sampling.temperature if sampling else None,
        "max_tokens": sampling.max_tokens if sampling else None,
        "seed": outcome.seed,
        "endpoint": specification.endpoint,
        "answerer": specification.answerer,
        "prompt_sha256": outcome.prompt_sha256,
        "request_sha256": outcome.request_sha256,
        "attempts": outcome.attempts,
        "reply_reused": outcome.reused,
        "fingerprint": specification.fingerprint(),
        "error_traceback": outcome.error_traceback,
    }


def _views(files: GenerationFiles) -> Mapping[str, Path]:
    return {"prompt": files.prompt, "raw": files.raw, "parsed": files.parsed}


def _pass_through_from(specification: Specification, files: GenerationFiles) -> str | None:
    if not specification.is_copy:
        return None
    stage, gen_id = specification.parent
    return str(files.folder.parent.parent / stage / gen_id / "parsed.txt")
