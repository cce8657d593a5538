"""A plain caller of the sandbox, written from the conventions for these tests alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import Any

import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import hmac as keyed
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from include.sandbox.server import SandboxServer

LIST = "/provincial/httpproxy/project/list"


def exchange_headers(server: SandboxServer, key: str, rtime: str | None = None) -> dict[str, str]:
    """Return the four signed values."""
    options = server.options
    moment = rtime or str(int(time.time() * 1000))
    message = f"{options.sid}{options.rid}{moment}".encode()
    sign = base64.b64encode(hmac.new(key.encode(), message, hashlib.sha256).digest()).decode()
    return {
        "gjgxjhpt_rid": options.rid,
        "gjgxjhpt_sid": options.sid,
        "gjgxjhpt_rtime": moment,
        "gjgxjhpt_sign": sign,
    }


def decrypted(appkey: str, text: str) -> str:
    """Return the secret that the platform encrypted."""
    key = hashlib.sha1(hashlib.sha1(appkey.encode()).digest()).digest()[:16]
    cipher = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
    plain = cipher.update(base64.b64decode(text)) + cipher.finalize()
    return plain[: -plain[-1]].decode()


class ProvincialCaller:
    """Calls the provincial platform."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.session = requests.Session()
        self.secret = ""

    def login(self, rtime: str | None = None) -> dict[str, Any]:
        """Fetch the secret and return the answer."""
        values = exchange_headers(self.server, self.server.options.appkey, rtime)
        url = f"{self.server.url}/provincial/auth/refreshappsecret"
        answer: dict[str, Any] = self.session.post(url, json=values, timeout=5).json()
        if answer["code"] == "0":
            self.secret = decrypted(self.server.options.appkey, answer["data"]["secret"])
        return answer

    def call(self, number: int = 1, size: int = 100, rtime: str | None = None, **more: Any) -> requests.Response:
        """Return the raw answer for one page."""
        if not self.secret:
            self.login()
        options = {name: more.pop(name) for name in ("stream", "allow_redirects") if name in more}
        body = {"pageNo": number, "pageSize": size, **more}
        headers = exchange_headers(self.server, self.secret, rtime)
        return self.session.post(f"{self.server.url}{LIST}", json=body, headers=headers, timeout=5, **options)

    def page(self, number: int = 1, size: int = 100, **more: Any) -> dict[str, Any]:
        """Return one page's envelope."""
        answer: dict[str, Any] = self.call(number, size, **more).json()
        return answer

    def codes(self, number: int, size: int = 100) -> list[str]:
        """Return the project codes of one page."""
        return [row["PROJECT_CODE"] for row in self.page(number, size)["data"]["list"]]

    def everything(self, size: int = 100) -> list[dict[str, Any]]:
        """Return all rows."""
        rows: list[dict[str, Any]] = []
        number = 1
        while (data := self.page(number, size)["data"]) != "":
            rows += data["list"]
            number += 1
        return rows


class ZhejiangCaller:
    """Calls the Zhejiang-like platform."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.secrets: dict[str, Any] = {}

    def get(self, path: str, secret: str, **query: Any) -> requests.Response:
        """Return the raw answer of one signed call."""
        app_key, moment = self.server.options.zj_app_key, str(int(time.time() * 1000))
        sign = hashlib.md5(f"{app_key}{secret}{moment}".encode()).hexdigest()
        query |= {"appKey": app_key, "requestTime": moment, "sign": sign}
        return requests.get(f"{self.server.url}/zj{path}", params=query, timeout=5)

    def login(self) -> None:
        """Fetch both secrets."""
        answer = self.get("/token/refreshTokenByKey", self.server.options.zj_app_secret).json()
        assert answer["code"] == "00", answer
        self.secrets = answer["datas"]

    def page(self, number: int = 0, size: int = 200, **query: Any) -> dict[str, Any]:
        """Return one page's envelope."""
        if not self.secrets:
            self.login()
        path, secret = "/api/projects", self.secrets["requestSecret"]
        answer: dict[str, Any] = self.get(path, secret, pageNum=number, pageSize=size, **query).json()
        return answer


class ExchangeCaller:
    """Calls the data-sharing exchange; each address has the sid of its own."""

    SIDS = {
        "application/list": "s_sys_supply009",
        "service/getlist": "s_sys_service001",
        "service/getdetail": "s_sys_service003",
        "calllog/daily": "s_sys_log001",
        "catalog/list": "s_sys_catalog002",
    }

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.secret = ""

    def signed(self, key: str, sid: str) -> dict[str, str]:
        """Return the four signed values."""
        rid, moment = self.server.options.exchange_rid, str(int(time.time() * 1000))
        mac = hmac.new(key.encode(), f"{sid}{rid}{moment}".encode(), hashlib.sha256).digest()
        values = {"rid": rid, "sid": sid, "rtime": moment, "sign": base64.b64encode(mac).decode()}
        return {f"gjgxjhpt_{name}": value for name, value in values.items()}

    def login(self, sid: str = "s_sys_supply009") -> dict[str, Any]:
        """Fetch the secret and return the answer."""
        values = self.signed(self.server.options.exchange_appkey, sid)
        url = f"{self.server.url}/exchange/auth/refreshappsecret"
        answer: dict[str, Any] = requests.post(url, json=values, timeout=5).json()
        if answer["code"] == "0":
            self.secret = decrypted(self.server.options.exchange_appkey, answer["data"]["secret"])
        return answer

    def call(self, path: str, sid: str = "", **body: Any) -> requests.Response:
        """Return the raw answer of one signed call."""
        if not self.secret:
            self.login()
        headers = self.signed(self.secret, sid or self.SIDS[path])
        return requests.post(f"{self.server.url}/exchange/httpproxy/{path}", json=body, headers=headers, timeout=10)

    def rows(self, path: str, size: int = 1000, **body: Any) -> list[dict[str, Any]]:
        """Return all rows of a list."""
        found: list[dict[str, Any]] = []
        number = 1
        while (data := self.call(path, pageNo=number, pageSize=size, **body).json()["data"]) != "":
            found += data["list"]
            number += 1
        return found


class CloudCaller:
    """Calls the city cloud."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server

    def call(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> requests.Response:
        """Return the raw answer of one signed call."""
        options, moment, nonce = self.server.options, str(int(time.time())), secrets.token_hex(8)
        sign = hashlib.sha256(f"{moment}{options.cloud_token}{nonce}{moment}".encode()).hexdigest().upper()
        signed = {"paasid": options.cloud_paasid, "timestamp": moment, "nonce": nonce, "signature": sign}
        sent = {f"x-tif-{name}": value for name, value in signed.items()} | (headers or {})
        return requests.get(f"{self.server.url}/cloud/api/{path}", params=query, headers=sent, timeout=10)

    def rows(self, path: str, limit: int = 1000, **query: Any) -> list[dict[str, Any]]:
        """Return all rows of a list."""
        found: list[dict[str, Any]] = []
        while True:
            data = self.call(path, offset=len(found), limit=limit, **query).json()["data"]
            found += data["rows"]
            if not data["rows"] or len(found) >= data["count"]:
                return found


class UsageCaller:
    """Calls the usage statistics."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server

    def call(self, **query: Any) -> dict[str, Any]:
        """Return the answer of one signed call."""
        options = self.server.options
        signed = {"appKey": options.usage_app_key, "timestamp": str(int(time.time() * 1000))}
        signed["nonce"] = secrets.token_hex(8)
        mac = keyed.HMAC(options.usage_app_secret.encode(), hashes.SM3())
        mac.update("".join(signed.values()).encode())
        query = {**signed, "sign": mac.finalize().hex(), **query}
        answer: dict[str, Any] = requests.get(f"{self.server.url}/usage/api/v1/daily", params=query, timeout=10).json()
        return answer

    def rows(self, limit: int = 1000, **query: Any) -> list[dict[str, Any]]:
        """Return all rows."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            data = self.call(limit=limit, cursor=cursor, **query)["data"]
            found += data["list"]
            cursor = data["next"]
            if not cursor:
                return found
