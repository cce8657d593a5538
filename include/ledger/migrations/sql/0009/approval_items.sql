-- Steps of approval on the platforms, by the present code of their project; of one that two platforms list, the better authority's.
CREATE VIEW approval_items AS
SELECT
  i.project_code, i.item_id, p.name AS project_name, p.unit_name AS department, i.item_name, i.item_code, i.dept_name, i.state,
  i.state_raw, i.submitted_at, i.accepted_at, i.decided_at, i.document_no, i.source
FROM (
  SELECT
    CAST(coalesce(c.project_code, e.project_code) AS text) AS project_code, e.item_id, e.item_name, e.item_code, e.dept_name, e.state, e.state_raw,
    e.submitted_at, e.accepted_at, e.decided_at, e.document_no, e.source,
    row_number() OVER (
      PARTITION BY coalesce(c.project_code, e.project_code), e.item_id
      ORDER BY coalesce(a.authority, 100), e.source, e.record_key
    ) AS place
  FROM approval_item e
  LEFT JOIN source_authority a ON a.source = e.source
  LEFT JOIN present_project_code c ON c.former_code = e.project_code
  WHERE e.tombstoned_at IS NULL
) i
LEFT JOIN (
  SELECT e.project_code, e.name, e.unit_name, row_number() OVER (
    PARTITION BY e.project_code ORDER BY coalesce(a.authority, 100), e.source
  ) AS place
  FROM project e LEFT JOIN source_authority a ON a.source = e.source
  WHERE e.tombstoned_at IS NULL
) p ON p.project_code = i.project_code AND p.place <= 1
WHERE i.place <= 1
