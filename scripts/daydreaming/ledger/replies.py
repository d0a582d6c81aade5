"""The store of paid replies: one file for each request, written once, before anything interprets the reply."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from daydreaming.base.atomic import sync_folder, write_all, write_bytes
from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.base.locks import RangeLocks
from daydreaming.base.paths import DataPaths
from daydreaming.ledger.model_request import ModelRequest

RESERVED_BYTES = 16_384
BYTES_PER_TOKEN = 16
PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


@dataclass(frozen=True)
class Reply:
    """A reply as it was received, and what accounts need of it. Times are Unix seconds, costs US dollars."""

    request_sha256: str
    text: str | None
    finish_reason: str | None
    refusal: str | None
    usage: Mapping[str, int]
    cost_usd: float | None
    served_model: str | None
    request_id: str | None
    started_at: float
    finished_at: float
    malformed: str | None = None


class ReplyStore:
    """`data/replies/<2 hex>/<request_sha256>.json`. Nothing in it is ever changed or deleted by the workflow."""

    def __init__(self, paths: DataPaths):
        self._paths = paths
        self._locks = RangeLocks(paths.replies / ".in_flight.lock")

    def load(self, request_sha256: str) -> Reply | None:
        """Return the stored reply to a request, None if there is none.

        Raises GenerationError (storage) for a file that cannot be read: it was paid for, so it is never overwritten.
        """
        path = self._paths.reply(request_sha256)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise GenerationError(FailureKind.STORAGE, f"{path} cannot be read: {error}.") from error
        try:
            stored = orjson.loads(content)
            if stored["request_sha256"] != request_sha256:
                raise ValueError(f"it is the reply to the request {stored['request_sha256']}")
            return Reply(request_sha256=request_sha256, **stored["reply"])
        except (ValueError, KeyError, TypeError) as error:
            cure = "Repair it, or move it away to pay for the request again."
            raise GenerationError(FailureKind.STORAGE, f"{path} is not a stored reply ({error}). {cure}") from error

    def room_for(self, request: ModelRequest) -> ReplyRoom:
        """Reserve room on the disk for the reply to a request before it is paid for; the caller discards it at last.

        Raises GenerationError (storage) when the disk has no room or refuses: then nothing may be sent.
        """
        room = ReplyRoom(self._paths.reply(request.sha256), request)
        try:
            room.reserve()
        except OSError as error:
            room.discard()
            raise GenerationError(
                FailureKind.STORAGE, f"No call was made: its reply could not be stored in {room.path.parent}: {error}."
            ) from error
        return room

    def adopt(self, reply: Reply, source: str) -> None:
        """Store a reply that is known from a generation's files alone, unless the reply as it was received is there.

        Raises OSError when the disk refuses.
        """
        if self.exists(reply.request_sha256):
            return
        content = {
            "request_sha256": reply.request_sha256,
            "request": None,
            "reply": _values(reply),
            "received": {"adopted_from": source},
        }
        write_bytes(self._paths.reply(reply.request_sha256), orjson.dumps(content, option=PRETTY))

    def exists(self, request_sha256: str) -> bool:
        """Whether the reply to a request is in the store."""
        return self._paths.reply(request_sha256).exists()

    @asynccontextmanager
    async def in_flight(self, request_sha256: str) -> AsyncIterator[None]:
        """Be the only one, of all tasks and processes, that pays for a request; wait for another one that does."""
        # 60 bits of the name: two requests that share them would wait for each other, and nothing worse.
        async with self._locks.hold(int(request_sha256[:15], 16), until=lambda: self.exists(request_sha256)):
            yield

    def close(self) -> None:
        """Give back all locks."""
        self._locks.close()

    def path(self, request_sha256: str) -> Path:
        """Where the reply to a request is stored."""
        return self._paths.reply(request_sha256)


class ReplyRoom:
    """Reserved disk space for one reply: what has been paid for must not fail to be stored."""

    def __init__(self, path: Path, request: ModelRequest):
        self.path = path
        self._request = request
        # One process pays for a request at a time (`in_flight`): what a killed one has left is used again.
        self._temporary = path.with_name(f".{path.name}.reserved")
        self._descriptor: int | None = None

    def reserve(self) -> None:
        """Take the room. Raises OSError when there is none."""
        try:
            self._descriptor = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            sync_folder(self.path.parent.parent)
            self._descriptor = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        expected = RESERVED_BYTES + BYTES_PER_TOKEN * (self._request.max_tokens or 0) + 3 * self._request.prompt_bytes
        os.posix_fallocate(self._descriptor, 0, expected)

    def save(self, reply: Reply, received: bytes, **account: Any) -> None:
        """Store a reply once and for good, with the bytes of the answer as they came.

        `account` names what the call was for (stage, gen_id, cohort_id, endpoint). Raises GenerationError (storage)
        when even the reserved room is not enough; the reply is then kept in the system's temporary folder.
        """
        content = orjson.dumps(
            {
                "request_sha256": self._request.sha256,
                "request": self._request.content,
                "reply": _values(reply),
                "received": _as_json_text(received),
                **account,
            },
            option=PRETTY,
        )
        try:
            write_all(self._descriptor, content)
            os.ftruncate(self._descriptor, len(content))
            os.fsync(self._descriptor)
            os.replace(self._temporary, self.path)  # noqa: PTH105  (this runs for every call)
            os.close(self._descriptor)
            self._descriptor = None
            sync_folder(self.path.parent)
        except OSError as error:
            raise _rescued(self.path, content, error) from error

    def discard(self) -> None:
        """Give the room back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._temporary.unlink(missing_ok=True)


def _rescued(path: Path, content: bytes, error: OSError) -> GenerationError:
    """Keep a paid reply that the data folder refuses where it can be fetched from, and say where."""
    folder = Path(tempfile.mkdtemp(prefix="daydreaming-rescued-reply-"))
    (folder / path.name).write_bytes(content)
    return GenerationError(
        FailureKind.STORAGE,
        f"A paid reply could not be stored at {path}: {error}. It was kept as {folder / path.name}: make room, move it "
        f"to {path}, then run again.",
    )


def _values(reply: Reply) -> dict[str, Any]:
    return {name: getattr(reply, name) for name in Reply.__dataclass_fields__ if name != "request_sha256"}


def _as_json_text(received: bytes) -> dict[str, str]:
    try:
        return {"body": received.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(received).decode("ascii")}
