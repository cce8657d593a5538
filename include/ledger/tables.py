"""Every table of the ledger, in SQLAlchemy Core; migrations are written out and a test compares them with this file."""

from __future__ import annotations

from functools import partial

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, MetaData, String, Table, Text

from include.ledger.entity_tables import changes_table, entity_table
from include.ledger.types import Moment

metadata = MetaData()

_entity, _changes = partial(entity_table, metadata), partial(changes_table, metadata)
project, project_change = _entity("project"), _changes("project")
approval_item, approval_item_change = _entity("approval_item"), _changes("approval_item")
plan_entry, plan_entry_change = _entity("plan_entry"), _changes("plan_entry")
Index("project_by_code", project.c.project_code)
Index("approval_item_by_project", approval_item.c.source, approval_item.c.project_code)

project_alias = Table(
    "project_alias",
    metadata,
    Column("source", String(50), primary_key=True),
    Column("former_code", String(30), primary_key=True),
    Column("project_code", String(30), primary_key=True),
    Column("batch_id", String(100), nullable=False),
)

_COUNTS = ("rows_received", "refused", "created", "changed", "unchanged", "repeated", "quarantined", "restored", "absent",
           "tombstoned")  # fmt: skip

batch = Table(
    "batch",
    metadata,
    Column("batch_id", String(100), primary_key=True),
    Column("source", String(50), nullable=False),
    Column("entity", String(40), nullable=False),
    Column("is_full", Boolean, nullable=False),
    Column("is_complete", Boolean, nullable=False),
    Column("filter_digest", String(32), nullable=False),
    Column("card_digest", String(32), nullable=False),
    *(Column(name, Moment, nullable=False) for name in ("started_at", "sealed_at", "merged_at")),
    *(Column(name, BigInteger, nullable=False) for name in _COUNTS),
    *(Column(name, Text, nullable=False) for name in ("children", "reasons", "notes")),
    Column("held", BigInteger, nullable=False, server_default="0"),
    Column("warned", BigInteger, nullable=False, server_default="0"),
    Column("declared", BigInteger),
)
Index("batch_by_source", batch.c.source, batch.c.started_at)

absence = Table(
    "absence", metadata, Column("source", String(50), primary_key=True), Column("entity", String(40), primary_key=True),
    Column("record_key", String(800), primary_key=True), Column("first_batch", String(100), nullable=False),
)  # fmt: skip

quarantine = Table(
    "quarantine",
    metadata,
    Column("source", String(50), primary_key=True),
    Column("record_hash", String(32), primary_key=True),
    Column("record_key", String(800)),
    Column("entity", String(40), nullable=False),
    Column("batch_id", String(100), nullable=False),
    Column("page", Integer, nullable=False),
    Column("line", Integer, nullable=False),
    Column("problems", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("state", String(20), nullable=False),
    Column("closed_batch", String(100)),
    Column("new_key", String(800)),
)
"""Rows set aside; one with `new_key` is right in itself, and held because it may be the known record `record_key`."""

watermark = Table(
    "watermark", metadata, Column("source", String(50), primary_key=True), Column("changed_until", Moment, nullable=False),
    Column("filter_digest", String(32), nullable=False), Column("batch_id", String(100), nullable=False),
)  # fmt: skip

question = Table(
    "question",
    metadata,
    Column("kind", String(50), primary_key=True),
    Column("source", String(50), primary_key=True),
    Column("subject", String(800), primary_key=True),
    Column("text", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("opened_batch", String(100), nullable=False),
    Column("closed_at", Moment),
    Column("closed_batch", String(100)),
)

source_authority = Table(
    "source_authority", metadata, Column("source", String(50), primary_key=True), Column("authority", Integer, nullable=False)
)  # fmt: skip

system, system_change = _entity("system"), _changes("system")
exchange_service, exchange_service_change = _entity("exchange_service"), _changes("exchange_service")
exchange_call_day, exchange_call_day_change = _entity("exchange_call_day"), _changes("exchange_call_day")
cloud_resource, cloud_resource_change = _entity("cloud_resource"), _changes("cloud_resource")
cloud_usage_day, cloud_usage_day_change = _entity("cloud_usage_day"), _changes("cloud_usage_day")
system_usage_day, system_usage_day_change = _entity("system_usage_day"), _changes("system_usage_day")
exemption, exemption_change = _entity("exemption"), _changes("exemption")
maintenance_window, maintenance_window_change = _entity("maintenance_window"), _changes("maintenance_window")
Index("exchange_service_by_system", exchange_service.c.system_code)
for _table in (exchange_call_day, cloud_usage_day, system_usage_day):
    Index(f"{_table.name}_by_day", _table.c.day)
    Index(f"{_table.name}_by_batch", _table.c.changed_batch, _table.c.day)

resource, resource_change = _entity("resource"), _changes("resource")
resource_item, resource_item_change = _entity("resource_item"), _changes("resource_item")
Index("resource_by_system", resource.c.system_code)
Index("resource_by_code", resource.c.code)
Index("resource_item_by_resource", resource_item.c.source, resource_item.c.resource_id)

project_dossier, project_dossier_change = _entity("project_dossier"), _changes("project_dossier")
suspension, suspension_change = _entity("suspension"), _changes("suspension")
contract, contract_change = _entity("contract"), _changes("contract")
payment, payment_change = _entity("payment"), _changes("payment")
acceptance, acceptance_change = _entity("acceptance"), _changes("acceptance")
assessment, assessment_change = _entity("assessment"), _changes("assessment")
performance_review, performance_review_change = _entity("performance_review"), _changes("performance_review")
rectification, rectification_change = _entity("rectification"), _changes("rectification")
plan_year, plan_year_change = _entity("plan_year"), _changes("plan_year")
department_year, department_year_change = _entity("department_year"), _changes("department_year")
attestation, attestation_change = _entity("attestation"), _changes("attestation")
OF_PROJECTS = (
    project_dossier, contract, payment, acceptance, assessment, suspension, performance_review, attestation, rectification,
)  # fmt: skip
"""What is kept of single projects beside the platforms: each row names one project, or in some of them a system."""
for _table in OF_PROJECTS:
    Index(f"{_table.name}_by_project", _table.c.project_code)
Index("system_by_code", system.c.system_code)
Index("assessment_by_system", assessment.c.system_code)
Index("assessment_by_number", assessment.c.report_no)

identity_decision = Table(
    "identity_decision",
    metadata,
    Column("source", String(50), primary_key=True),
    Column("record_key", String(800), primary_key=True),
    Column("new_key", String(800), primary_key=True),
    Column("is_same", Boolean, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("decided_by", String(100), nullable=False),
    Column("reason", Text, nullable=False),
)
"""What a person decided of a record whose identifier may have been coined anew: the known key, and the new one."""

batch_record = Table(
    "batch_record",
    metadata,
    Column("source", String(50), primary_key=True),
    Column("batch_id", String(100), primary_key=True),
    Column("outcome", String(20), primary_key=True),
    Column("record_key", String(800), primary_key=True),
    Column("detail", Text, nullable=False),
)
"""What a batch met in single records and no other table keeps: repeated, quarantined, held, warned."""

observed_day = Table(
    "observed_day",
    metadata,
    Column("source", String(50), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("batch_id", String(100), primary_key=True),
    Column("is_trusted", Boolean, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("doubts", Text, nullable=False),
)
"""Which days of a daily series a batch read whole, and what speaks against believing them; the newest batch counts."""

probe_sweep = Table(
    "probe_sweep",
    metadata,
    Column("sweep_id", String(200), primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment, nullable=False),
    Column("merged_at", Moment, nullable=False),
    *(Column(name, Integer, nullable=False) for name in ("endpoints", "succeeded", "failed", "inconclusive")),
    Column("is_cut_off", Boolean, nullable=False),
    Column("lag_ms", Integer, nullable=False),
    Column("outcomes", Text, nullable=False),
    Column("causes", Text, nullable=False),
)
"""One sweep over the endpoints of a shard: the row that makes its merge happen once."""

probe_day = Table(
    "probe_day",
    metadata,
    Column("service_code", String(100), primary_key=True),
    Column("day", Date, primary_key=True),
    *(Column(name, Integer, nullable=False) for name in ("probes", "successes", "failures", "inconclusive")),
    Column("total_ms_sum", BigInteger, nullable=False),
    Column("total_ms_max", Integer, nullable=False),
    Column("last_success_at", Moment),
    Column("last_failure_at", Moment),
    Column("last_outcome", String(40), nullable=False),
    Column("last_detail", Text),
    Column("certificate_expires_on", Date),
)
Index("probe_day_by_day", probe_day.c.day)

probe_state = Table(
    "probe_state",
    metadata,
    Column("service_code", String(100), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("since_at", Moment, nullable=False),
    Column("failures_in_a_row", Integer, nullable=False),
    Column("successes_in_a_row", Integer, nullable=False),
    Column("sweep_id", String(200), nullable=False),
)
"""Up, down or unknown, after `confirm_after` failures or `clear_after` successes in a row."""

evaluation = Table(
    "evaluation",
    metadata,
    Column("scope", String(40), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("known", Text, nullable=False),
    Column("rules_version", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("verdicts", Integer, nullable=False),
    Column("outcomes", Text, nullable=False),
    Column("rates", Text, nullable=False),
    Column("evaluated_at", Moment, nullable=False),
)
"""One judging of a day: `known` is the last batch of every source that it saw, `digest` the hash of all its verdicts."""

verdict = Table(
    "verdict",
    metadata,
    Column("rule", String(80), primary_key=True),
    Column("subject_type", String(40), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("occurrence", String(80), primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("until_day", Date),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("scope", String(40), nullable=False),
    Column("body", Text, nullable=False),
)
"""The verdicts as they changed: one row from the day an outcome or reason began until the day another took its place."""

judged_subject = Table(
    "judged_subject",
    metadata,
    Column("scope", String(40), primary_key=True),
    Column("subject_type", String(40), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("facts_hash", String(32), nullable=False),
    Column("rules_version", String(32), nullable=False),
    Column("holds_until", Date),
    Column("outcomes", Text, nullable=False),
    Column("said", String(40), nullable=False),
)
"""What a subject was last judged on and what came of it, so that it is not judged again while both stand; no record."""

window_sum = Table(
    "window_sum", metadata, Column("name", String(40), primary_key=True), Column("stamp", String(32), nullable=False),
    *(Column(name, Text, nullable=False) for name in ("known", "body")),
)  # fmt: skip
"""The sums over the middle of a window, so that a day sums up its edges alone; `known` is the last batch they saw; no record."""

finding = Table(
    "finding",
    metadata,
    Column("finding_id", String(32), primary_key=True),
    Column("rule", String(80), nullable=False),
    Column("subject_type", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("occurrence", String(80), nullable=False),
    Column("state", String(20), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("message", Text, nullable=False),
    Column("first_seen_on", Date, nullable=False),
    Column("judged_on", Date, nullable=False),
    Column("unverified_since", Date),
    Column("reopened", Integer, nullable=False),
    Column("severity", String(20)),
    Column("rule_version", String(32)),
    Column("handling", String(20), nullable=False, server_default="new"),
    Column("handled_until", Date),
    Column("handled_by", String(200)),
    Column("decision_id", String(250)),
    Column("overdue_since", Date),
)
Index("finding_by_subject", finding.c.subject_type, finding.c.subject)
Index("finding_by_handled_until", finding.c.handled_until)

finding_event = Table(
    "finding_event",
    metadata,
    Column("finding_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String(30), nullable=False),
    Column("day", Date, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("detail", Text, nullable=False),
)
"""What happened to a finding, never changed; `finding` is the fold of it."""

decision = Table(
    "decision",
    metadata,
    Column("decision_id", String(250), primary_key=True),
    Column("finding_id", String(32), primary_key=True),
    Column("kind", String(30), nullable=False),
    Column("requested_by", String(200), nullable=False),
    Column("approved_by", String(200)),
    Column("ground", Text),
    Column("reason", Text),
    Column("plan", Text),
    Column("until", Date),
    Column("decided_at", Moment, nullable=False),
    Column("result", String(30)),
)
Index("decision_by_finding", decision.c.finding_id)
"""What a person decided of findings, a row for each of them, never changed."""

rule_version = Table(
    "rule_version",
    metadata,
    Column("rule", String(80), primary_key=True),
    Column("scope", String(40), primary_key=True),
    Column("version", String(32), nullable=False),
    Column("since", Date, nullable=False),
)
"""The version by which a rule last judged in a scope, and since when: what tells a changed rule from a changed world."""

_OF_SOURCES = (
    project, approval_item, plan_entry, system, exchange_service, exchange_call_day, cloud_resource, cloud_usage_day,
    system_usage_day, exemption, maintenance_window, resource, resource_item, project_dossier, suspension, contract, payment,
    acceptance, assessment, performance_review, rectification, plan_year, department_year, attestation,
)  # fmt: skip
ENTITIES: dict[str, tuple[Table, Table]] = {t.name: (t, metadata.tables[f"{t.name}_change"]) for t in _OF_SOURCES}
"""Entity → its table and that of its changes."""
