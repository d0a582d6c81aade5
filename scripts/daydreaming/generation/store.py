"""The generations store: the four files of a generation. The only place where a model's text is replaced or deleted."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from daydreaming.base.atomic import encoded, write_bytes, write_text
from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.base.temporary_files import SUFFIX, remove_abandoned_files
from daydreaming.generation.adopted_texts import AdoptedTexts
from daydreaming.generation.specification import Key
from daydreaming.ledger.metadata import Metadata, Origin, encode_metadata, read_metadata
from daydreaming.ledger.received import Reply
from daydreaming.ledger.replies import ReplyStore

PARSE_REPORT_MARKER = (
    "\n===== daydreaming: the reply ends above this line; below is the report of what is wrong with it =====\n"
)


class GenerationStore:
    """Writes and reads `data/gens/<stage>/<gen_id>/`. Every write is atomic."""

    def __init__(self, paths: DataPaths, key: Key, replies: ReplyStore):
        self.files = paths.generation(*key)
        self.adopted = AdoptedTexts(paths, key)
        self._replies = replies

    def write_prompt(self, text: str) -> None:
        """Write prompt.txt."""
        write_text(self.files.prompt, text, durable=False)

    def replace(self, metadata: Metadata, *, raw: str | None, parsed: str | None, keep_raw: bool = False) -> None:
        """Write metadata.json, raw.txt and parsed.txt; a text of None is not there afterwards, but for a kept raw.txt.

        What a model wrote and is not safe among the replies is stored there first. parsed.txt goes first and comes
        last: where it is, all the rest is. The same text stays: a run of another cohort, which shares this generation,
        may have written it just now and be reading it. Raises OSError when the disk refuses, before any text is touched
        if it refuses to store what is there.
        """
        names = self._names()
        had_raw, had_parsed = self.files.raw.name in names, self.files.parsed.name in names
        if had_raw or had_parsed:
            self.secure()
        if any(name.endswith(SUFFIX) for name in names):
            remove_abandoned_files(self.files.folder)
        stays = had_parsed and parsed is not None and self._has(self.files.parsed, parsed)
        if had_parsed and not stays:
            self.files.parsed.unlink(missing_ok=True)
        write_bytes(self.files.metadata, encode_metadata(metadata), durable=False)
        if raw is None and had_raw and not keep_raw:
            self.files.raw.unlink(missing_ok=True)
        elif raw is not None and not keep_raw and not (had_raw and self._has(self.files.raw, raw)):
            write_text(self.files.raw, raw, durable=False)
        if parsed is not None and not stays:
            self._write_parsed(parsed)

    def write_record(self, metadata: Metadata) -> None:
        """Write metadata.json over texts that stay as they are, which are stored first if they are not safe yet."""
        self.secure()
        write_bytes(self.files.metadata, encode_metadata(metadata), durable=False)

    def restore_parsed(self, text: str) -> None:
        """Write parsed.txt again as it was; what lies there instead is stored first. Raises OSError."""
        self.secure()
        if not self._has(self.files.parsed, text):
            self._write_parsed(text)

    def raw_sha256(self) -> str | None:
        """The SHA-256 of raw.txt as it is; None if there is none."""
        raw = _content(self.files.raw)
        return None if raw is None else _digest(raw)

    def secure(self) -> None:
        """Store what a model wrote, as far as it is not safe among the replies. Raises OSError."""
        raw, parsed = _content(self.files.raw), _content(self.files.parsed)
        if raw is None and parsed is None:
            return
        reading = read_metadata(self.files.metadata)
        record = reading.metadata
        if reading.origin is not Origin.OURS or record.adopted:
            self.adopted.keep(self.files)
            return
        reply_is_safe = self._reply_is_safe(record)
        raw_is_safe = raw is None or _digest(raw) == record.raw_sha256
        # A report of a failed call is no model's text; a copy has the text of its parent.
        is_a_view = reply_is_safe or record.request_sha256 is None or (record.usage is None and parsed is None)
        parsed_is_safe = parsed is None or _digest(parsed) == record.parsed_sha256
        if not (raw_is_safe and is_a_view and parsed_is_safe):
            self.adopted.keep(self.files)

    def _reply_is_safe(self, record: Metadata) -> bool:
        """Whether the reply that raw.txt is a view of is stored; if it is only there, it is stored now."""
        if record.request_sha256 is None or record.usage is None:
            return False
        try:
            if self._replies.load(record.request_sha256) is not None:
                return True
        except GenerationError:
            return False  # the stored file is damaged or was edited: raw.txt may be all that is left
        reply = self.kept_reply(record.request_sha256)
        if reply is None:
            return False
        self._replies.adopt(reply, source=str(self.files.raw))
        return True

    def read_reply(self) -> str | None:
        """The reply in raw.txt, without a report below it; None if there is no raw.txt.

        Raises GenerationError (edited) for a raw.txt that is not UTF-8.
        """
        try:
            text = self.files.raw.read_bytes().decode("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            problem = f"{self.files.raw} is not UTF-8 text ({error.reason}). Move it away, or save it as UTF-8."
            raise GenerationError(FailureKind.EDITED, problem) from error
        # Only a parse error leaves a report: a model may quote the marker.
        reading = read_metadata(self.files.metadata)
        has_report = reading.origin in (Origin.NONE, Origin.DAMAGED) or reading.metadata.error == FailureKind.PARSE
        return text.rsplit(PARSE_REPORT_MARKER, 1)[0] if has_report else text

    def kept_reply(self, request_sha256: str) -> Reply | None:
        """The reply to a request that raw.txt holds, with what metadata.json says of it; None if it is none."""
        reading = read_metadata(self.files.metadata)
        record, raw = reading.metadata, _content(self.files.raw)
        if reading.origin is not Origin.OURS or record.adopted or raw is None:
            return None
        if record.request_sha256 != request_sha256 or record.usage is None:
            return None
        if record.raw_sha256 is not None and _digest(raw) != record.raw_sha256:
            return None
        try:
            text = self.read_reply()
        except GenerationError:
            return None
        return Reply(
            request_sha256=request_sha256,
            text=text,
            finish_reason=record.finish_reason,
            refusal=record.error_message if record.error == FailureKind.REFUSED else None,
            usage=record.usage,
            cost_usd=record.cost_usd,
            served_model=record.served_model,
            request_id=record.request_id,
            started_at=record.started_at or 0.0,
            finished_at=record.finished_at or 0.0,
            malformed=record.error_message if record.error == FailureKind.MALFORMED else None,
        )

    def _write_parsed(self, text: str) -> None:
        write_text(self.files.parsed, text, durable=False)

    def _names(self) -> list[str]:
        """What is in the folder. Asked once: each file that is not there would cost a question of its own."""
        try:
            return os.listdir(self.files.folder)  # noqa: PTH208  (this runs for every generation)
        except (FileNotFoundError, NotADirectoryError):
            return []

    @staticmethod
    def _has(path: Path, text: str) -> bool:
        return _content(path) == encoded(text)


def text_sha256(text: str) -> str:
    """The SHA-256 of a text as it is written."""
    return _digest(encoded(text))


def with_report(reply: str, report: str) -> str:
    """A reply and, below a marker line, the report of what is wrong with it: the raw.txt of a parse error."""
    return f"{reply}{PARSE_REPORT_MARKER}{report}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
