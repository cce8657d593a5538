"""Pictures of the pages for the documents: `python -m tests.board.screenshots FOLDER`, of the ledger that LEDGER_URL names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from include.board.alerts import list_alerts
from include.board.asked import AlertsAsked, FindingsAsked, ProjectsAsked, SystemsAsked
from include.board.findings import list_findings
from include.board.looking import Desk
from include.board.projects import list_projects
from include.board.systems import list_systems
from include.clock import now
from tests.board.served import browser, served

SIZE = {"width": 1120, "height": 640}
PHONE = {"width": 390, "height": 844}


def paths() -> dict[str, str]:
    """Return name and address of every page worth a picture."""
    with Desk().look() as look:
        finding = list_findings(look, FindingsAsked(limit=1)).items[0].finding_id
        system = list_systems(look, SystemsAsked(limit=1)).items[0].code
        message = list_alerts(look, AlertsAsked(limit=1, receiver="unit")).messages.items[0].message_id
        project = list_projects(look, ProjectsAsked(limit=1)).items[0].code
    return {
        "overview": "/", "findings": "/findings", "finding": f"/findings/{finding}", "systems": "/systems",
        "system": f"/systems/{system}", "projects": "/projects", "project": f"/projects/{project}", "sources": "/sources",
        "alerts": "/alerts", "message": f"/alerts/{message}", "help": f"/help?finding={finding}",
    }  # fmt: skip


def take(folder: Path) -> list[Path]:
    """Write the pictures, and return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with served(now) as root, browser() as chromium:
        for suffix, size in (("", SIZE), ("-phone", PHONE)):
            context = chromium.new_context(viewport=size)
            page = context.new_page()
            page.goto(f"{root}/login?next=x")
            for name, path in paths().items():
                if suffix and name not in ("overview", "findings"):
                    continue
                taken.append(_shoot(page, root + "/shuheng" + path, folder / f"board-{name}{suffix}.png"))
    return taken


def _shoot(page: Any, address: str, file: Path) -> Path:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=str(file))
    return file


if __name__ == "__main__":
    for file in take(Path(sys.argv[1])):
        print(f"{file} {file.stat().st_size // 1024} kB")
