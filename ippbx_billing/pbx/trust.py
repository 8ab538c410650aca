"""The PBX's certificate: self-signed, so it is known by its fingerprint and checked on every connection.

    seen = fingerprint_of("192.168.6.169", 443)     ->  "3F:9A:…"   (shown to a person, who says yes or no)
    PbxAdmin(address, user, password, profile=profile, tls=pinned(seen))

The check comes right after the handshake and before a byte is sent, so no password reaches a stranger.
"""

import hashlib
import re
import socket
import ssl
from pathlib import Path
from typing import Any

from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.pbx.problems import CertificateChanged, Unreachable

# How OpenSSL names an answer that is not TLS at all, in its versions.
_PLAIN = re.compile(r"(?i)wrong.version.number|http.request|record.layer.failure|packet.length.too.long")


class _Pinned(ssl.SSLContext):
    """Lets only the certificate with this fingerprint through; without one it takes any, to look at it."""

    expected: str = ""

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        connection = super().wrap_socket(*arguments, **options)
        seen = _fingerprint(connection.getpeercert(binary_form=True) or b"")
        if self.expected and seen != self.expected:
            connection.close()
            raise CertificateChanged(
                tr("the PBX's certificate is {seen}, and {expected} was expected. Nothing was sent.",
                   seen=seen, expected=self.expected),
                tr("after a firmware or certificate change, compare it with the device's own, "
                   "then give the new one with --fingerprint"),
            )  # fmt: skip
        return connection


def pinned(fingerprint: str) -> ssl.SSLContext:
    """A context for the one certificate with this SHA-256 fingerprint; its age, name and issuer do not matter then."""
    context = _Pinned(ssl.PROTOCOL_TLS_CLIENT)
    context.expected = fingerprint
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Old devices have short keys and old protocols; what we trust is the fingerprint.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    return context


def signed_by(ca: Path) -> ssl.SSLContext:
    """A context for certificates that this authority signed, with the usual checks of name and date."""
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            tr("{path} cannot be used as a certificate authority: {error}", path=ca, error=error),
            tr("a file in PEM form is expected"),
        ) from error


def fingerprint_of(host: str, port: int, timeout_s: float = 15) -> str:
    """The SHA-256 fingerprint of the certificate that answers there; raises Unreachable."""
    try:
        with (
            socket.create_connection((host, port), timeout=timeout_s) as plain,
            pinned("").wrap_socket(plain, server_hostname=host) as secured,
        ):
            return _fingerprint(secured.getpeercert(binary_form=True) or b"")
    except OSError as error:
        raise Unreachable(
            tr(
                "https://{host}:{port} cannot be reached: {error}.", host=host, port=port, error=error.strerror or error
            ),
            plain_hint(f"https://{host}:{port}", str(error)),
        ) from error


def plain_hint(address: str, error: str) -> str:
    """What to do where the address cannot be reached; a port that answers in plain HTTP is named."""
    if address.startswith("https://") and _PLAIN.search(error):
        plain = address.replace("https://", "http://", 1)
        return tr("this port speaks plain HTTP: try --pbx {plain}", plain=plain)
    return tr("check address, port, cable and firewall; does its page open in a browser?")


def normal_fingerprint(text: str) -> str:
    """A fingerprint as people copy it, in one form: upper case, a colon after each byte; raises UsageError."""
    digits = re.sub(r"(?i)^sha-?256[=:]?|[\s:]", "", text).upper()
    if not re.fullmatch(r"[0-9A-F]{64}", digits):
        raise UsageError(
            tr("{text!r} is not a SHA-256 fingerprint", text=text),
            tr("64 hexadecimal digits are expected, as a browser's certificate page shows them"),
        )
    return bytes.fromhex(digits).hex(":").upper()


def _fingerprint(certificate: bytes) -> str:
    return hashlib.sha256(certificate).digest().hex(":").upper()
