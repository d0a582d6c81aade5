from __future__ import annotations

import os
import time
from pathlib import Path

from daydreaming.base.file_times import bring_back_from_the_future


def test_times_of_the_future_are_brought_back_and_all_others_stay(tmp_path: Path):
    old, ahead = tmp_path / "old", tmp_path / "ahead"
    for path, moment in ((old, 1e9), (ahead, time.time() + 1e6)):
        path.touch()
        os.utime(path, (moment, moment))
    assert bring_back_from_the_future([old, ahead, tmp_path / "not there"]) == [str(ahead)]
    assert old.stat().st_mtime == 1e9
    assert time.time() - 60 < ahead.stat().st_mtime < time.time()
