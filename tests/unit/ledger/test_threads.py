"""The first use of a typed record in several threads at once, as where a run finds many stored replies."""

from __future__ import annotations

import pytest
from core_fixtures import python

FIRST_USE = """
import sys
import threading
from pathlib import Path

from daydreaming.base.errors import GenerationError
from daydreaming.ledger.stored_answers import from_file, reply_of

sys.setswitchinterval(1e-6)
content = b'{"request_sha256": "a", "reply": {"text": "t"}, "finished_at": 1.0}'
together = threading.Barrier(8)

def read():
    together.wait()
    try:
        reply_of(Path("a.json"), from_file(Path("a.json"), content, "a"))
    except GenerationError:
        pass

threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("alive")
"""


@pytest.mark.parametrize("number", range(6))
def test_the_first_replies_are_read_by_many_threads_at_once(number: int):
    """msgspec 0.22 ended about every second process so (segmentation fault) before the types were made known to it."""
    with python(FIRST_USE) as process:
        output, _ = process.communicate()
    assert (process.returncode, output) == (0, "alive\n")
