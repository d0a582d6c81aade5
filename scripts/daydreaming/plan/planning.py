"""The plan of a run: what it would do with each generation, found out without a call and without writing anything.

Requests are built and stored replies are read by the same code as in a run, so that both come to the same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache, partial
from math import inf

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.generation.adoption import adopted_text
from daydreaming.generation.currency import Finding, Found, ParentText, look, parent_made_at, parsed_text
from daydreaming.generation.currency import State as OnDisk
from daydreaming.generation.inspection import currency_of
from daydreaming.generation.judging import attempts, read_reply
from daydreaming.generation.prompting import Prompter, check_it_fits
from daydreaming.generation.specification import CallSpecification, Key, Specification
from daydreaming.generation.store import GenerationStore, text_sha256
from daydreaming.generation.study import Study
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.received import Reply
from daydreaming.ledger.replies import ReplyStore


class State(StrEnum):
    """What a run would do with a generation."""

    UP_TO_DATE = "up to date"
    ADOPTED = "adopted"  # no run of ours made it: it stays as it is
    COPY = "copy"
    REPARSE = "reparse"  # the reply that it was made from is stored, and is read again
    REUSE = "reuse"  # the reply to another request than its last one is stored, or another generation calls for it
    CALL = "call"
    UNKNOWN = "unknown"  # its parent's text does not exist yet, so its own request is not known
    WAITING = OnDisk.WAITING.value  # no run of ours made it or its parent: the user says what becomes of it
    FAIL = "fail"  # without a call: its reply cannot be used, its template not rendered, or its parent fails


_STUCK = (State.FAIL, State.WAITING)


@dataclass(frozen=True, slots=True)
class PlannedGeneration:
    """A generation, what a run would do with it and why. `prompt_characters` is None without a call to make.

    `request` is what it needs the reply to, of a plan that keeps requests: its own call, or that of another generation.
    `failure` is why its last reply cannot be used, or why it fails.
    """

    specification: Specification
    state: State
    reason: str = ""
    prompt_characters: int | None = None
    request: ModelRequest | None = None
    failure: GenerationError | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The generations that a run would look at, parents first."""

    cohort_id: str
    generations: tuple[PlannedGeneration, ...]


@dataclass(frozen=True, slots=True)
class _Result:
    """A planned generation, and its parsed text after the run: the text, or whose file has it; None if not known."""

    planned: PlannedGeneration
    text: str | Key | None = None
    sha256: str | None = None

    @property
    def is_made(self) -> bool:
        """Whether the run writes its text."""
        return self.planned.state not in (State.UP_TO_DATE, State.ADOPTED)


def make_plan(study: Study, last_stage: str = "", *, keeps_requests: bool = False) -> Plan:
    """Find out what a run would do that makes the cohort up to a stage ("": all). Writes nothing, calls nobody."""
    planner, stages = _Planner(study, keeps_requests=keeps_requests), study.membership.stages
    for stage in stages.chain(last_stage) if last_stage else stages.names:
        for generation in study.membership.stage(stage):
            planner.add(study.specification(stage, generation.gen_id))
    return Plan(study.membership.cohort_id, tuple(result.planned for result in planner.results.values()))


class _Planner:
    """Classifies generations, each after its parent."""

    def __init__(self, study: Study, *, keeps_requests: bool):
        self._keeps_requests = keeps_requests
        self.results: dict[Key, _Result] = {}
        self._study = study
        self._replies = ReplyStore(study.paths)
        self._prompter = Prompter()
        self._currency = currency_of(study, self._prompter)
        # The evaluations of an essay mostly stand together.
        self._text_on_disk = lru_cache(maxsize=64)(partial(parsed_text, study.paths))
        self._called_for: dict[str, Specification] = {}  # request_sha256 -> the first that needs it

    def add(self, specification: Specification) -> None:
        """Classify one generation; its parent must have been classified."""
        parents = [self.results[source] for source in specification.sources]
        # Of several that are not there, one that fails says most.
        absent = sorted((one for one in parents if one.text is None), key=lambda one: one.planned.state not in _STUCK)
        try:
            if absent:
                result = self._without_parent(specification, absent[0].planned)
            else:
                result = self._with_parents(specification, parents)
        except GenerationError as error:
            result = _Result(PlannedGeneration(specification, State.FAIL, str(error), failure=error))
        except OSError as error:
            result = _result(specification, State.FAIL, f"[{FailureKind.STORAGE}] {error}")
        self.results[specification.key] = result

    def _with_parents(self, specification: Specification, parents: Sequence[_Result]) -> _Result:
        found = look(self._study.paths, specification.key)
        if found.problem:
            return _result(specification, State.FAIL, found.problem)
        finding = self._currency.find(specification, found, [self._parent_text(parent) for parent in parents])
        if finding.is_done or finding.adopted or finding.waits:
            return self._as_it_is(specification, finding, found)
        if not isinstance(specification, CallSpecification):
            parent = parents[0]
            return _Result(PlannedGeneration(specification, State.COPY, finding.reason), parent.text, parent.sha256)
        texts = [self._text(parent) for parent in parents]
        prompt = self._prompter.prompt(self._prompter.sources(specification), texts)
        store = GenerationStore(self._study.paths, specification.key, self._replies)
        useless: list[GenerationError] = []
        text, request = self._stored_text(specification, prompt, store, useless)
        if text is None:
            planned = self._call(specification, request, finding.reason, len(prompt))
            return _Result(replace(planned, failure=useless[-1] if useless else None))
        own = found.record.metadata.request_sha256 == request.sha256
        state = State.REPARSE if own else State.REUSE
        return _Result(PlannedGeneration(specification, state, finding.reason), text, text_sha256(text))

    def _as_it_is(self, specification: Specification, finding: Finding, found: Found) -> _Result:
        """What becomes of a generation of which nothing is made."""
        if finding.waits:
            return _result(specification, State.WAITING, finding.reason)
        state = State.ADOPTED if finding.adopted else State.UP_TO_DATE
        if finding.is_done:
            return _Result(
                PlannedGeneration(specification, state, finding.reason), specification.key, found.parsed_sha256
            )
        text = adopted_text(specification, GenerationStore(self._study.paths, specification.key, self._replies), found)
        return _Result(PlannedGeneration(specification, state, finding.reason), text, text_sha256(text))

    def _stored_text(
        self, specification: CallSpecification, prompt: str, store: GenerationStore, useless: list[GenerationError]
    ) -> tuple[str | None, ModelRequest]:
        """The parsed text of the first stored reply that can be used; no text if the request needs a call.

        `useless` takes why the replies before cannot be used.
        """

        def read(reply: Reply) -> str:
            try:
                return read_reply(reply, specification)
            except GenerationError as error:
                useless.append(error)
                raise

        retries = {str(kind): number for kind, number in self._study.settings.retry_replies.items()}
        steps = attempts(specification, prompt, retries, read)
        request = next(steps)
        limit = self._study.settings.endpoints[specification.endpoint].max_reply_bytes
        while (reply := self._stored(request, store, limit)) is not None:
            try:
                request = steps.send(reply)
            except StopIteration as end:
                return end.value, request
        return None, request

    def _stored(self, request: ModelRequest, store: GenerationStore, max_reply_bytes: int) -> Reply | None:
        """The stored reply to a request; a run also takes the one in the generation's own raw.txt."""
        return self._replies.load(request.sha256, max_reply_bytes) or store.kept_reply(request.sha256)

    def _call(
        self, specification: CallSpecification, request: ModelRequest, reason: str, characters: int
    ) -> PlannedGeneration:
        check_it_fits(request, specification.context_length)
        first = self._called_for.setdefault(request.sha256, specification)
        kept = request if self._keeps_requests else None
        if first is not specification:
            reason += f"; its request is the same as that of {first.stage} {first.gen_id}"
            return PlannedGeneration(specification, State.REUSE, reason, request=kept)
        if request.attempt:
            reason += f"; attempt {request.attempt + 1}, for the reply before could not be used"
        return PlannedGeneration(specification, State.CALL, reason, characters, kept)

    def _without_parent(self, specification: Specification, parent: PlannedGeneration) -> _Result:
        """What becomes of a generation whose parent's text is not known."""
        name = f"{parent.specification.stage} {parent.specification.gen_id}"
        if parent.state in _STUCK:
            what = "fails" if parent.state is State.FAIL else f"is {State.WAITING}"
            return _result(specification, parent.state, f"its parent {name} {what}")
        found = look(self._study.paths, specification.key)
        texts = [ParentText(None, partial(parsed_text, self._study.paths, *one)) for one in specification.sources]
        finding = self._currency.find(specification, found, texts)
        if finding.adopted or finding.waits:
            return _result(specification, State.WAITING, f"its parent {name} is made first, from something else")
        state = State.UNKNOWN if isinstance(specification, CallSpecification) else State.COPY
        return _result(specification, state, f"its parent {name} is to be made first")

    def _parent_text(self, parent: _Result) -> ParentText:
        """The text that a parent has after the run."""
        key = parent.planned.specification.key
        made_at = (lambda: inf) if parent.is_made else partial(parent_made_at, self._study.paths, key)
        return ParentText(parent.sha256, partial(self._text, parent), made_at)

    def _text(self, result: _Result) -> str:
        assert result.text is not None
        return self._text_on_disk(*result.text) if isinstance(result.text, tuple) else result.text


def _result(specification: Specification, state: State, reason: str) -> _Result:
    return _Result(PlannedGeneration(specification, state, reason))
