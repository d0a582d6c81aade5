-- Words that begin with a dollar sign stand for what depends on the stages of the study: views.py.

-- Whatever has a score: the whole chain with its ids and scores, one row for each evaluation.
CREATE VIEW scores AS
$scores;

-- Which essays are the best? Each rubric is a scale of its own, so it has a row of its own.
CREATE VIEW essays_by_score AS
SELECT
    s.rubric, round(avg(s.score), 3) AS mean_score, count(*) AS scores, min(s.score) AS lowest, max(s.score) AS highest,
    s.essay_id, s.combo_id, s.draft_template, s.essay_template, s.generation_model, e.text
FROM scores AS s
JOIN $texts AS e ON e.gen_id = s.essay_id
GROUP BY s.rubric, s.essay_id
ORDER BY s.rubric, mean_score DESC, s.essay_id;

-- How do templates and models compare? Means only: how sure they are, the report says.
CREATE VIEW means_by_template AS
SELECT
    rubric, judge, draft_template, essay_template, generation_model,
    round(avg(score), 3) AS mean_score, count(*) AS scores, count(DISTINCT combo_id) AS combos
FROM scores
GROUP BY rubric, judge, draft_template, essay_template, generation_model
ORDER BY rubric, judge, mean_score DESC, draft_template, essay_template, generation_model;

-- About which essays do the judges disagree most?
CREATE VIEW disagreements AS
SELECT
    rubric, essay_id, round(max(mean_score) - min(mean_score), 3) AS difference, count(*) AS judges,
    round(min(mean_score), 3) AS lowest, round(max(mean_score), 3) AS highest
FROM (
    SELECT rubric, essay_id, judge, avg(score) AS mean_score
    FROM scores
    GROUP BY rubric, essay_id, judge
)
GROUP BY rubric, essay_id
HAVING count(*) > 1
ORDER BY difference DESC, rubric, essay_id;

-- What does not count, and why?
CREATE VIEW failures AS
$failures;

-- What did the texts cost? A reply that several generations share counts once.
CREATE VIEW costs AS
SELECT
    stage, template_id, model_id, count(*) AS replies, sum(cost_usd) AS cost_usd,
    sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens
FROM (
    SELECT
        stage, min(template_id) AS template_id, min(model_id) AS model_id, max(cost_usd) AS cost_usd,
        max(prompt_tokens) AS prompt_tokens, max(completion_tokens) AS completion_tokens
    FROM (
        $requests
    )
    WHERE request_sha256 IS NOT NULL AND prompt_tokens IS NOT NULL
    GROUP BY request_sha256
)
GROUP BY stage, template_id, model_id
ORDER BY stage, template_id, model_id;
