"""The texts of an essay's page, read from the folders of its generations."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from daydreaming.base.errors import FailureKind, ParseError
from daydreaming.base.paths import GenerationFiles
from daydreaming.generation.store import PARSE_REPORT_MARKER
from daydreaming.ledger.metadata import Metadata, Origin, parse_metadata
from daydreaming.parsers.thoughts import answer_of
from daydreaming.results.pages.essay_plans import EssayPlan, GenerationPlan
from daydreaming.results.scores import KINDS_WITH_REPLY
from daydreaming.results.written_texts import written_bytes, written_text

# A stack trace names the folders of the machine that it comes from; pages are mailed.
_LEFT_OUT = "error_traceback"


@dataclass(frozen=True)
class GenerationTexts:
    """What lies in the folder of a generation; None for a file that is not there or cannot be read.

    `parsed` is "" where the text counts for nothing: a page never shows a text that was made from something else than
    what is asked now as if it were the result. `edited` names the files that are not what was written, which are not
    shown either.
    """

    plan: GenerationPlan
    prompt: str | None
    reply: str | None
    parsed: str
    metadata: str
    edited: tuple[str, ...] = ()

    @cached_property
    def answer(self) -> str:
        """The reply without the model's thoughts; "" where it is nothing else."""
        try:
            return answer_of(self.reply or "")
        except ParseError:
            return ""

    @property
    def judgement(self) -> str:
        """What a judge said, as far as it counts: the answer of a scored evaluation, or the one that has no score."""
        if "raw.txt" in self.edited:
            return "*raw.txt is not what was written: it was edited, and is not shown.*"
        return self.answer if not self.plan.error or self.plan.error in KINDS_WITH_REPLY else ""

    @property
    def has_thoughts(self) -> bool:
        """Whether the reply has more than the answer."""
        return self.answer != (self.reply or "")

    @cached_property
    def parsed_sha256(self) -> str:
        """The digest of the text, by which a human score knows what was read."""
        return hashlib.sha256(self.parsed.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True)
class EssayTexts:
    """All texts of an essay's page."""

    before: tuple[GenerationTexts, ...]
    essay: GenerationTexts
    after: tuple[GenerationTexts, ...]
    evaluations: tuple[GenerationTexts, ...]

    @property
    def generations(self) -> tuple[GenerationTexts, ...]:
        """The texts of all generations, parents first."""
        return (*self.before, self.essay, *self.after, *self.evaluations)


def read_texts(plan: EssayPlan) -> EssayTexts:
    """Read the texts of an essay, of what it is made from, and its evaluations.

    A file that cannot be read counts as absent.
    """
    before, after, evaluations = (
        tuple(map(read_generation, part)) for part in (plan.before, plan.after, plan.evaluations)
    )
    return EssayTexts(before, read_generation(plan.essay), after, evaluations)


def texts_digest(plan: EssayPlan, texts: EssayTexts) -> str:
    """A digest of all that a page of an essay is made from, besides the code that makes it."""
    digest = hashlib.sha256(msgspec.json.encode(plan))
    for one in texts.generations:
        for text in (one.prompt, one.reply, one.parsed, one.metadata, " ".join(one.edited)):
            content = b"-" if text is None else text.encode("utf-8", errors="surrogatepass")
            digest.update(b"%d:" % len(content) + content)
    return digest.hexdigest()


def read_generation(plan: GenerationPlan) -> GenerationTexts:
    """Read the texts of a generation. A file that cannot be read counts as absent."""
    files = GenerationFiles(Path(plan.folder))
    metadata = written_bytes(files.metadata, None)
    reading = parse_metadata(metadata) if metadata else None
    record = reading.metadata if reading else Metadata()
    counts = not plan.error
    as_written = {
        files.prompt: record.prompt_sha256,
        files.raw: record.raw_sha256,
        files.parsed: record.parsed_sha256 if counts else None,
    }
    texts = {path: written_text(path, sha256) for path, sha256 in as_written.items()}
    edited = tuple(path.name for path, text in texts.items() if text is None and path.is_file())
    prompt, reply, parsed = texts.values()
    failure = reading.metadata.error if reading and reading.metadata.failed else ""
    if failure and failure not in KINDS_WITH_REPLY:
        reply = None  # raw.txt is the report of a call that brought none; the failure's message says what matters of it
    elif reply is not None and (reading is None or reading.origin is Origin.DAMAGED or failure == FailureKind.PARSE):
        reply = reply.rsplit(PARSE_REPORT_MARKER, 1)[0]  # as the store reads it
    return GenerationTexts(
        plan=plan,
        prompt=prompt,
        reply=reply,
        parsed=(parsed or "") if counts or plan.scale else "",
        metadata=_shown_metadata(metadata),
        edited=edited,
    )


def _shown_metadata(content: bytes | None) -> str:
    if content is None:
        return ""
    try:
        values = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "metadata.json cannot be read."
    if isinstance(values, dict):
        values = {name: value for name, value in values.items() if name != _LEFT_OUT and value is not None}
    return msgspec.json.format(msgspec.json.encode(values), indent=2).decode()
