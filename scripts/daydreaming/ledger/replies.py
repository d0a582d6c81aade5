"""The store of paid replies: one file for each request, written once, before anything interprets the reply.

Beside the reply to a request lie the receipts of what else was answered to it: pages of a portal, errors inside a 200.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from pathlib import Path

from daydreaming.base.atomic import write_bytes
from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.base.locks import RangeLocks
from daydreaming.base.paths import DataPaths
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.reading import NoReplyError, read_reply, too_large
from daydreaming.ledger.received import Received, Reply, StoredAnswer
from daydreaming.ledger.reply_room import ReplyFolders, ReplyRoom, receipt_path
from daydreaming.ledger.stored_answers import as_file, from_file, reply_of, values_of


class ReplyStore:
    """`data/replies/<2 hex>/<request_sha256>.json`, and receipts as `<request_sha256>.<number>.receipt` beside it.

    Nothing in it is ever changed by the workflow. A receipt goes when its reply is stored, which holds all of it.
    """

    def __init__(self, paths: DataPaths):
        self._paths = paths
        # Nothing is moved to the archive while a process makes generations. Most studies have none to look into.
        self._has_archive = paths.archived(paths.replies).is_dir()
        self._folders = ReplyFolders()
        self._locks = RangeLocks(paths.replies / ".in_flight.lock")

    def load(self, request_sha256: str, max_reply_bytes: int | None = None) -> Reply | None:
        """Return the reply to a request, from its file or from a receipt that holds one; None if there is none.

        One that was moved to the archive is found there: it was paid for all the same.

        Raises GenerationError for a file that cannot be used: it was paid for, so it is never overwritten, nor called
        for again. `edited`: it was changed after it was stored; `storage`: it cannot be read, or is no stored answer;
        `malformed`: there is no reply, for the answer was larger than `max_reply_bytes` (None: that is not asked).
        """
        for path in self._places(request_sha256):
            content = _content(path)
            if content is not None:
                return reply_of(path, from_file(path, content, request_sha256))
        largest = 0
        for answer in self._receipts(request_sha256):
            with suppress(NoReplyError):
                return read_reply(request_sha256, answer.received, answer.prices)
            largest = max(largest, answer.received.larger_than or 0)
        if max_reply_bytes is not None and largest >= max_reply_bytes:
            raise GenerationError(FailureKind.MALFORMED, too_large(largest))
        return None

    def _receipts(self, request_sha256: str) -> Iterator[StoredAnswer]:
        """What was answered to a request besides its reply: oldest first, archived ones last. Raises as `load`."""
        for reply in self._places(request_sha256):
            for number in count(1):
                path = receipt_path(reply, number)
                content = _content(path)
                if content is None:
                    break
                # A power loss in the moment in which it came leaves an empty file, and nothing to read.
                if content.strip(b"\0"):
                    yield from_file(path, content, request_sha256)

    def cost_usd(self, request_sha256: str) -> float | None:
        """What the stored reply to a request cost (US dollars); None without one, or where its file tells no cost."""
        try:
            reply = self.load(request_sha256)
        except GenerationError:
            return None
        return None if reply is None else reply.cost_usd

    def room_for(self, request: ModelRequest) -> ReplyRoom:
        """Reserve room on the disk for the reply to a request before it is paid for; the caller discards it at last.

        Raises GenerationError (storage) when the disk has no room or refuses: then nothing may be sent.
        """
        room = ReplyRoom(self._paths.reply(request.sha256), request, self._folders)
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
        answer = StoredAnswer(
            request_sha256=reply.request_sha256,
            request=None,
            reply=values_of(reply),
            received=Received(adopted_from=source, started_at=reply.started_at, finished_at=reply.finished_at),
        )
        write_bytes(self._paths.reply(reply.request_sha256), as_file(answer))

    def exists(self, request_sha256: str) -> bool:
        """Whether the reply to a request is in the store, in whatever state its file is."""
        places = self._places(request_sha256)
        if any(path.exists() for path in places):
            return True
        if not any(receipt_path(path, 1).exists() for path in places):
            return False
        try:
            return self.load(request_sha256) is not None
        except GenerationError:
            return True

    def has_answers(self, request_sha256: str) -> bool:
        """Whether anything was answered to a request: a reply, or what is none. Looks at names alone."""
        places = self._places(request_sha256)
        return any(path.exists() or receipt_path(path, 1).exists() for path in places)

    @asynccontextmanager
    async def in_flight(self, request_sha256: str) -> AsyncIterator[None]:
        """Be the only one, of all tasks and processes, that pays for a request; wait for another one that does."""
        # 60 bits of the name: two requests that share them would wait for each other, and nothing worse.
        async with self._locks.hold(int(request_sha256[:15], 16), until=lambda: self.exists(request_sha256)):
            yield

    @contextmanager
    def claimed(self, names: Iterable[str]) -> Iterator[set[str]]:
        """Hold requests as `in_flight` does, without waiting: yields those that nobody else pays for now."""
        numbers = {name: int(name[:15], 16) for name in names}
        taken = {name for name, number in numbers.items() if self._locks.try_acquire(number)}
        try:
            yield taken
        finally:
            for name in taken:
                self._locks.release(numbers[name])

    def close(self) -> None:
        """Give back all locks."""
        self._locks.close()

    def _places(self, request_sha256: str) -> tuple[Path, ...]:
        """Where the reply to a request may lie, its receipts beside it."""
        home = self._paths.reply(request_sha256)
        return (home, self._paths.archived(home)) if self._has_archive else (home,)

    def path(self, request_sha256: str) -> Path:
        """Where the reply to a request is stored."""
        return self._paths.reply(request_sha256)


def _content(path: Path) -> bytes | None:
    """The bytes of a file; None if there is none. Raises GenerationError (storage)."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GenerationError(FailureKind.STORAGE, f"{path} cannot be read: {error}.") from error
