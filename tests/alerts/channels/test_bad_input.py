"""What is too large, hostile or empty: every channel puts it into its form, and its strict stand-in takes it, counted truly."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from include.alerts.channels import dingtalk, feishu, webhook, wecom
from include.alerts.message import Message
from include.sandbox.channels.taken import Taken
from include.settings import ROOT
from tests.alerts.channels.conftest import Opener
from tests.alerts.messages import BAD, HOSTILE, LINK, many, message, told, total

Took = Callable[[str], list[Taken]]


def _dingtalk(content: dict[str, Any]) -> str:
    return str(content["markdown"]["text"])


def _wecom(content: dict[str, Any]) -> str:
    return str(content["markdown"]["content"])


def _feishu(content: dict[str, Any]) -> str:
    return str(content["card"]["elements"][0]["content"])


TEXTS = {"dingtalk": _dingtalk, "wecom": _wecom, "feishu": _feishu, "mail": lambda content: str(content["text"])}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("kind", TEXTS)
def test_every_message_is_taken_and_counts_what_it_leaves_out(
    kind: str, case: str, opened: Opener, taken: Took
) -> None:
    opened(kind).send(BAD[case])
    (found,) = taken(kind)
    named, rest = told(TEXTS[kind](found.content))
    assert named + rest == total(BAD[case])
    if rest and BAD[case].link:
        assert re.search(rf"…另有 {rest} 条,见 .*{re.escape(LINK)}", TEXTS[kind](found.content))


@pytest.mark.parametrize("case", BAD)
def test_a_webhook_gets_the_texts_as_they_are(case: str, opened: Opener, taken: Took) -> None:
    one = BAD[case]
    opened("webhook").send(one)
    (found,) = taken("webhook")
    items = [item for section in found.content["sections"] for item in section["items"]]
    assert len(items) + found.content["left"] == total(one)
    assert found.size <= webhook.LIMIT
    assert found.content["message_id"] == one.message_id
    if case.startswith("hostile"):
        assert items[0]["text"] == one.sections[0].items[0].text
    schema = orjson.loads((ROOT / "schemas/alerts/message.v1.json").read_bytes())
    Draft202012Validator(schema).validate(found.content)
    assert set(schema["properties"]) == set(found.content), (
        "neither mail addresses nor anything else that nobody told of"
    )


LIMITS = {"dingtalk": 20_000, "wecom": 4096, "feishu": 20_000}


@pytest.mark.parametrize("sign", ["长", "𠮷", "👨‍👩‍👧‍👦", "*", "<", '"', "\\", "a", "é", "&"])
def test_no_sign_makes_a_body_larger_than_its_limit(sign: str) -> None:
    """Escapes cost more than the sign: measured is what is sent."""
    one = message(title=sign * 20_000, lead=sign * 20_000, objection=sign * 20_000, receiver_title=sign * 5000)
    assert not too_large(one)


def too_large(one: Message) -> dict[str, int]:
    sizes = {
        "dingtalk": len(dingtalk.body(one)),
        "wecom": len(orjson.loads(wecom.body(one))["markdown"]["content"].encode()),
        "feishu": len(feishu.body(one, {"timestamp": "1763884800", "sign": "x" * 44})),
    }
    return {kind: size for kind, size in sizes.items() if size > LIMITS[kind]}


def test_the_room_is_used() -> None:
    assert not too_large(many(300, 500))
    assert len(dingtalk.body(many(10_000, 200))) > 18_000
    assert len(feishu.body(many(10_000, 200), {})) > 18_000
    assert len(wecom.body(many(10_000))) > 3500
    assert dingtalk.body(many(60, 1)).decode().count("整改") == 40, "twenty of a section, however short they are"


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
@pytest.mark.parametrize("name", HOSTILE)
def test_the_title_that_is_shown_by_itself_is_one_line(kind: str, name: str, opened: Opener, taken: Took) -> None:
    opened(kind).send(BAD[f"hostile_{name}"])
    content = taken(kind)[0].content
    title = content["markdown"]["title"] if kind == "dingtalk" else content["card"]["header"]["title"]["content"]
    assert title.strip()
    assert title.isprintable() or "\u200d" in title
    assert "@" not in title
    assert "://" not in title


def test_an_urgent_card_is_red(opened: Opener, taken: Took) -> None:
    opened("feishu").send(message(is_urgent=True))
    assert taken("feishu")[0].content["card"]["header"]["template"] == "red"


def test_nobody_is_named_by_a_robot() -> None:
    """Robots can call everybody in a group by fields beside the text: ours have none."""
    assert set(orjson.loads(dingtalk.body(message()))) == {"msgtype", "markdown"}
    assert set(orjson.loads(wecom.body(message()))["markdown"]) == {"content"}
    assert html.unescape(_feishu(orjson.loads(feishu.body(BAD["hostile_at"], {})))).count("<at") == 0
