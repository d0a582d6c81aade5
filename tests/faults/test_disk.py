"""Disks that are full or refuse to be written: no call is made whose reply could not be stored."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fault_study import FaultStudy, failures

from provider import Answer, Provider, Rule

MEGABYTE = 1_000_000


@pytest.fixture
def mount() -> Iterator[Callable[..., None]]:
    """Mounts a file system for the time of a test; skips the test where that is not allowed."""
    mounted: list[Path] = []

    def mount(folder: Path, *options: str) -> None:
        done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"needs the right to mount: {done.stderr.strip()}")
        mounted.append(folder)

    yield mount
    for folder in reversed(mounted):
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path, mount: Callable[..., None]) -> Path:
    """A folder whose `data` is a disk of 4 MB."""
    (tmp_path / "data").mkdir()
    mount(tmp_path / "data", "-t", "tmpfs", "-o", "size=4m", "tmpfs")
    return tmp_path


def fill(folder: Path, leave: int) -> Path:
    """Fill the disk of a folder but for so many bytes."""
    filler = folder / "filler"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    with filler.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, free - leave)
    return filler


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no process that is started in this block write a file larger than `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_disk_full_while_writing(small_disk: Path, provider: Provider, survived: Callable[..., None]) -> None:
    study = FaultStudy.with_chains(small_disk, provider, chains=20)
    filler = fill(study.data, leave=200_000)

    full = study.run(code=1)
    stored_when_full = len(study.stored_calls())
    filler.unlink()
    rerun = study.run()

    survived("disk full while writing", study, full)
    assert {message.split("]")[0] for message in failures(full.output)} == {"[storage"}, full.output
    assert len(full.calls) == stored_when_full > 0, "each call that was made had room for its reply"
    assert len(full.calls) + len(rerun.calls) == 40
    assert len(study.parsed_texts()) == 60


def test_disk_full_from_the_first_call(small_disk: Path, provider: Provider, survived: Callable[..., None]) -> None:
    study = FaultStudy.with_chains(small_disk, provider)
    fill(study.data, leave=0)

    run = study.run(code=1)

    survived("disk full from the start", study, run)
    assert len(run.calls) == 0
    assert "No space left on device" in run.output


def test_a_paid_reply_that_is_larger_than_the_disk_is_kept_elsewhere(
    small_disk: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    other_disk = small_disk / "temporary files"
    other_disk.mkdir()
    provider.script([Rule("large", Answer(pad_content_to=5 * MEGABYTE, usage={"completion_tokens": 100}), times=1)])
    study = FaultStudy.with_chains(small_disk, provider, chains=1)

    run = study.run("drafts", code=1, env={"TMPDIR": str(other_disk)})
    (kept,) = other_disk.glob("daydreaming-rescued-reply-*/*.json")
    subprocess.run(["mount", "-o", "remount,size=40m", str(study.data)], check=True)
    place = study.paths.reply(kept.stem)
    place.write_bytes(kept.read_bytes())
    rerun = study.run("drafts")

    survived("paid reply larger than the disk", study, run)
    (message,) = failures(run.output)
    assert str(kept) in message
    assert str(place.relative_to(small_disk)) in message
    assert len(rerun.calls) == 0
    assert len(study.parsed_texts()) == 1


def test_a_file_system_that_refuses_large_files(
    tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    study = FaultStudy.with_chains(tmp_path, provider)
    # The room for a reply to so many tokens (16 bytes each) is over the limit; all other files of a run are below it.
    study.configure(stages={"draft": {"max_tokens": 500_000}})

    with largest_file(4 * MEGABYTE):
        refused = study.run(code=1)
    study.run()

    survived("file system that refuses a reply's file", study, refused)
    assert len(refused.calls) == 0
    assert [message.startswith("[storage] No call was made") for message in failures(refused.output)] == [True] * 3
    assert len(study.parsed_texts()) == 9


def test_a_read_only_data_folder(
    tmp_path: Path, provider: Provider, mount: Callable[..., None], survived: Callable[..., None]
) -> None:
    study = FaultStudy.with_chains(tmp_path, provider)
    for folder in [study.data, *study.data.iterdir()]:
        folder.chmod(0o555)
    if os.access(study.data, os.W_OK):  # root may write whatever the mode says
        mount(study.data, "--bind", str(study.data))
        subprocess.run(["mount", "-o", "remount,ro,bind", str(study.data)], check=True)

    run = study.run(code=1)

    what = next(line for line in run.output.splitlines() if "Read-only file system" in line or "denied" in line)
    survived("read-only data folder", study, run, seen=f"exit code 1: {what}")
    assert len(run.calls) == 0
    assert "Traceback" not in run.output
