"""The three Markdown dialects of chat robots. None of them is CommonMark, and each lets a name do something else.

DingTalk and WeCom know no escape that all of their clients follow: signs that act become full-width ones. Feishu documents
character references for them. What acts only at the start of a line is seen to at the start of each text.
"""

from __future__ import annotations

import re

from include.alerts.message import Message
from include.alerts.rendering.form import Form, Layout, json_size

_WIDE = {sign: chr(ord(sign) + 0xFEE0) for sign in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}
_OUTER_LINE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""Within a code (a_b) it is none of Markdown's, and codes are copied."""
_AT_START = re.compile(r"^([#>+=-])")


def _wide(signs: str) -> dict[int, str]:
    return {ord(sign): _WIDE[sign] for sign in signs}


_DINGTALK, _WECOM = _wide("*_`[]<>\\~|#!"), _wide("*`[]<>\\~|#!")
_FEISHU = {ord(sign): f"&#{ord(sign)};" for sign in "&*`[]()#\\~_!|$@"} | _wide("<>")


def _at_start(text: str) -> str:
    return _AT_START.sub(lambda match: _WIDE[match[0]], text)


def dingtalk_escape(text: str) -> str:
    """Return a text that DingTalk shows as it is: no emphasis, code, link, image, table, tag or heading."""
    return _at_start(text.translate(_DINGTALK))


def wecom_escape(text: str) -> str:
    """Return a text that WeCom shows as it is: no emphasis, code, link, heading, quotation, `<font>` or `<@user>`."""
    return _at_start(_OUTER_LINE.sub(_WIDE["_"], text.translate(_WECOM)))


def feishu_escape(text: str) -> str:
    """Return a text that Feishu shows as it is: what acts (emphasis, links) stands as character reference.

    Tags are none even for a client that resolves references before it looks for `<at id=all>`: their brackets are full-width.
    """
    return re.sub(r"^[+=-]", lambda match: f"&#{ord(match[0])};", text.translate(_FEISHU))


def _strong(text: str) -> str:
    return f"**{text}**"


def _link(url: str) -> str:
    return f"[监督看板]({url})"


# DingTalk breaks a line only at an empty one, or after two blanks, and not all clients know the latter.
DINGTALK = Form(
    dingtalk_escape, "### {}\n\n".format, "{}\n\n".format, _strong, "{}\n\n".format, "{}\n\n".format, "> {}\n\n".format,
    _link, json_size,
)  # fmt: skip
WECOM = Form(
    wecom_escape, "**{}**\n".format, "\n{}\n".format, _strong, "{}\n".format, "{}\n".format, "> {}\n".format, _link,
)  # fmt: skip
FEISHU = Form(
    feishu_escape, "{}\n".format, "\n{}\n".format, _strong, "{}\n".format, "{}\n".format, "\u3000{}\n".format, _link,
    json_size, has_title=False,
)  # fmt: skip


def as_markdown(message: Message, form: Form, limit: int) -> str:
    """Return a message in a dialect, of at most `limit` bytes as the dialect's channel counts them."""
    return Layout(message, form, limit).render()


def plain_title(message: Message, form: Form, limit: int) -> str:
    """Return the title as a plain text, for channels that show it by itself."""
    return Layout(message, form, limit).title()
