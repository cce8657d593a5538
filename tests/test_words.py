"""One word for one thing: glossary and runbooks hold every name that the code gives to fields, values, reasons and errors."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from typing import Any

import pytest

from include import errors
from include.findings.story import Kind
from include.ledger import observed
from include.ledger.identity import DERIVED
from include.ledger.reconcile import KINDS
from include.ledger.tables import ENTITIES, metadata
from include.rules.verdict import Outcome
from include.sources.page import DETAIL_MISSING, PAGE_FAILED, ROWS_LEFT_OUT
from include.sources.probing.result import Outcome as ProbeOutcome
from tests.test_map import _python_files, _text, _tree, _verbs


def _rows() -> list[str]:
    return [line for line in _text("docs/glossary.md").splitlines() if line.startswith("| ")]


def _has_row(identifier: str) -> bool:
    return any(f"`{identifier}`" in row.split("|")[2] for row in _rows())


def _properties(entity: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_text(f"schemas/sources/{entity}.v1.json"))["properties"]
    return found


@pytest.mark.parametrize("entity", sorted(ENTITIES))
def test_the_glossary_has_every_canonical_field_with_its_title(entity: str) -> None:
    fields = {name: spec["title"] for name, spec in _properties(entity).items()}
    assert len(fields) >= 4
    assert not [n for n, title in fields.items() if not any(r.startswith(f"| {title} | `{n}` |") for r in _rows())]
    assert not [n for n in DERIVED.get(entity, ()) if not _has_row(n)]


def test_the_glossary_has_every_value_of_every_enumeration() -> None:
    sections = re.split(r"^#{2,3} ", _text("docs/glossary.md"), flags=re.M)
    checked = 0
    for entity in ENTITIES:
        for name, spec in _properties(entity).items():
            for value in [v for v in spec.get("enum", []) if v is not None]:
                section = next(s for s in sections if s.splitlines()[0].endswith(f"`{name}`"))
                assert f"| `{value}` |" in section, f"{name}: {value}"
                checked += 1
    assert checked > 20


@cache
def _calls(folder: str) -> list[ast.Call]:
    return [n for p in _python_files(folder) for n in ast.walk(_tree(p)) if isinstance(n, ast.Call)]


def _literals(callee: str, *folders: str) -> set[str]:
    """Return the first arguments of the calls of a name that are plain texts: reason codes, kinds of questions."""
    calls = [call for folder in folders for call in _calls(folder)]
    named = [c for c in calls if callee in (getattr(c.func, "id", None), getattr(c.func, "attr", None)) and c.args]
    return {c.args[0].value for c in named if isinstance(c.args[0], ast.Constant) and isinstance(c.args[0].value, str)}


DOUBTS = (observed.READ_INCOMPLETE, observed.EMPTY_DAY, observed.FEW_ROWS, observed.ALL_ZERO, observed.CLOCK_SKEW)
"""What may speak against believing a day."""


def _reasons() -> set[str]:
    """Return every reason for which a batch is not complete."""
    found = _literals("Reason", "include/landing", "include/ledger") | _literals("_doubt", "include/ledger")
    return found | {PAGE_FAILED, DETAIL_MISSING, ROWS_LEFT_OUT}


def test_the_glossary_has_every_table_question_reason_and_verb() -> None:
    kinds = set(KINDS) | _literals("Question", "include/ledger")
    reasons = _reasons()
    assert len(kinds) > len(KINDS)
    assert len(reasons) >= 10
    wanted = {*metadata.tables, *kinds, *reasons, *_verbs(), *ProbeOutcome, *Outcome, *Kind, *DOUBTS}
    assert not sorted(name for name in wanted if not _has_row(name))


def test_the_runbook_says_what_to_do_about_every_reason_error_and_doubt() -> None:
    tree = {n: c for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, errors.ShuhengError)}
    raised = {n for n, c in tree.items() if n not in ("ShuhengError", "Permanent", "Retryable")} | {"SourcesFailed"}
    reasons = _reasons()
    doubts = _literals("Question", "include/ledger")
    assert min(len(raised), len(reasons), len(doubts)) >= 4
    runbook = _text("docs/runbooks/sync.md")
    assert not sorted(name for name in raised | reasons | doubts if f"`{name}`" not in runbook)
