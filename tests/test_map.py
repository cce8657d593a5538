"""The map is true: linters are clean, the tree keeps its rules, and what the documents name exists."""

from __future__ import annotations

import ast
import gc
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from include.__main__ import build_parser
from include.settings import ROOT

BIN = Path(sys.executable).parent
CODE = ("include", "dags", "plugins", "tests", "benchmarks")
READMES = ("README.md", "README.zh-CN.md")
LONGEST_FILE = 350
FORBIDDEN = {"utils", "helpers", "common", "misc", "base", "manager", "core"}
TOP_LEVEL = {
    ".ci", ".dockerignore", ".env.example", ".git", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "Dockerfile", "Makefile",
    "README.md", "README.zh-CN.md", "benchmarks", "dags", "docker-compose.yml", "docs", "include", "plugins", "pyproject.toml",
    "requirements-dev.lock", "requirements-dev.txt", "requirements.lock", "requirements.txt", "schemas", "tests",
}  # fmt: skip
REGISTRIES = ("pypi.", "pythonhosted.", "npmjs.", "tuna.tsinghua.", "mirrors.aliyun.", "ghcr.", "quay.", "deb.debian.")


def _is_ours(path: Path) -> bool:
    return not {"__pycache__", ".venv", ".data"} & set(path.parts)


@cache
def _python_files(*folders: str) -> list[Path]:
    found = [p for folder in folders for p in sorted((ROOT / folder).rglob("*.py")) if _is_ours(p)]
    assert len(found) > len(folders), f"no Python files under {folders}"
    return found


@cache
def _documents() -> list[Path]:
    found = [p for p in sorted(ROOT.rglob("*.md")) if _is_ours(p) and p.relative_to(ROOT).parts[0] in TOP_LEVEL]
    assert {ROOT / "README.md", ROOT / "docs/glossary.md", ROOT / "docs/runbooks/sync.md"} <= set(found)
    return found


@cache
def _tree(path: Path) -> ast.Module:
    """Parse without the collector: in CPython 3.11 a finalizer that runs meanwhile breaks the parser (SystemError)."""
    gc.disable()
    try:
        return ast.parse(path.read_text("utf-8"))
    finally:
        gc.enable()


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def _run(*command: str) -> str:
    """Run a tool in the project root; its output is the message where it fails."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=240, env=dict(os.environ)
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}"
    return done.stdout


def test_every_stage_imports_only_what_stands_to_its_left() -> None:
    said = _run("lint-imports")
    assert re.search(r"Contracts: [3-9] kept, 0 broken", said), said
    assert int(re.search(r"Analyzed (\d+) files", said)[1]) > 60, said  # type: ignore[index]


def test_ruff_finds_nothing() -> None:
    _run("ruff", "check", ".")
    assert len(_run("ruff", "check", ".", "--show-files").splitlines()) >= len(_python_files(*CODE))


def test_every_file_is_formatted() -> None:
    said = _run("ruff", "format", "--check", ".")
    assert int(re.search(r"(\d+) files already formatted", said)[1]) >= len(_python_files(*CODE)), said  # type: ignore[index]


def test_mypy_finds_nothing() -> None:
    said = _run("mypy")
    assert int(re.search(r"no issues found in (\d+) source files", said)[1]) >= len(_python_files("include")), said  # type: ignore[index]


def test_no_file_is_longer_than_can_be_held_in_mind() -> None:
    long = {_name(p): n for p in _python_files(*CODE) if (n := len(p.read_text("utf-8").splitlines())) > LONGEST_FILE}
    assert not long, f"split these files at a seam of meaning: {long}"


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert not [_name(p) for p in _python_files(*CODE) if {p.stem, p.parent.name} & FORBIDDEN]


def test_every_module_says_what_it_is_for() -> None:
    modules = [p for p in _python_files("include", "dags", "benchmarks") if p.read_text("utf-8").strip()]
    assert len(modules) > 60
    assert not [_name(p) for p in modules if not ast.get_docstring(_tree(p))]


def test_packages_of_include_hold_a_docstring_and_nothing_else() -> None:
    packages = [p for p in _python_files("include") if p.name == "__init__.py"]
    assert len(packages) >= 5
    assert not [_name(p) for p in packages if len(_tree(p).body) != 1]


def _imported(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_airflow_is_imported_at_the_edge_only() -> None:
    users = {_name(p) for p in _python_files("include") if "airflow" in _imported(_tree(p))}
    assert users == {"include/connections.py"}
    head = ast.Module(
        [n for n in _tree(ROOT / "include/connections.py").body if not isinstance(n, ast.FunctionDef)], []
    )
    assert "airflow" not in _imported(head), "importing Airflow costs the command line seconds"
    dags = list((ROOT / "dags").glob("*.py"))
    assert dags
    assert all("airflow" in _imported(_tree(p)) for p in dags)


def test_the_top_level_holds_what_the_map_names_and_nothing_else() -> None:
    ignored = {line.strip().rstrip("/") for line in _text(".gitignore").splitlines() if line.strip()}
    found = {p.name for p in ROOT.iterdir()} - ignored
    assert not found - TOP_LEVEL, "put it into a folder, or name it here and in the README"
    assert len(found) > 15


def test_no_registry_is_named_anywhere() -> None:
    """Packages come from whatever index this machine's pip is set up with; a mirror's name in here would break others."""
    looked_at = 0
    for path in sorted(p for entry in TOP_LEVEL - {".git"} for p in _files_below(ROOT / entry)):
        text = path.read_text("utf-8", errors="replace")
        looked_at += 1
        named = [r for r in REGISTRIES if re.search(rf"(?<![\w.]){re.escape(r)}(?:org|io|com|cn|edu|net)\b", text)]
        assert not named, f"{_name(path)} names {named}"
        assert not re.search(r"index-url[= ]+\S*://", text), f"{_name(path)} names an index"
    assert looked_at > 150


def _files_below(entry: Path) -> Iterator[Path]:
    kinds = {
        ".py", ".md", ".txt", ".lock", ".toml", ".yaml", ".yml", ".json", ".sh", ".example", ".Dockerfile", ".mako", "",
    }  # fmt: skip
    for path in [entry] if entry.is_file() else entry.rglob("*"):
        if path.is_file() and path.suffix in kinds and _is_ours(path):
            yield path


def _code_of(document: Path) -> str:
    """Return what a document shows as code: fenced and indented blocks, and what stands in backticks."""
    text = document.read_text("utf-8")
    fenced = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.M | re.S)
    indented = re.findall(r"^(?: {4,}).*$", re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S), re.M)
    inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
    return "\n".join(
        line.split("  #")[0].split(" # ")[0] for line in [*"\n".join(fenced).splitlines(), *indented, *inline]
    )


def _commands(document: Path) -> set[str]:
    return set(re.findall(r"\bmake [a-z]+\b|python -m include [a-z]+\b", _code_of(document)))


def test_every_make_command_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", _text("Makefile"), re.M))
    used = {(_name(d), c.split()[1]) for d in _documents() for c in _commands(d) if c.startswith("make ")}
    assert {("README.md", "run"), ("README.md", "test")} <= used
    assert not [u for u in used if u[1] not in targets], targets


def _verbs() -> dict[str, Any]:
    parsers = [a.choices for a in build_parser()._actions if isinstance(a.choices, dict)]
    assert len(parsers) == 1
    return parsers[0]


def test_every_verb_and_option_in_the_documents_exists() -> None:
    verbs, checked = _verbs(), 0
    for document in _documents():
        for verb, rest in re.findall(r"python -m include (\w+)([^`\n>|;&]*)", _code_of(document)):
            assert verb in verbs, f"{_name(document)}: python -m include {verb}"
            options = set(re.findall(r"(?<=\s)--[a-z-]+", rest)) if verb != "sandbox" else set()
            unknown = options - set(verbs[verb]._option_string_actions)
            assert not unknown, f"{_name(document)}: {verb} has no {unknown}"
            checked += 1
    assert checked > 20


def test_both_readmes_say_the_same() -> None:
    english, chinese = (ROOT / name for name in READMES)
    assert _commands(english) == _commands(chinese)
    assert len(_commands(english)) >= 5
    headings = [[len(h) for h in re.findall(r"^(#+) ", d.read_text("utf-8"), re.M)] for d in (english, chinese)]
    assert headings[0] == headings[1]
    assert len(headings[0]) >= 5
    links = [set(_links(d)) - set(READMES) for d in (english, chinese)]
    assert links[0] == links[1]
    assert _paths(english) == _paths(chinese)


def test_ci_calls_the_test_command_of_the_readme() -> None:
    assert "make test" in _commands(ROOT / "README.md")
    lines = [line for line in _text(".ci/run").splitlines() if line and not line.startswith("#")]
    assert [line.rpartition("exec ")[2] for line in lines] == ["make test"]
    assert os.access(ROOT / ".ci/run", os.X_OK)


def _links(document: Path) -> list[str]:
    found = re.findall(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)", document.read_text("utf-8"))
    return [link for link in found if "://" not in link]


def _paths(document: Path) -> set[str]:
    """Return the paths of this project that a document has in backticks; patterns and placeholders are none."""
    quoted = [q.split(":")[0] for q in re.findall(r"`([^`\s]+?:?)(?: [^`]*)?`", document.read_text("utf-8"))]
    return {q for q in quoted if q.split("/")[0] in TOP_LEVEL and "/" in q and not re.search(r"[<>*{}…$]|NNNN", q)}


def test_every_link_and_path_in_the_documents_leads_somewhere() -> None:
    links = [(d, link) for d in _documents() for link in _links(d)]
    paths = [(d, path) for d in _documents() for path in _paths(d) if path != "plugins/"]
    assert len(links) > 20
    assert len(paths) > 40
    broken = [f"{_name(d)} → {link}" for d, link in links if not (d.parent / link).exists()]
    broken += [f"{_name(d)} → {path}" for d, path in paths if not (ROOT / path).exists()]
    assert not broken


def test_the_readmes_are_short_and_name_every_setting() -> None:
    settings = set(re.findall(r'environ\.get\("([A-Z_]+)"\)', _text("include/settings.py")))
    assert len(settings) >= 3
    for name in READMES:
        assert len(_text(name).splitlines()) <= 120
        assert not [s for s in settings if f"`{s}`" not in _text(name)]


def test_the_changelog_speaks_by_effect_on_people() -> None:
    unreleased = _text("CHANGELOG.md").split("## Unreleased")[1].split("\n## ")[0]
    headings = re.findall(r"^### (.+)$", unreleased, re.M)
    assert headings == ["Rule meaning", "Alerts received", "Published data", "Operation", "Internal"]


def test_decisions_are_short_numbered_and_complete() -> None:
    records = sorted((ROOT / "docs/adr").glob("*.md"))
    assert len(records) >= 9
    assert [int(p.name[:4]) for p in records] == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text("utf-8")
        assert len(text.splitlines()) <= 25, record.name
        assert text.startswith(f"# {record.name[:4]} "), record.name
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences")), record.name
