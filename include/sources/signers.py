"""How calls are signed: one class per convention, chosen by the card's `signer.profile`.

| profile | login / password of the connection | what is added |
|---|---|---|
| none | - | nothing |
| gjgxjhpt | rid / appkey | headers `<prefix>_rid, _sid, _rtime (ms), _sign` = Base64(HMAC-SHA256(secret, sid+rid+rtime)) |
| zj-irs | appKey / appSecret | query appKey, requestTime (ms), sign = MD5 hex(appKey+requestSecret+requestTime) |
| tif | paasid / token | headers x-tif-paasid, -timestamp (s), -nonce, -signature = upper hex SHA-256(ts+token+nonce+ts) |
| generic-sm | appKey / secret | query appKey, timestamp (ms), nonce, sign = HMAC-SM3 hex(secret, appKey+timestamp+nonce+digest) |

`digest` of generic-sm is the SM3 hex of the body as sent, and nothing where there is no body. This is the signing that
the platforms ask for, not a certified cryptographic module (商用密码).

Secrets stand in private attributes and nowhere else: not in `repr`, not in logs, and `hide` takes them out of what a
platform says. Cryptography is imported when something is signed: most sources are not.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from include import clock
from include.connections import Connection
from include.errors import ConfigurationError, SourceMalformed, SourceRefused
from include.sources.call import Call, json_body
from include.sources.card import Card
from include.sources.envelope import walk

Now = Callable[[], datetime]
SessionCall = Callable[[Callable[[], Call]], Any]
"""Sends what the given function makes, without signing it, and returns the JSON value of an accepted answer."""

_MARGIN = timedelta(seconds=60)
_REFRESH_LIFE = timedelta(hours=48)
_REQUEST_LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signer adds to a call."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


class Signer(Protocol):
    """Signs calls, and renews the secret where it rotates."""

    can_renew: bool

    def sign(self, call: Call) -> Signature:
        """Return headers and query parameters to add to this call."""

    def renew(self, fully: bool = False) -> None:
        """Get a new secret; `fully`: from the permanent key, because a quicker renewal did not help."""

    def hide(self, text: str) -> str:
        """Return a text without the secrets that it may repeat."""


class _Static:
    """Base of signers whose secret does not rotate."""

    can_renew = False

    def __init__(self, login: str, password: str) -> None:
        self._login, self._password = login, password

    def sign(self, call: Call) -> Signature:
        return Signature()

    def renew(self, fully: bool = False) -> None:
        raise SourceRefused("the secret of this signer does not rotate; set a new one in the connection")

    def hide(self, text: str) -> str:
        return _hidden(text, self._password)


class TifSigner(_Static):
    """x-tif gateways: four headers over time stamp (seconds), token and nonce."""

    def __init__(self, login: str, password: str, now: Now, nonce: Callable[[], str]) -> None:
        """Take paasid, token, clock and source of nonces."""
        super().__init__(login, password)
        self._now, self._nonce = now, nonce

    def sign(self, call: Call) -> Signature:
        """Return the four headers."""
        stamp, nonce = str(int(self._now().timestamp())), self._nonce()
        signed = hashlib.sha256(f"{stamp}{self._password}{nonce}{stamp}".encode()).hexdigest().upper()
        return Signature(
            {"x-tif-paasid": self._login, "x-tif-timestamp": stamp, "x-tif-nonce": nonce, "x-tif-signature": signed}
        )


class GenericSmSigner(_Static):
    """HMAC-SM3 over appKey, time stamp, nonce and body digest."""

    def __init__(self, login: str, password: str, now: Now, nonce: Callable[[], str]) -> None:
        """Take appKey, secret, clock and source of nonces."""
        super().__init__(login, password)
        self._now, self._nonce = now, nonce

    def sign(self, call: Call) -> Signature:
        """Return appKey, timestamp, nonce and sign as query parameters."""
        stamp, nonce = _milliseconds(self._now()), self._nonce()
        digest = _sm3(call.body).hex() if call.body else ""
        sign = _hmac(self._password, f"{self._login}{stamp}{nonce}{digest}", "SM3").hex()
        query = {"appKey": self._login, "timestamp": stamp, "nonce": nonce, "sign": sign}
        return Signature(query={k: v for k, v in query.items() if v})


class GjgxjhptSigner:
    """The national and provincial exchanges: a rotating secret, handed out encrypted with the permanent appkey."""

    can_renew = True

    def __init__(self, card: Card, connection: Connection, session_call: SessionCall, now: Now) -> None:
        """Take rid, appkey and sid; no secret is asked for before the first call is signed."""
        self._rid, self._appkey = _credentials(card, connection, "rid", "appkey")
        self._sid = str(connection.extra.get("sid") or card.signer.sid or "")
        self._path = card.signer.secret_path or ""
        if not self._sid or not self._path:
            raise ConfigurationError(
                f"card {card.source!r}: gjgxjhpt needs signer.secret_path, and the id of the service as signer.sid "
                "or as sid in the extra of the connection"
            )
        self._prefix, self._session_call, self._now = card.signer.prefix, session_call, now
        self._secret = ""
        self._until: datetime | None = None

    def sign(self, call: Call) -> Signature:
        """Return the four headers, with a fresh secret if the present one is about to end."""
        if not self._secret or (self._until and self._now() >= self._until):
            self.renew()
        return Signature(self._four(self._secret, call.sid))

    def renew(self, fully: bool = False) -> None:
        """Ask for the secret, signed with the appkey, and decrypt it."""
        answer = self._session_call(lambda: Call("POST", self._path, **_body(self._four(self._appkey))))
        encrypted = _text_at(answer, "data.secret")
        self._secret = _decrypt(encrypted, self._appkey)
        self._until = _renewal_due(walk(answer, "data.secretEndTime"), self._now())

    def hide(self, text: str) -> str:
        """Return a text without appkey and secret."""
        return _hidden(text, self._appkey, self._secret)

    def _four(self, key: str, other_sid: str | None = None) -> dict[str, str]:
        stamp, sid = _milliseconds(self._now()), other_sid or self._sid
        signed = base64.b64encode(_hmac(key, f"{sid}{self._rid}{stamp}", "SHA256")).decode()
        values = {"rid": self._rid, "sid": sid, "rtime": stamp, "sign": signed}
        return {f"{self._prefix}_{name}": value for name, value in values.items()}


class ZjIrsSigner:
    """The Zhejiang family: the appSecret buys a refreshSecret, that one buys requestSecrets, which sign the calls."""

    can_renew = True

    def __init__(self, card: Card, connection: Connection, session_call: SessionCall, now: Now) -> None:
        """Take appKey and appSecret; no secret is asked for before the first call is signed."""
        self._app_key, self._app_secret = _credentials(card, connection, "appKey", "appSecret")
        if not card.signer.secret_path:
            raise ConfigurationError(f"card {card.source!r}: zj-irs needs signer.secret_path (refreshTokenByKey)")
        self._by_key, self._by_secret = card.signer.secret_path, card.signer.renew_path
        self._session_call, self._now = session_call, now
        self._refresh_secret = self._request_secret = ""
        self._refresh_until: datetime | None = None
        self._request_until: datetime | None = None

    def sign(self, call: Call) -> Signature:
        """Return appKey, requestTime and sign, with a fresh requestSecret if the present one is about to end."""
        if not self._request_secret or (self._request_until and self._now() >= self._request_until):
            self.renew()
        return Signature(query=self._three(self._request_secret))

    def renew(self, fully: bool = False) -> None:
        """Get a requestSecret by the refreshSecret while that one holds, otherwise both by the appSecret."""
        holds = self._refresh_secret and self._refresh_until and self._now() < self._refresh_until
        if self._by_secret and holds and not fully:
            try:
                return self._take(self._ask(self._by_secret, self._refresh_secret))
            except SourceRefused:
                pass  # the platform has dropped the refreshSecret before its time: begin anew
        return self._take(self._ask(self._by_key, self._app_secret))

    def hide(self, text: str) -> str:
        """Return a text without the three secrets."""
        return _hidden(text, self._app_secret, self._refresh_secret, self._request_secret)

    def _ask(self, path: str, key: str) -> Any:
        return self._session_call(lambda: Call("GET", path, self._three(key)))

    def _take(self, answer: Any) -> None:
        now = self._now()
        self._request_secret = _text_at(answer, "datas.requestSecret")
        self._request_until = _renewal_due(walk(answer, "datas.requestSecretEndTime"), now, _REQUEST_LIFE)
        refresh = walk(answer, "datas.refreshSecret")
        if isinstance(refresh, str) and refresh:
            self._refresh_secret = refresh
            self._refresh_until = _renewal_due(walk(answer, "datas.refreshSecretEndTime"), now, _REFRESH_LIFE)

    def _three(self, key: str) -> dict[str, str]:
        stamp = _milliseconds(self._now())
        # MD5 is what the platform asks for; declared as no security measure so that FIPS builds allow it.
        signed = hashlib.md5(f"{self._app_key}{key}{stamp}".encode(), usedforsecurity=False).hexdigest()
        return {"appKey": self._app_key, "requestTime": stamp, "sign": signed}


def make_signer(
    card: Card,
    connection: Connection,
    session_call: SessionCall,
    now: Now = clock.now,
    nonce: Callable[[], str] = lambda: secrets.token_hex(8),
) -> Signer:
    """Return the signer that a card names, or say what its connection lacks."""
    profile = card.signer.profile
    if profile == "gjgxjhpt":
        return GjgxjhptSigner(card, connection, session_call, now)
    if profile == "zj-irs":
        return ZjIrsSigner(card, connection, session_call, now)
    if profile == "tif":
        return TifSigner(*_credentials(card, connection, "paasid", "token"), now, nonce)
    if profile == "generic-sm":
        return GenericSmSigner(*_credentials(card, connection, "appKey", "secret"), now, nonce)
    if profile == "none":
        return _Static(connection.login, connection.password)
    raise ConfigurationError(f"card {card.source!r}: there is no signer {profile!r}")


def _credentials(card: Card, connection: Connection, login: str, password: str) -> tuple[str, str]:
    if connection.login and connection.password:
        return connection.login, connection.password
    raise ConfigurationError(
        f"connection {connection.conn_id!r} lacks credentials; {card.signer.profile} needs the {login} as login "
        f"and the {password} as password"
    )


def _body(values: Mapping[str, Any]) -> dict[str, Any]:
    body, content_type = json_body(values)
    return {"body": body, "content_type": content_type}


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))


def _hmac(key: str, text: str, algorithm: str) -> bytes:
    from cryptography.hazmat.primitives import hashes, hmac

    mac = hmac.HMAC(key.encode(), getattr(hashes, algorithm)())
    mac.update(text.encode())
    return mac.finalize()


def _sm3(data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes

    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def _decrypt(encrypted: str, appkey: str) -> str:
    """Decrypt as Java's KeyGenerator("AES") seeded with the appkey (SHA1PRNG) and Cipher("AES") do."""
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    inner = hashlib.sha1(appkey.encode(), usedforsecurity=False).digest()
    key = hashlib.sha1(inner, usedforsecurity=False).digest()[:16]
    cipher = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305 - the platform's choice
    try:
        padded = cipher.update(base64.b64decode(encrypted, validate=True)) + cipher.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except ValueError:
        raise ConfigurationError(
            "the secret that the platform handed out cannot be decrypted with the appkey; check that the password of "
            "the connection is the appkey of this rid"
        ) from None


def _text_at(answer: Any, path: str) -> str:
    value = walk(answer, path)
    if isinstance(value, str) and value:
        return value
    raise SourceMalformed(f"the platform accepted the call for a secret but sent none at {path!r}")


def _renewal_due(value: Any, now: datetime, life: timedelta | None = None) -> datetime | None:
    """Return when to renew: a little before the end that the platform names (epoch), or by the usual life.

    An end that our clock has passed already says that the clocks differ, not that the new secret is old; then only the
    platform's own word counts.
    """
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    end = now + life if life else None
    if text.removesuffix(".0").isdecimal():
        number = float(text)
        with suppress(ValueError, OverflowError, OSError):  # "never", written as the greatest number there is
            end = datetime.fromtimestamp(number / 1000 if number > 1e11 else number, clock.SHANGHAI)
    if end is None or end <= now:
        return None
    return end - min(_MARGIN, (end - now) / 10)


def _hidden(text: str, *hidden: str) -> str:
    for secret in hidden:
        if secret:
            text = text.replace(secret, "***")
    return text
