"""The SQL that brings an entity's table to what was staged: one text per step, the same on both dialects but for value texts.

Records are joined on (source, record_key). Every statement is set-based, so that 100,000 records cost a few of them.
"""

from __future__ import annotations

from include.ledger.entity_tables import kinds


class EntityStatements:
    """The statements for one entity on one dialect; `:source`, `:batch` and `:at` are bound by the caller."""

    def __init__(self, entity: str, dialect: str) -> None:
        self.entity, self.dialect = entity, dialect
        self.kinds = kinds(entity)
        self.stage = f"stage_{entity}"
        # SQLite keeps no statistics: CROSS JOIN makes it look staged rows up in the ledger, not the ledger in the stage.
        join = "JOIN" if dialect == "postgresql" else "CROSS JOIN"
        self._join = f"FROM {self.stage} s {join} {entity} t ON t.source = :source AND t.record_key = s.record_key"
        pairs = [(f"s.{c}", f"t.{c}") for c in self.kinds]
        self.differs = "(" + " OR ".join(f"{s} {self._is_not} {t}" for s, t in pairs) + ")"

    @property
    def _is_not(self) -> str:
        return "IS DISTINCT FROM" if self.dialect == "postgresql" else "IS NOT"

    def count_repeats(self) -> str:
        """Count staged rows whose key is staged twice, and those among them that came on different pages."""
        return (
            f"SELECT coalesce(sum(n - 1), 0), coalesce(sum(CASE WHEN low <> high THEN n - 1 ELSE 0 END), 0) FROM ("
            f"SELECT count(*) AS n, min(seq / 1000000) AS low, max(seq / 1000000) AS high "
            f"FROM {self.stage} GROUP BY record_key HAVING count(*) > 1) d"
        )

    def drop_repeats(self) -> str:
        """Keep the newest of the rows that share a key: by the source's own time, then by place."""
        moment = "updated_at DESC NULLS LAST, " if "updated_at" in self.kinds else ""
        return (
            f"DELETE FROM {self.stage} WHERE seq IN (SELECT seq FROM (SELECT seq, "
            f"row_number() OVER (PARTITION BY record_key ORDER BY {moment}seq DESC) AS n FROM {self.stage}) r WHERE n > 1)"
        )

    def known(self) -> str:
        """Return a query for the keys of staged rows that the ledger holds alike and alive."""
        return f"SELECT s.record_key {self._join} AND t.source_hash = s.source_hash AND t.tombstoned_at IS NULL"

    def brought_before(self) -> str:
        """Return a query for the keys of staged rows whose living record this full batch brought in another row as well.

        The record stays as it is, or which row it shows would change from batch to batch; one that the source dates later counts.
        """
        later = "AND NOT coalesce(s.updated_at > t.updated_at, FALSE)" if "updated_at" in self.kinds else ""
        same = "AND s.resource_id = t.resource_id" if self.entity == "resource" else ""
        return (
            f"SELECT s.record_key {self._join} AND t.source_hash <> s.source_hash AND t.tombstoned_at IS NULL {same} {later} "
            "AND NOT EXISTS (SELECT 1 FROM stage_unseen u WHERE u.source_hash = t.source_hash)"
        )

    def insert_new(self) -> str:
        """Insert the records that the source has for the first time."""
        columns = ", ".join(["record_key", "source_hash", *self.kinds])
        staged = ", ".join(f"s.{c}" for c in ["record_key", "source_hash", *self.kinds])
        return (
            f"INSERT INTO {self.entity} (source, {columns}, created_batch, changed_batch) "
            f"SELECT :source, {staged}, :batch, :batch FROM {self.stage} s LEFT JOIN {self.entity} t "
            f"ON t.source = :source AND t.record_key = s.record_key WHERE t.record_key IS NULL"
        )

    def drop_known(self) -> str:
        """Drop staged rows that the ledger holds alike and alive: a window read with overlap brings them again."""
        return (
            f"DELETE FROM {self.stage} WHERE EXISTS (SELECT 1 FROM {self.entity} t WHERE t.source = :source "
            f"AND t.record_key = {self.stage}.record_key AND t.source_hash = {self.stage}.source_hash "
            "AND t.tombstoned_at IS NULL)"
        )

    def log_changes(self) -> str:
        """Write old and new value of every field that differs, and the return of tombstoned records."""
        into = (
            f"INSERT INTO {self.entity}_change (source, record_key, batch_id, field, old, new, changed_at) "
            "SELECT :source, c.record_key, :batch, c.field, c.old, c.new, :at FROM "
        )
        pairs = [(c, self._text(c, "t"), self._text(c, "s")) for c in self.kinds]
        pairs.append(("tombstoned_at", self._moment("t.tombstoned_at"), "NULL"))
        if self.dialect == "postgresql":
            values = ", ".join(f"('{c}', {old}, {new})" for c, old, new in pairs)
            return (
                f"{into} (SELECT s.record_key, v.* {self._join} CROSS JOIN LATERAL (VALUES {values}) AS v (field, old, new) "
                "WHERE v.old IS DISTINCT FROM v.new) c"
            )
        branches = [
            f"SELECT s.record_key, '{c}' AS field, {old} AS old, {new} AS new {self._join} WHERE {old} IS NOT {new}"
            for c, old, new in pairs
        ]
        return f"{into} ({' UNION ALL '.join(branches)}) c"

    def count_changed(self) -> str:
        """Count the records with a difference, and those that come back."""
        return (
            f"SELECT coalesce(sum(CASE WHEN {self.differs} AND t.tombstoned_at IS NULL THEN 1 ELSE 0 END), 0), "
            f"coalesce(sum(CASE WHEN t.tombstoned_at IS NOT NULL THEN 1 ELSE 0 END), 0) {self._join}"
        )

    def update_changed(self, *, by_hash: bool, by_fields: bool) -> str:
        """Bring known records to their staged values; only the hash where nothing that we keep differs.

        Children carry their parent's hash, so they are compared by their fields; a forced batch compares both.
        """
        values = ", ".join(f"{c} = s.{c}" for c in self.kinds)
        touched = " OR ".join(["t.source_hash <> s.source_hash"] * by_hash + [self.differs] * by_fields)
        return (
            f"UPDATE {self.entity} AS t SET {values}, source_hash = s.source_hash, tombstoned_at = NULL, changed_batch = "
            f"CASE WHEN {self.differs} OR t.tombstoned_at IS NOT NULL THEN :batch ELSE t.changed_batch END "
            f"FROM {self.stage} s WHERE t.source = :source AND t.record_key = s.record_key "
            f"AND ({touched} OR t.tombstoned_at IS NOT NULL)"
        )

    def tombstone(self, keys: str) -> list[str]:
        """Tombstone the records whose keys the query `keys` names, with their line in the history."""
        where = f"source = :source AND tombstoned_at IS NULL AND record_key IN ({keys})"
        return [
            f"INSERT INTO {self.entity}_change (source, record_key, batch_id, field, old, new, changed_at) "
            f"SELECT source, record_key, :batch, 'tombstoned_at', NULL, :at_text, :at FROM {self.entity} WHERE {where}",
            f"UPDATE {self.entity} SET tombstoned_at = :at, changed_batch = :batch WHERE {where}",
        ]

    def _text(self, column: str, table: str) -> str:
        kind, value = self.kinds[column], f"{table}.{column}"
        if kind == "datetime":
            return self._moment(value)
        if kind == "flag":
            return f"CASE WHEN {value} THEN 'true' WHEN NOT {value} THEN 'false' END"
        if kind == "yuan" and self.dialect == "sqlite":
            return f"CASE WHEN {value} IS NOT NULL THEN printf('%.2f', {value}) END"
        return f"CAST({value} AS text)"

    def _moment(self, value: str) -> str:
        if self.dialect == "sqlite":
            return value
        return f"to_char({value} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+08:00\"')"
