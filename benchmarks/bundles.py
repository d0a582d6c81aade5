"""Measure packing and opening the bundle of a made-up cohort with prompts, replies and records of usual lengths."""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson

PROJECT = Path(__file__).resolve().parents[1]
TESTS = PROJECT / "tests"
sys.path += [str(TESTS), str(TESTS / "unit")]
GENERATIONS_PER_COMBO = 44
RESULTS = (
    ("aggregate_scores.py", "--max-failed-fraction", "1"),
    ("build_pivot_tables.py",),
    ("write_statistics.py",),
    ("write_report.py",),
    ("write_pages.py",),
)
REPORTS = "data/cohorts/c1/reports"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bundles-") as place:
        folder = Path(place) / "study"
        folder.mkdir()
        generations = _make_cohort(folder, arguments.generations // GENERATIONS_PER_COMBO)
        for program, *options in RESULTS:
            _program(folder, program, *options)
        bundle = Path(place) / "study.zip"
        figures: dict[str, object] = {"load_average": os.getloadavg()[0], "generations": generations}
        figures["folder_mb"] = _megabytes(path for path in folder.rglob("*") if path.is_file())
        figures["pack"] = _program(folder, "bundle.py", "--output", str(bundle))
        figures["bundle_mb"] = _megabytes([bundle])
        figures["parts_mb"] = _parts(bundle)
        opened = Path(place) / "opened"
        figures["open"] = _measured("open_bundle.py", str(bundle), str(opened))
        figures["compare"] = _measured("open_bundle.py", "--check", str(opened), code=1)
    print(json.dumps(figures, indent=2))


def _make_cohort(folder: Path, combos: int) -> int:
    """Write the cohort with prompts, replies and records that are as long as real ones; return its size."""
    from pages_fixtures import make_reading_cohort, prose

    os.chdir(folder)
    study = make_reading_cohort(folder, combos=combos, replicates=1, hostile="")
    dice = random.Random(1)
    rubrics = {template: " ".join(prose(dice, 25)) for template in ("novelty", "soundness", "thread", "ladder")}
    for key, generation in study.membership.generations.items():
        files = study.files(*key)
        parent = study.parent_parsed(*key)
        text = Path(parent).read_text(encoding="utf-8") if parent else " ".join(prose(dice, 30))
        prompt = f"{rubrics.get(generation.template_id, 'Develop this.')}\n\n{text}\n"
        files.prompt.write_text(prompt, encoding="utf-8")
        if files.raw.exists():
            _store_reply(study, key, generation, prompt)
    (folder / "config.yaml").write_text("cohort: c1\nk_max: 3\nmax_failed_fraction: 1\n", encoding="utf-8")
    return len(study.membership.generations)


def _store_reply(study, key, generation, prompt: str) -> None:
    from daydreaming.ledger.model_request import ModelRequest
    from daydreaming.ledger.received import Received, StoredAnswer
    from daydreaming.ledger.stored_answers import as_file

    files, model = study.files(*key), generation.llm_model_id
    messages = ({"role": "user", "content": prompt},)
    request = ModelRequest("https://models.example/v1", model, messages, 0.7, 2000, replicate=generation.replicate)
    usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": 700, "total_tokens": len(prompt) // 4 + 700}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": files.raw.read_text()}}
    body = {"id": f"gen-{key[1]}", "object": "chat.completion", "model": model, "choices": [choice], "usage": usage}
    answer = StoredAnswer(
        request_sha256=request.sha256,
        request=request.content,
        reply={"text": files.raw.read_text(), "finish_reason": "stop", "usage": usage, "cost_usd": 0.0021},
        received=Received.of(orjson.dumps(body), headers={"content-type": "application/json"}),
        account={"stage": key[0], "gen_id": key[1], "cohort_id": "c1", "endpoint": "models"},
    )
    path = study.paths.reply(request.sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_file(answer))
    record = json.loads(files.metadata.read_text())
    # As many keys as a record has, most of them alike.
    more = {f"key_{number}": f"value {number} of {model}" for number in range(45)}
    record |= {"request_sha256": request.sha256, "usage": usage, **more}
    files.metadata.write_text(json.dumps(record, indent=2))


def _program(folder: Path, program: str, *options: str) -> dict[str, float]:
    scores = ("--parsed-scores", f"{REPORTS}/parsed_scores.csv") if program == "build_pivot_tables.py" else ()
    output = ("--output", f"{REPORTS}/parsed_scores.csv") if program == "aggregate_scores.py" else ()
    directory = () if scores else ("--directory", str(folder))
    return _measured(program, *directory, *scores, *output, *options, folder=folder)


def _measured(program: str, *options: str, folder: Path | None = None, code: int = 0) -> dict[str, float]:
    """Seconds on the clock and of the processors, and the most memory of one process so far, in megabytes."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, str(PROJECT / "scripts" / program), *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != code:
        raise SystemExit(f"{program} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - started
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "memory_mb": after.ru_maxrss // 1024,
    }


def _megabytes(paths) -> float:
    return round(sum(path.stat().st_size for path in paths) / 1e6, 1)


def _parts(bundle: Path) -> dict[str, float]:
    """Packed megabytes of the texts, of the pages, and of the rest."""
    from zipfile import ZipFile

    parts = {"generations": 0, "pages": 0, "rest": 0}
    with ZipFile(bundle) as zipped:
        for entry in zipped.infolist():
            kind = "generations" if entry.filename == "generations.jsonl" else "rest"
            parts["pages" if "/reports/read/" in entry.filename else kind] += entry.compress_size
    return {name: round(size / 1e6, 1) for name, size in parts.items()}


if __name__ == "__main__":
    main()
