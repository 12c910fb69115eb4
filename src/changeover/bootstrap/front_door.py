"""May the gateway listen there? Loopback is open to this machine; elsewhere callers need keys, and their keys need TLS."""

import ipaddress
import ssl
from pathlib import Path

import msgspec


class FrontDoorError(Exception):
    """The gateway may not listen so; the message says what was found, what was expected, what to do."""


class FrontDoor(msgspec.Struct, frozen=True, kw_only=True):
    """How the gateway is to listen: ``host``, its own certificate or none, or a word that something in front has one."""

    host: str
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False

    @property
    def is_local(self) -> bool:
        """Whether this machine alone can reach ``host``. A name that is not ``localhost`` may mean anything."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def wants_keys(self) -> bool:
        """Whether others than this machine may come: then every caller needs a key."""
        return not self.is_local or self.behind_proxy or self.tls_cert is not None

    def tls_context(self) -> ssl.SSLContext | None:
        """The listener's certificate, ready to use; ``None`` without one.

        Raises:
            FrontDoorError: a public address without TLS, half a certificate, or files that are none.
        """
        if (self.tls_cert is None) != (self.tls_key is None):
            raise FrontDoorError("found one of --tls-cert and --tls-key; expected both: the certificate chain and its private key, in PEM")
        if self.tls_cert is not None and self.tls_key is not None:
            return _context(self.tls_cert, self.tls_key)
        if not self.is_local and not self.behind_proxy:
            raise FrontDoorError(
                f"found --host {self.host} without TLS; expected a loopback address, or a certificate: --tls-cert FILE --tls-key FILE. "
                "Where something in front terminates TLS, say so: --behind-proxy"
            )
        return None


def _context(cert: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # A key with a passphrase would ask for it on the terminal; here it is refused instead.
        context.load_cert_chain(cert, key, password=lambda: b"")
    except ssl.SSLError as error:
        reason = error.reason or "no PEM"
        hint = "give the chain, leaf first, and its private key without a passphrase, both in PEM"
        raise FrontDoorError(f"the certificate {cert} with the key {key} cannot be used ({reason}); {hint}") from error
    except OSError as error:
        raise FrontDoorError(f"the certificate {cert} or the key {key} cannot be read ({error.strerror}); name readable files") from error
    return context
