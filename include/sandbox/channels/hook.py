"""A bureau's own receiver of webhooks: it checks the signature, and knows a message that comes twice by its key."""

from __future__ import annotations

import hashlib
import hmac

from starlette.requests import Request

from include.sandbox.channels.robots import is_json, read_object

WINDOW_MS = 300_000
MOST_BYTES = 1_000_000
PREFIX = "sha256="


class Hook:
    """Takes messages that are signed with its secret within five minutes; the same key again is taken once."""

    name, path = "webhook", "/webhook/alerts"

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self._seen: dict[str, str] = {}

    def check(self, request: Request, body: bytes, now_ms: int) -> tuple[int, str]:
        """Return HTTP status and word: 202 takes, 200 has it already, others refuse."""
        moment, given = request.headers.get("x-shuheng-timestamp", ""), request.headers.get("x-shuheng-signature", "")
        if not moment.isdigit() or abs(int(moment) * 1000 - now_ms) > WINDOW_MS:
            return 401, "the time stamp is missing or more than five minutes off"
        expected = hmac.new(self.secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        if not given.startswith(PREFIX) or not hmac.compare_digest(given[len(PREFIX) :], expected):
            return 401, "the signature does not match"
        if len(body) > MOST_BYTES:
            return 413, "too large"
        return self._check_form(request, body)

    def _check_form(self, request: Request, body: bytes) -> tuple[int, str]:
        document = read_object(body)
        if document is None or not is_json(request) or document.get("kind") != "shuheng.alert.v1":
            return 400, "not a message"
        key, digest = request.headers.get("idempotency-key", ""), hashlib.sha256(body).hexdigest()
        if not key or key != document.get("message_id"):
            return 400, "the key is missing or not the message's id"
        if self._seen.get(key, digest) != digest:
            return 409, "another message came under this key"
        return (200, "known") if key in self._seen else (202, "taken")

    def remember(self, request: Request, body: bytes) -> None:
        """Remember a message that was taken."""
        self._seen[request.headers["idempotency-key"]] = hashlib.sha256(body).hexdigest()

    def clear(self) -> None:
        """Forget what came."""
        self._seen.clear()
