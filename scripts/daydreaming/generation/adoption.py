"""Adoption: generations that no run of ours made stay as they are, and it is written down what they were found with."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.generation.currency import Found, ParentText, digests_of
from daydreaming.generation.inspection import Inspection, parent_on_disk
from daydreaming.generation.judging import read_reply
from daydreaming.generation.outcome import record_of_row
from daydreaming.generation.specification import CallSpecification, Specification
from daydreaming.generation.store import GenerationStore, text_sha256
from daydreaming.generation.study import Study
from daydreaming.ledger.metadata import Files, Metadata
from daydreaming.ledger.received import Reply
from daydreaming.ledger.replies import ReplyStore


def adopt(study: Study, inspection: Inspection) -> int:
    """Adopt what an inspection found to be adopted and not recorded; returns how many. For the start of a real run.

    Their files are stored among the replies first. What `inspection` says stays true. Raises OSError.
    """
    replies = ReplyStore(study.paths)
    try:
        for key in inspection.to_adopt:
            specification = study.specification(*key)
            texts = [parent_on_disk(study.paths, one, inspection.found(one)) for one in specification.sources]
            store = GenerationStore(study.paths, key, replies)
            adopt_generation(specification, study.paths, store, inspection.found(key), texts)
    finally:
        replies.close()
    return len(inspection.to_adopt)


def adopt_generation(
    specification: Specification, paths: DataPaths, store: GenerationStore, found: Found, parents: Sequence[ParentText]
) -> None:
    """Adopt one generation, or put its text back as it was adopted.

    Raises GenerationError where there is no text, and none can be read from raw.txt; OSError when the disk refuses.
    """
    record = found.record.metadata
    if record.adopted:
        if found.parsed_sha256 is None or record.parsed_sha256 != found.parsed_sha256:
            store.restore_parsed(adopted_text(specification, store, found))
        return
    parsed_sha256 = found.parsed_sha256
    if parsed_sha256 is None:
        text = adopted_text(specification, store, found)
        store.restore_parsed(text)
        parsed_sha256 = text_sha256(text)
    store.write_record(_adopted_record(specification, paths, record, parents, parsed_sha256, store.raw_sha256()))


def adopted_text(specification: Specification, store: GenerationStore, found: Found) -> str:
    """The text of an adopted generation: as it was stored then, else as it is read from raw.txt. Reads only.

    Raises GenerationError where there is none.
    """
    record = found.record.metadata
    kept = store.adopted.parsed_with(record.parsed_sha256) if record.parsed_sha256 else None
    if kept is not None:
        return kept.decode("utf-8", errors="surrogateescape")
    if record.raw_sha256 is not None and store.raw_sha256() != record.raw_sha256:
        problem = f"{store.files.parsed} is not what was adopted, and neither is raw.txt. Put one of them back."
        raise GenerationError(FailureKind.EDITED, problem)
    return _text_of_raw(specification, store)


def _text_of_raw(specification: Specification, store: GenerationStore) -> str:
    """The parsed text of an adopted raw.txt. Raises GenerationError where it holds none."""
    text = store.read_reply()
    if text is None or not isinstance(specification, CallSpecification):
        problem = f"{store.files.parsed} is missing, and there is no raw.txt to read it from. Put it back."
        raise GenerationError(FailureKind.EDITED, problem)
    nobody = Reply(
        request_sha256="",
        text=text,
        finish_reason="stop",
        refusal=None,
        usage={},
        cost_usd=None,
        served_model=None,
        request_id=None,
        started_at=0.0,
        finished_at=0.0,
    )
    return read_reply(nobody, specification)


def _adopted_record(
    specification: Specification,
    paths: DataPaths,
    found: Metadata,
    parents: Sequence[ParentText],
    parsed_sha256: str,
    raw_sha256: str | None,
) -> Metadata:
    """The record of an adopted generation: its row, the digests of now, and what its own record said of how it went."""
    files = paths.generation(*specification.key)
    moment = files.parsed.stat().st_mtime
    parent_sha256, further_sha256 = digests_of(parents)
    return replace(
        record_of_row(specification, paths),
        template_sha1=found.template_sha1,
        files=Files(
            prompt=str(files.prompt) if files.prompt.exists() else None,
            raw=str(files.raw) if raw_sha256 else None,
            parsed=str(files.parsed),
        ),
        started_at=moment if found.started_at is None else found.started_at,
        finished_at=moment if found.finished_at is None else found.finished_at,
        duration_s=max(0.0, (found.finished_at or moment) - (found.started_at or found.finished_at or moment)),
        adopted=True,
        imported_from=found.imported_from,
        finish_reason=found.finish_reason,
        usage=found.usage,
        served_model=found.served_model,
        score_as_written=found.score_as_written,
        fingerprint=specification.row_fingerprint(),
        parent_sha256=parent_sha256,
        further_sha256=further_sha256,
        raw_sha256=raw_sha256,
        parsed_sha256=parsed_sha256,
    )
