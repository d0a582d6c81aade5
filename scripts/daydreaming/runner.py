"""The runner: one generation from its specification to its files. Render, call or copy, parse, persist."""

from __future__ import annotations

import hashlib
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

from daydreaming.concepts import read_description
from daydreaming.errors import FailureKind, GenerationError, InputError, ParseError
from daydreaming.gens import GenerationStore, Outcome
from daydreaming.journal import Budget, Journal
from daydreaming.llm.client import CallContext, ModelClient
from daydreaming.model_request import ModelRequest
from daydreaming.parsers import ParserContext, get_parser
from daydreaming.replies import Reply, ReplyStore
from daydreaming.settings import Settings
from daydreaming.specification import ConceptText, Specification
from daydreaming.templates import CompiledTemplate, compile_template, load_template_text, render, template_name


class Runner:
    """Makes generations. Thread-safe: one for a process, with one client, one reply store, one journal a cohort."""

    def __init__(self, settings: Settings, run_id: str | None = None):
        self._settings = settings
        self._paths = settings.paths
        self._run_id = run_id or uuid.uuid4().hex[:12]
        self._journals: dict[str, Journal] = {}
        self._compiled: dict[str, CompiledTemplate] = {}
        self._replies = ReplyStore(self._paths)
        self._client = ModelClient(settings, self._replies, self.journal)

    def journal(self, cohort_id: str) -> Journal:
        """The journal of a cohort."""
        if cohort_id not in self._journals:
            budget = Budget(self._settings.budget_usd, self._settings.budget_calls)
            path = self._paths.cohort(cohort_id).journal
            # setdefault is atomic: threads that meet here get the same journal.
            self._journals.setdefault(cohort_id, Journal(path, budget, self._run_id, self._stored_cost))
        return self._journals[cohort_id]

    def run(self, specification: Specification, *, render_only: bool = False, overwrite: bool = False) -> Outcome:
        """Make one generation and write its files.

        By default a result that is there and matches is kept; `overwrite` writes all files again, from the stored reply
        where there is one. `render_only` stops after prompt.txt. Raises GenerationError when the generation failed:
        metadata.json then says how, and there is no parsed.txt.
        """
        work = _Work(self, specification)
        try:
            return work.run(render_only=render_only, overwrite=overwrite)
        except GenerationError as error:
            self._fail(work, error)
            raise
        except Exception as error:
            failure = GenerationError(
                FailureKind.STORAGE if isinstance(error, OSError) else FailureKind.INTERNAL,
                f"{type(error).__name__}: {error}.",
            )
            failure.__cause__ = error
            self._fail(work, failure)
            raise failure from error

    def close(self) -> None:
        """Close the client and the journals."""
        self._client.close()
        self._replies.close()
        for journal in self._journals.values():
            journal.close()

    def compiled(self, text: str, name: str) -> CompiledTemplate:
        """A template, compiled once for as long as its text is the same."""
        key = f"{name}\n{text}"
        if key not in self._compiled:
            self._compiled[key] = compile_template(text, name)
        return self._compiled[key]

    def obtain(self, request: ModelRequest, specification: Specification) -> tuple[Reply, bool]:
        """The reply to a request, and whether it was in the store already. Pays at most once, whoever else asks."""
        stored = self._replies.load(request.sha256)
        if stored is not None:
            return stored, True
        if self._settings.offline:
            raise GenerationError(
                FailureKind.OFFLINE,
                f"No stored reply for request {request.sha256[:12]}, and offline is true. Run again without offline.",
            )
        with self._replies.in_flight(request.sha256):
            stored = self._replies.load(request.sha256)
            if stored is not None:
                return stored, True
            return self._client.complete(request, _context(specification)), False

    def keep_reply_of(self, store: GenerationStore) -> None:
        """Put the reply in a raw.txt into the reply store if it is not there: raw.txt is about to be written again."""
        request_sha256, reply = store.kept_reply()
        if reply is not None and not self._replies.exists(request_sha256):
            self._replies.adopt(reply, source=str(store.files.raw))

    def retries_of(self, kind: FailureKind) -> int:
        """How many fresh attempts a reply that failed in this way may have."""
        return self._settings.retry_replies.get(kind, 0)

    def generation_store(self, specification: Specification) -> GenerationStore:
        """The files of a generation."""
        return GenerationStore(self._paths.generation(specification.stage, specification.gen_id))

    def parsed_text(self, stage: str, gen_id: str) -> str:
        """The parsed text of a parent. Raises GenerationError (parent) when there is none."""
        path = self._paths.generation(stage, gen_id).parsed
        try:
            return path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            message = f"The parent's text {path} cannot be read: {error}. Make the {stage} {gen_id!r} first."
            raise GenerationError(FailureKind.PARENT, message) from error

    def _stored_cost(self, request_sha256: str) -> float | None:
        reply = self._replies.load(request_sha256)
        return None if reply is None else reply.cost_usd

    def _fail(self, work: _Work, error: GenerationError) -> None:
        """Write what a failure leaves behind, as far as the disk lets us."""
        specification = work.specification
        try:
            work.write_failure(error)
            self.journal(specification.cohort_id).write("generation", **_who(specification), result=error.kind)
        except OSError as refused:
            error.message += f" (This could not be written to metadata.json: {refused}.)"
            error.args = (f"[{error.kind}] {error.message}",)


class _Work:
    """One generation while it is being made."""

    def __init__(self, runner: Runner, specification: Specification):
        self.specification = specification
        self._runner = runner
        self._store = runner.generation_store(specification)
        self._outcome = Outcome(started_at=time.time())

    def run(self, *, render_only: bool, overwrite: bool) -> Outcome:
        prompt = self._timed("render_ms", self._render)
        self._outcome.prompt_sha256 = hashlib.sha256(prompt.encode()).hexdigest()
        if not overwrite and not render_only and self._matches():
            return self._outcome
        self._runner.keep_reply_of(self._store)
        self._store.write_prompt(prompt)
        self._outcome.written.add("prompt")
        if render_only:
            return self._outcome
        if self.specification.is_copy:
            parsed = self._runner.parsed_text(*self.specification.parent)
        else:
            parsed = self._reply_in_use(prompt)
        self._succeed(parsed)
        return self._outcome

    def _render(self) -> str:
        template = self.specification.template
        text = load_template_text(template)
        self._outcome.template_sha1 = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        compiled = self._runner.compiled(text, template_name(template))
        return render(compiled, self._values())

    def _values(self) -> dict[str, Any]:
        """What a template of this stage can use."""
        if self.specification.stage == "draft":
            return {"concepts": [_concept(text) for text in self.specification.concepts]}
        parent = self._runner.parsed_text(*self.specification.parent)
        if self.specification.stage == "essay":
            return {"links_block": parent, "draft_block": parent}
        return {"response": parent}

    def _matches(self) -> bool:
        """Whether the files that are there are what this specification and this prompt would give."""
        metadata = self._store.read_metadata()
        if metadata is None or metadata.get("error") != "none" or not self._store.files.parsed.exists():
            return False
        fingerprint = hashlib.sha256(self.specification.fingerprint().encode()).hexdigest()
        return (
            metadata.get("prompt_sha256") == self._outcome.prompt_sha256
            and metadata.get("fingerprint_sha256") == fingerprint
        )

    def _reply_in_use(self, prompt: str) -> str:
        """Obtain a reply and read it; where the configuration allows it, make a fresh attempt after a useless one."""
        failures: Counter[FailureKind] = Counter()
        for attempt in range(1000):
            request = _request(self.specification, prompt, attempt)
            self._outcome.request_sha256, self._outcome.attempts = request.sha256, attempt + 1
            reply = self._timed("llm_ms", lambda request=request: self._obtain(request))
            try:
                return self._timed("parse_ms", lambda reply=reply: self._read(reply))
            except GenerationError as error:
                failures[error.kind] += 1
                if failures[error.kind] > self._runner.retries_of(error.kind):
                    raise
        raise AssertionError("every attempt is counted by its kind, and each kind has a limit")

    def _obtain(self, request: ModelRequest) -> Reply:
        self._outcome.reply = None
        reply, self._outcome.reused = self._runner.obtain(request, self.specification)
        self._outcome.reply = reply
        self._store.write_reply(reply.text or "")
        self._outcome.written.add("raw")
        return reply

    def _read(self, reply: Reply) -> str:
        """The parsed text of a reply. Raises GenerationError when the reply is no valid result."""
        check_reply(reply, self.specification)
        if self.specification.stage == "essay":
            return reply.text
        specification = self.specification
        parser = get_parser(specification.stage, specification.parser)
        context = ParserContext(specification.stage, specification.gen_id, specification.template.template_id)
        try:
            return parser(reply.text, context)
        except ParseError as error:
            name = specification.parser or "identity"
            raise GenerationError(
                FailureKind.PARSE, f"The parser {name!r} could not read the reply: {error}"
            ) from error

    def _succeed(self, parsed: str) -> None:
        # parsed.txt comes last: where it is, all the rest is.
        self._outcome.finished_at = time.time()
        self._outcome.written.add("parsed")
        self._store.write_metadata(self.specification, self._outcome)
        self._store.write_parsed(parsed)
        result = "copied" if self.specification.is_copy else "reused" if self._outcome.reused else "made"
        saved = self._outcome.reply.cost_usd if self._outcome.reused else None
        journal = self._runner.journal(self.specification.cohort_id)
        journal.write("generation", **_who(self.specification), result=result, saved_usd=saved)

    def write_failure(self, error: GenerationError) -> None:
        """Write how the generation failed: raw.txt keeps a reply as it came, metadata.json has the kind."""
        outcome, store = self._outcome, self._store
        outcome.finished_at = time.time()
        outcome.error, outcome.error_message = str(error.kind), error.message
        outcome.error_traceback = "".join(traceback.format_exception(error))
        store.remove_parsed()
        outcome.written.discard("parsed")
        report = f"{error.kind}: {error.message}\n\n{outcome.error_traceback}"
        if outcome.reply is not None and error.kind == FailureKind.PARSE:
            store.write_parse_error(outcome.reply.text, report)
        elif outcome.reply is None and outcome.request_sha256 is not None:
            store.write_error(report)
            outcome.written.add("raw")
        store.write_metadata(self.specification, outcome)

    def _timed(self, name: str, step: Callable[[], Any]) -> Any:
        """Do a step and note how many milliseconds it took."""
        started = time.perf_counter()
        try:
            return step()
        finally:
            setattr(self._outcome, name, round((time.perf_counter() - started) * 1000, 3))


def check_reply(reply: Reply, specification: Specification) -> None:
    """Raise GenerationError when a reply is malformed, refused, truncated, empty, or has too few lines."""
    completion_tokens = reply.usage.get("completion_tokens", 0)
    limit = specification.sampling.max_tokens
    text = reply.text or ""
    if reply.malformed:
        raise GenerationError(FailureKind.MALFORMED, reply.malformed)
    if reply.refusal or reply.finish_reason == "content_filter":
        why = reply.refusal or "the provider's content filter stopped it"
        raise GenerationError(FailureKind.REFUSED, f"The model refused: {why[:300]}. Change the template or the model.")
    if reply.finish_reason == "length" or (limit is not None and completion_tokens >= limit):
        raise GenerationError(
            FailureKind.TRUNCATED,
            f"The reply was cut off after {completion_tokens} tokens (max_tokens is {limit}, finish reason "
            f"{reply.finish_reason!r}). Raise max_tokens of the stage {specification.stage!r}.",
        )
    if not text.strip():
        raise GenerationError(FailureKind.EMPTY, f"The reply is empty (finish reason {reply.finish_reason!r}).")
    lines = sum(1 for line in text.splitlines() if line.strip())
    if lines < (specification.sampling.min_lines or 0):
        raise GenerationError(
            FailureKind.TOO_SHORT,
            f"The reply has {lines} non-empty lines and min_lines of the stage {specification.stage!r} is "
            f"{specification.sampling.min_lines}.",
        )


def _request(specification: Specification, prompt: str, attempt: int) -> ModelRequest:
    sampling = specification.sampling
    # A seed repeats an answer: replicates and fresh attempts are meant to be other samples.
    seed = None if sampling.seed is None else sampling.seed + 1000 * attempt + specification.replicate - 1
    return ModelRequest(
        answerer=specification.answerer,
        model=specification.model,
        messages=({"role": "user", "content": prompt},),
        temperature=sampling.temperature,
        max_tokens=sampling.max_tokens,
        seed=seed,
        extra_body=sampling.extra_body,
        replicate=specification.replicate,
        attempt=attempt,
    )


def _context(specification: Specification) -> CallContext:
    return CallContext(
        stage=specification.stage,
        gen_id=specification.gen_id,
        cohort_id=specification.cohort_id,
        endpoint=specification.endpoint,
        template_id=specification.template.template_id,
        llm_model_id=specification.llm_model_id,
        prices=specification.prices,
    )


def _who(specification: Specification) -> dict[str, str]:
    """How the journal names a generation."""
    return {
        "stage": specification.stage,
        "gen_id": specification.gen_id,
        "template_id": specification.template.template_id,
        "llm_model_id": specification.llm_model_id,
    }


def _concept(text: ConceptText) -> dict[str, str]:
    try:
        content = read_description(text.path, text.concept_id)
    except InputError as error:
        raise GenerationError(FailureKind.TEMPLATE, str(error)) from error
    return {"concept_id": text.concept_id, "name": text.name, "content": content}
