"""A self-signed certificate for the practice PBX, made anew at each start as a device makes it once.

with certificate("127.0.0.1") as (certificate_file, key_file):
    ...
"""

import hashlib
import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ippbx_billing.errors import CannotStartError
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from cryptography import x509


@contextmanager
def certificate(host: str) -> Iterator[tuple[Path, Path]]:
    """Files of a certificate for the host and of its key, gone afterwards; raises CannotStartError."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise CannotStartError(
            tr("the practice PBX needs the package cryptography for HTTPS"),
            tr("pip install 'ippbx-bill[simulate]', or practise with --no-tls"),
        ) from error
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "UC practice PBX")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_uses(), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with TemporaryDirectory(prefix="practice-pbx-") as directory:
        files = Path(directory, "certificate.pem"), Path(directory, "key.pem")
        files[0].write_bytes(built.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(private)
        yield files


def fingerprint(certificate_file: Path) -> str:
    """The certificate's SHA-256 fingerprint, as a browser shows it."""
    der = ssl.PEM_cert_to_DER_cert(certificate_file.read_text(encoding="ascii"))
    return hashlib.sha256(der).digest().hex(":").upper()


def _general_name(host: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _uses() -> "x509.KeyUsage":
    """A device signs its own certificate and speaks TLS with it, nothing else."""
    from cryptography import x509

    names = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign")
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        encipher_only=False,
        decipher_only=False,
        **dict.fromkeys(names, False),
    )
