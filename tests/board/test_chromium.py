"""The board in a real browser: every page opened, filtered, drilled into; no error on any, none without login."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine

from tests.board.planted import HOSTILE, ODD_CODE, PROJECT
from tests.board.served import CHROMIUM, browser, served

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}: apt-get install chromium")

PATHS = (
    "/", "/findings", "/findings?severity=high", "/systems", "/systems/busy", f"/systems/{quote(ODD_CODE, safe='')}", "/projects",
    f"/projects/{PROJECT}", "/sources", "/alerts", "/help",
)  # fmt: skip


class Visit:
    """One tab, and all that went wrong in it."""

    def __init__(self, page: Any, root: str) -> None:
        self.page, self.root = page, root + "/shuheng"
        self.wrong: list[str] = []
        page.on(
            "console", lambda m: self.wrong.append(f"{page.url}: {m.text}") if m.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: {error}"))
        page.on("dialog", lambda dialog: (self.wrong.append(f"{page.url}: dialog"), dialog.dismiss()))

    def open(self, path: str) -> Any:
        answer = self.page.goto(self.root + path)
        self.page.wait_for_load_state("load")
        return answer

    def enter(self) -> None:
        self.open("/findings")
        assert "/login?next=/shuheng/findings" in self.page.url
        assert self.page.title() == "登录"


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[str, Any]]:
    """Return the address of the board, and one browser for all visits."""
    with served() as root, browser() as chromium:
        yield root, chromium


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desk", "phone"])
def visit(city: Engine, opened: tuple[str, Any], request: pytest.FixtureRequest) -> Iterator[Visit]:
    (root, chromium), (width, scheme) = opened, request.param
    with chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        yield Visit(context.new_page(), root)


@pytest.mark.parametrize("planted", ["sqlite"], indirect=True)
def test_every_page_can_be_used(visit: Visit) -> None:
    visit.enter()
    page = visit.page
    for path in PATHS:
        assert visit.open(path).status == 200, path
        assert page.locator("h1").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the screen"
    _charts(visit)
    _filter_and_drill(visit)
    _messages(visit)
    _keyboard(visit)
    assert not visit.wrong


def _charts(visit: Visit) -> None:
    for path, count in (("/", 2), ("/systems/busy", 1)):
        visit.open(path)
        visit.page.wait_for_function(f"document.querySelectorAll('.chart .main-svg').length >= {count}", timeout=20_000)
        boxes = visit.page.locator(".chart").all()
        assert len(boxes) == count
        assert all(box.bounding_box()["height"] >= 200 for box in boxes)


def _filter_and_drill(visit: Visit) -> None:
    page = visit.page
    visit.open("/findings")
    whole = page.locator("caption").first.inner_text()
    page.get_by_label("处置").select_option("waived")
    page.get_by_role("button", name="查询").click()
    page.wait_for_load_state("load")
    assert "handling=waived" in page.url
    assert page.locator("caption").first.inner_text() == "共 1 条" != whole
    page.locator("a.main").first.click()
    page.wait_for_load_state("load")
    assert page.get_by_role("heading", name="推算").is_visible()
    assert page.locator("#id").inner_text() in page.url
    page.get_by_role("button", name="复制").click()
    page.wait_for_function("document.querySelector('button.copy').textContent !== '复制'")
    page.get_by_role("link", name="怎样签收").click()
    page.wait_for_load_state("load")
    assert page.locator("#chosen").inner_text().strip() in page.url
    visit.open(f"/systems/{quote(ODD_CODE, safe='')}")
    assert page.locator("h1").inner_text().startswith(HOSTILE.split("\u202e")[0][:30])


def _messages(visit: Visit) -> None:
    visit.open("/alerts")
    links = visit.page.locator("a.main")
    addresses = [links.nth(place).get_attribute("href").removeprefix("/shuheng") for place in range(links.count())]
    assert len(addresses) >= 4  # sent, dead and pending ones, a robot's without its text
    for address in addresses:
        assert visit.open(address).status == 200, address
        assert visit.page.locator("h1").count() == 1
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            f"{address} is wider than the screen"
        )


def _keyboard(visit: Visit) -> None:
    visit.open("/systems")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.textContent") == "跳到正文"
    visit.page.keyboard.press("Enter")
    assert visit.page.url.endswith("#main")
