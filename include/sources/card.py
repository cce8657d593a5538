"""Source cards: the YAML that says how a platform is reached, signed, paged, unwrapped and mapped.

Loading checks a card against `schemas/config/source.v1.json` and against the canonical schema of its entity, and names
file, line and fix of what is wrong. Does not read anything from a platform.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from include.sources.checked_yaml import SCHEMAS
from include.sources.file_block import Files, build_files
from include.sources.kinds import kind_schemas
from include.sources.vocabulary import vocabulary

GATE = 2
"""Raise it when the privacy gate refuses or masks more than before, so that every source is read through it anew."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one read may cost; see the schema for units."""

    rate: str | None = None
    page_bytes: int = 33_554_432
    pages: int = 20_000
    seconds: int = 3600
    page_seconds: int = 120
    connect_seconds: float = 10
    read_seconds: float = 30
    attempts: int = 4
    backoff_seconds: float = 1
    redirects: int = 0
    networks: tuple[str, ...] = ()
    skew_seconds: int = 180


@dataclass(frozen=True, slots=True)
class Signer:
    """How calls are signed; secrets come from the connection."""

    profile: str = "none"
    prefix: str = "gjgxjhpt"
    sid: str | None = None
    secret_path: str | None = None
    renew_path: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The call that returns one page."""

    path: str
    method: str = "GET"
    parameters_in: str = "query"
    parameters: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Detail:
    """One more call for each listed row; `parameters` are names of parameters → raw fields of the row."""

    path: str
    parameters: dict[str, str]
    into: str
    method: str = "GET"
    parameters_in: str = "query"
    sid: str | None = None
    rows: str = ""


@dataclass(frozen=True, slots=True)
class Paging:
    """How the next page is asked for."""

    style: str
    number: str = "pageNo"
    first: int = 1
    size: str | None = None
    page_size: int = 100
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where things stand in an answer; `total_counts` is "rows" or "pages"."""

    code: str | None = None
    success: tuple[str, ...] = ("0",)
    message: str = "message"
    expired: tuple[str, ...] = ()
    throttled: tuple[str, ...] = ()
    rows: tuple[str, ...] = ("",)
    total_path: str | None = None
    total_counts: str = "rows"


@dataclass(frozen=True, slots=True)
class SqlChild:
    """A child table whose rows are put into their parents."""

    name: str
    table: str
    order: str
    key: tuple[str, ...]
    parent: str
    where: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sql:
    """A front-end database table read by its latest row per business key."""

    table: str
    order: str
    key: tuple[str, ...]
    page_size: int = 1000
    where: dict[str, Any] = field(default_factory=dict)
    children: tuple[SqlChild, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """What a whole answer or file is written in, where it is no plain table; see the schema."""

    format: str = "json"
    types: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("zh", "en")
    contexts: dict[str, str] = field(default_factory=dict)
    shapes: str | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """How changes since a moment are asked for."""

    field: str
    since: str | None = None
    until: str | None = None
    format: str = "%Y-%m-%d %H:%M:%S"
    overlap_seconds: int = 600


@dataclass(frozen=True, slots=True)
class Series:
    """Rows by day, read in windows of whole days and never in full; see the schema."""

    first_days: int = 120
    settle_days: int = 3
    is_dense: bool = True


@dataclass(frozen=True, slots=True)
class Gate:
    """A raw field whose value must be one of `open`, or the row is classified; compared as trimmed text."""

    field: str
    open: frozenset[str]
    open_if_absent: bool


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One canonical field: which raw fields it is read from, and how; `inner` are the fields of objects, by name."""

    name: str
    sources: tuple[str, ...]
    converter: str
    map: dict[str, Any]
    raw: str | None
    inner: dict[str, str] = field(default_factory=dict)

    @property
    def raw_fields(self) -> tuple[str, ...]:
        """Return the paths from the row that it is read from; objects made of the row itself name their own."""
        return tuple(p for s in self.sources for p in (self.inner.values() if s == "." else (s,)))

    @property
    def listed_fields(self) -> set[str]:
        """Return the paths from the row of what is kept of objects in a list."""
        return {f"{s}.{path}" for s in self.sources if s != "." for path in self.inner.values()}


@dataclass(frozen=True, slots=True)
class Nested:
    """Records that stand inside a row; `parent` copies canonical fields of the row: child field → parent field."""

    entity: str
    rows: str
    key: tuple[str, ...]
    fields: tuple[FieldRule, ...]
    parent: dict[str, str]


@dataclass(frozen=True, slots=True)
class Card:
    """A checked source card. `digest` changes whenever the card or its canonical schema does."""

    source: str
    title: str
    entity: str
    reader: str
    connection: str
    key: tuple[str, ...]
    fields: tuple[FieldRule, ...]
    digest: str
    file: str
    group: str = "projects"
    enabled: bool = True
    authority: int = 100
    pool: str = ""
    max_vanishing_share: float = 0.2
    max_vanishing_count: int = 500
    signer: Signer = Signer()
    request: Request | None = None
    detail: Detail | None = None
    paging: Paging | None = None
    envelope: Envelope = Envelope()
    document: Document | None = None
    sql: Sql | None = None
    files: Files | None = None
    cursor: Cursor | None = None
    series: Series | None = None
    classified: tuple[Gate, ...] = ()
    personal: tuple[str, ...] = ()
    constants: dict[str, Any] = field(default_factory=dict)
    fallback: tuple[str, ...] = ()
    """Canonical fields that make the key of a record that has none."""
    nested: tuple[Nested, ...] = ()
    ignore: tuple[str, ...] = ()
    limits: Limits = Limits()


@cache
def canonical_schema(entity: str) -> dict[str, Any]:
    """Return the canonical schema of an entity, from `schemas/sources/`."""
    schema: dict[str, Any] = json.loads((SCHEMAS / "sources" / f"{entity}.v1.json").read_text("utf-8"))
    return schema


def build_card(data: dict[str, Any], file: Path) -> Card:
    """Build the card from YAML data that the schema has accepted."""
    names = {f.name for f in fields(Card)} - {
        "fields",
        "nested",
        "file",
        "files",
        "sql",
        "cursor",
        "series",
        "classified",
        "envelope",
        "document",
        "digest",
    }
    plain = {
        k: _frozen(v) for k, v in data.items() if k in names and k not in ("signer", "request", "paging", "limits")
    }
    total = data.get("envelope", {}).get("total", {})
    said = {k: v for k, v in data.get("envelope", {}).items() if k != "total"}
    envelope: dict[str, Any] = {k: _texts(v) if isinstance(v, list) else v for k, v in said.items()}
    if isinstance(envelope.get("rows"), str):
        envelope["rows"] = (envelope["rows"],)
    vanishing = data.get("vanishing", {})
    paging = data.get("paging")
    request = dict(data.get("request", {}))
    detail = request.pop("detail", None)
    return Card(
        **{"pool": data["source"], **plain},
        fields=_rules(data["fields"], data["entity"]),
        digest=_digest(data),
        file=str(file),
        max_vanishing_share=vanishing.get("max_share", 0.2),
        max_vanishing_count=vanishing.get("max_count", 500),
        signer=Signer(**data.get("signer", {})),
        request=Request(**request) if request else None,
        detail=Detail(**detail) if detail else None,
        paging=Paging(**paging) if paging else None,
        envelope=Envelope(**envelope, total_path=total.get("path"), total_counts=total.get("counts", "rows")),
        document=Document(**{k: _frozen(v) for k, v in data["document"].items()}) if "document" in data else None,
        sql=_sql(data["sql"]) if "sql" in data else None,
        files=build_files(data["file"]) if "file" in data else None,
        cursor=Cursor(**data["cursor"]) if "cursor" in data else None,
        series=Series(**data["series"]) if "series" in data else None,
        classified=tuple(_gate(g) for g in data.get("classified", [])),
        nested=tuple(
            Nested(n["entity"], n["rows"], tuple(n["key"]), _rules(n["fields"], n["entity"]), n.get("parent", {}))
            for n in data.get("nested", [])
        ),
        limits=Limits(**{k: _frozen(v) for k, v in data.get("limits", {}).items()}),
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _texts(values: list[Any]) -> tuple[str, ...]:
    return tuple(str(v) for v in values)


def _gate(data: dict[str, Any]) -> Gate:
    values = frozenset(str(v).strip() for v in data["open"] if v is not None)
    return Gate(data["field"], values, open_if_absent=None in data["open"])


def _sql(data: dict[str, Any]) -> Sql:
    children = tuple(
        SqlChild(c["as"], c["table"], c["order"], tuple(c["key"]), c["parent"], c.get("where", {}))
        for c in data.get("children", [])
    )
    where = data.get("where", {})
    return Sql(data["table"], data["order"], tuple(data.get("key", ())), data.get("page_size", 1000), where, children)


def _rules(data: dict[str, Any], entity: str) -> tuple[FieldRule, ...]:
    kinds = canonical_schema(entity)["properties"]
    rules = []
    for name, spec in data.items():
        spec = {"from": spec} if isinstance(spec, str) else spec
        sources = (spec["from"],) if isinstance(spec["from"], str) else tuple(spec["from"])
        kind = kinds.get(name, {})
        words = vocabulary(kind["x-vocabulary"]) if "x-vocabulary" in kind else {}
        mapping = words | {str(k).strip(): v for k, v in spec.get("map", {}).items()}
        converter = spec.get("as") or kind.get("x-kind", "text")
        rules.append(
            FieldRule(name, sources, converter, mapping, spec.get("raw", kind.get("x-raw")), spec.get("fields", {}))
        )
    return tuple(rules)


def _digest(data: dict[str, Any]) -> str:
    """Hash what decides how a record is read and mapped, so that a changed card reads every record anew."""
    names = ("entity", "key", "fields", "nested", "constants", "classified", "personal", "ignore")
    relevant = {k: data.get(k) for k in names} | {k: data[k] for k in ("fallback", "document") if k in data}
    entities = [data["entity"], *(n["entity"] for n in data.get("nested", []))]
    schemas = [canonical_schema(e) for e in entities]
    spoken = sorted({p["x-vocabulary"] for s in schemas for p in s["properties"].values() if "x-vocabulary" in p})
    kinds = [k for e in entities if (k := kind_schemas(e))]
    parts = [GATE, relevant, schemas + kinds, *([{v: vocabulary(v) for v in spoken}] if spoken else [])]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
