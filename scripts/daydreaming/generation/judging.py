"""From a reply to the parsed text of a generation: which replies are results, and which get a fresh attempt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping

from daydreaming.base.errors import FailureKind, GenerationError, ParseError
from daydreaming.generation.prompting import model_request
from daydreaming.generation.specification import CallSpecification
from daydreaming.ledger.finish import Ending, check_prompt_was_read, ending_of
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.received import Reply
from daydreaming.parsers import ParserContext, answer_of, get_parser


def attempts(
    specification: CallSpecification, prompt: str, retries: Mapping[str, int], read: Callable[[Reply], str]
) -> Generator[ModelRequest, Reply, str]:
    """Yield requests, be sent their replies, and return the first that `read` can use, as it reads it.

    After a useless reply a fresh attempt is made, as many of a kind as `retries` allows. Raises the GenerationError of
    the last attempt's `read`.
    """
    failures: Counter[FailureKind] = Counter()
    attempt = 0
    # It ends: each kind of failure has its limit.
    while True:
        reply = yield model_request(specification, prompt, attempt)
        try:
            check_prompt_was_read(reply, prompt)
            return read(reply)
        except GenerationError as error:
            failures[error.kind] += 1
            if failures[error.kind] > retries.get(error.kind, 0):
                raise
        attempt += 1


def read_reply(reply: Reply, specification: CallSpecification) -> str:
    """Return the parsed text of a reply; of a score, a ParsedScore, which says how the judge wrote it.

    Raises GenerationError when the reply is no valid result.
    """
    check_reply(reply, specification)
    stage = specification.definition
    # Where a stage has no parsers, what a row says about one is ignored.
    name = specification.parser if stage.parsers else None
    parser = get_parser(stage.makes, name)
    try:
        return parser(reply.text or "", _context(specification))
    except ParseError as error:
        raise GenerationError(
            FailureKind.PARSE, f"The parser {name or 'identity'!r} could not read the reply: {error}"
        ) from error


def _context(specification: CallSpecification) -> ParserContext:
    template = specification.template
    return ParserContext(
        specification.stage,
        specification.gen_id,
        template.template_id,
        score_min=template.score_min,
        score_max=template.score_max,
        score_key=template.score_key,
    )


def check_reply(reply: Reply, specification: CallSpecification) -> None:
    """Raise GenerationError when a reply is malformed, refused, truncated, unfinished, without answer, or too short."""
    completion_tokens = reply.usage.get("completion_tokens", 0)
    limit = specification.sampling.max_tokens
    text = reply.text or ""
    if reply.malformed:
        raise GenerationError(FailureKind.MALFORMED, reply.malformed)
    ending = None if reply.refusal else ending_of(reply.finish_reason, specification.finish_reasons)
    if reply.refusal or ending == Ending.REFUSED:
        why = reply.refusal or "the provider's content filter stopped it"
        raise GenerationError(
            FailureKind.REFUSED, f"The model refused: {why[:300].rstrip('.')}. Change the template or the model."
        )
    if ending == Ending.TRUNCATED or (limit is not None and completion_tokens >= limit):
        raise GenerationError(
            FailureKind.TRUNCATED,
            f"The reply was cut off after {completion_tokens} tokens (max_tokens is {limit}, finish reason "
            f"{reply.finish_reason!r}). Raise max_tokens of the stage {specification.stage!r}.",
        )
    if not text.strip():
        raise GenerationError(FailureKind.EMPTY, f"The reply is empty (finish reason {reply.finish_reason!r}).")
    try:
        answer = answer_of(text)
    except ParseError as error:
        raise GenerationError(
            FailureKind.EMPTY, f"{error} Raise max_tokens, or let the model think less (extra_body)."
        ) from error
    lines = sum(1 for line in answer.splitlines() if line.strip())
    if lines < (specification.sampling.min_lines or 0):
        raise GenerationError(
            FailureKind.TOO_SHORT,
            f"The reply has {lines} non-empty lines and min_lines of the stage {specification.stage!r} is "
            f"{specification.sampling.min_lines}.",
        )
