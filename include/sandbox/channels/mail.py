"""A mail server: real SMTP over TLS with a login, which keeps what it took."""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
import socket
import struct
import threading
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from include.sandbox.certificates import Authority, Trust
from include.sandbox.channels.keys import ChannelKeys
from include.sandbox.channels.taken import Shelf
from include.sandbox.faults import Faults

HOST = "127.0.0.1"
MOST_BYTES = 5_000_000
UNKNOWN, LATER = "nobody@", "later@"
"""Addresses that begin so are refused for good, or put off."""
ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version")


class MailServer:
    """Serves from a thread while the context lasts; `shelf` keeps the mails as `mail`."""

    name = "mail"

    def __init__(self, keys: ChannelKeys, faults: Faults, shelf: Shelf) -> None:
        self.keys, self.faults, self.shelf = keys, faults, shelf
        self.port = 0
        self.ca_file = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._folder: TemporaryDirectory[str] | None = None

    def __enter__(self) -> MailServer:
        """Start serving on a free port of loopback."""
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the library warns of itself at every login
        self._folder = TemporaryDirectory(prefix="mail-")
        authority = Authority(Path(self._folder.name))
        self.ca_file = str(authority.file)
        context = authority.context(Trust.VALID, [HOST])
        sock = socket.create_server((HOST, 0))
        self.port = sock.getsockname()[1]
        loop = asyncio.new_event_loop()

        def protocol() -> SMTP:
            return SMTP(
                self, data_size_limit=MOST_BYTES, hostname="mail.sandbox.invalid", ident="sandbox", tls_context=context,
                require_starttls=True, auth_required=True, authenticator=self._authenticate, loop=loop, timeout=600,
            )  # fmt: skip

        self._loop = loop
        self._thread = threading.Thread(target=self._serve, args=(loop, sock, protocol), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        if self._loop and self._thread:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
        if self._folder:
            self._folder.cleanup()

    @staticmethod
    def _serve(loop: asyncio.AbstractEventLoop, sock: socket.socket, protocol: Any) -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(loop.create_server(protocol, sock=sock))
        try:
            loop.run_forever()
        finally:
            server.close()
            waiting = asyncio.all_tasks(loop)
            for task in waiting:
                task.cancel()
            with suppress(RuntimeError):
                loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
            loop.close()

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        known = LoginPassword(self.keys.mail_login.encode(), self.keys.mail_password.encode())
        return AuthResult(success=data == known, handled=False)

    async def handle_RCPT(  # noqa: N802  the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take every address but those that are to be refused."""
        if address.startswith(UNKNOWN):
            self.shelf.refuse(self.name, 550)
            return "550 5.1.1 no such mailbox"
        if address.startswith(LATER):
            self.shelf.refuse(self.name, 451)
            return "451 4.7.1 greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail, or what a fault makes of it."""
        fault = self.faults.take(self.name, self.shelf.call(self.name))
        scenario = fault.scenario if fault else ""
        if self.faults.is_down(self.name) or scenario == "throttled":
            return self._refuse(451, "4.3.2 too much mail from here, try again later")
        if scenario == "refused":
            return self._refuse(554, "5.7.1 the policy of this server refuses the mail")
        if scenario == "hangs":
            await asyncio.sleep(600)
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        problem = self._take(envelope, content)
        if problem:
            return self._refuse(554, f"5.6.0 {problem}")
        if scenario == "reset_taken":
            self._reset(server)
        return f"250 2.0.0 queued as {len(self.shelf.of(self.name)):06d}"

    def _take(self, envelope: Envelope, content: bytes) -> str:
        mail = email.message_from_bytes(content, policy=email.policy.default)
        wrong = [name for name in ONCE if len(mail.get_all(name) or []) != 1]
        if wrong:
            return f"the headers {', '.join(wrong)} must stand there once"
        tables = [part.get_content() for part in mail.iter_attachments()] if mail.is_multipart() else []  # type: ignore[attr-defined]
        body = next(mail.iter_parts(), mail) if mail.get_content_type() == "multipart/mixed" else mail  # type: ignore[attr-defined]
        if body.get_content_type() != "multipart/alternative" or mail.defects:
            return "not multipart/alternative"
        parts = {part.get_content_type(): part.get_content() for part in body.iter_parts()}  # type: ignore[attr-defined]
        if set(parts) != {"text/plain", "text/html"}:
            return "text and HTML are needed"
        taken = {
            "from": envelope.mail_from, "to": list(envelope.rcpt_tos), "message_id": str(mail["Message-ID"]).strip("<>"),
            "subject": str(mail["Subject"]), "headers": [[name, str(value)] for name, value in mail.items()],
            "text": parts["text/plain"], "html": parts["text/html"], "tables": len(tables),
        }  # fmt: skip
        self.shelf.keep(self.name, taken, len(content))
        return ""

    def _refuse(self, code: int, words: str) -> str:
        self.shelf.refuse(self.name, code)
        return f"{code} {words}"

    @staticmethod
    def _reset(server: SMTP) -> None:
        transport: Any = server.transport
        raw = transport.get_extra_info("socket")
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
