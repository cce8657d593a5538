-- Open findings with the project or system that they are about: those of contracts, plan entries and notices are their project's.
CREATE VIEW open_lead AS
SELECT
  s.about, CAST(coalesce(c.project_code, s.code) AS text) AS code, f.finding_id, f.rule, f.subject_type, f.subject, f.occurrence, f.outcome, f.severity, f.handling, f.message,
  e.opened_on, CASE WHEN f.handling IN ('waived', 'attested', 'settled') THEN 1 ELSE 0 END AS is_settled
FROM finding f
JOIN (
  SELECT finding_id, subject_type AS about, subject AS code FROM finding WHERE state = 'open' AND subject_type IN ('system', 'project')
  UNION ALL
  SELECT finding_id, 'project', subject FROM finding WHERE state = 'open' AND subject_type = 'plan_entry'
  UNION ALL
  SELECT f.finding_id, 'project', c.project_code
  FROM finding f JOIN (
    SELECT contract_no, max(project_code) AS project_code FROM contract WHERE tombstoned_at IS NULL GROUP BY contract_no
  ) c ON c.contract_no = f.subject
  WHERE f.state = 'open' AND f.subject_type = 'contract'
  UNION ALL
  SELECT f.finding_id, CASE WHEN r.project_code IS NULL THEN 'system' ELSE 'project' END, coalesce(r.project_code, r.system_code)
  FROM finding f JOIN (
    SELECT notice_no, max(project_code) AS project_code, max(system_code) AS system_code
    FROM rectification WHERE tombstoned_at IS NULL GROUP BY notice_no
  ) r ON r.notice_no = f.subject
  WHERE f.state = 'open' AND f.subject_type = 'rectification'
) s ON s.finding_id = f.finding_id
JOIN (
  SELECT finding_id, max(day) AS opened_on FROM finding_event WHERE kind IN ('opened', 'reopened') GROUP BY finding_id
) e ON e.finding_id = f.finding_id
LEFT JOIN present_project_code c ON s.about = 'project' AND c.former_code = s.code
WHERE f.state = 'open' AND s.code IS NOT NULL
