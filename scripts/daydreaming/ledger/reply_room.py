"""Room on the disk for one answer, reserved before it is paid for; and the way of the answer into the reply store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from daydreaming.base.atomic import sync_folder, write_all
from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.reading import NoReplyError, read_reply
from daydreaming.ledger.received import Prices, Received, Reply, StoredAnswer
from daydreaming.ledger.stored_answers import as_file, values_of

RESERVED_BYTES = 16_384
BYTES_PER_TOKEN = 16


def receipt_path(reply: Path, number: int) -> Path:
    """Where the receipt of that number (from 1 on) is kept, beside the file of its request's reply."""
    return reply.with_name(f"{reply.stem}.{number}.receipt")


class _Receipt(NamedTuple):
    """An answer that was received, where its receipt is, and why the disk refused it, if it did."""

    answer: StoredAnswer
    path: Path
    refused: OSError | None


class ReplyFolders:
    """The folders of a reply store. Makes their names survive a power loss, each once for a process."""

    def __init__(self) -> None:
        self._safe: set[Path] = set()

    def sync(self, folder: Path) -> None:
        """Make the names in a folder, and the folder's own, survive a power loss. Raises OSError."""
        sync_folder(folder)
        for one in (folder, folder.parent):
            if one not in self._safe:
                sync_folder(one.parent)
                self._safe.add(one)


class ReplyRoom:
    """Reserved disk space for one answer: what has been paid for must not fail to be stored."""

    def __init__(self, path: Path, request: ModelRequest, folders: ReplyFolders):
        self.path = path
        self._request = request
        self._folders = folders
        # One process pays for a request at a time (`in_flight`): what a killed one has left is used again.
        self._temporary = path.with_name(f".{path.name}.reserved")
        self._descriptor: int | None = None
        self._is_reserved = False
        self._receipt: _Receipt | None = None

    def reserve(self) -> None:
        """Take the room. Raises OSError when there is none."""
        try:
            self._descriptor = self._open()
        except FileNotFoundError:
            # Its name is made safe with the answer: here, other calls wait.
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = self._open()
        self._is_reserved = True
        request = self._request
        expected = RESERVED_BYTES + BYTES_PER_TOKEN * (request.output_limit or 0) + 3 * request.prompt_bytes
        os.posix_fallocate(self._descriptor, 0, expected)

    def keep(
        self, received: Received, prices: Prices = (None, None), account: Mapping[str, str] | None = None
    ) -> Reply:
        """Store an answer as it was received, then read it, and return the reply that it holds; raises as `read`."""
        self.receive(received, prices, account)
        return self.read()

    def receive(
        self, received: Received, prices: Prices = (None, None), account: Mapping[str, str] | None = None
    ) -> None:
        """Store an answer as it was received: a receipt of its request, which the end of this process leaves whole.

        Nothing has looked at it yet, and nothing waits for the disk. `account` names what the call was for. Where the
        disk refuses it, `read` says so.
        """
        answer = StoredAnswer(
            request_sha256=self._request.sha256,
            request=self._request.content,
            reply=None,
            received=received,
            prices=prices,
            account=account or {},
        )
        receipt, refused = self._next_receipt(), None
        try:
            self._receive(as_file(answer), receipt)
        except OSError as error:
            refused = error
        self._receipt = _Receipt(answer, receipt, refused)

    def read(self) -> Reply:
        """Read the answer that was received, and return the reply that it holds, safe from a power loss by then.

        One that is read as a reply becomes the request's reply; any other stays a receipt.
        Raises NoReplyError when it holds no reply; GenerationError (storage) when the disk takes it nowhere: it is then
        kept in the system's temporary folder.
        """
        assert self._receipt is not None
        answer, receipt, refused = self._receipt
        try:
            reply = read_reply(answer.request_sha256, answer.received, answer.prices)
        except NoReplyError:
            with suppress(OSError):  # nothing was paid for it
                self._secure(receipt)
            raise
        whole = as_file(msgspec.structs.replace(answer, reply=values_of(reply)))
        try:
            if refused is not None:
                raise refused
            if not self._promote(receipt, whole):
                self._secure(receipt)
        except OSError as error:
            with suppress(OSError):
                receipt.unlink(missing_ok=True)
            raise _rescued(self.path, whole, error) from error
        return reply

    def discard(self) -> None:
        """Give the room back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._is_reserved:
            self._temporary.unlink(missing_ok=True)
            self._is_reserved = False

    def _open(self) -> int:
        return os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)

    def _next_receipt(self) -> Path:
        number = 1
        while (path := receipt_path(self.path, number)).exists():
            number += 1
        return path

    def _receive(self, content: bytes, receipt: Path) -> None:
        """Turn the reserved room into a receipt, which the end of this process leaves whole. Raises OSError."""
        descriptor = self._reserved_descriptor()
        write_all(descriptor, content)
        os.ftruncate(descriptor, len(content))
        os.replace(self._temporary, receipt)  # noqa: PTH105  (this runs for every call)
        self._is_reserved = False

    def _secure(self, receipt: Path) -> None:
        """Make a receipt survive a power loss. Raises OSError."""
        os.fsync(self._reserved_descriptor())
        self._folders.sync(receipt.parent)

    def _promote(self, receipt: Path, content: bytes) -> bool:
        """Put the reply in the place of its receipt, for good; False where the disk refuses: the receipt is as good."""
        temporary = self._temporary
        try:
            descriptor = self._open()
            try:
                write_all(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(temporary, self.path)  # noqa: PTH105
            receipt.unlink()
            self._folders.sync(self.path.parent)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            return self.path.exists()
        return True

    def _reserved_descriptor(self) -> int:
        if self._descriptor is None:
            raise OSError("no room is reserved")
        return self._descriptor


def _rescued(path: Path, content: bytes, error: OSError) -> GenerationError:
    """Keep a paid reply that the data folder refuses where it can be fetched from, and say where."""
    folder = Path(tempfile.mkdtemp(prefix="daydreaming-rescued-reply-"))
    (folder / path.name).write_bytes(content)
    return GenerationError(
        FailureKind.STORAGE,
        f"A paid reply could not be stored at {path}: {error}. It was kept as {folder / path.name}: make room, move it "
        f"to {path}, then run again.",
    )
