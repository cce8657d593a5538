"""Certificates for the gateways: a test authority of its own, and servers with a good, an expired and a lone one."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 90


class Trust(StrEnum):
    """How a server's certificate stands."""

    VALID = "valid"
    EXPIRED = "expired"
    SELF_SIGNED = "self_signed"


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """A certificate authority made at start; its file is what a prober is told to trust."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "gateway-ca.pem"
        self._pair = _signed("Shuheng sandbox CA", [], None, is_authority=True)
        folder.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(self._pair.certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, trust: Trust, addresses: Iterable[str]) -> ssl.SSLContext:
        """Return a server context whose certificate names these addresses."""
        days = -1 if trust is Trust.EXPIRED else VALID_DAYS
        issuer = None if trust is Trust.SELF_SIGNED else self._pair
        pair = _signed("gateway", list(addresses), issuer, days=days)
        file = self.folder / f"gateway-{trust}.pem"
        file.touch(mode=0o600)
        file.write_bytes(
            pair.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + pair.certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _signed(
    name: str, addresses: list[str], issuer: _Pair | None, *, days: int = VALID_DAYS, is_authority: bool = False
) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = issuer.key if issuer else key
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(is_authority), critical=True)
    )
    if addresses:
        names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return _Pair(builder.sign(signer, hashes.SHA256()), key)


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
