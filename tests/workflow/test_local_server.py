"""A run starts the server that its endpoint names, whoever makes its generations, and leaves none behind."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from provider_fixtures import has_ended, wait_until

from daydreaming.inputs.records import Generation
from studies import Study

SERVER = Path(__file__).parents[1] / "unit" / "small_server.py"


def test_the_jobs_of_a_run_share_a_server_that_ends_with_it(make_study):
    start = shlex.join([sys.executable, "-S", "-E", str(SERVER), "{port}"])
    study = make_study(evaluations=("novelty", "soundness"))
    study.configure(endpoints={"local": {"base_url": None, "start": start}})

    assert study.run("-j2", "drafts").outcomes == {"draft thread: made": 1}
    wait_until(lambda: has_ended(server_of(study, study.row("draft"))))
    # Each job a process of its own.
    assert study.run("-j2", "--executor", "local").outcomes == {
        "essay copied: copied": 1,
        "evaluation novelty: made": 1,
        "evaluation soundness: made": 1,
    }
    (log,) = (study.folder / "logs" / "servers").glob("local-*.log")
    assert log.read_text().count(str(SERVER)) == 2
    (server,) = {server_of(study, row) for row in study.rows("evaluation")}
    draft = study.metadata(study.row("draft"))
    assert draft["answerer"] == f"local:{start}"
    wait_until(lambda: has_ended(server))


def server_of(study: Study, row: Generation) -> int:
    """The process that has answered a generation's call."""
    return int(study.files(row).raw.read_text().split()[0])
