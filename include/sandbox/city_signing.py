"""How the city cloud (tif) and the usage statistics (generic-sm) check who calls, written from the conventions alone."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import hmac as keyed

from include.sandbox.signing import Clock

NONCES_KEPT = 100_000


def tif_signature(token: str, timestamp: str, nonce: str) -> str:
    """Return upper hex SHA-256(timestamp + token + nonce + timestamp)."""
    return sha256(f"{timestamp}{token}{nonce}{timestamp}".encode()).hexdigest().upper()


def sm_signature(secret: str, message: str) -> str:
    """Return the hex HMAC-SM3 of appKey + timestamp + nonce + digest of the body (none for a call without body)."""
    mac = keyed.HMAC(secret.encode(), hashes.SM3())
    mac.update(message.encode())
    return mac.finalize().hex()


class _Nonces:
    """The nonces of late; one that comes twice is a repeated call."""

    def __init__(self) -> None:
        self._seen: dict[str, None] = {}

    def is_fresh(self, nonce: str) -> bool:
        if not nonce or nonce in self._seen:
            return False
        self._seen[nonce] = None
        if len(self._seen) > NONCES_KEPT:
            self._seen.pop(next(iter(self._seen)))
        return True


class TifGate:
    """Checks the four x-tif headers; every refusal is HTTP 500 with code 400001."""

    status = 500

    def __init__(self, paasid: str, token: str) -> None:
        self.paasid, self.token, self.clock = paasid, token, Clock()
        self._nonces = _Nonces()

    def refuse(self, headers: Any) -> dict[str, Any] | None:
        """Return the refusal of a call, or None."""
        paasid, stamp, nonce, sign = (
            str(headers.get(f"x-tif-{name}") or "") for name in ("paasid", "timestamp", "nonce", "signature")
        )
        if paasid != self.paasid:
            return self.answer("x-tif-paasid not registered")
        if not self.clock.accepts(f"{stamp}000"):
            return self.answer("x-tif-timestamp expired")
        wanted = tif_signature(self.token, stamp, nonce)
        if not hmac.compare_digest(wanted.encode(), sign.encode()) or not self._nonces.is_fresh(nonce):
            return self.answer("x-tif-signature invalid")
        return None

    @staticmethod
    def answer(message: str) -> dict[str, Any]:
        """Return a refusal."""
        return {"code": 400001, "msg": message}

    def expired(self) -> dict[str, Any]:
        """Return the refusal of a token that has run out."""
        return self.answer("token expired")


class SmGate:
    """Checks appKey, timestamp (ms), nonce and sign of the query."""

    status = 200

    def __init__(self, app_key: str, app_secret: str) -> None:
        self.app_key, self.app_secret, self.clock = app_key, app_secret, Clock()
        self._nonces = _Nonces()

    def refuse(self, query: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the refusal of a call without a body, or None."""
        app_key, stamp, nonce, sign = (str(query.get(name) or "") for name in ("appKey", "timestamp", "nonce", "sign"))
        if app_key != self.app_key:
            return self.answer("40101", "appKey不存在")
        if not self.clock.accepts(stamp):
            return self.answer("40102", "时间戳超出有效范围")
        wanted = sm_signature(self.app_secret, f"{app_key}{stamp}{nonce}")
        if not hmac.compare_digest(wanted.encode(), sign.lower().encode()) or not self._nonces.is_fresh(nonce):
            return self.answer("40103", "签名错误")
        return None

    @staticmethod
    def answer(code: str, message: str) -> dict[str, Any]:
        """Return a refusal."""
        return {"code": code, "msg": message, "data": None}

    def expired(self) -> dict[str, Any]:
        """Return the refusal of a key that has run out."""
        return self.answer("40104", "秘钥已过期")
