"""Sending mail over SMTP, protected as the settings say."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from tracing.platform.settings import MailSettings

PERMANENT = range(500, 600)


class AddressRefused(Exception):
    """The server will not take mail for this address, now or later. The text names nobody."""


class MailUnsent(Exception):
    """The server could not be reached or did not take the mail; it may later. The text names the kind of failure."""


def send(settings: MailSettings, message: EmailMessage) -> None:
    """Hand one message to the server. Returns when the server has taken responsibility for it.

    Raises AddressRefused, MailUnsent.
    """
    try:
        with _connected(settings) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise (AddressRefused if code in PERMANENT and not _is_policy(text) else MailUnsent)(str(code)) from None
    except (smtplib.SMTPException, OSError) as error:  # their texts may hold addresses
        raise MailUnsent(type(error).__name__) from None


def _is_policy(text: bytes) -> bool:
    """Whether a refusal is of us, not of the address (RFC 3463, 5.7: security or policy): an operator can mend it."""
    return text.startswith(b"5.7.") or b"relay" in text.lower()


@contextmanager
def _connected(settings: MailSettings) -> Iterator[smtplib.SMTP]:
    host, port, timeout = settings.host or "", settings.port, settings.timeout_seconds
    trust = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout, context=trust)
    else:
        server = smtplib.SMTP(host, port, timeout=timeout)
    with server:
        if settings.security == "starttls":
            server.starttls(context=trust)  # raises when the server does not offer it: never on in the clear
        if settings.username and settings.password:
            server.login(settings.username, settings.password.get_secret_value())
        yield server
