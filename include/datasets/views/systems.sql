-- One row a living system of the registers.
CREATE VIEW systems AS
SELECT
  s.system_code, s.name, s.unit_name AS department, s.unit_uscc, s.project_codes, coalesce(n.projects, 0) AS projects, s.status,
  s.deployment, s.purpose, s.declared_connection, s.protection_level, s.registered_users, s.trial_started_on, s.went_live_on,
  s.last_released_on, coalesce(r.running, 0) AS running_resources, coalesce(f.leads, 0) AS leads,
  coalesce(f.settled, 0) AS leads_settled, s.sources
FROM known_system s
LEFT JOIN (SELECT system_code, count(*) AS projects FROM system_project GROUP BY system_code) n ON n.system_code = s.system_code
LEFT JOIN (
  SELECT system_code, count(DISTINCT resource_code) AS running FROM cloud_resource
  WHERE tombstoned_at IS NULL AND status = 'running' AND system_code IS NOT NULL GROUP BY system_code
) r ON r.system_code = s.system_code
LEFT JOIN (
  SELECT code, sum(1 - is_settled) AS leads, sum(is_settled) AS settled FROM open_lead WHERE about = 'system' GROUP BY code
) f ON f.code = s.system_code
