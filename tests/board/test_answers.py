"""The form of answers: ETag and 304, HEAD, headers, problems in two languages, files that never change."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from include.board.answering import CHARTS_CSP, CSP
from include.board.drawing import static_files
from tests.board.asking import Board

PAGES = ("/", "/findings", "/api/v1/findings", "/api/v1/openapi.json", "/help")


@pytest.mark.parametrize("path", PAGES)
def test_an_answer_that_is_known_is_not_sent_again(empty: None, board: Board, path: str) -> None:
    first = board.ask(path)
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    for known in (tag, f'"other", {tag}', "*"):
        again = board.ask(path, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert board.ask(path, headers={"if-none-match": '"other"'}).content == first.content
    head = board.ask(path, "HEAD")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)
    assert head.headers["content-length"] == str(len(first.content))


def test_every_answer_keeps_to_itself(empty: None, board: Board) -> None:
    for path in (*PAGES, "/nope", "/findings?limit=x", "/api/v1/nope"):
        headers = board.ask(path).headers
        assert headers["content-security-policy"] in (CSP, CHARTS_CSP)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "private, no-cache"
        assert "Cookie" in headers["vary"]
        assert "x-has-charts" not in headers
    assert "unsafe-inline" not in CSP
    assert "unsafe" not in CHARTS_CSP.replace("style-src 'self' 'unsafe-inline'", "")


@pytest.mark.parametrize("asked", [
    "limit=0", "limit=501", "limit=x", "offset=-1", "offset=99999999999999999999", "severity=worst", "article=0", "article=99",
    "q=%00", "department=a%0Ab", "is_overdue=maybe", "nonsense=1", "sort=message", f"q={'x' * 201}", "state=open&state=shut",
])  # fmt: skip
def test_wrong_arguments_are_named(empty: None, board: Board, asked: str) -> None:
    answer = board.ask(f"/api/v1/findings?{asked}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["title"], problem["title_en"], problem["status"]) == ("查询条件有误", "Wrong arguments", 422)
    assert problem["errors"][0]["field"].split(".")[0] == asked.split("=")[0]
    if not asked.startswith("nonsense"):
        assert "查询条件有误" in board.ask(f"/findings?{asked}").text


def test_what_is_not_there_is_said(empty: None, board: Board) -> None:
    for path in (f"/findings/{'0' * 32}", "/systems/none", "/projects/none", f"/alerts/{'0' * 32}"):
        api = board.ask("/api/v1" + path)
        assert (api.status_code, api.json()["title"]) == (404, "没有这一页或这条记录")
        page = board.ask(path)
        assert page.status_code == 404
        assert "没有" in page.text


def test_a_ledger_that_cannot_be_read_is_no_broken_page(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_engine(f"sqlite:///{tmp_path / 'ledger.db'}").connect().close()  # not migrated
    for path in ("/", "/findings", "/api/v1/sources"):
        answer = board.ask(path)
        assert answer.status_code == 503
        assert "台账暂时不能读取" in answer.text
        assert "migration" not in answer.text
    monkeypatch.setenv("LEDGER_URL", "postgresql+psycopg://nobody:secret@/nothing?host=/nowhere")
    answer = board.ask("/api/v1/findings")
    assert answer.status_code == 503
    assert "secret" not in answer.text


def test_files_never_change_at_their_address(empty: None, board: Board) -> None:
    files = static_files()
    assert {"board.css", "board.js", "icon.svg", "plotly.min.js"} == set(files)
    for name, file in files.items():
        path = f"/static/{file.digest}/{name}"
        plain, packed = board.ask(path, headers={"accept-encoding": "identity"}), board.ask(path)
        assert plain.headers["cache-control"].endswith("immutable")
        assert plain.content == packed.content == file.content
        assert packed.headers["content-encoding"] == "gzip"
        assert len(gzip.compress(file.content)) < len(file.content)
        assert board.ask(f"/static/{'0' * 16}/{name}").status_code == 404
    assert board.ask(f"/static/{files['board.css'].digest}/../app.py").status_code == 404
