-- Every finding with its clause, whose it is, what is seen and what was decided. One that was settled is acknowledged to whoever reads
-- version 1 as it was first released, and has the day of its settlement beside that.
CREATE VIEW findings AS
SELECT
  f.finding_id, f.rule, t.title AS rule_title, t.scope, t.clause, t.article, t.modality, f.subject_type, f.subject,
  u.name AS subject_name, f.occurrence, coalesce(nullif(u.unit_name, ''), '未登记单位') AS department, f.state, f.outcome, f.reason,
  f.severity, CAST(CASE WHEN f.handling = 'settled' THEN 'acknowledged' ELSE f.handling END AS varchar(20)) AS handling, f.handled_until, f.first_seen_on, e.opened_on, v.from_day AS since,
  CASE WHEN f.state = 'resolved' THEN e.resolved_on END AS resolved_on, f.reopened, f.unverified_since, f.overdue_since,
  CASE WHEN f.state = 'open' AND f.handling <> 'settled' AND j.day >= e.opened_on THEN days(j.day, e.opened_on) END AS age_days, j.day AS as_of, f.message,
  CASE WHEN f.handling = 'rectifying' THEN f.handled_until END AS due_on, t.remedy, t.told, t.responsible,
  day_of(d.decided_at) AS settled_on, d.result AS settled_result
FROM finding f
LEFT JOIN rule_title t ON t.rule = f.rule
LEFT JOIN decision d ON d.decision_id = f.decision_id AND d.finding_id = f.finding_id AND f.handling = 'settled'
LEFT JOIN subject_unit u ON u.subject_type = f.subject_type AND u.subject = f.subject
LEFT JOIN (
  SELECT
    finding_id, max(CASE WHEN kind IN ('opened', 'reopened') THEN day END) AS opened_on,
    max(CASE WHEN kind = 'resolved' THEN day END) AS resolved_on
  FROM finding_event WHERE kind IN ('opened', 'reopened', 'resolved') GROUP BY finding_id
) e ON e.finding_id = f.finding_id
LEFT JOIN verdict v ON v.rule = f.rule AND v.subject_type = f.subject_type AND v.subject = f.subject
  AND v.occurrence = f.occurrence AND v.until_day IS NULL
LEFT JOIN (SELECT scope, max(day) AS day FROM evaluation GROUP BY scope) j ON j.scope = coalesce(v.scope, t.scope)
