"""How the two platforms check who calls: written from the conventions alone, not from the readers' code.

Permanent keys come from the command line or are random; the rotating secrets are made here.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import md5, sha1, sha256
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

CLOCK_WINDOW_MS = 180_000
REFRESH_SECONDS = 48 * 3600

Matches = Callable[[str], bool]
Envelope = dict[str, Any]


def exchange_signature(key: str, sid: str, rid: str, rtime: str) -> str:
    """Return Base64(HMAC-SHA256(key, sid + rid + rtime)) of the gjgxjhpt convention."""
    return base64.b64encode(hmac.new(key.encode(), f"{sid}{rid}{rtime}".encode(), sha256).digest()).decode()


def seeded_key(appkey: str) -> bytes:
    """Return the AES-128 key that Java's SHA1PRNG makes of an appkey."""
    return sha1(sha1(appkey.encode()).digest()).digest()[:16]  # noqa: S324  the convention's own


def encrypted_secret(appkey: str, secret: str) -> str:
    """Return a secret as the platform hands it out: AES-ECB with PKCS5 padding, Base64."""
    padder = PKCS7(128).padder()
    padded = padder.update(secret.encode()) + padder.finalize()
    cipher = Cipher(algorithms.AES(seeded_key(appkey)), modes.ECB()).encryptor()  # noqa: S305
    return base64.b64encode(cipher.update(padded) + cipher.finalize()).decode()


def irs_signature(app_key: str, secret: str, request_time: str) -> str:
    """Return md5(appKey + secret + requestTime) of the zj-irs convention."""
    return md5(f"{app_key}{secret}{request_time}".encode()).hexdigest()  # noqa: S324


@dataclass
class Clock:
    """The platform's clock; a fault may put it wrong."""

    skew_ms: int = 0
    lead_ms: int = 0
    """By how much the platform shows a later time than it checks callers by."""

    def now_ms(self) -> int:
        """Return the platform's moment in epoch milliseconds."""
        return time.time_ns() // 1_000_000 + self.skew_ms

    def shown_ms(self) -> int:
        """Return the moment that the platform shows, in epoch milliseconds."""
        return self.now_ms() + self.lead_ms

    def accepts(self, moment: str) -> bool:
        """Return whether a caller's millisecond text is near enough."""
        return moment.isdigit() and abs(int(moment) - self.now_ms()) <= CLOCK_WINDOW_MS


class RotatingSecret:
    """A secret with an end; those before it are remembered, to be called expired."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.life_ms = int(seconds * 1000)
        self.clock = clock
        self.issued: list[tuple[str, int]] = []

    def issue(self) -> tuple[str, int]:
        """Return a secret and its end: the newest, or a fresh one where half of its life is over."""
        now = self.clock.now_ms()
        if not self.issued or self.issued[-1][1] - now <= self.life_ms // 2:
            self.issued = [*self.issued[-50:], (secrets.token_hex(16), now + self.life_ms)]
        return self.issued[-1]

    def rotate(self) -> None:
        """End every secret now."""
        self.issued = [(value, 0) for value, _ in self.issued]

    def judge(self, matches: Matches) -> str:
        """Return "ok", "expired" or "wrong" for a signature, given a test of one secret."""
        for value, end_ms in reversed(self.issued):
            if matches(value):
                return "ok" if self.clock.now_ms() < end_ms else "expired"
        return "wrong"


class ExchangeGate:
    """Checks the calls of the gjgxjhpt convention; every refusal is an envelope."""

    def __init__(self, rid: str, sids: Collection[str], appkey: str, secret_seconds: float) -> None:
        self.rid, self.sids, self.appkey = rid, sids, appkey
        self.clock = Clock()
        self.secret = RotatingSecret(secret_seconds, self.clock)

    def refuse_login(self, values: dict[str, Any]) -> Envelope | None:
        """Return the refusal of a refreshappsecret call, or None."""
        return self._refuse(values, None, self.sids)

    def refuse_call(self, headers: Any, sid: str = "") -> Envelope | None:
        """Return the refusal of a business call, of a service that has a sid of its own where one is given, or None."""
        return self._refuse(headers, self.secret, [sid] if sid else self.sids)

    def issue(self) -> Envelope:
        """Return the envelope that hands out the secret in force."""
        secret, end_ms = self.secret.issue()
        data = {"secret": encrypted_secret(self.appkey, secret), "secretEndTime": end_ms}
        return {"code": "0", "message": "", "data": data}

    def _refuse(self, values: Any, secret: RotatingSecret | None, sids: Collection[str]) -> Envelope | None:
        names = ("rid", "sid", "rtime", "sign")
        rid, sid, rtime, sign = (str(values.get(f"gjgxjhpt_{name}") or "") for name in names)
        if not hmac.compare_digest(rid.encode(), self.rid.encode()) or sid not in sids:
            return self.answer("E-106", "调用方不在授权列表中")
        if not self.clock.accepts(rtime):
            return self.answer("-1", "时间戳超出有效范围")

        def matches(key: str) -> bool:
            return hmac.compare_digest(exchange_signature(key, sid, rid, rtime).encode(), sign.encode())

        verdict = secret.judge(matches) if secret else ("ok" if matches(self.appkey) else "wrong")
        if verdict == "expired":
            return self.expired()
        return None if verdict == "ok" else self.answer("-1", "接口调用失败：签名错误")

    def expired(self) -> Envelope:
        """Return the envelope that says the secret has run out."""
        return self.answer("E-107", "secret已过期")

    @staticmethod
    def answer(code: str, message: str) -> Envelope:
        """Return an envelope without data."""
        return {"code": code, "message": message, "data": ""}


class IrsGate:
    """Checks the calls of the zj-irs convention."""

    def __init__(self, app_key: str, app_secret: str, secret_seconds: float) -> None:
        self.app_key, self.app_secret = app_key, app_secret
        self.clock = Clock()
        self.refresh = RotatingSecret(REFRESH_SECONDS, self.clock)
        self.request = RotatingSecret(secret_seconds, self.clock)

    def refuse_key(self, query: Any) -> Envelope | None:
        """Return the refusal of refreshTokenByKey, or None."""
        return self._refuse(query, lambda matches: "ok" if matches(self.app_secret) else "wrong")

    def refuse_refresh(self, query: Any) -> Envelope | None:
        """Return the refusal of refreshTokenBySec, or None."""
        return self._refuse(query, self.refresh.judge)

    def refuse_call(self, query: Any) -> Envelope | None:
        """Return the refusal of a business call, or None."""
        return self._refuse(query, self.request.judge)

    def issue(self) -> Envelope:
        """Return the envelope with both secrets in force."""
        refresh, refresh_end = self.refresh.issue()
        request, request_end = self.request.issue()
        datas = {
            "refreshSecret": refresh,
            "refreshSecretEndTime": refresh_end,
            "requestSecret": request,
            "requestSecretEndTime": request_end,
        }
        return {"code": "00", "msg": "", "datas": datas}

    def _refuse(self, query: Any, judge: Callable[[Matches], str]) -> Envelope | None:
        app_key, moment, sign = (str(query.get(name) or "") for name in ("appKey", "requestTime", "sign"))
        if app_key != self.app_key:
            return self.answer("11", "appKey不存在")
        if not self.clock.accepts(moment):
            return self.answer("12", "请求时间超出有效范围")

        def matches(secret: str) -> bool:
            return hmac.compare_digest(irs_signature(app_key, secret, moment).encode(), sign.lower().encode())

        verdict = judge(matches)
        if verdict == "expired":
            return self.expired()
        return None if verdict == "ok" else self.answer("13", "签名错误")

    def expired(self) -> Envelope:
        """Return the envelope that says the secret has run out."""
        return self.answer("14", "秘钥已过期")

    @staticmethod
    def answer(code: str, message: str) -> Envelope:
        """Return an envelope without data."""
        return {"code": code, "msg": message, "datas": None}
