-- Living systems, each field from the source with the best authority that has it (as the rules see them), of at most three sources.
CREATE VIEW known_system AS
SELECT
  system_code,
  coalesce(max(CASE WHEN place = 1 THEN name END), max(CASE WHEN place = 2 THEN name END), max(CASE WHEN place = 3 THEN name END)) AS name,
  coalesce(max(CASE WHEN place = 1 THEN unit_name END), max(CASE WHEN place = 2 THEN unit_name END), max(CASE WHEN place = 3 THEN unit_name END)) AS unit_name,
  coalesce(max(CASE WHEN place = 1 THEN unit_uscc END), max(CASE WHEN place = 2 THEN unit_uscc END), max(CASE WHEN place = 3 THEN unit_uscc END)) AS unit_uscc,
  coalesce(max(CASE WHEN place = 1 THEN project_codes END), max(CASE WHEN place = 2 THEN project_codes END), max(CASE WHEN place = 3 THEN project_codes END)) AS project_codes,
  coalesce(max(CASE WHEN place = 1 THEN status END), max(CASE WHEN place = 2 THEN status END), max(CASE WHEN place = 3 THEN status END)) AS status,
  coalesce(max(CASE WHEN place = 1 THEN deployment END), max(CASE WHEN place = 2 THEN deployment END), max(CASE WHEN place = 3 THEN deployment END)) AS deployment,
  coalesce(max(CASE WHEN place = 1 THEN purpose END), max(CASE WHEN place = 2 THEN purpose END), max(CASE WHEN place = 3 THEN purpose END)) AS purpose,
  coalesce(max(CASE WHEN place = 1 THEN declared_connection END), max(CASE WHEN place = 2 THEN declared_connection END), max(CASE WHEN place = 3 THEN declared_connection END)) AS declared_connection,
  coalesce(max(CASE WHEN place = 1 THEN protection_level END), max(CASE WHEN place = 2 THEN protection_level END), max(CASE WHEN place = 3 THEN protection_level END)) AS protection_level,
  coalesce(max(CASE WHEN place = 1 THEN registered_users END), max(CASE WHEN place = 2 THEN registered_users END), max(CASE WHEN place = 3 THEN registered_users END)) AS registered_users,
  coalesce(max(CASE WHEN place = 1 THEN trial_started_on END), max(CASE WHEN place = 2 THEN trial_started_on END), max(CASE WHEN place = 3 THEN trial_started_on END)) AS trial_started_on,
  coalesce(max(CASE WHEN place = 1 THEN went_live_on END), max(CASE WHEN place = 2 THEN went_live_on END), max(CASE WHEN place = 3 THEN went_live_on END)) AS went_live_on,
  coalesce(max(CASE WHEN place = 1 THEN last_released_on END), max(CASE WHEN place = 2 THEN last_released_on END), max(CASE WHEN place = 3 THEN last_released_on END)) AS last_released_on,
  count(*) AS sources
FROM (
  SELECT
    e.system_code, e.name, e.unit_name, e.unit_uscc, e.project_codes, e.status, e.deployment, e.purpose,
    e.declared_connection, e.protection_level, e.registered_users, e.trial_started_on, e.went_live_on,
    e.last_released_on,
    row_number() OVER (PARTITION BY e.system_code ORDER BY coalesce(a.authority, 100), e.source, e.record_key) AS place
  FROM system e LEFT JOIN source_authority a ON a.source = e.source
  WHERE e.tombstoned_at IS NULL
) ranked
GROUP BY system_code
