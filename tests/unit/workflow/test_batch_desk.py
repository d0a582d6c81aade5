"""What a start does with batches: what it sends, what it holds back, and what a changed study makes of what waits."""

from dataclasses import replace
from itertools import pairwise

import pytest
from plan_fixtures import PlannedStudy

from daydreaming.base.errors import InputError
from daydreaming.ledger.batch_records import BatchRecords
from daydreaming.workflow.batch_desk import BatchDesk
from daydreaming.workflow.batch_graph import uses_batches
from provider import Provider
from provider.batch_faults import BatchFault
from provider.faults import fault_refused, fault_status, reply_content
from studies import Choice
from studies import Study as Folder

TWO = Choice(combos=(("sleep", "tides"), ("sleep", "maps")), config={"batch": True})
ALL = ""


@pytest.fixture(scope="module")
def server():
    with Provider(api_key="none") as started:
        yield started


@pytest.fixture
def folder(server, tmp_path, monkeypatch):
    server.batch_faults()
    server.script([])
    # What another test has left waiting must not take answers from this one.
    server.go_on()
    server.go_on("vanish")
    server.forget_bought()
    server.reset_ledger()
    made = Folder.create(tmp_path / "study", server, TWO)
    made.build()
    monkeypatch.chdir(made.folder)
    return made


class Starts:
    """Starts of a run, as Snakemake has them: batches first, then what can be made, in this process."""

    def __init__(self, folder):
        self._folder = folder
        self.told = []

    def desk(self, run_id="run", **config):
        return BatchDesk(PlannedStudy(self._folder).loaded(**config), run_id, self.told.append)

    def start(self, run_id="run", **config):
        standing = self.desk(run_id, **config).work(ALL)
        PlannedStudy(self._folder).run(**config)
        return standing

    def look(self, **config):
        return self.desk("another", **config).look(ALL)


@pytest.fixture
def starts(folder):
    return Starts(folder)


def waiting(folder):
    return set(BatchRecords(folder.paths).waiting(fresh=True))


def bought(server):
    return server.batches()["bought"]


def test_a_template_that_changes_while_a_batch_waits_is_asked_for_anew(folder, server, starts):
    starts.start()
    before = waiting(folder)
    folder.edit("1_raw/generation_templates/draft/thread.txt", "draft thread", "draft thread, in other words")
    assert starts.start().waiting == 2
    assert len(waiting(folder) - before) == 2
    server.go_on()
    starts.start()
    # The answers to what is no longer asked are kept, and are in no text.
    assert all((folder.paths.replies / name[:2] / f"{name}.json").exists() for name in before)
    made_from = {folder.metadata(row)["request_sha256"] for row in folder.rows("draft")}
    assert len(made_from - before) == 2
    folder.edit("1_raw/generation_templates/draft/thread.txt", "draft thread, in other words", "draft thread")
    sent = server.batches()["operations"]["create"]
    starts.start()
    assert {folder.metadata(row)["request_sha256"] for row in folder.rows("draft")} == before
    assert set(bought(server).values()) == {1}
    assert server.batches()["operations"]["create"] == sent + 1  # the evaluations of these drafts


def test_a_template_that_is_changed_back_while_a_batch_waits_is_sent_once(folder, server, starts):
    starts.start()
    folder.edit("1_raw/generation_templates/draft/thread.txt", "draft thread", "draft thread, in other words")
    folder.edit("1_raw/generation_templates/draft/thread.txt", "draft thread, in other words", "draft thread")
    standing = starts.start()
    assert (standing.waiting, len(standing.ready)) == (2, 0)
    assert server.batches()["operations"]["create"] == len(server.batches()["batches"])
    assert server.calls == 0


def test_nothing_that_waits_is_bought_by_single_calls(folder, server, starts):
    starts.start()
    PlannedStudy(folder).run(batch=False)
    assert server.calls == 0
    server.go_on()
    starts.start()
    PlannedStudy(folder).run(batch=False)
    # The drafts came by batch; the evaluations wait in the next one.
    assert server.calls == 0


def test_what_is_collected_while_a_single_call_begins_is_not_bought_again(folder, server, starts, monkeypatch):
    starts.start()
    server.go_on()
    check = BatchRecords.check_is_not_waiting

    def collected_before(self, request_sha256):
        starts.desk("another").cancel()
        check(self, request_sha256)

    monkeypatch.setattr(BatchRecords, "check_is_not_waiting", collected_before)
    PlannedStudy(folder).run(batch=False)
    assert server.calls == len(folder.rows("evaluation"))
    assert set(bought(server).values()) == {1}


def test_useless_answers_hold_back_the_attempts_that_would_follow(folder, server, starts):
    config = {"retry_replies": {"refused": 3}, "stop_after_unusable": 2}
    server.script([fault_refused()])
    starts.start(**config)
    server.go_on()
    standing = starts.start(**config)
    (why,) = standing.held
    assert "'thread' were all unusable (refused)" in why
    assert (len(bought(server)), standing.waiting, standing.ready) == (2, 0, [])
    assert {row.gen_id for row in folder.rows("draft")} <= {gen_id for _, gen_id in standing.makeable}
    assert folder.metadata(folder.rows("draft")[0])["error"] in ("refused", "not_tried")
    # A number that is larger lets them go out.
    server.script([])
    assert starts.start(**{**config, "stop_after_unusable": None}).waiting == 2
    server.go_on()
    assert starts.start(**config).held == ()
    assert len(list(folder.paths.gens.glob("draft/*/parsed.txt"))) == 2


def test_one_useful_answer_lets_the_attempts_go_out(folder, server, starts):
    config = {"retry_replies": {"refused": 3}, "stop_after_unusable": 1}
    server.script([fault_refused(times=1)])
    starts.start(**config)
    server.go_on()
    standing = starts.start(**config)
    assert (standing.held, standing.waiting) == ((), 2)  # the attempt, and the evaluation of the other draft
    server.go_on()
    starts.start(**config)
    assert len(list(folder.paths.gens.glob("draft/*/parsed.txt"))) == 2
    assert server.calls == 0


def test_a_useless_answer_without_attempts_fails_and_what_follows_it_too(folder, server, starts):
    server.script([reply_content("No line that a judge should write.", model="lab/judge", times=1)])
    for _ in range(3):
        starts.start()
        server.go_on()
    standing = starts.look()
    assert standing.is_complete
    errors = sorted(folder.metadata(row)["error"] for row in folder.rows("evaluation"))
    assert errors == ["none", "parse"]


def test_what_comes_back_as_an_error_fails_in_that_start_and_goes_out_with_the_next(folder, server, starts):
    server.script([fault_status(400, times=1)])
    starts.start()
    server.go_on()
    assert starts.start().waiting == 1
    errors = {folder.metadata(row)["error"]: folder.metadata(row)["error_message"] for row in folder.rows("draft")}
    assert set(errors) == {"none", "api"}
    assert "could not answer it in a batch" in errors["api"]
    assert starts.start("next").waiting == 2
    assert server.calls == 0


def test_what_a_provider_refuses_is_not_sent_again_in_the_same_start(folder, server, starts):
    starts.start()
    server.go_on("failed", share=0)
    sent = server.batches()["operations"]["create"]
    standing = starts.start()
    assert (len(standing.ready), standing.waiting) == (2, 0)
    assert "refused the batch" in standing.problems[0]
    assert server.batches()["operations"]["create"] == sent
    assert starts.start("next").waiting == 2


def test_single_calls_and_batches_go_together(folder, server, starts):
    single = {"base_url": server.base_url, "batch": {"enabled": False}}
    folder.configure(endpoints={"single": single})
    table = folder.data / "1_raw/llm_models.csv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    lines = [line.replace(",local,", ",single,") if line.startswith("writer") else line for line in lines]
    table.write_text("".join(lines), encoding="utf-8")
    standing = starts.start()
    assert (standing.waiting, standing.later, server.calls) == (0, 2, 2)
    said = starts.desk().waiting_text(standing)
    assert said.startswith("waiting: 2 generations follow")
    assert "Run the same command again" in said
    standing = starts.start("next")
    assert (standing.waiting, standing.later, server.calls) == (2, 0, 2)
    server.go_on()
    assert starts.start("last").is_complete
    assert server.calls == 2


def test_a_start_that_waits_says_what_changed_and_goes_on(folder, server, starts):
    with Provider(api_key="none", batch_s=0.5) as quick:
        folder.configure(endpoints={"local": {"base_url": quick.base_url}}, batch_poll_s=0.05)
        quick.batch_faults(BatchFault("retrieve", "status", status=500))
        standing = starts.start(batch_wait=True)
        assert standing.is_complete
        assert set(bought(quick).values()) == {1}
    waits = [text for text in starts.told if text.startswith("waiting:")]
    # Once for each batch, with the error, and after it: not for each look.
    assert all(text != next_text for text, next_text in pairwise(waits))
    assert len(waits) <= 6


def test_a_batch_that_is_not_needed_does_not_make_a_complete_cohort_wait(folder, starts):
    standing = starts.start()
    assert starts.desk().waiting_text(standing).startswith("waiting: 2 requests in 1 batch")
    complete = replace(standing, waiting=0, ready=[], later=0)
    assert starts.desk().waiting_text(complete).startswith("2 requests that are not needed here wait in batches.")


def test_a_folder_that_cannot_be_written_is_told(folder, starts):
    (folder.data / "batches").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="batches"):
        starts.start()


def test_offline_the_plan_names_no_batch_price(folder):
    assert "At the batch price" in PlannedStudy(folder).report().text()
    report = PlannedStudy(folder).report(offline=True)
    assert "At the batch price" not in report.text()
    assert report.json_values()["usd_in_batches"] is None


def test_offline_there_are_no_batches(folder, server):
    settings = PlannedStudy(folder).loaded(offline=True).settings
    assert not uses_batches(settings)
    assert uses_batches(PlannedStudy(folder).loaded().settings)


def test_a_single_call_waits_for_both_of_its_texts(server, tmp_path, monkeypatch):
    """A judge who is called singly compares an essay that is there with one that a batch still owes."""
    choice = Choice(
        essays=("copied", "developed"),
        config={"batch": True, "stages": {"comparison": {"parent": "essay", "makes": "preference"}}},
        added={"comparison": ("bolder",)},
    )
    folder = Folder.create(tmp_path / "study", server, choice)
    address = folder.config()["endpoints"]["local"]
    folder.configure(endpoints={"judges": {**address, "batch": {"enabled": False}}})
    models = folder.data / "1_raw/llm_models.csv"
    writer, judge = models.read_text().split("lab/judge")
    models.write_text(writer + "lab/judge" + judge.replace(",local,", ",judges,"))
    folder.build()
    monkeypatch.chdir(folder.folder)
    starts = Starts(folder)
    starts.start()
    server.go_on()
    starts.start()
    standing = starts.look()
    compared = {("comparison", row.gen_id) for row in folder.rows("comparison")}
    assert standing.waiting == 1 and len(compared) == 2
    assert not compared & standing.makeable
