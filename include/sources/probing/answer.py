"""Judges how a transfer ended: which outcome it is, and a sentence for people."""

from __future__ import annotations

import errno
import json
from functools import lru_cache
from urllib.parse import urlsplit

import pycurl

from include.sources.probing.policy import ProbePolicy
from include.sources.probing.result import Outcome
from include.sources.probing.transfer import Transfer

Judged = tuple[Outcome, str | None]

LONGEST_DETAIL = 200
_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL."""
_TOO_LARGE = 100
"""CURLE_TOO_LARGE, for which pycurl has no name: more than 5,000 header lines."""
_UNREACHED = {
    errno.ECONNREFUSED: (Outcome.REFUSED, "拒绝连接"),
    errno.ECONNRESET: (Outcome.RESET, "连接被重置"),
    errno.EHOSTUNREACH: (Outcome.TIMED_OUT, "主机不可达"),
    errno.ETIMEDOUT: (Outcome.TIMED_OUT, "连接超时"),
}
_FAILURES: dict[int, Judged] = {
    pycurl.E_OPERATION_TIMEDOUT: (Outcome.TIMED_OUT, "超时未应答"),
    pycurl.E_GOT_NOTHING: (Outcome.RESET, "未作应答即断开连接"),
    pycurl.E_SEND_ERROR: (Outcome.RESET, "连接被重置"),
    pycurl.E_RECV_ERROR: (Outcome.RESET, "连接被重置"),
    pycurl.E_PARTIAL_FILE: (Outcome.RESET, "应答未完即断开连接"),
    pycurl.E_SSL_CONNECT_ERROR: (Outcome.TLS_UNTRUSTED, "TLS 握手失败"),
    pycurl.E_UNSUPPORTED_PROTOCOL: (Outcome.MALFORMED, "应答不是 HTTP"),
    _TOO_LARGE: (Outcome.TOO_LARGE, "应答头过大"),
}


def judge(transfer: Transfer, code: int, expected: str | None, policy: ProbePolicy) -> Judged:
    """Return the outcome of a transfer that ended with a code of curl, 0 for well."""
    if code in (pycurl.E_OK, pycurl.E_WRITE_ERROR):
        return _answered(transfer, expected, policy)
    if code == pycurl.E_PEER_FAILED_VERIFICATION:
        if transfer.curl.getinfo(pycurl.SSL_VERIFYRESULT) == _EXPIRED:
            return Outcome.TLS_EXPIRED, "证书已过期"
        return Outcome.TLS_UNTRUSTED, "证书不受信任或与主机名不符"
    number = transfer.curl.getinfo(pycurl.OS_ERRNO)
    if code == pycurl.E_COULDNT_CONNECT:
        # Whatever else hinders a connection (no route, no ports left) is this machine's and says nothing of the service.
        return _UNREACHED.get(number, (Outcome.OUT_OF_TIME, f"本机无法建立连接({errno.errorcode.get(number, number)})"))
    if code == pycurl.E_SSL_CONNECT_ERROR and number == errno.ECONNRESET:
        return _UNREACHED[number]
    return _FAILURES.get(code, (Outcome.MALFORMED, f"应答无法读取(curl {code})"))


def _answered(transfer: Transfer, expected: str | None, policy: ProbePolicy) -> Judged:
    if transfer.has_long_head:
        return Outcome.TOO_LARGE, "应答头过大"
    status = transfer.curl.getinfo(pycurl.RESPONSE_CODE)
    if 300 <= status < 400:
        target = transfer.curl.getinfo_raw(pycurl.REDIRECT_URL)
        if target:
            return Outcome.REDIRECTED, f"重定向到 {_host(target)},未跟随"
    if status not in policy.good_statuses:
        return Outcome.WRONG_STATUS, f"状态码 {status}"
    if expected and has_text(bytes(transfer.body), expected, policy.expected_encodings):
        return Outcome.SUCCEEDED, None
    if transfer.is_cut:
        return Outcome.TOO_LARGE, f"应答超过 {policy.max_bytes} 字节,未读完"
    return (Outcome.WRONG_BODY, "应答中没有应含的文字") if expected else (Outcome.SUCCEEDED, None)


def has_text(body: bytes, expected: str, encodings: tuple[str, ...]) -> bool:
    """Return whether a text stands in a body, in one of the encodings or escaped as in JSON.

    The text is encoded rather than the body decoded: what a body says of its own encoding need not be true.
    """
    return any(form in body for form in _forms(expected, encodings))


@lru_cache(maxsize=1024)
def _forms(expected: str, encodings: tuple[str, ...]) -> frozenset[bytes]:
    forms = {expected.encode(name, "replace") for name in encodings}
    return frozenset(forms if expected.isascii() else forms | {json.dumps(expected)[1:-1].encode()})


def _host(target: bytes) -> str:
    """Return the host that a redirect names, cleaned: the other side wrote it."""
    try:
        host = urlsplit(target.decode("latin-1")).hostname or ""
    except ValueError:
        host = ""
    shown = "".join(c for c in host if c.isascii() and c.isprintable())[:100]
    return shown or "无法辨认的地址"
