"""Nothing but people decides about findings, and they by one way."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from include.settings import ROOT


@cache
def _imports() -> list[tuple[Path, list[ast.AST]]]:
    paths = [p for folder in ("include", "dags", "plugins") for p in (ROOT / folder).rglob("*.py")]
    texts = ((path, text) for path in paths if "decision" in (text := path.read_text("utf-8")) or "held" in text)
    trees = ((path, ast.walk(ast.parse(text))) for path, text in texts)
    return [(path, [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]) for path, nodes in trees]


def _importers(module: str, name: str) -> set[str]:
    found = set()
    for path, nodes in _imports():
        for node in nodes:
            is_it = (
                isinstance(node, ast.ImportFrom)
                and node.module == module
                and any(a.name in (name, "*") for a in node.names)
            )
            whole = isinstance(node, ast.Import) and any(a.name == module for a in node.names)
            parent, _, last = module.rpartition(".")
            aside = (
                isinstance(node, ast.ImportFrom) and node.module == parent and any(a.name == last for a in node.names)
            )
            if is_it or whole or aside:
                found.add(path.relative_to(ROOT).as_posix())
    return found


def test_nothing_but_the_dag_can_waive() -> None:
    """The chain has one link at each place: events of decisions ← `decide` ← the tasks ← the DAG."""
    assert _importers("include.findings.held", "write") == {"include/findings/decisions.py", "include/findings/door.py"}
    assert _importers("include.findings.decisions", "decide") == {"include/decision_tasks.py"}
    tasks = {p for p in _importers("include", "decision_tasks") | _importers("include.decision_tasks", "record")}
    assert "dags/record_decision.py" in tasks
    assert tasks == {"dags/record_decision.py"}
    writers = set()
    for path in (ROOT / "include").rglob("*.py"):
        text = path.read_text("utf-8")
        if "finding_event.insert" in text or "insert(finding_event" in text or "insert(decision" in text:
            writers.add(path.relative_to(ROOT).as_posix())
    assert writers == {"include/findings/held.py", "include/findings/decisions.py"}
