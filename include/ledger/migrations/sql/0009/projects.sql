-- One row a living project of the platforms, under its present code.
CREATE VIEW projects AS
WITH reissued AS MATERIALIZED (
  SELECT former_code, project_code FROM present_project_code
),
approval AS (
  SELECT
    project_code, count(*) AS items, sum(CASE WHEN state = 'approved' THEN 1 ELSE 0 END) AS approved,
    sum(CASE WHEN state IN ('rejected', 'withdrawn', 'revoked') THEN 1 ELSE 0 END) AS refused
  FROM approval_items GROUP BY project_code
),
planned AS (
  SELECT CAST(coalesce(c.project_code, e.project_code) AS text) AS project_code, max(e.plan_year) AS plan_year
  FROM plan_entry e LEFT JOIN reissued c ON c.former_code = e.project_code
  WHERE e.tombstoned_at IS NULL AND e.project_code IS NOT NULL
  GROUP BY coalesce(c.project_code, e.project_code)
),
contracted AS (
  SELECT CAST(coalesce(c.project_code, e.project_code) AS text) AS project_code, count(*) AS contracts, sum(e.amount_yuan) AS yuan
  FROM contract e LEFT JOIN reissued c ON c.former_code = e.project_code
  WHERE e.tombstoned_at IS NULL GROUP BY coalesce(c.project_code, e.project_code)
),
paid AS (
  SELECT CAST(coalesce(c.project_code, e.project_code) AS text) AS project_code, sum(e.amount_yuan) AS yuan
  FROM payment e LEFT JOIN reissued c ON c.former_code = e.project_code
  WHERE e.tombstoned_at IS NULL GROUP BY coalesce(c.project_code, e.project_code)
),
accepted AS (
  SELECT CAST(coalesce(c.project_code, e.project_code) AS text) AS project_code, max(e.held_on) AS held_on
  FROM acceptance e LEFT JOIN reissued c ON c.former_code = e.project_code
  WHERE e.tombstoned_at IS NULL AND e.result = 'passed' GROUP BY coalesce(c.project_code, e.project_code)
),
dossier_kept AS (
  SELECT DISTINCT CAST(coalesce(c.project_code, e.project_code) AS text) AS project_code
  FROM project_dossier e LEFT JOIN reissued c ON c.former_code = e.project_code
  WHERE e.tombstoned_at IS NULL
),
named AS (
  SELECT project_code, count(*) AS systems FROM system_project GROUP BY project_code
),
lead AS (
  SELECT
    code, sum(1 - is_settled) AS leads, sum(is_settled) AS settled,
    sum(CASE WHEN is_settled = 0 AND severity = 'critical' THEN 1 ELSE 0 END) AS critical,
    sum(CASE WHEN is_settled = 0 AND severity = 'high' THEN 1 ELSE 0 END) AS high,
    sum(CASE WHEN is_settled = 0 AND severity = 'medium' THEN 1 ELSE 0 END) AS medium,
    sum(CASE WHEN is_settled = 0 AND severity = 'low' THEN 1 ELSE 0 END) AS low
  FROM open_lead WHERE about = 'project' GROUP BY code
)
SELECT
  p.project_code, p.name, p.unit_name AS department, p.unit_uscc, p.division_code, p.division_name, p.project_type, p.nature,
  p.managed_industry,
  CASE
    WHEN p.managed_industry = 'informatization' OR l.project_code IS NOT NULL OR d.project_code IS NOT NULL OR n.systems > 0 THEN true
    WHEN p.managed_industry IS NULL THEN NULL ELSE false
  END AS is_digital,
  coalesce(p.is_void, false) AS is_void, p.total_investment_yuan, day_of(p.applied_at) AS applied_on, p.start_year, p.end_year,
  l.plan_year,
  coalesce(a.items, 0) AS approvals, coalesce(a.approved, 0) AS approvals_approved,
  coalesce(a.items - a.approved - a.refused, 0) AS approvals_pending, coalesce(a.refused, 0) AS approvals_refused,
  coalesce(k.contracts, 0) AS contracts, CAST(round(k.yuan, 2) AS numeric(18, 2)) AS contracts_yuan,
  CAST(round(m.yuan, 2) AS numeric(18, 2)) AS paid_yuan, h.held_on AS accepted_on, coalesce(n.systems, 0) AS systems,
  coalesce(f.leads, 0) AS leads, coalesce(f.critical, 0) AS leads_critical, coalesce(f.high, 0) AS leads_high,
  coalesce(f.medium, 0) AS leads_medium, coalesce(f.low, 0) AS leads_low, coalesce(f.settled, 0) AS leads_settled,
  p.source
FROM (
  SELECT e.*, row_number() OVER (PARTITION BY e.project_code ORDER BY coalesce(a.authority, 100), e.source) AS place
  FROM project e LEFT JOIN source_authority a ON a.source = e.source
  WHERE e.tombstoned_at IS NULL
) p
LEFT JOIN approval a ON a.project_code = p.project_code
LEFT JOIN planned l ON l.project_code = p.project_code
LEFT JOIN contracted k ON k.project_code = p.project_code
LEFT JOIN paid m ON m.project_code = p.project_code
LEFT JOIN accepted h ON h.project_code = p.project_code
LEFT JOIN dossier_kept d ON d.project_code = p.project_code
LEFT JOIN named n ON n.project_code = p.project_code
LEFT JOIN lead f ON f.code = p.project_code
LEFT JOIN reissued o ON o.former_code = p.project_code
WHERE p.place <= 1 AND o.former_code IS NULL
