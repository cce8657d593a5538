"""How pages are drawn: Jinja with everything escaped, addresses below the board's own, and the files that pages load."""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from include.board import words
from include.board.answering import HAS_CHARTS
from include.board.asked import Asked
from include.board.dossier_models import TimelineEntry
from include.board.problems import Problem, not_found

HERE = Path(__file__).parent
PREFIX = "/shuheng"
"""Where Airflow mounts the board."""

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOREVER = "private, max-age=31536000, immutable"
"""A file's address holds its hash, so what is at it never changes."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file that pages load: `digest` stands in its address, `integrity` is what browsers compare it with."""

    name: str
    content: bytes
    media_type: str
    digest: str
    integrity: str

    @classmethod
    def read(cls, path: Path) -> StaticFile:
        """Return a file of the disk."""
        content = path.read_bytes()
        integrity = "sha384-" + b64encode(hashlib.sha384(content).digest()).decode()
        return cls(path.name, content, _TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:16], integrity)


@cache
def static_files() -> Mapping[str, StaticFile]:
    """Return the board's own files and the library of charts from the installed package."""
    found = find_spec("plotly")  # not imported: only its JavaScript is wanted
    assert found and found.origin  # noqa: S101 - in requirements.txt
    paths = [*sorted((HERE / "static").iterdir()), Path(found.origin).parent / "package_data" / "plotly.min.js"]
    return {path.name: StaticFile.read(path) for path in paths if path.suffix in _TYPES}


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(static_files()[name].content, 6, mtime=0)


def serve_file(digest: str, name: str, *, is_gzip: bool) -> Response:
    """Return a file; one whose hash is another is not there."""
    file = static_files().get(name)
    if file is None or file.digest != digest:
        raise not_found(f"文件 {name}")
    headers = {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding"}
    if is_gzip:
        return Response(_compressed(name), 200, {**headers, "Content-Encoding": "gzip"}, file.media_type)
    return Response(file.content, 200, headers, file.media_type)


@cache
def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    env.filters |= {
        "word": words.word, "percent": words.percent, "yuan": words.yuan, "moment": words.moment, "seg": segment,
        "show": words.visible, "alike": _alike, "json": lambda value: orjson.dumps(value).decode(),
    }  # fmt: skip
    env.globals |= {"choices": words.choices, "words": words}
    return env


def _alike(timeline: Iterable[TimelineEntry]) -> list[list[TimelineEntry]]:
    """Return entries in their order, those together that stand next to each other and differ in their text alone."""
    return [list(same) for _, same in groupby(timeline, key=lambda one: (one.day, one.kind, one.title, one.source))]


def segment(text: Any) -> str:
    """Return a text as one part of an address."""
    return quote(str(text), safe="")


class Addresses:
    """Addresses of pages as this request reaches them; Airflow may itself lie below a path."""

    def __init__(self, request: Request) -> None:
        self.root: str = request.scope.get("root_path", "")
        self.airflow = self.root.removesuffix(PREFIX)
        self.path: str = request.scope["path"].removeprefix(self.root)

    def to(self, path: str, arguments: Sequence[tuple[str, str]] | None = None, **more: Any) -> str:
        """Return the address of a page."""
        pairs = [*(arguments or ()), *((name, str(value)) for name, value in more.items() if value is not None)]
        return self.root + path + (f"?{urlencode(pairs)}" if pairs else "")

    def asking(self, asked: Asked, path: str | None = None, **changed: Any) -> str:
        """Return the address of a list that asks the same but for what is changed, from its first row on."""
        return self.to(path or self.path, asked.parameters(**({"offset": 0} | changed)))

    def file(self, name: str) -> str:
        """Return the address of a static file."""
        return self.to(f"/static/{static_files()[name].digest}/{name}")

    def dag(self, dag_id: str) -> str:
        """Return the address of a DAG's page in Airflow."""
        return f"{self.airflow}/dags/{dag_id}"


def draw(
    request: Request, template: str, status: int = 200, *, has_charts: bool = False, **values: Any
) -> HTMLResponse:
    """Return a page."""
    shown = {"at": Addresses(request), "files": static_files(), "has_charts": has_charts, **values}
    html = _environment().get_template(template).render(shown)
    return HTMLResponse(html, status, {HAS_CHARTS: "1"} if has_charts else None)


def draw_problem(request: Request, problem: Problem) -> Response:
    """Return the page of a problem."""
    return draw(request, "problem.html", problem.status, problem=problem)
