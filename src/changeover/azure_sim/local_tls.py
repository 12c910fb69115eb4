"""Whom do clients trust? A CA that is made at every start, and one certificate of it for this machine; both keys stay here."""

import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

LIFE: Final = datetime.timedelta(days=7)
SKEW: Final = datetime.timedelta(hours=1)


class TlsError(Exception):
    """TLS cannot be offered."""


class LocalTls(NamedTuple):
    """``ca_file`` is what clients are to trust (``REQUESTS_CA_BUNDLE``, ``SSL_CERT_FILE``)."""

    context: ssl.SSLContext
    ca_file: Path


def new_local_tls(ca_file: Path, *, host: str) -> LocalTls:
    """For ``host`` and ``localhost``. Raises ``TlsError``."""
    try:
        ca, chain = _certificates(host)
        ca_file.parent.mkdir(parents=True, exist_ok=True)
        ca_file.write_bytes(ca)
    except ImportError as error:
        raise TlsError("found no package for certificates, expected cryptography; run: pip install 'changeover[azure]'") from error
    except OSError as error:
        raise TlsError(f"{ca_file}: {error.strerror}; expected a folder that can be written to") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(chain)
        file.flush()
        context.load_cert_chain(file.name)
    return LocalTls(context, ca_file)


def _certificates(host: str) -> tuple[bytes, bytes]:
    """The CA's certificate; and the key and certificate of this machine, all as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "changeover azure-sim local CA")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "changeover azure-sim")])
    now = datetime.datetime.now(datetime.UTC)

    def begun(subject: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(ca_name).public_key(public_key)
        return builder.serial_number(x509.random_serial_number()).not_valid_before(now - SKEW).not_valid_after(now + LIFE)

    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    ca = (
        begun(ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.IPAddress(ipaddress.ip_address(host)), x509.DNSName("localhost")]
    own = (
        begun(name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ca.public_bytes(pem), secret + own.public_bytes(pem)
