"""The work on one generation: what it is, its prompt, its reply, its text, its files. Knows files, knows no network."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.generation.adoption import adopt_generation
from daydreaming.generation.currency import (
    Currency,
    Finding,
    Found,
    ParentText,
    State,
    digests_of,
    look,
    parent_made_at,
    parsed_text,
)
from daydreaming.generation.judging import attempts, read_reply
from daydreaming.generation.outcome import Outcome, Received, record_of
from daydreaming.generation.prompting import Prompter, SourceTexts, check_it_fits
from daydreaming.generation.specification import CallSpecification, Key, Specification
from daydreaming.generation.store import GenerationStore, text_sha256, with_report
from daydreaming.inputs.prompts import Prompt
from daydreaming.inputs.settings import Settings
from daydreaming.ledger.metadata import Metadata, Origin
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.received import Reply
from daydreaming.ledger.replies import ReplyStore
from daydreaming.llm.tries import CallFailedError
from daydreaming.parsers import ParsedScore

# A generator that yields each request that needs a call, is sent what came of it, and ends when the files are written.
Steps = Generator[ModelRequest, Received, None]
# These failures leave everything as it is: nothing was tried.
UNTOUCHED = (FailureKind.CONFLICT, FailureKind.WAITING)


@dataclass(frozen=True)
class Workbench:
    """What the generations of a run share."""

    settings: Settings
    replies: ReplyStore
    prompter: Prompter
    currency: Currency

    @classmethod
    def for_run(cls, settings: Settings, replies: ReplyStore) -> Workbench:
        """The workbench of a run."""
        prompter = Prompter()
        currency = Currency(settings.paths, prompter, remake_adopted=settings.remake_adopted)
        return cls(settings, replies, prompter, currency)


class GenerationWork:
    """The work on one generation. `outcome` says how far it is, `result` what came of it."""

    def __init__(self, specification: Specification, bench: Workbench):
        self.specification = specification
        self.outcome = Outcome()
        self.result = ""
        self._bench = bench
        self._store = GenerationStore(bench.settings.paths, specification.key, bench.replies)
        self._may_replace = False
        self._may_have_reply = True

    def steps(self, *, render_only: bool = False, overwrite: bool = False) -> Steps:
        """Do the work; raises GenerationError (see `fail`)."""
        outcome, paths = self.outcome, self._bench.settings.paths
        sources = self._bench.prompter.sources(self.specification)
        # From here on it is what is rendered that counts, not what the study had read.
        self.specification = specification = sources.specification
        outcome.template_sha1 = hashlib.sha1(sources.template.content.encode(), usedforsecurity=False).hexdigest()
        parents = _parent_texts(paths, specification)
        outcome.parent_sha256, outcome.further_sha256 = digests_of(parents)
        if not render_only and self._is_kept(parents, overwrite=overwrite):
            self.result = "kept"
            return
        prompt = self._prompt(sources, parents)
        if render_only:
            return
        if isinstance(specification, CallSpecification):
            parsed = yield from self._usable_text(specification, prompt)
            self._succeed(parsed, raw=_text(outcome.reply), result="reused" if outcome.reused else "made")
        elif parents:
            self._succeed(parents[0].read(), raw=None, result="copied")

    def fail(self, error: GenerationError) -> None:
        """Write how the work failed: raw.txt keeps a reply as it came, metadata.json has the kind; no parsed.txt.

        Texts that are not ours stay. Raises nothing: what cannot be written is added to the error's message.
        """
        outcome = self.outcome
        outcome.finish()
        if isinstance(error, CallFailedError):
            outcome.call_in_vain = error.times
        outcome.error, outcome.error_message = str(error.kind), error.message
        outcome.error_traceback = "".join(traceback.format_exception(error))
        outcome.parsed_sha256, outcome.score_as_written, self.result = None, None, str(error.kind)
        outcome.written.discard("parsed")
        try:
            if error.kind not in UNTOUCHED and (self._may_replace or self._is_ours_or_empty()):
                self._write_what_can_be_written(error)
        except Exception as refused:
            error.message += f" (This could not be written to metadata.json: {refused}.)"
            error.args = (f"[{error.kind}] {error.message}",)

    def journal_line(self) -> dict[str, Any]:
        """What the journal says of this generation."""
        specification, reply = self.specification, self.outcome.reply
        return {
            "stage": specification.stage,
            "gen_id": specification.gen_id,
            "template_id": specification.template.template_id,
            "llm_model_id": specification.llm_model_id,
            "result": self.result,
            "saved_usd": reply.cost_usd if reply and self.result == "reused" else None,
        }

    def _is_kept(self, parents: Sequence[ParentText], *, overwrite: bool) -> bool:
        """Whether what is there stays: it is current, or is not ours to replace (then it is adopted here)."""
        paths = self._bench.settings.paths
        found = look(paths, self.specification.key)
        self._may_have_reply = found.record.origin is Origin.OURS
        if found.problem:
            raise GenerationError(FailureKind.STORAGE, f"{found.folder}: {found.problem}.")
        finding = self._bench.currency.find(self.specification, found, parents)
        if finding.waits:
            raise _waiting(finding, found)
        if finding.adopted:
            adopt_generation(self.specification, paths, self._store, found, parents)
            return True
        self._may_replace = True
        return finding.is_done and not overwrite

    def _prompt(self, sources: SourceTexts, parents: Sequence[ParentText]) -> Prompt:
        with self.outcome.timed("render_ms"):
            prompt = self._bench.prompter.prompt(sources, [parent.read() for parent in parents])
        self.outcome.prompt_sha256 = text_sha256(prompt)
        self._store.write_prompt(prompt)
        self.outcome.written.add("prompt")
        return prompt

    def _usable_text(self, specification: CallSpecification, prompt: str) -> Generator[ModelRequest, Received, str]:
        """The parsed text of the first reply that can be used; stored replies are taken without asking."""
        retries = {str(kind): number for kind, number in self._bench.settings.retry_replies.items()}
        steps = attempts(specification, prompt, retries, self._read)
        request = next(steps)
        while True:
            self.outcome.received = None
            self.outcome.request_sha256, self.outcome.seed = request.sha256, request.seed
            self.outcome.attempts = request.attempt + 1
            stored = self._stored(request, specification.endpoint)
            self.outcome.received = stored if stored is not None else (yield request)
            try:
                request = steps.send(self.outcome.received.reply)
            except StopIteration as end:
                parsed: str = end.value
                self.outcome.score_as_written = parsed.as_written if isinstance(parsed, ParsedScore) else None
                return str(parsed)

    def _stored(self, request: ModelRequest, endpoint: str) -> Received | None:
        """The stored reply to a request, also one that only raw.txt holds, which is stored then."""
        limit = self._bench.settings.endpoints[endpoint].max_reply_bytes
        reply = self._bench.replies.load(request.sha256, limit)
        if reply is None and self._may_have_reply and (reply := self._store.kept_reply(request.sha256)) is not None:
            self._bench.replies.adopt(reply, source=str(self._store.files.raw))
        if reply is None:
            assert isinstance(self.specification, CallSpecification)
            check_it_fits(request, self.specification.context_length)
        if reply is None and self._bench.settings.offline:
            message = f"No stored reply for request {request.sha256[:12]}, and offline is true. Run without offline."
            raise GenerationError(FailureKind.OFFLINE, message)
        return None if reply is None else Received(reply, reused=True)

    def _read(self, reply: Reply) -> str:
        assert isinstance(self.specification, CallSpecification)
        with self.outcome.timed("parse_ms"):
            try:
                return read_reply(reply, self.specification)
            except GenerationError as error:
                if place := _place_of_limit(error.kind, self.specification):
                    raise GenerationError(error.kind, f"{error.message} {place}") from error
                raise

    def _succeed(self, parsed: str, *, raw: str | None, result: str) -> None:
        outcome = self.outcome
        outcome.finish()
        outcome.written |= {"parsed"} if raw is None else {"raw", "parsed"}
        outcome.raw_sha256 = None if raw is None else text_sha256(raw)
        outcome.parsed_sha256 = text_sha256(parsed)
        self._store.replace(self._record(), raw=raw, parsed=parsed)
        self.result = result

    def _write_what_can_be_written(self, error: GenerationError) -> None:
        try:
            self._write_failure(error)
        except (TypeError, ValueError, AttributeError):
            # The reply itself is what is wrong: a file that somebody edited. The record says so without it.
            self.outcome.received, self.outcome.request_sha256 = None, None
            self.outcome.written.discard("raw")
            self._write_failure(error)

    def _write_failure(self, error: GenerationError) -> None:
        outcome = self.outcome
        report = f"{error.kind}: {error.message}\n\n{outcome.error_traceback}"
        raw = None
        if outcome.reply is not None:
            text = _text(outcome.reply)
            raw = with_report(text, report) if error.kind == FailureKind.PARSE else text
        elif outcome.request_sha256 is not None:
            raw = report
        if raw is not None:
            outcome.written.add("raw")
        outcome.raw_sha256 = self._store.raw_sha256() if raw is None else text_sha256(raw)
        self._store.replace(self._record(), raw=raw, parsed=None, keep_raw=raw is None)

    def _is_ours_or_empty(self) -> bool:
        """Whether what lies there may be replaced although nobody could say what it is."""
        found = look(self._bench.settings.paths, self.specification.key)
        is_ours = found.record.origin is Origin.OURS and not found.record.metadata.adopted
        return is_ours or not (found.parsed_sha256 or found.problem or found.has_raw)

    def _record(self) -> Metadata:
        return record_of(self.specification, self.outcome, self._bench.settings.paths)


def _parent_texts(paths: DataPaths, specification: Specification) -> list[ParentText]:
    """The texts that a generation is made from: its parent's, and the further ones."""
    return [_parent_text(paths, source) for source in specification.sources]


def _parent_text(paths: DataPaths, source: Key) -> ParentText:
    text = parsed_text(paths, *source)
    return ParentText(text_sha256(text), lambda: text, partial(parent_made_at, paths, source))


def _waiting(finding: Finding, found: Found) -> GenerationError:
    if finding.state is State.CONFLICT:
        cure = "Give the row another gen_id, move the folder away, or set remake_adopted to have it made again."
        return GenerationError(FailureKind.CONFLICT, f"{found.folder}: {finding.reason}. {cure}")
    cure = "Put things back as they were, or set remake_adopted to have it made again; its texts are kept."
    return GenerationError(FailureKind.WAITING, f"{found.folder}: {finding.reason}. {cure}")


def _place_of_limit(kind: FailureKind, specification: CallSpecification) -> str:
    """Where the limit stands that a reply has failed by, unless the stage itself says it, as the failure does."""
    name = {FailureKind.TRUNCATED: "max_tokens", FailureKind.TOO_SHORT: "min_lines"}.get(kind, "")
    place = specification.settings[name].place if name in specification.settings else ""
    return "" if not place or place.startswith(f"stages.{specification.stage}.") else f"Here {name} is from {place}."


def _text(reply: Reply | None) -> str:
    return (reply.text if reply else None) or ""
