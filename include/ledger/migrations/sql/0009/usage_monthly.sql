-- What each system was used in a month: people (statistics of use), calls (exchange), load (city cloud). Days without a row add nothing.
CREATE VIEW usage_monthly AS
WITH trusted AS (
  SELECT DISTINCT source, day FROM observed_day WHERE is_trusted
),
used AS (
  SELECT
    system_code, substr(CAST(day AS text), 1, 7) AS month, sum(seen) AS observed_days, sum(logins) AS logins,
    sum(CASE WHEN logins > 0 THEN 1 ELSE 0 END) AS login_days, max(active_users) AS active_users
  FROM (
    SELECT
      u.system_code, u.day, max(u.logins) AS logins, max(u.active_users) AS active_users,
      max(CASE WHEN t.day IS NOT NULL AND u.logins IS NOT NULL THEN 1 ELSE 0 END) AS seen
    FROM system_usage_day u LEFT JOIN trusted t ON t.source = u.source AND t.day = u.day
    GROUP BY u.system_code, u.day
  ) daily
  GROUP BY system_code, substr(CAST(day AS text), 1, 7)
),
called AS (
  SELECT o.system_code, substr(CAST(c.day AS text), 1, 7) AS month, sum(c.calls) AS calls, sum(c.failures) AS failures
  FROM exchange_call_day c
  JOIN owned_service o ON o.service_code = c.service_code AND o.system_code <> coalesce(c.caller_code, '')
  WHERE coalesce(c.is_probe, false) = false
  GROUP BY o.system_code, substr(CAST(c.day AS text), 1, 7)
),
hosted AS MATERIALIZED (
  SELECT resource_code, CAST(max(system_code) AS text) AS system_code
  FROM cloud_resource WHERE system_code IS NOT NULL GROUP BY resource_code
),
loaded AS (
  SELECT
    h.system_code, m.month, sum(m.host_days) AS host_days, sum(m.cpu_sum) AS cpu_sum, max(m.cpu_max) AS cpu_max,
    max(m.memory_max) AS memory_max
  FROM (
    SELECT
      resource_code, substr(CAST(day AS text), 1, 7) AS month, count(cpu_mean_bp) AS host_days, sum(cpu_mean_bp) AS cpu_sum,
      max(cpu_max_bp) AS cpu_max, max(memory_max_bp) AS memory_max
    FROM cloud_usage_day GROUP BY resource_code, substr(CAST(day AS text), 1, 7)
  ) m
  JOIN hosted h ON h.resource_code = m.resource_code
  GROUP BY h.system_code, m.month
),
every AS (
  SELECT system_code, month FROM used UNION SELECT system_code, month FROM called UNION SELECT system_code, month FROM loaded
),
dated AS (
  SELECT
    system_code, month,
    CASE
      WHEN substr(month, 6, 2) IN ('04', '06', '09', '11') THEN 30 WHEN substr(month, 6, 2) <> '02' THEN 31
      WHEN CAST(substr(month, 1, 4) AS integer) % 400 = 0 THEN 29
      WHEN CAST(substr(month, 1, 4) AS integer) % 4 = 0 AND substr(month, 3, 2) <> '00' THEN 29 ELSE 28
    END AS days
  FROM every
)
SELECT
  d.system_code, d.month, s.name, s.unit_name AS department, d.days, coalesce(u.observed_days, 0) AS observed_days,
  CASE WHEN u.observed_days = d.days THEN true ELSE false END AS is_complete, u.logins, u.login_days, u.active_users, c.calls, c.failures,
  coalesce(l.host_days, 0) AS host_days,
  CASE WHEN l.host_days > 0 THEN CAST((2 * CAST(l.cpu_sum AS bigint) / CAST(l.host_days AS bigint) + 1) / 2 / 100.0 AS numeric(18, 2)) END AS cpu_mean_percent,
  CAST(l.cpu_max / 100.0 AS numeric(18, 2)) AS cpu_max_percent, CAST(l.memory_max / 100.0 AS numeric(18, 2)) AS memory_max_percent
FROM dated d
LEFT JOIN known_system s ON s.system_code = d.system_code
LEFT JOIN used u ON u.system_code = d.system_code AND u.month = d.month
LEFT JOIN called c ON c.system_code = d.system_code AND c.month = d.month
LEFT JOIN loaded l ON l.system_code = d.system_code AND l.month = d.month
