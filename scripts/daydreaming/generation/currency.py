"""Whether a generation is current: its own record, and what is on the disk, against what is asked now.

The one answer for plan, dry run, run, check of the inputs, scores and report. Nothing else counts: no time of a file,
no memory of Snakemake's. A record says what a generation was made from (fingerprint, digest of the parent's text) and
what came out (digest of its own text).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import msgspec

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.generation.prompting import Prompter, model_request
from daydreaming.generation.reasons import disagreements, why_out_of_date
from daydreaming.generation.specification import CallSpecification, Key, Specification
from daydreaming.ledger.journal import read_events
from daydreaming.ledger.metadata import Metadata, MetadataReading, Origin, read_metadata

_BLOCK_BYTES = 1 << 16


class State(StrEnum):
    """What a generation on the disk is, by what is asked now."""

    MISSING = "missing"  # it has no text
    FAILED = "failed"  # its last try failed
    CURRENT = "current"
    OUT_OF_DATE = "out of date"  # it was made from something else than what is asked now
    EDITED = "edited"  # its text is not the one that was written
    DAMAGED = "damaged"  # its record cannot be read, or is gone
    ADOPTED = "adopted"  # no run of ours made it; it stays as it is
    WAITING = "waiting for you"  # no run of ours made it, and it is not of what is asked now
    CONFLICT = "conflict"  # no run of ours made it, and its record is of another row


DONE = (State.CURRENT, State.ADOPTED)
# Nothing is made of these before the user says so.
WAITING = (State.WAITING, State.CONFLICT)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a generation is, and why. `adopted`: its text is not ours, and no call replaces it."""

    state: State
    why: str | Callable[[], str] = ""
    adopted: bool = False

    @property
    def reason(self) -> str:
        """Why it is in this state, in words; "" for what is current."""
        return self.why if isinstance(self.why, str) else self.why()

    @property
    def is_done(self) -> bool:
        """Whether a run has nothing to make."""
        return self.state in DONE

    @property
    def waits(self) -> bool:
        """Whether nothing is made of it before the user says so."""
        return self.state in WAITING


_CURRENT = Finding(State.CURRENT)


class Found(msgspec.Struct, frozen=True):
    """What lies in the folder of a generation. `parsed_sha256` is None where there is no text, or an unreadable one."""

    folder: str
    record: MetadataReading
    parsed_sha256: str | None
    problem: str = ""  # of parsed.txt: nothing can be made in its place
    changed_at_ns: int = 0

    @property
    def has_raw(self) -> bool:
        """Whether there is a raw.txt."""
        return os.path.lexists(f"{self.folder}/raw.txt")


@dataclass(frozen=True, slots=True)
class ParentText:
    """A text that a generation is made from: its SHA-256 (None: there is none), how to read it, and when it was made.

    `made_at` gives Unix seconds, None for a text that no run of ours made.
    """

    sha256: str | None
    read: Callable[[], str]
    made_at: Callable[[], float | None] = lambda: None


def parsed_text(paths: DataPaths, stage: str, gen_id: str) -> str:
    """The parsed text of a parent. Raises GenerationError (parent) when there is none."""
    path = paths.generation(stage, gen_id).parsed
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"The parent's text {path} cannot be read: {error}. Make the {stage} {gen_id!r} first."
        raise GenerationError(FailureKind.PARENT, message) from error


def parent_made_at(paths: DataPaths, parent: Key) -> float | None:
    """When a run of ours made the text of a parent (Unix seconds); None where none did."""
    record = read_metadata(paths.generation(*parent).metadata)
    is_ours = record.origin is Origin.OURS and not record.metadata.adopted
    return record.metadata.finished_at if is_ours else None


def look(paths: DataPaths, key: Key) -> Found:
    """Look at the files of a generation. Raises nothing."""
    folder = paths.generation_folder(*key)
    record = read_metadata(f"{folder}/metadata.json")
    try:
        descriptor = os.open(f"{folder}/parsed.txt", os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return Found(folder, record, None)
    except OSError as error:
        return Found(folder, record, None, f"parsed.txt cannot be read ({error.strerror}): move it away")
    try:
        digest, block = hashlib.sha256(), os.read(descriptor, _BLOCK_BYTES)
        digest.update(block)
        while len(block) == _BLOCK_BYTES:
            block = os.read(descriptor, _BLOCK_BYTES)
            digest.update(block)
        return Found(folder, record, digest.hexdigest(), "", os.fstat(descriptor).st_mtime_ns)
    except OSError as error:
        return Found(folder, record, None, f"parsed.txt cannot be read ({error.strerror}): move it away")
    finally:
        os.close(descriptor)


class Currency:
    """Says what generations are. Thread-safe.

    `combos` gives the combo of a generation's chain, where records of other programs name one. With `remake_adopted`,
    the user has said that what is not ours is made again.
    """

    def __init__(
        self,
        paths: DataPaths,
        prompter: Prompter,
        *,
        remake_adopted: bool = False,
        combos: Callable[[Specification], str] | None = None,
    ):
        self._paths = paths
        self._prompter = prompter
        self._remake_adopted = remake_adopted
        self._combo = combos or (lambda specification: specification.combo_id)

    def find(self, specification: Specification, found: Found, parents: Sequence[ParentText]) -> Finding:
        """Say what a generation is. `parents` are the texts that it is made from: its parent's, then the further ones.

        Raises nothing that its files can cause.
        """
        finding = self._find(specification, found, parents)
        is_foreign = finding.adopted or finding.waits
        if is_foreign and self._remake_adopted:
            reason = finding.reason
            return Finding(State.OUT_OF_DATE, f"remake_adopted is true ({reason or 'adopted'})")
        return finding

    def _find(self, specification: Specification, found: Found, parents: Sequence[ParentText]) -> Finding:
        record = found.record
        if record.origin is Origin.OURS:
            if (record.metadata.stage, record.metadata.gen_id) == specification.key:
                return _of_ours(specification, found, record.metadata, parents)
            of_other = f"metadata.json is the record of {record.metadata.stage} {record.metadata.gen_id}"
            return self._without_record(specification, found, parents, of_other)
        if record.origin is Origin.DAMAGED:
            return self._without_record(specification, found, parents, record.problem)
        if record.origin is Origin.FOREIGN:
            problems = "; ".join(disagreements(specification, record, self._combo(specification)))
            if problems:
                return Finding(State.CONFLICT, problems)
        return self._of_nobody(specification, found, parents)

    def _without_record(
        self, specification: Specification, found: Found, parents: Sequence[ParentText], problem: str
    ) -> Finding:
        """A record is there and says nothing: the text is made again where it is known to be ours."""
        if not _has_text(specification, found) or self._is_ours(specification, found, parents):
            return Finding(State.DAMAGED, problem)
        who = "no stored reply or journal says who made the text"
        return Finding(State.WAITING, f"{problem}, and {who}: delete metadata.json to adopt it")

    def _of_nobody(self, specification: Specification, found: Found, parents: Sequence[ParentText]) -> Finding:
        """There is no record of ours: the text of another program, or ours without its record."""
        failed = found.record.metadata.failed
        if not failed and not _has_text(specification, found):
            return Finding(State.MISSING, found.problem or "new: nothing of it was made yet")
        if self._is_ours(specification, found, parents):
            return Finding(State.DAMAGED, "it has no metadata.json that says what it was made of")
        if failed:
            problem = f"it failed last time ({found.record.metadata.error})"
            if found.parsed_sha256 is None:
                return Finding(State.FAILED, problem)
            # The text that is there nevertheless may be somebody's only copy.
            return Finding(State.WAITING, f"{problem}, and there is a text", adopted=True)
        if found.parsed_sha256 is None:
            return Finding(State.MISSING, found.problem or "adopted: to be read from raw.txt", adopted=True)
        times = [parent.made_at() for parent in parents]
        if any(made_at is not None and made_at * 1e9 > found.changed_at_ns for made_at in times):
            problem = "its parent was made after it, so it is not made from that text"
            return Finding(State.WAITING, problem, adopted=True)
        return Finding(State.ADOPTED, adopted=True)

    def _is_ours(self, specification: Specification, found: Found, parents: Sequence[ParentText]) -> bool:
        """Whether a run of ours made a text that has no record: its reply is stored, or a journal names it."""
        if found.record.origin is not Origin.FOREIGN:
            made, called = self._named_by_journals
            # A run that was killed may leave a raw.txt without a record: then its call stands in the journal.
            if specification.key in made or (found.parsed_sha256 is None and specification.key in called):
                return True
        if not isinstance(specification, CallSpecification):
            return False
        try:
            sources = self._prompter.sources(specification)
            prompt = self._prompter.prompt(sources, [parent.read() for parent in parents])
            request = model_request(specification, prompt, attempt=0)
            return self._paths.reply(request.sha256).exists()
        except (GenerationError, OSError, TypeError, ValueError):
            return False  # what cannot be asked has no reply

    @cached_property
    def _named_by_journals(self) -> tuple[frozenset[Key], frozenset[Key]]:
        """The generations that runs of ours made, and those that they called for: read where a record is missing."""
        made: set[Key] = set()
        called: set[Key] = set()
        for journal in sorted(self._paths.cohorts.glob("*/journal.jsonl")):
            with suppress(OSError):  # of a cohort of somebody else's, perhaps: it proves nothing
                for event in read_events(journal):
                    stage, gen_id = event.get("stage"), event.get("gen_id")
                    if not (isinstance(stage, str) and isinstance(gen_id, str)):
                        continue
                    if event["event"] == "call_started":
                        called.add((stage, gen_id))
                    elif event.get("result") in ("made", "reused", "copied"):
                        made.add((stage, gen_id))
        return frozenset(made), frozenset(called)


def digests_of(parents: Sequence[ParentText]) -> tuple[str | None, list[str | None] | None]:
    """The digests of the texts that a generation is made from, as its record has them: its parent's, and the others."""
    if not parents:
        return None, None
    first, *others = parents
    return first.sha256, [one.sha256 for one in others] or None


def _of_ours(specification: Specification, found: Found, record: Metadata, parents: Sequence[ParentText]) -> Finding:
    """What a generation is that has a record of ours."""
    now = specification.row_fingerprint() if record.adopted else specification.fingerprint()
    texts = digests_of(parents)
    agrees = record.fingerprint == now and (record.parent_sha256, record.further_sha256) == texts
    if agrees and record.error == "none" and record.parsed_sha256 == found.parsed_sha256 is not None:
        return Finding(State.ADOPTED, adopted=True) if record.adopted else _CURRENT
    if record.failed:
        return Finding(State.FAILED, f"it failed last time ({record.error})")

    def changes() -> str:
        return why_out_of_date(specification, record, *texts)

    def why_missing() -> str:
        missing = found.problem or f"{found.folder}/parsed.txt is missing"
        return "; ".join(filter(None, [missing, changes()]))

    if record.adopted and not agrees:
        return Finding(State.WAITING, changes, adopted=True)
    if found.parsed_sha256 is None:
        return Finding(State.DAMAGED if found.problem else State.MISSING, why_missing, adopted=record.adopted)
    if not agrees or record.parsed_sha256 is None:
        return Finding(State.OUT_OF_DATE, changes)
    edited = f"{found.folder}/parsed.txt is not the text that was written"
    return Finding(State.EDITED, edited, adopted=record.adopted)


def _has_text(specification: Specification, found: Found) -> bool:
    """Whether there is a text that somebody may have paid for. The raw.txt beside a copy is none of it."""
    has_raw = isinstance(specification, CallSpecification) and found.has_raw
    return found.parsed_sha256 is not None or has_raw
