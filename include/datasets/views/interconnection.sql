-- Each system and the exchange (art. 8): declared, registered and observed, apart from each other, and the verdict.
CREATE VIEW interconnection AS
WITH newest AS (
  SELECT max(day) AS day FROM exchange_call_day
),
received AS (
  SELECT
    o.system_code, max(CASE WHEN c.calls > c.failures THEN c.day END) AS last_success_on,
    sum(CASE WHEN c.day > before(n.day, 30) THEN c.calls ELSE 0 END) AS calls,
    sum(CASE WHEN c.day > before(n.day, 30) THEN c.failures ELSE 0 END) AS failures
  FROM exchange_call_day c
  JOIN owned_service o ON o.service_code = c.service_code AND o.system_code <> coalesce(c.caller_code, '')
  CROSS JOIN newest n
  WHERE coalesce(c.is_probe, false) = false
  GROUP BY o.system_code
),
made AS (
  SELECT c.caller_code AS system_code, max(CASE WHEN c.calls > c.failures THEN c.day END) AS last_success_on, sum(c.calls) AS calls
  FROM exchange_call_day c
  JOIN newest n ON c.day > before(n.day, 30)
  LEFT JOIN owned_service o ON o.service_code = c.service_code
  WHERE coalesce(c.is_probe, false) = false AND c.caller_code IS NOT NULL AND c.caller_code <> coalesce(o.system_code, '')
  GROUP BY c.caller_code
),
listed AS (
  SELECT system_code, count(*) AS services FROM owned_service WHERE is_listed = 1 GROUP BY system_code
),
probed AS (
  SELECT
    o.system_code, max(CASE p.state WHEN 'up' THEN 3 WHEN 'down' THEN 2 ELSE 1 END) AS best, max(d.probed_on) AS probed_on,
    max(d.answered_on) AS answered_on
  FROM owned_service o
  JOIN probe_state p ON p.service_code = o.service_code
  LEFT JOIN (
    SELECT service_code, max(day) AS probed_on, max(CASE WHEN successes > 0 THEN day END) AS answered_on
    FROM probe_day GROUP BY service_code
  ) d ON d.service_code = o.service_code
  WHERE o.is_listed = 1
  GROUP BY o.system_code
)
SELECT
  s.system_code, s.name, s.unit_name AS department, s.status, s.declared_connection AS declared,
  CASE WHEN l.services > 0 THEN 'service' WHEN v.reason = 'application_only' THEN 'application' ELSE 'none' END AS registered,
  CASE
    WHEN r.calls > r.failures THEN 'called' WHEN m.last_success_on IS NOT NULL THEN 'calling'
    WHEN p.answered_on > before(n.day, 30) THEN 'probed' ELSE 'none'
  END AS observed,
  coalesce(l.services, 0) AS services, r.last_success_on AS last_called_on, coalesce(r.calls, 0) AS calls_30d,
  coalesce(r.failures, 0) AS failures_30d,
  CASE WHEN r.calls > 0 THEN
    CAST((CAST(r.calls - r.failures AS bigint) * 20000 / CAST(r.calls AS bigint) + 1) / 2 / 100.0 AS numeric(18, 2))
  END AS success_percent_30d,
  coalesce(m.calls, 0) AS calls_made_30d, n.day AS calls_until_on,
  CASE p.best WHEN 3 THEN 'up' WHEN 2 THEN 'down' WHEN 1 THEN 'unknown' END AS probe_state, p.probed_on, v.outcome, v.reason,
  v.from_day AS since
FROM known_system s
CROSS JOIN newest n
LEFT JOIN received r ON r.system_code = s.system_code
LEFT JOIN made m ON m.system_code = s.system_code
LEFT JOIN listed l ON l.system_code = s.system_code
LEFT JOIN probed p ON p.system_code = s.system_code
LEFT JOIN verdict v ON v.rule = 'interconnected-with-exchange' AND v.subject_type = 'system' AND v.subject = s.system_code
  AND v.occurrence = '' AND v.until_day IS NULL
