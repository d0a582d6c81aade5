"""How judges really end: what the grammar of docs/parsers.md reads in it, for both parsers that read text."""

import pytest

from daydreaming.base.errors import ParseError
from daydreaming.parsers import ParserContext, get_parser

BOTH = pytest.mark.parametrize("name", ["in_last_line", "complex"])


def read(name: str, reply: str, **scale: float) -> tuple[str, str]:
    score = get_parser("score", name)(reply, ParserContext("evaluation", "v1", "novelty", **scale))
    return score, score.as_written


READ = [
    # A scale that is named: `/`, `of`, `out of`, brackets, in the label or behind the number.
    ("SCORE: 4 (out of 5)", "8.0", "4 (out of 5)"),
    ("Score: 4 of 5", "8.0", "4 of 5"),
    ("Score: 4 points out of 5", "8.0", "4 points out of 5"),
    ("Score: 4/5", "8.0", "4/5"),
    ("Score: 8 (out of 20)", "4.0", "8 (out of 20)"),
    ("SCORE: 7 out of a possible 10", "7.0", "7 out of a possible 10"),
    ("SCORE: 7 out of 10 points", "7.0", "7 out of 10"),
    ("SCORE: 7 (max score 10)", "7.0", "7 (max score 10)"),
    ("SCORE: 7 (Maximum: 10)", "7.0", "7 (Maximum: 10)"),
    ("SCORE: 7 [scale 0 to 10]", "7.0", "7 [scale 0 to 10]"),
    ("Score: 7 on a scale of 0 to 10", "7.0", "7 on a scale of 0 to 10"),
    ("Score: 7 on a 10-point scale", "7.0", "7 on a 10-point scale"),
    ("**Overall score (0-10):** 8", "8.0", "8"),
    ("Score (1-10): 7", "7.0", "7"),
    ("Score (0-5): 4", "8.0", "4"),
    ("Score out of 10: 7", "7.0", "7"),
    ("Score (out of 20): 7", "3.5", "7"),
    ("Final Score: 3/5 stars", "6.0", "3/5"),
    ("Score: 8/10 (80%)", "8.0", "8/10"),
    ("Score: 8/10 (out of 10)", "8.0", "8/10 (out of 10)"),
    ("Score: 4/5 (scale 1-5)", "8.0", "4/5 (scale 1-5)"),
    ("Score: 4 of the total 5", "8.0", "4 of the total 5"),
    ("Score: 7 on a scale from 0 to 10", "7.0", "7 on a scale from 0 to 10"),
    ("Score: (7) (out of 20)", "3.5", "7) (out of 20)"),
    ("Score: 456/1000", "4.56", "456/1000"),
    # What is behind it changes nothing.
    ("Score: 7 out", "7.0", "7"),
    ("Score: 7 on balance", "7.0", "7"),
    ("Score: 7 -good", "7.0", "7"),
    ("Score: 7 ... well", "7.0", "7"),
    ("Score: 7. Maybe more.", "7.0", "7"),
    ("Score: 7! Perhaps.", "7.0", "7"),
    ("Score: 7. 8 ideas are new.", "7.0", "7"),
    ("Score: 7; 8 ideas are new.", "7.0", "7"),
    ("Score: 7 because of 3 flaws", "7.0", "7"),
    ("<b>Score: 7</b>", "7.0", "7"),
    # A line of the rubric states no score, so that an earlier statement holds.
    ("Score: 5\nScore 10 = masterpiece", "5.0", "5"),
    ("Score: 5\nScore: 7 = good", "5.0", "5"),
    # Sums, with brackets among their terms.
    ("Score: 3 + (1) = 4", "4.0", "4"),
    ("Score: (2) + (1) = 3", "3.0", "3"),
    ("Score: 2 (a) + 1 (b) + 1 = 4/5", "8.0", "4/5"),
    # What links label and number.
    ("Final Score：8", "8.0", "8"),
    ("SCORE：７", "7.0", "７"),
    ("Final Score：７．５／１０", "7.5", "７．５／１０"),
    ("score of 7", "7.0", "7"),
    ("This merits a score of 7.", "7.0", "7"),
    ("Score - 7", "7.0", "7"),
    ("Score – 7", "7.0", "7"),
    ("SCORE = 7", "7.0", "7"),
    ("My final score is 7.", "7.0", "7"),
    ("The final score is **7/10**.", "7.0", "7/10"),
    ("So the score is 7 out of 10.", "7.0", "7 out of 10"),
    ("Final Verdict — Score: 7/10", "7.0", "7/10"),
    # `Overall` alone, on a line of its own.
    ("Overall: 8/10", "8.0", "8/10"),
    ("**Overall:** 8", "8.0", "8"),
    # Emphasis, lists, tables, LaTeX, HTML, JSON, code.
    ("__Score:__ 7", "7.0", "7"),
    ("***SCORE:*** *7*", "7.0", "7"),
    ("1. Score: 7", "7.0", "7"),
    ("> SCORE: 7", "7.0", "7"),
    ("• Score: 7", "7.0", "7"),
    ("| Score | 7 |", "7.0", "7"),
    ("| Criterion | Result |\n|---|---|\n| **Overall Score** | **8/10** |", "8.0", "8/10"),
    (r"SCORE: $\boxed{7}$", "7.0", "7"),
    (r"\boxed{\text{SCORE: } 7}", "7.0", "7"),
    (r"\textbf{SCORE: 7}", "7.0", "7"),
    ("<score>7</score>", "7.0", "7"),
    ("<b>SCORE: 7</b>", "7.0", "7"),
    ("SCORE: [7]", "7.0", "7"),
    ("SCORE: [7]/10", "7.0", "7]/10"),
    ('{"score": 7, "reason": "sound"}', "7.0", "7"),
    ("overall_score: 8", "8.0", "8"),
    ("`final_score = 7`", "7.0", "7"),
    ("<final_score>6</final_score>", "6.0", "6"),
    ("SCORE: [[6]]", "6.0", "6"),
    ("Score (7)", "7.0", "7"),
    ("Score [7/10]", "7.0", "7/10"),
    ("[SCORE]: 6", "6.0", "6"),
    ("[SCORE: 6]", "6.0", "6"),
    # What may stand behind the number.
    ("SCORE: 6 <|im_end|>", "6.0", "6"),
    ("SCORE: 7 Punkte", "7.0", "7"),
    ("SCORE: 7!", "7.0", "7"),
    ("SCORE: 7 ⭐", "7.0", "7"),
    ("SCORE: 7 points", "7.0", "7"),
    ("SCORE: 7 (good)", "7.0", "7 (good)"),
    ("SCORE: 7/10 (B+)", "7.0", "7/10"),
    ("SCORE: 7 — solid work", "7.0", "7"),
    ("SCORE: 7 because 3 links are strong", "7.0", "7"),
    ("SCORE: 7/10 | Confidence: 9/10", "7.0", "7/10"),
    ("SCORE: 7\n\nBest regards,\nThe Judge", "7.0", "7"),
    # The number on the next line.
    ("## Final Score\n\n**2/10**", "2.0", "2/10"),
    ("**SCORE:**\n**2/10**", "2.0", "2/10"),
    ("Final Score\n2/10", "2.0", "2/10"),
    ("SCORE:\n7", "7.0", "7"),
    ("My final score is\n7.", "7.0", "7"),
    ("## Final Score\n\nSCORE: 7", "7.0", "7"),
    # Sums are read at their end, roundings at the number before.
    ("Total Score: 3 (core) + 3 (depth) = 6/10", "6.0", "6/10"),
    ("SCORE: 1 + 0 + 2 = **3**", "3.0", "3"),
    ("SCORE: (3 + 4 + 5) / 3 = 4", "4.0", "4"),
    ("SCORE: 0.4×7 + 0.6×8 = 7.6", "7.6", "7.6"),
    ("SCORE: 3+3+2 = 8/16", "5.0", "8/16"),
    ("SCORE: 2.5/10 → rounded to **3/10**", "2.5", "2.5/10"),
    ("SCORE: 2.5/10 -> rounded to 3/10", "2.5", "2.5/10"),
    ("SCORE: 6.25 (rounded to 6)", "6.25", "6.25"),
    ("SCORE: 6.5, rounded to 7", "6.5", "6.5"),
    # The rubric quoted, and the form of the answer, are no statements.
    ("SCORE: 10 for a masterpiece\nSCORE: 4", "4.0", "4"),
    ("SCORE: 4\na score of 9-10 means brilliant", "4.0", "4"),
    ("Score: 0 = incoherent\nSCORE: 4", "4.0", "4"),
    ("SCORE: X\nSCORE: 7", "7.0", "7"),
    ("SCORE: [0-10]\nSCORE: 7", "7.0", "7"),
    ("SCORE: <number>\nSCORE: 7", "7.0", "7"),
    ("Final Score: 6\nNote: a score 5 is average.", "6.0", "6"),
    # Which one of several decides.
    ("Score: 4/10\nConfidence score: 9/10", "4.0", "4/10"),
    ("Total Score: 8\nNovelty Score: 3\nDepth Score: 5", "8.0", "8"),
    ("Novelty: Score 3/10\nDepth: Score 5/10\nSCORE: 4/10", "4.0", "4/10"),
    ("- Score: 3/10\n- Score: 5/10\nSCORE: 4/10", "4.0", "4/10"),
    ("Total Score: 16/20\nFinal Score: 8/10", "8.0", "8/10"),
    ("Overall Score: 7\nFinal Score: 6", "6.0", "6"),
    ("Initial score: 5\nRevised score: 7", "7.0", "7"),
    ("Score: 6\n\nScore: 6", "6.0", "6"),
    ("The final score rests on 3 criteria.\nSCORE: 7", "7.0", "7"),
    ("I considered a score of 7 or 8, but settle on this.\nSCORE: 7", "7.0", "7"),
    ("Overall, 7 links are new.\nSCORE: 6", "6.0", "6"),
    # A lone score of a criterion is the one that the rubric asked for.
    ("Novelty Score: 7", "7.0", "7"),
    ("Score for novelty: 7", "7.0", "7"),
    # Line ends.
    ("SCORE: 7\r\nThanks\r\n", "7.0", "7"),
    ("SCORE: 7\rThanks\r", "7.0", "7"),
]


@BOTH
@pytest.mark.parametrize(("reply", "score", "as_written"), READ)
def test_what_anyone_can_read_is_read(name, reply, score, as_written):
    assert read(name, reply)[0] == score
    assert read(name, reply)[1] in reply
    if not reply.startswith(("SCORE: 7 (good)", "SCORE: [7]/10")):
        assert read(name, reply)[1] == as_written


UNREADABLE = [
    *("7 or 8", "7 to 8", "7-8", "7 - 8", "7 – 8", "7 -> 8", "7 → 8", "7...8", "7..8", "7…8", "7~8", "8+", "[7-8]"),
    *("3^2", "3²", "7½", "7 1/2", "7%", "70 %", "80%", "~7", "about 7", "≈ 7", "7 ± 1", ">7", "<5", "at least 7", "7?"),
    *("between 7 and 8", "7 and 8", "7 and a half", "7 point 5", "7 plus", "7, 8", "7,5", "7,5/10", "7th", "7.5.1"),
    *("7 (or 8)", "7 (maybe 8)", "7 (6-8)", "7 (rounded from 6.5)", "7 (see point 3)", "7 out of ten", "7/ten"),
    *("7/10/10", "7/10/2026", "7/10 → 8/10", "8/10 = 0.8", "3 + 4", "3 core + 3 depth = 6", "3 for core + 3 = 6"),
    *(".5", "1e5", "0x5", "7 von 10", "7 bis 8", "7 sur 10", "8分", "7/10分", "seven", "N/A", "unknown", "high"),
    *(
        "8/10 (out of 20)",
        "70% (scale 0 to 100)",
        "8/10 (90%)",
        "7 (maybe)",
        "(7 good)",
        "7 →",
        "7 = 8",
    ),
    *("8 out of", "4 out of a maximum of 5", "7-good", "7, maybe more", "7... 8", "+ 7", "4 5", "45", "3 × 2 = 6"),
    *("7. Maybe 8", "7! Or 8?", "7. Perhaps 6 to be fair"),
    *("٣", "7٣", "٣/10", "100", "110", "11", "-3", "11/10", "7/0", r"\frac{7}{10}", "4, 5, 6, 7"),
]


@BOTH
@pytest.mark.parametrize("expression", UNREADABLE)
def test_what_has_no_certain_reading_is_refused(name, expression):
    with pytest.raises(ParseError):
        read(name, f"SCORE: {expression}")


@BOTH
@pytest.mark.parametrize("expression", UNREADABLE)
def test_a_statement_that_cannot_be_read_never_gives_way_to_an_earlier_one(name, expression):
    with pytest.raises(ParseError):
        read(name, f"Score: 5\nFinal score: {expression}")


@BOTH
@pytest.mark.parametrize(
    "reply",
    [
        "SCORE: 10 for a masterpiece",
        "Note: a score 5 is average.",
        "a score of 9-10 means brilliant",
        "SCORE: X",
        "Score: 6\nScore: 8",
        "SCORE: 3\nOn reflection:\nSCORE: 7",
        "Novelty score: 3\nDepth score: 5",
        "Score: 5\nScore: 7%",
        "SCORE: 7\nThe score is 7-8.",
        "Confidence score: 9/10",
        "Maximum score: 10",
        "Score confidence: 9",
        "I can't give it a score of 9.",
        "I would rather give it a score of 9 than none.",
        "Sub-score: 7",
        "Scores: 7",
        "Bewertung: 7/10",
        "Gesamtpunktzahl: 7",
        "评分：8",
        "I would rate this 7/10.",
        "7/10",
        r"\boxed{7}",
        "| Novelty | 7 |",
        "Final Score\nI'd give this an 8.",
        "Score: 5\n## Final Score\nI'd give this an 8.",
        "Score: 5\nFinal Score:\nseven",
        "Score: 5\n<score>7-8</score>",
        "Total Score: 24\nScore: 8",
        "Score: 7 pontos de 20",
        "Score: 7 Punkte (von 20)",
        "Score: 8 initially, 6 in the end",
        "An essay with a score of 10 changes the field.",
        "Score: 5\nScore (1 = poor, 5 = good): 7",
        "Score: 5\nFinal score, 7",
        "Score: 5\nFinal score: 8 if generous",
    ],
)
def test_what_states_no_score_or_not_which_one(name, reply):
    with pytest.raises(ParseError):
        read(name, reply)


def test_a_list_of_parts_gives_way_to_the_line_that_sums_it_up():
    reply = "- **Score:** 0/1\n- **Score:** 1/2\n\n### **SCORE: 4/10**\n\nThe idea is known, and the essay adds little."
    assert read("complex", reply) == ("4.0", "4/10")


def test_an_exact_line_comes_first_in_the_last_lines_and_the_total_in_the_last_thirty():
    reply = "Total Score: 8/20\nAll in all a fair essay.\nSCORE: 3"
    assert read("in_last_line", reply) == ("3.0", "3")
    assert read("complex", reply) == ("4.0", "8/20")


@pytest.mark.parametrize(("digits", "mean"), [("456", "5.0"), ("4, 5, 6", "5.0"), ("4 5 6", "5.0"), ("123", "2.0")])
def test_three_digits_are_read_by_one_parser_alone(digits, mean):
    assert read("in_last_line", f"SCORE: {digits}") == (mean, digits)
    with pytest.raises(ParseError):
        read("complex", f"SCORE: {digits}")


def test_three_digits_with_a_scale_behind_them_are_none():
    with pytest.raises(ParseError):
        read("in_last_line", "SCORE: 4, 5, 6 of 10")


def test_three_digits_are_read_on_scales_up_to_10():
    with pytest.raises(ParseError):
        read("in_last_line", "SCORE: 456", score_max=11)


@pytest.mark.parametrize(("digits", "mean"), [("111", "1.0"), ("234", "3.0"), ("000", "0.0")])
def test_the_smallest_three_digits_whose_mean_counts(digits, mean):
    assert read("in_last_line", f"SCORE: {digits}") == (mean, digits)


@pytest.mark.parametrize("number", ["090", "100", "101", "110", "120", "250", "990"])
def test_numbers_of_their_own_right_are_no_three_digits(number):
    with pytest.raises(ParseError, match=number):
        read("in_last_line", f"SCORE: {number}")


@BOTH
@pytest.mark.parametrize(
    ("expression", "score"),
    [("4/5", "4.0"), ("4", "4.0"), ("4 (out of 5)", "4.0"), ("4 (scale 1-5)", "4.0"), ("4 (1-5)", "4.0")],
)
def test_a_scale_from_1_to_5(name, expression, score):
    assert read(name, f"SCORE: {expression}", score_min=1, score_max=5)[0] == score


@BOTH
@pytest.mark.parametrize("expression", ["8/10", "4/4", "0", "6", "8 (1-10)", "456", "80%"])
def test_a_scale_that_does_not_begin_at_0_is_not_rescaled(name, expression):
    with pytest.raises(ParseError):
        read(name, f"SCORE: {expression}", score_min=1, score_max=5)


@BOTH
@pytest.mark.parametrize(
    ("expression", "score"), [("85", "85.0"), ("85%", "85.0"), ("4/5", "80.0"), ("100", "100.0"), ("8.5/10", "85.0")]
)
def test_a_scale_from_0_to_100(name, expression, score):
    assert read(name, f"SCORE: {expression}", score_min=0, score_max=100)[0] == score


@BOTH
def test_a_number_below_zero_on_a_scale_that_has_them(name):
    assert read(name, "SCORE: -3", score_min=-5, score_max=5) == ("-3.0", "-3")


@BOTH
@pytest.mark.parametrize(
    ("reply", "quoted"),
    [
        ("SCORE: 7-8", "'SCORE: 7-8'"),
        ("Text.\nFinal Score: seven\nMore text.", "'Final Score: seven'"),
        ("SCORE: 42", "'SCORE: 42'"),
        ("## Final Score\n7 or 8", r"'## Final Score\n7 or 8'"),
        ("Score: 6\nScore: 8", "'Score: 6' and 'Score: 8'"),
    ],
)
def test_the_failure_quotes_the_score_itself(name, reply, quoted):
    with pytest.raises(ParseError) as caught:
        read(name, reply + "\nThe end.")
    assert quoted in str(caught.value)
