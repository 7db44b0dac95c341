"""A small real mail server and HTTP receiver on the loopback address, with certificates of their own, for the tests."""

import datetime as dt
import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


def certificate(folder: Path) -> Path:
    """A certificate for the loopback address with its key, in one PEM file; it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    today = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


def _context(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@dataclass
class MailServer:
    """What it took, and how it behaves. `drop_after`: it takes the mail and hangs up before it says so."""

    certificate: Path | None = None
    port: int = 0
    mails: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    protected: list[bool] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    refusal: str = "550 nobody of that name"
    busy: bool = False
    drop_after: bool = False


@contextmanager
def mail_server(file: Path | None = None) -> Iterator[MailServer]:
    """A server that listens until the end; with a certificate it offers STARTTLS."""
    state = MailServer(file)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            _converse(self, state)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server((HOST, 0), Handler) as server:
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


def _converse(handler: Any, state: MailServer) -> None:
    read, protected, recipients = handler.rfile, False, list[str]()

    def say(text: str) -> None:
        handler.connection.sendall(text.encode() + b"\r\n")

    say("220 tests ESMTP")
    while line := read.readline():
        command = line.decode().strip()
        verb = command.partition(" ")[0].upper()
        if verb == "EHLO":
            offers = ["250-tests", *(["250-STARTTLS"] if state.certificate and not protected else [])]
            say("\r\n".join([*offers, "250 AUTH PLAIN"]))
        elif verb == "STARTTLS" and state.certificate:
            say("220 go on")
            handler.connection = _context(state.certificate).wrap_socket(handler.connection, server_side=True)
            read, protected = handler.connection.makefile("rb"), True
        elif verb == "AUTH":
            state.logins.append(command)
            say("235 welcome")
        elif verb == "MAIL":
            recipients = []
            say("451 try later" if state.busy else "250 yes")
        elif verb == "RCPT":
            address = command.partition("<")[2].partition(">")[0]
            recipients.append(address)
            say(state.refusal if address in state.refuses else "250 yes")
        elif verb == "DATA":
            say("354 go on")
            text = b""
            while (part := read.readline()) not in (b".\r\n", b""):
                text += part
            state.mails.append(BytesParser().parsebytes(text))
            state.recipients += recipients
            state.protected.append(protected)
            if state.drop_after:
                return
            say("250 taken")
        elif verb == "QUIT":
            say("221 bye")
            return
        else:
            say("250 yes" if verb == "RSET" else "502 no")


@dataclass
class Receiver:
    """What it received; it answers with `statuses` one after the other, then 200."""

    port: int = 0
    statuses: list[int] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def receiver(file: Path | None = None) -> Iterator[Receiver]:
    """An HTTP receiver that listens until the end; with a certificate over TLS."""
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            state.paths.append(self.path)
            status = state.statuses.pop(0) if state.statuses else 200
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", f"http://{HOST}:{state.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    if file is not None:
        server.socket = _context(file).wrap_socket(server.socket, server_side=True)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
