-- Of each re-issued project code the one it goes by now, chains followed; a code that leads back to itself stops before.
CREATE VIEW present_project_code AS
WITH RECURSIVE hop (former_code, project_code) AS (
  SELECT former_code, project_code FROM project_alias WHERE former_code <> project_code
  UNION
  SELECT h.former_code, a.project_code
  FROM hop h JOIN project_alias a ON a.former_code = h.project_code AND a.project_code <> h.former_code
)
SELECT h.former_code, CAST(max(h.project_code) AS text) AS project_code
FROM hop h
WHERE NOT EXISTS (
  SELECT 1 FROM project_alias n
  WHERE n.former_code = h.project_code AND n.project_code NOT IN (h.former_code, n.former_code)
)
GROUP BY h.former_code
