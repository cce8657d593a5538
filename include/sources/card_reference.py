"""Write `docs/source-cards.md`, the reference of the card format, from the schemas that cards are checked against.

`python -m include.sources.card_reference` writes the page; a test fails when the page and the schemas are out of step.
Does not read cards or anything from a platform.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from include.settings import ROOT
from include.sources import signers
from include.sources.card import canonical_schema
from include.sources.checked_yaml import SCHEMAS

PAGE = ROOT / "docs" / "source-cards.md"
ENTITIES = (
    "project", "approval_item", "plan_entry", "system", "exchange_service", "exchange_call_day", "cloud_resource",
    "cloud_usage_day", "system_usage_day", "exemption", "maintenance_window", "resource", "resource_item",
    "project_dossier", "suspension", "contract", "payment", "acceptance", "assessment", "performance_review", "rectification",
    "plan_year", "department_year", "attestation",
)  # fmt: skip

CONVERTERS = {
    "text": ("any scalar", "trimmed, control characters and runs of blanks folded; blank = absent"),
    "integer": ('12, "12", "1,200", "12.0"', "a whole number"),
    "year": ('2026, "2026", "2026年", "２０２６年"', "a year"),
    "flag": ("1/0, true/false, Y/N, 是/否; `map:` may name other words or turn the sense round", "true or false"),
    "yuan": (
        '1234.5, "1,234.50", "￥12", "1.2亿元"',
        "yuan with two decimals; a unit in the text wins over the converter's",
    ),
    "wan_yuan": (
        '"1200.5" = 1200.5 万元, "1,234.50万元"',
        "yuan with two decimals, from 万元 where no unit is written",
    ),
    "date": (
        "2026-11-03, 2026/11/3, 20261103, 2026年11月3日",
        "2026-11-03; placeholder dates such as 1900-01-01 are absent",
    ),
    "datetime": (
        'the same with a time, ISO with T, "Z" or an offset, epoch seconds or milliseconds',
        "2026-11-03T09:00:00+08:00; without a zone it is Asia/Shanghai",
    ),
    "project_code": ("with blanks, full-width digits, other dashes, or 20 digits bare", "2611-230500-04-04-000018"),
    "project_codes": (
        "several project codes with ; , 、 | between them, full width or not, or a list",
        "sorted, each once, with commas: 2511-230500-04-04-000026,2611-230500-04-04-000018",
    ),
    "uscc": ("any case, blanks, full width", "18 digits and capitals"),
    "document_no": ("双发改[2026]5号, with 〔〕 [] 【】 ()", "双发改〔2026〕5号"),
    "season": (
        "6月1日至8月31日, 06-01~08-31, 6月至8月, several with ; , 、; 全年 and 无 = absent",
        "06-01~08-31, several sorted, with commas; a season may pass the turn of the year",
    ),
    "hourly_rate": (
        "1000次/小时, 10次/秒, 5/min; 不限 = absent",
        "calls an hour, rounded down but at least 1: 10次/秒 = 36000",
    ),
    "basis_points": (
        '3.25, "3.25", "3.25%", "３.２５％"; below 0 or above 100 is an error',
        "whole hundredths of a percent, halves up: 325",
    ),
    "count": ('12, "1,200"', "a whole number of any size"),
    "identifier": (
        "any scalar; an http(s) address loses scheme, host and port",
        "one line: /info?id=217; a portal that moves keeps its records",
    ),
    "names": (
        "a list of texts or of objects with a name; text with , ; 、 | between; a list written as text: ['a', 'b']",
        "each once, in their order, joined with 、",
    ),
    "objects": (
        "a list of objects, of which `fields:` names what is kept; a list of texts fills its first field",
        'canonical JSON: [{"url":"…","format":"csv"}]',
    ),
    "partial_date": (
        "as `date`; a bare year or month (2023, 2023-05) is absent",
        "2026-11-03; what was written stands in the …_raw field",
    ),
    "present": (
        "any text; 无, 否, 暂无, 待定, / and the like = false; blank = absent",
        "true where something is named, as a person in charge: who it is, is not kept",
    ),
    "enum": (
        "a word or code that `map:` names",
        "a value of the canonical field; an unmapped word is absent, counted, kept in `raw:`",
    ),
}
"""What each `as:` reads and what it makes of it."""

EXAMPLE = """\
# include/sources/cards/… or $SHUHENG_CONFIG/sources/water_bureau.yaml
source: water_bureau                  # as the file is named
title: 水务局项目接口
entity: project
authority: 50
reader: http
connection: water_bureau              # address and secrets: an Airflow connection of this name
signer: {profile: tif}                # login = paasid, password = token
request: {path: /api/projects}
paging: {style: page, number: page, first: 1, size: limit, page_size: 100}
envelope:
  code: status                        # {"status": 200, "info": "ok", "result": {"count": 412, "items": […]}}
  success: [200]
  message: info
  rows: result.items
  total: {path: result.count, counts: rows}
key: [project_code]
classified:                           # a row with anything else in this field is refused without a trace
  - {field: level, open: [公开, null]}
personal: [contact.name, contact.phone]
fields:
  project_code: code                  # read as the canonical field's own kind
  name: title
  unit_name: org.name
  total_investment_yuan: {from: [final_budget, budget], as: wan_yuan}   # the first filled one
  nature: {from: kind, map: {新建: new, 改建: rebuilt}, raw: nature_raw}
  updated_at: mtime
nested:
  - entity: approval_item             # {"steps": [{"id": "S1", "name": "立项", "state": "Y"}]}
    rows: steps
    key: [item_id]
    parent: {project_code: project_code}
    fields:
      item_id: id
      item_name: name
      state: {from: state, map: {"Y": approved, "N": rejected}, raw: state_raw}
ignore: [level]
limits: {rate: 600次/分钟}
"""
"""A complete card; a test loads it."""

_HEAD = """\
# Source cards

<!-- Written by `python -m include.sources.card_reference` from schemas/; edit the schemas, not this page. -->

A source card (来源卡片) is the YAML file that says how one platform is reached, signed, paged, unwrapped and mapped.
A new platform is one new card and no code. Shipped cards lie in `include/sources/cards/`; files in
`$SHUHENG_CONFIG/sources/` are added to them and replace those of the same name. A card is checked when it is loaded:
a mistake is answered with file, line and fix.

- [A complete example](#a-complete-example)
- [Trying a card out](#trying-a-card-out)
- [Blocks](#blocks)
- [Signers](#signers)
- [Converters](#converters)
- [Canonical fields](#canonical-fields)
"""

_TRYING = """\
## Trying a card out

1. Set the connection: in Airflow (Admin › Connections), or for the command line
   `export AIRFLOW_CONN_WATER_BUREAU='{"conn_type": "http", "host": "10.1.2.3", "port": 8080, "login": "…", "password": "…"}'`.
   An address that is not public is refused unless the card's `limits.networks` or `networks` in the extra of the
   connection names its network.
2. `python -m include doctor` checks the card and the connection.
3. `python -m include sync water_bureau --dry-run` reads the platform and says what would change; the ledger is not written.
4. `python -m include sync water_bureau`, twice: the second time everything must be 未变 (unchanged).
5. `python -m include quarantine --source water_bureau` lists what could not be read, `python -m include questions`
   fields and words that the card does not map. Mend the card, then `python -m include replay water_bureau`.
6. `python -m include doctor --pools > pools.json && airflow pools import pools.json` adds the pool that bounds calls to
   the platform.

A changed mapping reads every record anew; changed limits, titles or paging do not.
"""

_SIGNERS = """\
`login` and `password` are those of the connection. gjgxjhpt and zj-irs sign with a secret that rotates: it is fetched
from `signer.secret_path` before the first call, renewed shortly before it ends, and again when an answer holds one of
`envelope.expired`. `digest` of generic-sm is the SM3 hex of the body as sent, and nothing where there is no body. All of
this is transport signing as the platforms ask for it, not a certified cryptographic module (商用密码).
"""


def render() -> str:
    """Return the page."""
    schema = json.loads((SCHEMAS / "config" / "source.v1.json").read_text("utf-8"))
    parts = [
        _HEAD,
        f"## A complete example\n\n```yaml\n{EXAMPLE}```\n",
        _TRYING,
        "## Blocks\n\nPaths are dotted (`data.list`). **Bold** fields are required.\n",
        *_blocks(schema),
        f"## Signers\n\n{_signer_table()}\n\n{_SIGNERS}",
        f"## Converters\n\n{_converter_table(schema)}\n",
        "## Canonical fields\n\nWhat the left side of `fields:` may name. **Bold** fields are required.\n",
        *(_entity(entity) for entity in ENTITIES),
    ]
    return "\n".join(parts)


def _blocks(schema: dict[str, Any]) -> Iterator[str]:
    yield f"### The card\n\n{_table(schema, schema['properties'])}\n"
    for name, spec in schema["properties"].items():
        yield from _block(schema, name, spec)
    fields = schema["$defs"]["fields"]
    detailed = next(form for form in fields["additionalProperties"]["oneOf"] if form["type"] == "object")
    yield f"### `fields`\n\n{fields['description']}\n\n{_table(schema, detailed['properties'], detailed['required'])}\n"


def _block(schema: dict[str, Any], name: str, spec: dict[str, Any]) -> Iterator[str]:
    """Yield the table of a block and of the blocks within it."""
    inner = spec.get("items", spec)
    if "properties" not in inner:
        return
    said = spec.get("description", "")
    yield f"### `{name}`\n\n{said + chr(10) * 2 if said else ''}{_table(schema, inner['properties'], inner.get('required', []))}\n"
    for child, child_spec in inner["properties"].items():
        yield from _block(schema, f"{name}.{child}", child_spec)


def _table(schema: dict[str, Any], properties: dict[str, Any], required: list[str] | None = None) -> str:
    needed = schema["required"] if required is None else required
    lines = ["| field | kind | default | meaning |", "|---|---|---|---|"]
    for name, spec in properties.items():
        shown = f"**`{name}`**" if name in needed else f"`{name}`"
        default = f"`{json.dumps(spec['default'], ensure_ascii=False)}`" if "default" in spec else ""
        lines.append(f"| {shown} | {_kind(spec)} | {default} | {_cell(_meaning(schema, spec))} |")
    return "\n".join(lines)


def _meaning(schema: dict[str, Any], spec: dict[str, Any]) -> str:
    if "$ref" in spec:
        spec = schema["$defs"][spec["$ref"].rsplit("/", 1)[1]]
    return str(spec.get("description", ""))


def _kind(spec: dict[str, Any]) -> str:
    if "$ref" in spec or "properties" in spec:
        return "block"
    if "enum" in spec:
        return ", ".join(f"`{value}`" for value in spec["enum"])
    if "oneOf" in spec:
        return " or ".join(_kind(form) for form in spec["oneOf"])
    kind = spec.get("type", "any")
    if kind == "array":
        return f"list of {_kind(spec['items'])}s"
    names = {"string": "text", "object": "map"}
    kinds: list[str] = kind if isinstance(kind, list) else [kind]
    return " or ".join(names.get(one, one) for one in kinds) + _bounds(spec)


def _bounds(spec: dict[str, Any]) -> str:
    low = spec.get("minimum", spec.get("exclusiveMinimum"))
    high = spec.get("maximum")
    if low is not None and high is not None:
        return f", {low}–{high}"
    if low is not None:
        return f", {'over' if 'exclusiveMinimum' in spec else 'at least'} {low}"
    return ""


def _signer_table() -> str:
    """Return the table that stands in the docstring of the signers, so that there is only one of it."""
    return "\n".join(line for line in (signers.__doc__ or "").splitlines() if line.startswith("|"))


def _converter_table(schema: dict[str, Any]) -> str:
    detailed = schema["$defs"]["fields"]["additionalProperties"]["oneOf"][1]
    lines = ["| `as:` | reads | gives |", "|---|---|---|"]
    for name in detailed["properties"]["as"]["enum"]:
        reads, gives = CONVERTERS[name]
        lines.append(f"| `{name}` | {_cell(reads)} | {_cell(gives)} |")
    return "\n".join(lines)


def _entity(entity: str) -> str:
    schema = canonical_schema(entity)
    lines = [
        f"### `{entity}` {schema['title']}",
        "",
        schema["description"],
        "",
        "| field | Chinese | kind | bounds |",
        "|---|---|---|---|",
    ]
    for name, spec in schema["properties"].items():
        shown = f"**`{name}`**" if name in schema["required"] else f"`{name}`"
        lines.append(f"| {shown} | {spec['title']} | `{spec['x-kind']}` | {_cell(_limits(spec))} |")
    return "\n".join(lines) + "\n"


def _limits(spec: dict[str, Any]) -> str:
    if "enum" in spec:
        return ", ".join(f"`{value}`" for value in spec["enum"] if value is not None)
    if "pattern" in spec:
        return f"`{spec['pattern']}`"
    if "maxLength" in spec:
        return f"at most {spec['maxLength']} characters"
    return _bounds(spec).removeprefix(", ")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def write(page: Path = PAGE) -> None:
    """Write the page."""
    page.write_text(render(), "utf-8")


if __name__ == "__main__":
    write()
