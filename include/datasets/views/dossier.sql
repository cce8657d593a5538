-- One row a system with all that is known of it and of its projects: what was done, what is missing, each hole with its clause.
CREATE VIEW dossier AS
WITH reissued AS MATERIALIZED (
  SELECT former_code, project_code FROM present_project_code
),
own AS MATERIALIZED (
  SELECT system_code, project_code FROM system_project
),
planned AS MATERIALIZED (
  SELECT CAST(coalesce(c.project_code, e.project_code) AS text) AS project_code, e.plan_year
  FROM plan_entry e LEFT JOIN reissued c ON c.former_code = e.project_code
  WHERE e.tombstoned_at IS NULL AND e.project_code IS NOT NULL AND e.plan_year IS NOT NULL
),
named AS (
  SELECT project_code, name FROM (
    SELECT e.project_code, e.name, row_number() OVER (
      PARTITION BY e.project_code ORDER BY coalesce(a.authority, 100), e.source
    ) AS place
    FROM (SELECT DISTINCT project_code FROM own) o
    JOIN project e ON e.project_code = o.project_code
    LEFT JOIN source_authority a ON a.source = e.source
    WHERE e.tombstoned_at IS NULL
  ) ranked WHERE place <= 1
),
listed AS (
  SELECT system_code, codes, names, projects FROM (
    SELECT
      o.system_code, count(*) OVER mine AS projects, group_concat(o.project_code, ',') OVER mine AS codes,
      group_concat(coalesce(p.name, '审批平台未列'), '、') OVER mine AS names,
      row_number() OVER mine AS place
    FROM own o LEFT JOIN named p ON p.project_code = o.project_code
    WINDOW mine AS (
      PARTITION BY o.system_code ORDER BY o.project_code ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
  ) x WHERE place <= 1
),
years AS (
  SELECT system_code, plan_years FROM (
    SELECT
      system_code, group_concat(CAST(plan_year AS text), ',') OVER mine AS plan_years, row_number() OVER mine AS place
    FROM (SELECT DISTINCT o.system_code, p.plan_year FROM own o JOIN planned p ON p.project_code = o.project_code) y
    WINDOW mine AS (PARTITION BY system_code ORDER BY plan_year ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
  ) x WHERE place <= 1
),
item AS MATERIALIZED (
  SELECT project_code, state FROM (
    SELECT CAST(coalesce(c.project_code, e.project_code) AS text) AS project_code, e.state, row_number() OVER (
      PARTITION BY coalesce(c.project_code, e.project_code), e.item_id ORDER BY coalesce(a.authority, 100), e.source, e.record_key
    ) AS place
    FROM approval_item e
    LEFT JOIN source_authority a ON a.source = e.source
    LEFT JOIN reissued c ON c.former_code = e.project_code
    WHERE e.tombstoned_at IS NULL AND coalesce(c.project_code, e.project_code) IN (SELECT project_code FROM own)
  ) ranked WHERE place <= 1
),
approval AS (
  SELECT
    o.system_code, sum(CASE WHEN i.state = 'approved' THEN 1 ELSE 0 END) AS done,
    sum(CASE WHEN i.state IN ('approved', 'rejected', 'withdrawn', 'revoked') THEN 0 ELSE 1 END) AS pending
  FROM own o JOIN item i ON i.project_code = o.project_code
  GROUP BY o.system_code
),
entry AS (
  SELECT
    system_code, sum(CASE WHEN kind = 'data' THEN 1 ELSE 0 END) AS data, sum(CASE WHEN kind = 'component' THEN 1 ELSE 0 END) AS components,
    sum(CASE WHEN kind = 'cloud_resource' THEN 1 ELSE 0 END) AS cloud
  FROM (
    SELECT e.kind, e.system_code, row_number() OVER (
      PARTITION BY e.kind, coalesce(e.code, e.source || '|' || e.resource_id)
      ORDER BY coalesce(a.authority, 100), e.source, e.record_key
    ) AS place
    FROM resource e LEFT JOIN source_authority a ON a.source = e.source
    WHERE e.tombstoned_at IS NULL
  ) ranked
  WHERE place <= 1 AND system_code IS NOT NULL GROUP BY system_code
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
    SELECT o.system_code, e.kind, e.issued_on, e.valid_until
    FROM assessment e
    LEFT JOIN reissued c ON c.former_code = e.project_code
    JOIN own o ON o.project_code = CAST(coalesce(c.project_code, e.project_code) AS text)
    WHERE e.tombstoned_at IS NULL AND e.system_code IS NULL
  ) report
  GROUP BY system_code
),
lead AS MATERIALIZED (
  SELECT
    l.about, l.code, l.finding_id, l.rule, l.is_settled, t.article_no, coalesce(t.article, '') || ':' || l.message AS sentence,
    '{"rule":' || json_text(l.rule) || ',"clause":' || coalesce(json_text(t.clause), 'null') || ',"article":'
    || coalesce(json_text(t.article), 'null') || ',"outcome":' || json_text(l.outcome) || ',"since":"' || CAST(l.opened_on AS text)
    || '","subject":' || json_text(l.subject) || ',"handling":' || json_text(l.handling) || '}' AS json
  FROM open_lead l LEFT JOIN rule_title t ON t.rule = l.rule
),
hole AS MATERIALIZED (
  SELECT system_code, is_settled, holes, approvals_missing, funding, holes_text, holes_json FROM (
    SELECT
      m.system_code, m.is_settled, row_number() OVER mine AS place, count(*) OVER mine AS holes,
      sum(CASE WHEN m.article_no BETWEEN 16 AND 21 THEN 1 ELSE 0 END) OVER mine AS approvals_missing,
      sum(CASE WHEN m.article_no IN (30, 33, 36) THEN 1 ELSE 0 END) OVER mine AS funding,
      group_concat(m.sentence, ';') OVER mine AS holes_text, group_concat(m.json, ',') OVER mine AS holes_json
    FROM (
      SELECT code AS system_code, lead.* FROM lead WHERE about = 'system'
      UNION ALL
      SELECT o.system_code, lead.* FROM own o JOIN lead ON lead.about = 'project' AND lead.code = o.project_code
    ) m
    WINDOW mine AS (
      PARTITION BY m.system_code, m.is_settled ORDER BY coalesce(m.article_no, 99), bytes(m.rule), m.finding_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
  ) x WHERE place <= 1
)
SELECT
  s.system_code, s.name, s.unit_name AS department, s.status, s.deployment, coalesce(l.projects, 0) AS projects,
  l.codes AS project_codes, l.names AS project_names, y.plan_years, coalesce(a.done, 0) AS approvals_done,
  coalesce(a.pending, 0) AS approvals_pending, coalesce(h.approvals_missing, 0) AS approvals_missing,
  x.outcome AS exchange_outcome, x.reason AS exchange_reason, x.from_day AS exchange_since, c.outcome AS cloud_outcome,
  c.reason AS cloud_reason, coalesce(e.data, 0) AS catalogue_data, coalesce(e.components, 0) AS catalogue_components,
  coalesce(e.cloud, 0) AS catalogue_cloud, s.protection_level, r.protection_on, r.protection_until, r.cipher_on, r.cipher_until,
  r.risk_on, r.risk_until, coalesce(h.funding, 0) AS funding_leads, coalesce(h.holes, 0) AS holes, coalesce(q.holes, 0) AS holes_settled,
  h.holes_text, '[' || coalesce(h.holes_json, '') || ']' AS holes_json
FROM known_system s
LEFT JOIN listed l ON l.system_code = s.system_code
LEFT JOIN years y ON y.system_code = s.system_code
LEFT JOIN approval a ON a.system_code = s.system_code
LEFT JOIN entry e ON e.system_code = s.system_code
LEFT JOIN reported r ON r.system_code = s.system_code
LEFT JOIN hole h ON h.system_code = s.system_code AND h.is_settled = 0
LEFT JOIN hole q ON q.system_code = s.system_code AND q.is_settled = 1
LEFT JOIN verdict x ON x.rule = 'interconnected-with-exchange' AND x.subject_type = 'system' AND x.subject = s.system_code
  AND x.occurrence = '' AND x.until_day IS NULL
LEFT JOIN verdict c ON c.rule = 'deployed-on-city-cloud' AND c.subject_type = 'system' AND c.subject = s.system_code
  AND c.occurrence = '' AND c.until_day IS NULL
