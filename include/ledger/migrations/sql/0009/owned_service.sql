-- Whose each service of the exchange is, those listed no more too: their calls were calls of that system.
CREATE VIEW owned_service AS
SELECT service_code, system_code, CASE WHEN tombstoned_at IS NULL AND coalesce(state, '') <> 'withdrawn' THEN 1 ELSE 0 END AS is_listed
FROM (
  SELECT e.service_code, e.system_code, e.state, e.tombstoned_at, row_number() OVER (
    PARTITION BY e.service_code
    ORDER BY CASE WHEN e.tombstoned_at IS NULL THEN 0 ELSE 1 END, coalesce(a.authority, 100), e.source, e.record_key
  ) AS place
  FROM exchange_service e LEFT JOIN source_authority a ON a.source = e.source
  WHERE e.system_code IS NOT NULL
) ranked
WHERE place <= 1
