-- One row a system with all that is known of it and of its projects: what was done, what is missing, each hole with its clause.
CREATE VIEW dossier AS
WITH own AS MATERIALIZED (
  SELECT system_code, project_code FROM system_project
),
planned AS (
  SELECT coalesce(c.project_code, e.project_code) AS project_code, e.plan_year
  FROM plan_entry e LEFT JOIN present_project_code c ON c.former_code = e.project_code
  WHERE e.tombstoned_at IS NULL AND e.project_code IS NOT NULL AND e.plan_year IS NOT NULL
),
listed AS (
  SELECT system_code, codes, names, projects FROM (
    SELECT
      o.system_code, count(*) OVER mine AS projects, group_concat(o.project_code, ',') OVER mine AS codes,
      group_concat(coalesce(p.name, '审批平台未列'), '、') OVER mine AS names,
      row_number() OVER (PARTITION BY o.system_code ORDER BY o.project_code) AS place
    FROM own o LEFT JOIN current_project p ON p.project_code = o.project_code
    WINDOW mine AS (
      PARTITION BY o.system_code ORDER BY o.project_code ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
  ) x WHERE place = 1
),
years AS (
  SELECT system_code, plan_years FROM (
    SELECT
      system_code, group_concat(CAST(plan_year AS text), ',') OVER (
        PARTITION BY system_code ORDER BY plan_year ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS plan_years,
      row_number() OVER (PARTITION BY system_code ORDER BY plan_year) AS place
    FROM (SELECT DISTINCT o.system_code, p.plan_year FROM own o JOIN planned p ON p.project_code = o.project_code) y
  ) x WHERE place = 1
),
approval AS (
  SELECT
    o.system_code, sum(CASE WHEN i.state = 'approved' THEN 1 ELSE 0 END) AS done,
    sum(CASE WHEN i.state IN ('approved', 'rejected', 'withdrawn', 'revoked') THEN 0 ELSE 1 END) AS pending
  FROM own o JOIN approval_items i ON i.project_code = o.project_code
  GROUP BY o.system_code
),
entry AS (
  SELECT
    system_code, sum(CASE WHEN kind = 'data' THEN 1 ELSE 0 END) AS data, sum(CASE WHEN kind = 'component' THEN 1 ELSE 0 END) AS components,
    sum(CASE WHEN kind = 'cloud_resource' THEN 1 ELSE 0 END) AS cloud
  FROM current_resource WHERE system_code IS NOT NULL GROUP BY system_code
),
reported AS (
  SELECT
    system_code, max(CASE WHEN kind = 'protection' THEN issued_on END) AS protection_on,
    max(CASE WHEN kind = 'protection' THEN valid_until END) AS protection_until,
    max(CASE WHEN kind = 'cipher' THEN issued_on END) AS cipher_on, max(CASE WHEN kind = 'cipher' THEN valid_until END) AS cipher_until,
    max(CASE WHEN kind = 'risk' THEN issued_on END) AS risk_on, max(CASE WHEN kind = 'risk' THEN valid_until END) AS risk_until
  FROM (
    SELECT system_code, kind, issued_on, valid_until FROM assessment WHERE tombstoned_at IS NULL AND system_code IS NOT NULL
    UNION ALL
    SELECT o.system_code, a.kind, a.issued_on, a.valid_until
    FROM assessment a JOIN own o ON o.project_code = a.project_code
    WHERE a.tombstoned_at IS NULL AND a.system_code IS NULL
  ) report
  GROUP BY system_code
),
lead AS MATERIALIZED (
  SELECT
    l.about, l.code, l.finding_id, l.rule, l.subject, l.outcome, l.handling, l.message, l.opened_on, l.is_settled, t.article_no,
    coalesce(t.clause, '') AS clause, coalesce(t.article, '') AS article
  FROM open_lead l LEFT JOIN rule_title t ON t.rule = l.rule
),
hole AS MATERIALIZED (
  SELECT m.*, row_number() OVER (
    PARTITION BY m.system_code, m.is_settled ORDER BY coalesce(m.article_no, 99), bytes(m.rule), m.finding_id
  ) AS place
  FROM (
    SELECT code AS system_code, lead.* FROM lead WHERE about = 'system'
    UNION ALL
    SELECT o.system_code, lead.* FROM own o JOIN lead ON lead.about = 'project' AND lead.code = o.project_code
  ) m
),
counted AS (
  SELECT
    system_code, sum(1 - is_settled) AS holes, sum(is_settled) AS settled,
    sum(CASE WHEN is_settled = 0 AND article_no BETWEEN 16 AND 21 THEN 1 ELSE 0 END) AS approvals_missing,
    sum(CASE WHEN is_settled = 0 AND article_no IN (30, 33, 36) THEN 1 ELSE 0 END) AS funding
  FROM hole GROUP BY system_code
),
worded AS (
  SELECT system_code, holes_text, holes_json FROM (
    SELECT
      system_code, place, group_concat(article || ':' || message, ';') OVER mine AS holes_text,
      group_concat(
        '{"rule":' || json_text(rule) || ',"clause":' || json_text(clause) || ',"article":' || json_text(article)
        || ',"outcome":' || json_text(outcome) || ',"since":"' || CAST(opened_on AS text) || '","subject":' || json_text(subject)
        || ',"handling":' || json_text(handling) || '}', ','
      ) OVER mine AS holes_json
    FROM hole WHERE is_settled = 0
    WINDOW mine AS (PARTITION BY system_code ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
  ) x WHERE place = 1
)
SELECT
  s.system_code, s.name, s.unit_name AS department, s.status, s.deployment, coalesce(l.projects, 0) AS projects,
  l.codes AS project_codes, l.names AS project_names, y.plan_years, coalesce(a.done, 0) AS approvals_done,
  coalesce(a.pending, 0) AS approvals_pending, coalesce(h.approvals_missing, 0) AS approvals_missing,
  x.outcome AS exchange_outcome, x.reason AS exchange_reason, x.from_day AS exchange_since, c.outcome AS cloud_outcome,
  c.reason AS cloud_reason, coalesce(e.data, 0) AS catalogue_data, coalesce(e.components, 0) AS catalogue_components,
  coalesce(e.cloud, 0) AS catalogue_cloud, s.protection_level, r.protection_on, r.protection_until, r.cipher_on, r.cipher_until,
  r.risk_on, r.risk_until, coalesce(h.funding, 0) AS funding_leads, coalesce(h.holes, 0) AS holes, coalesce(h.settled, 0) AS holes_settled,
  t.holes_text, '[' || coalesce(t.holes_json, '') || ']' AS holes_json
FROM known_system s
LEFT JOIN listed l ON l.system_code = s.system_code
LEFT JOIN years y ON y.system_code = s.system_code
LEFT JOIN approval a ON a.system_code = s.system_code
LEFT JOIN entry e ON e.system_code = s.system_code
LEFT JOIN reported r ON r.system_code = s.system_code
LEFT JOIN counted h ON h.system_code = s.system_code
LEFT JOIN worded t ON t.system_code = s.system_code
LEFT JOIN verdict x ON x.rule = 'interconnected-with-exchange' AND x.subject_type = 'system' AND x.subject = s.system_code
  AND x.occurrence = '' AND x.until_day IS NULL
LEFT JOIN verdict c ON c.rule = 'deployed-on-city-cloud' AND c.subject_type = 'system' AND c.subject = s.system_code
  AND c.occurrence = '' AND c.until_day IS NULL
