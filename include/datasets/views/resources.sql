-- Living entries of the catalogues, as current_resource has them, with Chinese labels.
CREATE VIEW resources AS
SELECT
  r.source, r.record_key AS resource_key, r.kind,
  CASE r.kind WHEN 'data' THEN '数据' WHEN 'component' THEN '组件' WHEN 'cloud_resource' THEN '云资源' END AS kind_label,
  r.code, r.title, r.provider_name AS department, r.provider_uscc, r.system_code, s.name AS system_name, r.category, r.theme, r.format,
  r.share_type,
  CASE r.share_type WHEN 'unconditional' THEN '无条件共享' WHEN 'conditional' THEN '有条件共享' WHEN 'none' THEN '不予共享' END AS share_type_label,
  r.share_condition, r.share_basis, r.share_method, r.open_type,
  CASE r.open_type WHEN 'unconditional' THEN '无条件开放' WHEN 'conditional' THEN '有条件开放' WHEN 'closed' THEN '不予开放' END AS open_type_label,
  r.update_cycle,
  CASE r.update_cycle
    WHEN 'realtime' THEN '实时' WHEN 'daily' THEN '每日' WHEN 'weekly' THEN '每周' WHEN 'ten_days' THEN '每旬' WHEN 'monthly' THEN '每月' WHEN 'quarterly' THEN '每季度' WHEN 'half_yearly' THEN '每半年'
    WHEN 'yearly' THEN '每年' WHEN 'two_yearly' THEN '每两年' WHEN 'three_yearly' THEN '每三年' WHEN 'irregular' THEN '不定期' WHEN 'never' THEN '不更新' WHEN 'other' THEN '其他'
  END AS update_cycle_label,
  r.state,
  CASE r.state
    WHEN 'draft' THEN '草稿' WHEN 'returned' THEN '退回修改' WHEN 'registered' THEN '已注册'
    WHEN 'published' THEN '已发布' WHEN 'withdrawn' THEN '取消发布'
  END AS state_label,
  r.collection,
  CASE r.collection
    WHEN 'delivered' THEN '已归集' WHEN 'partly' THEN '部分归集'
    WHEN 'not_delivered' THEN '未归集' WHEN 'not_required' THEN '无需归集'
  END AS collection_label,
  r.issued_on, r.modified_on, r.data_updated_on, r.record_count, coalesce(r.distribution_count, 0) AS distributions, r.landing_page
FROM (
  SELECT e.*, row_number() OVER (
    PARTITION BY e.kind, coalesce(e.code, e.source || '|' || e.resource_id) ORDER BY coalesce(a.authority, 100), e.source, e.record_key
  ) AS place
  FROM resource e LEFT JOIN source_authority a ON a.source = e.source
  WHERE e.tombstoned_at IS NULL
) r
LEFT JOIN known_system s ON s.system_code = r.system_code
WHERE r.place <= 1
