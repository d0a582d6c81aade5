"""How the work on a generation went, as it goes, and the record that is made of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from daydreaming.base.paths import DataPaths, GenerationFiles
from daydreaming.generation.specification import CallSpecification, CopySpecification, Specification
from daydreaming.inputs.resolved_settings import recorded_settings
from daydreaming.inputs.templates import template_name
from daydreaming.ledger.metadata import NO_ERROR, VERSION, Files, Metadata
from daydreaming.ledger.received import Reply
from daydreaming.llm.tries import CallTimes


@dataclass(frozen=True, slots=True)
class Received:
    """A reply that was asked for: whether it was stored already, else what the call for it took."""

    reply: Reply
    reused: bool = False
    times: CallTimes | None = None


@dataclass
class Outcome:
    """How a generation went, as it fills up. Times are Unix seconds or milliseconds.

    `call_in_vain` is what the last call took if it brought no reply. `written` names the files that were written; it is
    empty for a generation that was found current.
    """

    started_at: float = field(default_factory=time.time)
    finished_at: float = 0.0
    template_sha1: str | None = None
    prompt_sha256: str | None = None
    request_sha256: str | None = None
    parent_sha256: str | None = None
    further_sha256: list[str | None] | None = None
    raw_sha256: str | None = None
    parsed_sha256: str | None = None
    seed: int | None = None
    received: Received | None = None
    call_in_vain: CallTimes | None = None
    attempts: int = 0
    render_ms: float | None = None
    parse_ms: float | None = None
    score_as_written: str | None = None
    error: str = NO_ERROR
    error_message: str | None = None
    error_traceback: str | None = None
    written: set[str] = field(default_factory=set)
    _started: float = field(default_factory=time.perf_counter, repr=False)

    @property
    def reply(self) -> Reply | None:
        """The reply to the last request."""
        return self.received.reply if self.received else None

    @property
    def reused(self) -> bool:
        """Whether the reply was stored already."""
        return self.received is not None and self.received.reused

    @property
    def times(self) -> CallTimes | None:
        """What the last call took; None if none was made."""
        return self.received.times if self.received else self.call_in_vain

    def finish(self) -> None:
        """Note the end. The clock of the machine may have been set in between: the length is measured apart."""
        self.finished_at = self.started_at + (time.perf_counter() - self._started)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how many milliseconds a step took."""
        started = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, name, round((time.perf_counter() - started) * 1000, 3))


def record_of_row(specification: Specification, paths: DataPaths) -> Metadata:
    """What the record of a generation says whoever made it: its row, its template, its model, its rubric's scale."""
    call = specification if isinstance(specification, CallSpecification) else None
    copy = specification if isinstance(specification, CopySpecification) else None
    scale = specification.template.scale if specification.definition.makes == "score" else None
    return Metadata(
        stage=specification.stage,
        gen_id=specification.gen_id,
        template_id=specification.template.template_id,
        template_path=template_name(specification.template),
        model=call.model if call else None,
        parser_name=call.parser if call else None,
        skip_llm=call is None,
        pass_through_from=paths.parsed_text(*copy.parent) if copy else None,
        mode="llm" if call else "copy",
        error=NO_ERROR,
        cohort_id=specification.cohort_id,
        version=VERSION,
        parent_gen_id=specification.parent_gen_id if specification.parent else None,
        second_parent_gen_id=specification.further[0][1] if specification.definition.takes_pairs else None,
        combo_id=specification.combo_id or None,
        llm_model_id=specification.llm_model_id or None,
        model_id=specification.llm_model_id or None,
        replicate=specification.replicate,
        score_min=scale.lowest if scale else None,
        score_max=scale.highest if scale else None,
    )


def record_of(specification: Specification, outcome: Outcome, paths: DataPaths) -> Metadata:
    """The record of a generation that a run of ours made, or tried to make."""
    times, reply = outcome.times, outcome.reply
    call = specification if isinstance(specification, CallSpecification) else None
    return replace(
        record_of_row(specification, paths),
        template_sha1=outcome.template_sha1,
        files=_written(paths.generation(*specification.key), outcome),
        started_at=outcome.started_at,
        finished_at=outcome.finished_at,
        duration_s=outcome.finished_at - outcome.started_at,
        error=outcome.error,
        error_message=outcome.error_message,
        render_ms=outcome.render_ms,
        queue_ms=times.queue_ms if times else None,
        llm_ms=times.llm_ms if times else 0.0 if outcome.reused else None,
        wait_ms=times.wait_ms if times else None,
        parse_ms=outcome.parse_ms,
        finish_reason=reply.finish_reason if reply else None,
        usage=dict(reply.usage) if reply and reply.usage is not None else None,
        cost_usd=reply.cost_usd if reply else None,
        served_model=reply.served_model if reply else None,
        request_id=reply.request_id if reply else None,
        temperature=call.sampling.temperature if call else None,
        max_tokens=call.sampling.max_tokens if call else None,
        seed=outcome.seed,
        endpoint=call.endpoint if call else None,
        answerer=call.answerer if call else None,
        score_as_written=outcome.score_as_written,
        prompt_sha256=outcome.prompt_sha256,
        request_sha256=outcome.request_sha256,
        attempts=outcome.attempts,
        tries=times.tries if times else 0,
        reply_reused=outcome.reused,
        fingerprint=specification.fingerprint(),
        parent_sha256=outcome.parent_sha256,
        further_sha256=outcome.further_sha256,
        raw_sha256=outcome.raw_sha256,
        parsed_sha256=outcome.parsed_sha256,
        settings=recorded_settings(call.settings) if call else None,
        error_traceback=outcome.error_traceback,
    )


def _written(files: GenerationFiles, outcome: Outcome) -> Files:
    paths = {"prompt": files.prompt, "raw": files.raw, "parsed": files.parsed}
    return Files(**{name: str(path) if name in outcome.written else None for name, path in paths.items()})
