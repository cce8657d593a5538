"""The schemas of kinds: one per kind of the canonical record, and a changed one makes every record be read anew."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema_rs

from include.settings import ROOT
from include.sources.card import canonical_schema
from include.sources.kinds import kind_schemas


def test_every_kind_of_the_canonical_record_has_a_schema_and_other_entities_have_none() -> None:
    schemas = kind_schemas("resource")
    assert sorted(schemas) == sorted(canonical_schema("resource")["properties"]["kind"]["enum"])
    assert kind_schemas("cloud_resource") == {}
    for kind, schema in schemas.items():
        jsonschema_rs.meta.validate(schema)
        assert schema["$id"].startswith(f"shuheng:catalogue/{kind}.v")


def test_a_kinds_schema_asks_for_canonical_fields_only() -> None:
    known = set(canonical_schema("resource")["properties"])
    for schema in kind_schemas("resource").values():
        asked = {name for branch in schema["anyOf"] for name in (*branch["required"], *branch["properties"])}
        assert asked
        assert asked <= known


def digests(root: Path) -> list[str]:
    program = (
        "from include.sources.card_files import load_card as l; print(l('dcat_portal').digest, l('zj_projects').digest)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_another_schema_of_a_kind_is_another_digest_of_the_cards_of_catalogues_alone(tmp_path: Path) -> None:
    for folder in ("include", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    before = digests(tmp_path)
    file = tmp_path / "schemas/catalogue/data.v1.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"required": ["description"]}), "utf-8")
    catalogue, projects = digests(tmp_path)
    assert catalogue != before[0]
    assert projects == before[1]
