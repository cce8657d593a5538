-- The kept days of compliance; the share of passes stands beside how many are unknown, waived and settled.
CREATE VIEW compliance_daily AS
SELECT
  c.day, c.rule, c.department, t.title AS rule_title, t.scope, t.article, c.passed,
  c.warned, c.failed, c.unknown, c.not_applicable, c.waived,
  CASE WHEN c.passed + c.warned + c.failed > 0 THEN
    CAST((CAST(c.passed AS bigint) * 20000 / (c.passed + c.warned + c.failed) + 1) / 2 / 100.0 AS numeric(18, 2))
  END AS pass_percent,
  c.opened, c.resolved, c.reopened, c.open_age_p50, c.open_age_p90, c.is_replay, c.settled
FROM compliance_day c
LEFT JOIN rule_title t ON t.rule = c.rule
