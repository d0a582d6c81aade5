import pytest
from score_fixtures import draft, essay, evaluation, make, write_project, write_table

from aggregate_scores import main
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.results.score_table import read_scores

EVALUATIONS = [evaluation("v1", "e1"), evaluation("v2", "e1", replicate=2)]
GENERATIONS = [draft("d1"), essay("e1", "d1"), *EVALUATIONS]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose cohort has one score and one failure; the script is called from another folder."""
    folder = tmp_path / "my project"
    write_project(folder, GENERATIONS)
    monkeypatch.chdir(folder)
    settings = settings_from_config({})
    for one, parsed in zip(GENERATIONS[:3], ("A draft.", "An essay.", "7.5"), strict=True):
        make(settings, one, parsed)
    make(settings, EVALUATIONS[1], None, error="refused")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


def test_writes_what_there_is_and_lists_what_is_missing(project, tmp_path, capsys):
    assert main(["--directory", str(project), "--output", "scores.csv"]) == 0
    rows = read_scores(tmp_path / "elsewhere" / "scores.csv")
    assert [(row.gen_id, row.score, row.error) for row in rows] == [("v1", 7.5, ""), ("v2", None, "refused")]
    printed = capsys.readouterr().out
    assert "Evaluations: 2, with a score: 1" in printed
    assert "v2 (refused): what refused means" in printed
    assert "data/gens/evaluation/v2/raw.txt" in printed
    assert "7.50" in printed


def test_scores_of_the_embedded_model_are_named_as_such(project, capsys):
    main(["--directory", str(project), "--output", "scores.csv"])
    assert "judge come from the embedded model: these scores carry no signal" in capsys.readouterr().out
    main(["--directory", str(project), "--output", "scores.csv", "--config", "default_endpoint=openrouter"])
    assert "carry no signal" not in capsys.readouterr().out


@pytest.mark.parametrize(("allowed", "code"), [("0.5", 0), ("0.49", 1), ("0", 1), ("1", 0)])
def test_more_failures_than_allowed_write_nothing(project, tmp_path, capsys, allowed, code):
    output = tmp_path / "scores.csv"
    output.write_text("older")
    arguments = ["--directory", str(project), "--output", str(output), "--max-failed-fraction", allowed]
    assert main(arguments) == code
    assert (output.read_text() == "older") == (code == 1)
    assert "v2 (refused)" in capsys.readouterr().out


def test_lists_twenty_and_counts_the_rest(project, capsys):
    many = [evaluation(f"w{number}", "e1") for number in range(23)]
    write_table(project, "c1", [*GENERATIONS, *many])
    assert main(["--directory", str(project), "--output", "scores.csv"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("(missing): not made yet") == 19
    assert "and 4 more" in printed


def test_chosen_and_all_cohorts(project, tmp_path):
    write_table(project, "c2", GENERATIONS[:3])
    (project / "data" / "cohorts" / "unfinished").mkdir()
    output = tmp_path / "scores.csv"

    def cohorts(*options: str) -> list[tuple[str, str]]:
        assert main(["--directory", str(project), "--output", str(output), *options]) == 0
        return [(row.cohort_id, row.gen_id) for row in read_scores(output)]

    assert cohorts("--cohort", "c2") == [("c2", "v1")]
    # What two cohorts share is one evaluation.
    assert cohorts("--all-cohorts") == [("c1", "v1"), ("c1", "v2")]
    assert cohorts("--cohort", "c2", "c1") == [("c2", "v1"), ("c1", "v2")]


def test_faults_of_all_cohorts_are_shown_and_nothing_is_written(project, tmp_path, capsys):
    write_table(project, "c2", [draft("d1", template_id="nowhere")])
    output = tmp_path / "scores.csv"
    assert main(["--directory", str(project), "--output", str(output), "--cohort", "c2", "absent"]) == 1
    printed = capsys.readouterr().err
    assert "nowhere" in printed
    assert "snakemake membership" in printed
    assert not output.exists()


def test_a_share_outside_0_to_1_is_a_usage_error(project):
    with pytest.raises(SystemExit) as caught:
        main(["--directory", str(project), "--output", "scores.csv", "--max-failed-fraction", "20"])
    assert caught.value.code == 2


def test_an_output_that_cannot_be_written(project, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["--directory", str(project), "--output", str(tmp_path / "file" / "scores.csv")]) == 1
    assert "--output" in capsys.readouterr().err
