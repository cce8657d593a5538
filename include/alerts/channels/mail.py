"""Mail over SMTP: one mail a message, as text and as HTML, to the addresses of the unit or to those of the connection.

What is shown only in part is attached as CSV. TLS unless the connection says otherwise. A mail sent again keeps its Message-ID,
so that mailboxes can tell it is the same.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from include import clock
from include.alerts.channels.channel import ChannelCard
from include.alerts.channels.posting import quoted, seconds_of, secrets_of
from include.alerts.message import Message
from include.alerts.rendering.cut import cut
from include.alerts.rendering.form import title_of
from include.alerts.rendering.harmless import one_line
from include.alerts.rendering.html import as_html
from include.alerts.rendering.rows import as_csv
from include.alerts.rendering.text import as_text
from include.connections import Connection
from include.errors import (
    AddressRefused,
    ChannelRefused,
    ChannelUnreachable,
    ConfigurationError,
    MessageRefused,
    SourceUnreachable,
)
from include.sources.address import Dialer, address_policy
from include.sources.card import Limits

SECURITIES = {"starttls": 587, "ssl": 465, "none": 25}
"""How the connection is encrypted, and the port each takes where the connection names none."""
TIMEOUT_SECONDS, WHOLE_SECONDS = 30.0, 120.0
LARGEST_TABLE = 3_000_000
"""Some ten thousand findings; a mail server that finds the whole too large would take none of it."""
_MOST_ADDRESSES = 50
_LONGEST_SUBJECT = 300
_LOGIN_CODES = (530, 534, 535, 538)
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")


class Mail:
    """Sends through one server; extra of the connection: `from`, `to`, `security` (starttls, ssl, none), `ca_file`, `networks`."""

    def __init__(self, card: ChannelCard, connection: Connection) -> None:
        """Check the connection; nothing is sent yet."""
        self._title = f"the channel {card.id} (mail)"
        self._connection = connection
        self._secrets = secrets_of(connection)
        self._security = _security(connection)
        self._sender = _one_address(
            str(connection.extra.get("from") or ""), f'"from" in the extra of {connection.conn_id!r}'
        )
        self._to = _listed(connection)
        self._whole = seconds_of(connection, WHOLE_SECONDS)
        self._dialer = Dialer(address_policy(Limits(), connection))

    def send(self, message: Message) -> str:
        """Send a mail to all its addresses and return the server's last answer; see `Channel.send`.

        An address that is put off puts the whole mail off, before anybody got it; one that is refused for good does not keep it
        from the others, and the receipt counts it.
        """
        addresses = self._addresses(message)
        mail = as_mail(message, self._sender, addresses)
        self._dialer.arm()
        timer = threading.Timer(self._whole, self._dialer.cut)
        timer.daemon = True
        timer.start()
        try:
            return self._deliver(mail.as_bytes(), addresses)
        except AddressRefused as error:
            raise ChannelRefused(f"{self._title}: {error}") from None
        except SourceUnreachable as error:
            raise ChannelUnreachable(f"{self._title}: {error}") from None
        except ssl.SSLCertVerificationError as error:
            raise ChannelRefused(
                f"{self._title}: the server's certificate is not accepted ({error.verify_message}); if a private authority "
                'issued it, name its file as "ca_file" in the extra of the connection'
            ) from None
        except smtplib.SMTPNotSupportedError as error:
            raise ChannelRefused(f'{self._title}: {error}; check "security" and login of the connection') from None
        except smtplib.SMTPResponseException as error:
            raise self._answered(error.smtp_code, error.smtp_error) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            why = "no end within the time" if self._dialer.is_cut else type(error).__name__
            raise ChannelUnreachable(f"{self._title}: the connection to the server broke ({why})") from None
        finally:
            timer.cancel()

    def close(self) -> None:
        """Let go of the connection."""
        self._dialer.close()

    def _addresses(self, message: Message) -> list[str]:
        found = message.address or self._to
        if not found:
            raise MessageRefused(
                f"{self._title}: nobody to send to: routing.yaml has no mail address of {message.department or message.receiver!r} "
                'and the connection no "to"'
            )
        addresses = [_one_address(text, "an address of the receiver", MessageRefused) for text in dict.fromkeys(found)]
        if len(addresses) > _MOST_ADDRESSES:
            raise MessageRefused(
                f"{self._title}: {len(addresses)} addresses are more than {_MOST_ADDRESSES}; give one of a list"
            )
        return addresses

    def _deliver(self, content: bytes, addresses: list[str]) -> str:
        server = self._opened()
        try:
            self._check(*server.mail(self._sender))
            refused = self._recipients(server, addresses)
            code, said = server.data(content)
            self._check(code, said)
            with suppress(smtplib.SMTPException, OSError):
                server.quit()  # it has the mail: nothing that comes now makes it undelivered
        finally:
            server.close()
        answer = f"{code}{quoted(said, self._secrets)}"
        return answer + (f"; {refused} of {len(addresses)} addresses were refused" if refused else "")

    def _recipients(self, server: smtplib.SMTP, addresses: list[str]) -> int:
        refusals: list[tuple[int, bytes]] = []
        for address in addresses:
            code, said = server.rcpt(address)
            if 400 <= code < 500:
                raise self._answered(code, said)
            if code >= 500:
                refusals.append((code, said))
        if len(refusals) == len(addresses):
            error = self._answered(*refusals[0])
            raise error if refusals[0][0] in _LOGIN_CODES else MessageRefused(str(error))
        return len(refusals)

    def _check(self, code: int, said: bytes) -> None:
        if code >= 300:
            raise self._answered(code, said)

    def _answered(self, code: int, said: bytes | str) -> ChannelRefused | ChannelUnreachable:
        words = f"{code}{quoted(said, self._secrets)}"
        if code in _LOGIN_CODES:
            return ChannelRefused(
                f"{self._title}: the server does not let us in: {words}; check login, password and security"
            )
        if code >= 500:
            return ChannelRefused(f"{self._title}: the server refused the mail: {words}")
        return ChannelUnreachable(f"{self._title}: the server puts the mail off: {words}")

    def _opened(self) -> smtplib.SMTP:
        connection, kind = self._connection, self._security
        context = ssl.create_default_context(cafile=connection.authority)
        server = _Dialed(self._dialer, context if kind == "ssl" else None)
        try:
            code, said = server.connect(connection.host, connection.port or SECURITIES[kind])
            self._check(code, said)
            if kind == "starttls":
                self._check(*server.starttls(context=context))
            server.ehlo_or_helo_if_needed()
            if connection.login:
                server.login(connection.login, connection.password)
        except BaseException:
            server.close()
            raise
        return server


class _Dialed(smtplib.SMTP):
    """SMTP over a connection to a checked address, encrypted from the start where a context is given."""

    def __init__(self, dialer: Dialer, context: ssl.SSLContext | None) -> None:
        self._dialer, self._context = dialer, context
        super().__init__(timeout=TIMEOUT_SECONDS, local_hostname="shuheng.invalid")

    def connect(self, host: str = "localhost", port: int = 0, source_address: Any = None) -> tuple[int, bytes]:
        """Connect, and remember the host's name for the certificate."""
        self._host = host  # smtplib sets it in its constructor only
        return super().connect(host, port, source_address)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = self._dialer.dial(host, port, timeout)
        if self._context is None:
            return plain
        return self._context.wrap_socket(plain, server_hostname=host)


def as_mail(message: Message, sender: str, addresses: list[str]) -> EmailMessage:
    """Return a mail as it is sent: no header takes a line break from a title."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["Subject"] = cut(title_of(message), _LONGEST_SUBJECT)
    mail["From"] = Address("数衡", addr_spec=sender)
    mail["To"] = [Address(addr_spec=address) for address in addresses]
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = f"<{message.message_id}@shuheng.{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.is_urgent:
        mail["Importance"] = "high"
    table = as_csv(message) if message.is_long else b""
    elsewhere = "全部线索见附件" if 0 < len(table) <= LARGEST_TABLE else ""
    mail.set_content(as_text(message.abridged) + (f"{elsewhere}\n" if elsewhere else ""), cte="base64")
    mail.add_alternative(as_html(message.abridged, elsewhere=elsewhere), subtype="html", cte="base64")
    if elsewhere:
        mail.add_attachment(table, maintype="text", subtype="csv", filename=f"{message.number}.csv")
    return mail


def _security(connection: Connection) -> str:
    kind = str(connection.extra.get("security") or ("ssl" if connection.port == SECURITIES["ssl"] else "starttls"))
    if kind not in SECURITIES:
        raise ConfigurationError(
            f'connection {connection.conn_id!r}: "security" is {kind!r}; give one of {", ".join(SECURITIES)}'
        )
    if kind == "none" and connection.login:
        raise ConfigurationError(
            f'connection {connection.conn_id!r} would send its password in the clear; set "security" to starttls or ssl'
        )
    if not connection.host:
        raise ConfigurationError(f"connection {connection.conn_id!r} has no host; give the mail server's name")
    return kind


def _listed(connection: Connection) -> tuple[str, ...]:
    extra = connection.extra.get("to") or []
    texts = extra.split(",") if isinstance(extra, str) else extra
    if not isinstance(texts, list):
        raise ConfigurationError(f'connection {connection.conn_id!r}: "to" must be a list or comma separated text')
    where = f'"to" in the extra of {connection.conn_id!r}'
    return tuple(_one_address(str(text).strip(), where) for text in texts if str(text).strip())


def _one_address(text: str, where: str, error: type[Exception] = ConfigurationError) -> str:
    if not _ADDRESS.fullmatch(text):
        raise error(
            f"{where} is not a plain mail address ({cut(one_line(text), 60) or 'empty'}); write it like office@bureau.example"
        )
    return text
