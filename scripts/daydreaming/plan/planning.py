"""The plan of a run: what it would do with each generation, found out without a call and without writing anything.

Requests are built and stored replies are read by the same code as in a run, so that both come to the same result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.base.paths import STAGES
from daydreaming.generation.judging import attempts, read_reply
from daydreaming.generation.prompting import Prompter
from daydreaming.generation.specification import Specification
from daydreaming.generation.store import GenerationStore
from daydreaming.generation.study import Study
from daydreaming.generation.work import parsed_text
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.replies import Reply, ReplyStore
from daydreaming.plan.reasons import why_made


class State(StrEnum):
    """What a run would do with a generation."""

    UP_TO_DATE = "up to date"
    COPY = "copy"
    REPARSE = "reparse"  # the reply that it was made from is stored, and is read again
    REUSE = "reuse"  # the reply to another request than its last one is stored, or another generation calls for it
    CALL = "call"
    UNKNOWN = "unknown"  # its parent's text does not exist yet, so its own request is not known
    FAIL = "fail"  # without a call: its stored reply cannot be used, its template not rendered, or its parent fails


@dataclass(frozen=True, slots=True)
class PlannedGeneration:
    """A generation, what a run would do with it and why. `prompt_characters` is None without a call to make."""

    specification: Specification
    state: State
    reason: str = ""
    prompt_characters: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The generations that a run would look at, parents first."""

    cohort_id: str
    generations: tuple[PlannedGeneration, ...]


_Key = tuple[str, str]  # stage and gen_id


@dataclass(frozen=True, slots=True)
class _Result:
    """A planned generation, and its parsed text after the run: the text, or whose file has it; None if not known."""

    planned: PlannedGeneration
    text: str | _Key | None = None


def make_plan(study: Study, last_stage: str = STAGES[-1]) -> Plan:
    """Find out what a run would do that makes the cohort up to a stage. Writes nothing, calls nobody."""
    planner = _Planner(study)
    for stage in STAGES[: STAGES.index(last_stage) + 1]:
        for generation in study.membership.stage(stage):
            planner.add(study.specification(stage, generation.gen_id))
    return Plan(study.membership.cohort_id, tuple(result.planned for result in planner.results.values()))


class _Planner:
    """Classifies generations, each after its parent."""

    def __init__(self, study: Study):
        self.results: dict[_Key, _Result] = {}
        self._study = study
        self._replies = ReplyStore(study.paths)
        self._prompter = Prompter()
        # The evaluations of an essay mostly stand together.
        self._text_on_disk = lru_cache(maxsize=64)(partial(parsed_text, study.paths))
        self._called_for: dict[str, Specification] = {}  # request_sha256 -> the first that needs it

    def add(self, specification: Specification) -> None:
        """Classify one generation; its parent must have been classified."""
        parent = self.results[specification.parent] if specification.parent else None
        try:
            if parent is not None and parent.text is None:
                result = _without_parent(specification, parent.planned)
            else:
                result = self._with_parent(specification, parent)
        except GenerationError as error:
            result = _result(specification, State.FAIL, str(error))
        except OSError as error:
            result = _result(specification, State.FAIL, f"[{FailureKind.STORAGE}] {error}")
        self.results[specification.stage, specification.gen_id] = result

    def _with_parent(self, specification: Specification, parent: _Result | None) -> _Result:
        store = GenerationStore(self._study.files(specification.stage, specification.gen_id))
        metadata, parent_text = store.read_metadata(), self._text(parent)
        prompt = self._prompter.prompt(specification, self._prompter.template_text(specification.template), parent_text)
        prompt_sha256 = hashlib.sha256(prompt.encode()).hexdigest()
        if store.matches(metadata, specification, prompt_sha256, parent_text):
            return _result(specification, State.UP_TO_DATE, text=(specification.stage, specification.gen_id))
        reason = why_made(specification, metadata, store.files, prompt_sha256)
        if specification.is_copy:
            return _result(specification, State.COPY, reason, text=parent.text)
        text, request = self._stored_text(specification, prompt, store)
        if text is None:
            return self._call(specification, request, reason, len(prompt))
        return _result(specification, _how_stored(request, metadata), reason, text=text)

    def _stored_text(
        self, specification: Specification, prompt: str, store: GenerationStore
    ) -> tuple[str | None, ModelRequest]:
        """The parsed text of the first stored reply that can be used; no text if the request needs a call."""
        retries = self._study.settings.retry_replies
        steps = attempts(specification, prompt, retries, lambda reply: read_reply(reply, specification))
        request = next(steps)
        while (reply := self._stored(request, store)) is not None:
            try:
                request = steps.send(reply)
            except StopIteration as end:
                return end.value, request
        return None, request

    def _stored(self, request: ModelRequest, store: GenerationStore) -> Reply | None:
        """The stored reply to a request; a run also takes the one in the generation's own raw.txt."""
        reply = self._replies.load(request.sha256)
        if reply is None and store.request_sha256() == request.sha256:
            return store.kept_reply()
        return reply

    def _call(self, specification: Specification, request: ModelRequest, reason: str, characters: int) -> _Result:
        first = self._called_for.setdefault(request.sha256, specification)
        if first is not specification:
            reason += f"; its request is the same as that of {first.stage} {first.gen_id}"
            return _result(specification, State.REUSE, reason)
        if request.attempt:
            reason += f"; attempt {request.attempt + 1}, for the reply before could not be used"
        return _Result(PlannedGeneration(specification, State.CALL, reason, characters))

    def _text(self, result: _Result | None) -> str | None:
        if result is None:
            return None
        return self._text_on_disk(*result.text) if isinstance(result.text, tuple) else result.text


def _without_parent(specification: Specification, parent: PlannedGeneration) -> _Result:
    """What becomes of a generation whose parent's text is not known."""
    name = f"{parent.specification.stage} {parent.specification.gen_id}"
    if parent.state == State.FAIL:
        return _result(specification, State.FAIL, f"its parent {name} fails")
    state = State.COPY if specification.is_copy else State.UNKNOWN
    return _result(specification, state, f"its parent {name} is to be made first")


def _how_stored(request: ModelRequest, metadata: Mapping[str, Any] | None) -> State:
    own = metadata is not None and metadata.get("request_sha256") == request.sha256
    return State.REPARSE if own else State.REUSE


def _result(specification: Specification, state: State, reason: str = "", text: str | _Key | None = None) -> _Result:
    return _Result(PlannedGeneration(specification, state, reason), text)
