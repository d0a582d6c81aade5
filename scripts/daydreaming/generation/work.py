"""One generation while it is being made: render, (ask for a reply), parse, persist. Knows files, knows no network."""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Callable, Generator
from typing import Any

from daydreaming.base.atomic import encoded
from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.generation.freshness import FreshnessRecord, Made, text_digest
from daydreaming.generation.judging import attempts, read_reply
from daydreaming.generation.prompting import Prompter
from daydreaming.generation.specification import Specification
from daydreaming.generation.store import GenerationStore, Outcome
from daydreaming.inputs.settings import Settings
from daydreaming.ledger.journal import Journal
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.replies import Reply, ReplyStore

# A generator that yields each request that needs a call, is sent its reply, and ends when the files are written.
Steps = Generator[ModelRequest, Reply, None]


class GenerationWork:
    """The work on one generation. `outcome` says how far it is."""

    def __init__(
        self,
        specification: Specification,
        settings: Settings,
        replies: ReplyStore,
        journal: Journal,
        prompter: Prompter,
        record: FreshnessRecord,
    ):
        self.specification = specification
        self.outcome = Outcome(started_at=time.time())
        self._settings = settings
        self._replies = replies
        self._journal = journal
        self._prompter = prompter
        self._record = record
        self._parent_text: str | None = None
        self._store = GenerationStore(settings.paths.generation(specification.stage, specification.gen_id))

    def steps(self, *, render_only: bool = False, overwrite: bool = False) -> Steps:
        """Do the work; raises GenerationError (see `fail`)."""
        prompt = self._timed("render_ms", self._render)
        if not overwrite and not render_only and self._matches():
            return
        self._keep_reply_of_raw_text()
        self._store.write_prompt(prompt)
        self.outcome.written.add("prompt")
        if render_only:
            return
        if self.specification.is_copy:
            self._store.remove_raw()
            parsed = self._parent_text
        else:
            parsed = yield from self._usable_text(prompt)
        self._succeed(parsed)

    def fail(self, error: GenerationError) -> None:
        """Write how the work failed: raw.txt keeps a reply as it came, metadata.json has the kind; no parsed.txt."""
        outcome, store = self.outcome, self._store
        outcome.finished_at = time.time()
        outcome.error, outcome.error_message = str(error.kind), error.message
        outcome.error_traceback = "".join(traceback.format_exception(error))
        try:
            if outcome.request_sha256 is None:
                # metadata.json is about to forget whose reply raw.txt holds.
                self._keep_reply_of_raw_text()
            store.remove_parsed()
            outcome.written.discard("parsed")
            report = f"{error.kind}: {error.message}\n\n{outcome.error_traceback}"
            if outcome.reply is not None and error.kind == FailureKind.PARSE:
                store.write_parse_error(outcome.reply.text or "", report)
            elif outcome.reply is None and outcome.request_sha256 is not None:
                store.write_error(report)
                outcome.written.add("raw")
            store.write_metadata(self.specification, outcome)
            self._write_down(result=error.kind)
        except OSError as refused:
            error.message += f" (This could not be written to metadata.json: {refused}.)"
            error.args = (f"[{error.kind}] {error.message}",)

    def _render(self) -> str:
        specification = self.specification
        text = self._prompter.template_text(specification.template)
        self.outcome.template_sha1 = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        if specification.parent:
            self._parent_text = parsed_text(self._settings.paths, *specification.parent)
        prompt = self._prompter.prompt(specification, text, self._parent_text)
        self.outcome.prompt_sha256 = hashlib.sha256(prompt.encode()).hexdigest()
        return prompt

    def _matches(self) -> bool:
        """Whether the files that are there are what this specification and this prompt would give."""
        metadata = self._store.read_metadata()
        return self._store.matches(metadata, self.specification, self.outcome.prompt_sha256, self._parent_text)

    def _keep_reply_of_raw_text(self) -> None:
        """Put the reply in raw.txt into the reply store if it is not there, before raw.txt is written again."""
        if (request_sha256 := self._store.request_sha256()) and not self._replies.exists(request_sha256):
            reply = self._store.kept_reply()
            if reply is not None:
                self._replies.adopt(reply, source=str(self._store.files.raw))

    def _usable_text(self, prompt: str) -> Generator[ModelRequest, Reply, str]:
        """The parsed text of the first reply that can be used; stored replies are taken without asking."""
        steps, reply = attempts(self.specification, prompt, self._settings.retry_replies, self._read), None
        while True:
            try:
                request = steps.send(reply)
            except StopIteration as end:
                return end.value
            reply = yield from self._reply(request)

    def _read(self, reply: Reply) -> str:
        return self._timed("parse_ms", lambda: read_reply(reply, self.specification))

    def _reply(self, request: ModelRequest) -> Generator[ModelRequest, Reply, Reply]:
        """The reply to a request: the stored one, or one that is called for."""
        outcome = self.outcome
        outcome.request_sha256, outcome.seed, outcome.reply = request.sha256, request.seed, None
        outcome.attempts = request.attempt + 1
        reply, started = self._replies.load(request.sha256), time.perf_counter()
        outcome.reused = reply is not None
        if reply is None and self._settings.offline:
            message = f"No stored reply for request {request.sha256[:12]}, and offline is true. Run without offline."
            raise GenerationError(FailureKind.OFFLINE, message)
        if reply is None:
            reply = yield request
        outcome.llm_ms = _milliseconds_since(started)
        outcome.reply = reply
        self._store.write_reply(reply.text or "")
        outcome.written.add("raw")
        return reply

    def _succeed(self, parsed: str) -> None:
        # parsed.txt comes last, and an old one goes first: where it is, all the rest is. The same text stays: a run of
        # another cohort, which shares this generation, may have written it just now and be reading it.
        if not self._store.has_parsed(parsed):
            self._store.remove_parsed()
        outcome = self.outcome
        outcome.finished_at = time.time()
        outcome.written.add("parsed")
        self._store.write_metadata(self.specification, outcome)
        self._store.write_parsed(parsed)
        self._record.append({(self.specification.stage, self.specification.gen_id): self._made(parsed)})
        result = "copied" if self.specification.is_copy else "reused" if outcome.reused else "made"
        self._write_down(result=result, saved_usd=outcome.reply.cost_usd if outcome.reused else None)

    def _made(self, parsed: str) -> Made:
        fingerprint, parent = self.specification.fingerprint(), self._parent_text
        return Made(
            text_digest(fingerprint.encode()),
            text_digest(encoded(parent)) if parent is not None else "",
            text_digest(encoded(parsed)),
        )

    def _write_down(self, **details: Any) -> None:
        """Write in the journal what came of this generation."""
        specification = self.specification
        self._journal.write(
            "generation",
            stage=specification.stage,
            gen_id=specification.gen_id,
            template_id=specification.template.template_id,
            llm_model_id=specification.llm_model_id,
            **details,
        )

    def _timed(self, name: str, step: Callable[[], str]) -> str:
        """Do a step and note how many milliseconds it took."""
        started = time.perf_counter()
        try:
            return step()
        finally:
            setattr(self.outcome, name, _milliseconds_since(started))


def parsed_text(paths: DataPaths, stage: str, gen_id: str) -> str:
    """The parsed text of a parent. Raises GenerationError (parent) when there is none."""
    path = paths.generation(stage, gen_id).parsed
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"The parent's text {path} cannot be read: {error}. Make the {stage} {gen_id!r} first."
        raise GenerationError(FailureKind.PARENT, message) from error


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
