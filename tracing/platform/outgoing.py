"""HTTP requests to addresses that people typed in: to hosts that the settings allow, and nowhere else.

No redirect is followed and no proxy asked. A name is resolved once and the connection made to that very address, so
that what was checked is what is spoken to; loopback, link-local (where clouds keep their secrets) and the like are
refused, unless the settings name such an address itself.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tracing.platform.settings import WebhookSettings

PORTS = {"https": 443, "http": 80}
ANSWER_BYTES = 1024


class HostNotAllowed(Exception):
    """The address may not be spoken to; `why` is one word for the log."""

    def __init__(self, why: str) -> None:
        """`why` is an identifier."""
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Target:
    """An address that is allowed."""

    secure: bool
    host: str
    port: int
    path: str


def allowed(settings: WebhookSettings, url: str) -> Target:
    """The parts of an allowed address; asks no name server. Raises HostNotAllowed."""
    if not url.isascii() or any(character <= " " or character in "\\\x7f" for character in url):
        raise HostNotAllowed("malformed")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise HostNotAllowed("malformed") from None
    if parts.scheme not in PORTS or not host or parts.username is not None or parts.password is not None:
        raise HostNotAllowed("malformed")
    if parts.scheme == "http" and not settings.allow_http:
        raise HostNotAllowed("not_https")
    port = port or PORTS[parts.scheme]
    named = {(name, number or 443) for name, number in map(_host_and_port, settings.allowed_hosts)}
    if (host, port) not in named:
        raise HostNotAllowed("host_not_listed")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", host, port, path)


def _host_and_port(text: str) -> tuple[str | None, int | None]:
    parts = urlsplit(f"//{text}")
    return parts.hostname, parts.port


def post(settings: WebhookSettings, url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Send a POST; the status that was answered. Raises HostNotAllowed, OSError, http.client.HTTPException."""
    target = allowed(settings, url)
    connection: http.client.HTTPConnection
    if target.secure:
        trust = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
        connection = _SecureTo(target.host, target.port, timeout=settings.timeout_seconds, context=trust)
    else:
        connection = _PlainTo(target.host, target.port, timeout=settings.timeout_seconds)
    try:
        connection.request("POST", target.path, body, dict(headers))
        answer = connection.getresponse()
        answer.read(ANSWER_BYTES)
        return answer.status
    finally:
        connection.close()


def _address(host: str, port: int) -> tuple[str, int]:
    """The first address of a host, if it may be spoken to."""
    found = str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
    address = ipaddress.ip_address(found.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if _is_literal(host):
        return found, port  # the settings name this very address
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        raise HostNotAllowed("address_not_allowed")
    return found, port


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class _PlainTo(http.client.HTTPConnection):
    """Connects to the address that was checked."""

    def connect(self) -> None:
        """To that address, and no other."""
        self.sock = socket.create_connection(_address(self.host, self.port), self.timeout)


class _SecureTo(http.client.HTTPSConnection):
    """Connects to the address that was checked, and expects the certificate of the name."""

    def __init__(self, host: str, port: int, *, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._trust = context

    def connect(self) -> None:
        """To that address, and no other."""
        plain = socket.create_connection(_address(self.host, self.port), self.timeout)
        self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)
