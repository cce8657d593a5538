-- Which systems name which projects, by their present codes. A code has 24 characters, so the list is cut by place.
CREATE VIEW system_project AS
WITH RECURSIVE part (system_code, project_code, rest) AS (
  SELECT system_code, substr(project_codes, 1, 24), substr(project_codes, 26) FROM known_system WHERE project_codes <> ''
  UNION ALL
  SELECT system_code, substr(rest, 1, 24), substr(rest, 26) FROM part WHERE rest <> ''
)
SELECT DISTINCT CAST(p.system_code AS text) AS system_code, CAST(coalesce(c.project_code, p.project_code) AS text) AS project_code
FROM part p LEFT JOIN present_project_code c ON c.former_code = p.project_code
