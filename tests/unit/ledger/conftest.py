"""What the tests of this room share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daydreaming.base.paths import DataPaths
from daydreaming.ledger.replies import ReplyStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReplyStore]:
    replies = ReplyStore(DataPaths(tmp_path / "data"))
    yield replies
    replies.close()
