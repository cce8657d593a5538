"""The secrets that the robots, the webhook and the mail server of one sandbox know their callers by."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ChannelKeys:
    """Random unless given."""

    dingtalk_token: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    dingtalk_secret: str = field(default_factory=lambda: f"SEC{secrets.token_hex(32)}", repr=False)
    wecom_key: str = field(default_factory=lambda: str(uuid.uuid4()), repr=False)
    feishu_hook: str = field(default_factory=lambda: str(uuid.uuid4()), repr=False)
    feishu_secret: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    webhook_secret: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    mail_login: str = "shuheng"
    mail_password: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
