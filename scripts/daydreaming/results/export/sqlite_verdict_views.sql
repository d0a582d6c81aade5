-- Whatever has a verdict: which two texts, who judged, in which order. Only of a study that compares texts.
CREATE VIEW verdicts AS
$verdicts;

-- How often does each model win against each other one? A tie is half a point. Means only: how sure, the report says.
CREATE VIEW points_by_model AS
SELECT
    stage, rubric, judge, model, opponent, sum(points) AS points, count(*) AS verdicts,
    round(sum(points) / count(*), 3) AS share, count(DISTINCT combo_id) AS combos
FROM (
    SELECT
        stage, rubric, judge, combo_id, first_model AS model, second_model AS opponent,
        CASE verdict WHEN 'A' THEN 1.0 WHEN 'tie' THEN 0.5 ELSE 0.0 END AS points
    FROM verdicts
    WHERE first_model <> second_model
    UNION ALL
    SELECT
        stage, rubric, judge, combo_id, second_model AS model, first_model AS opponent,
        CASE verdict WHEN 'B' THEN 1.0 WHEN 'tie' THEN 0.5 ELSE 0.0 END AS points
    FROM verdicts
    WHERE first_model <> second_model
)
GROUP BY stage, rubric, judge, model, opponent
ORDER BY stage, rubric, judge, share DESC, model, opponent;

