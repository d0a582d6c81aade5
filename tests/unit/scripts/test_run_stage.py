from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from inputs_fixtures import RAW, make_project, settings_with, write
from provider_fixtures import wait_until

from daydreaming.cli.command_line import PROJECT
from daydreaming.cohort.membership import read_generations
from daydreaming.cohort.writer import build_cohort
from provider import Provider, faults
from run_stage import main

SCRIPT = PROJECT / "scripts" / "run_stage.py"
HELP = """
import runpy, sys
sys.argv = ["run_stage.py", "--help"]
try:
    runpy.run_path({script!r}, run_name="__main__")
except SystemExit:
    print(sorted({{"pandas", "openai", "snakemake", "matplotlib", "jsonschema"}} & set(sys.modules)))
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: Provider) -> Path:
    """A project with a built cohort, which is not the current folder."""
    folder = tmp_path / "my project"
    folder.mkdir()
    make_project(folder, monkeypatch)
    write(
        RAW / "generation_templates/draft/plain.txt",
        "Put it in <essay>.{% for c in concepts %} {{ c.name }}{% endfor %}",
    )
    endpoints = f"default_endpoint: mine\nendpoints: {{mine: {{base_url: '{provider.base_url}', max_retries: 0}}}}\n"
    write("config.yaml", f"cohort: c\n{endpoints}")
    build_cohort(settings_with(cohort="c"))
    monkeypatch.chdir(tmp_path)
    return folder


def gen_id(project: Path, stage: str, template_id: str) -> str:
    rows = read_generations(project / "data/cohorts/c/membership.csv")
    return next(row.gen_id for row in rows if (row.stage, row.template_id) == (stage, template_id))


def run(project: Path, stage: str, name: str, *options: str) -> int:
    return main(["--directory", str(project), "--stage", stage, "--gen-id", name, *options])


def test_makes_a_generation_and_says_where_it_is(project: Path, provider: Provider, capsys: pytest.CaptureFixture[str]):
    draft = gen_id(project, "draft", "plain")
    folder = Path("data/gens/draft") / draft
    assert run(project, "draft", draft, "--render-only") == 0
    assert capsys.readouterr().out == f"rendered: {folder}/prompt.txt\n"
    assert provider.calls == 0
    assert run(project, "draft", draft) == 0
    assert capsys.readouterr().out == f"made from a new call: {folder}\n"
    assert run(project, "draft", draft) == 0
    assert capsys.readouterr().out == f"kept, it matches: {folder}\n"
    assert run(project, "draft", draft, "--overwrite", "--offline") == 0
    assert capsys.readouterr().out == f"made from a stored reply: {folder}\n"
    assert provider.calls == 1
    copied = next(row for row in read_generations(Path("data/cohorts/c/membership.csv")) if row.parent_gen_id == draft)
    assert copied.template_id == "pass"
    assert run(project, "essay", copied.gen_id) == 0
    assert capsys.readouterr().out == f"made copied: data/gens/essay/{copied.gen_id}\n"
    assert (Path("data/gens/essay") / copied.gen_id / "parsed.txt").read_text() == (folder / "parsed.txt").read_text()


def test_a_failure_is_told_in_one_line_and_by_the_exit_code(
    project: Path, provider: Provider, capsys: pytest.CaptureFixture[str]
):
    provider.script([faults.fault_status(401)])
    draft = gen_id(project, "draft", "plain")
    assert run(project, "draft", draft) == 1
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert line.startswith(f"draft {draft} failed, [api] The endpoint answered with status 401")
    assert run(project, "draft", draft, "--offline") == 1
    assert "[offline]" in capsys.readouterr().err
    assert run(project, "essay", gen_id(project, "essay", "write")) == 1
    assert "[parent]" in capsys.readouterr().err


def test_faults_of_the_inputs_are_told(project: Path, capsys: pytest.CaptureFixture[str]):
    assert run(project, "draft", "nobody") == 1
    assert "nobody" in capsys.readouterr().err
    assert run(project, "esay", "nobody") == 1
    assert "Did you mean 'essay'?" in capsys.readouterr().err
    assert run(project, "draft", "nobody", "--config", "k_max=0", "chort=a") == 1
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize("options", [["--gen-id", "a"], ["--stage", "draft"]])
def test_wrong_usage_is_exit_code_2(options: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main(options)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_needs_none_of_the_heavy_packages():
    code = HELP.format(script=str(SCRIPT))
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    assert "--render-only" in output
    assert output.splitlines()[-1] == "[]"


def start(project: Path, name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, SCRIPT, "--directory", project, "--stage", "draft", "--gen-id", name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_processes_that_ask_the_same_pay_once(project: Path, provider: Provider):
    provider.script([faults.reply_slowly(2)])
    processes = [start(project, gen_id(project, "draft", "plain")) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert all(output.startswith(b"made ") for output in outputs)
    assert provider.calls == 1


def test_ctrl_c_keeps_the_reply_of_the_call_in_flight(project: Path, provider: Provider):
    provider.script([faults.reply_held()])
    draft = gen_id(project, "draft", "plain")
    process = start(project, draft)
    wait_until(lambda: provider.calls == 1)
    os.kill(process.pid, signal.SIGINT)
    provider.release()
    process.communicate(timeout=120)
    assert process.returncode != 0
    assert run(project, "draft", draft) == 0
    assert provider.calls == 1
