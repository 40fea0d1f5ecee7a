"""Where letters go: an SMTP server, or the development mailbox."""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
import time
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from typing import Any, Protocol

from app.extensions import own_transaction, utcnow
from app.models.scope import SYSTEM
from app.rules import mailbox
from config import MailServer, mail_server

STEP_SECONDS = 10.0
"""For one answer of the server."""
LETTER_SECONDS = 60.0
"""For the whole conversation: less than the lease, so that nobody else sends the same letter meanwhile."""
ENHANCED = re.compile(rb"^\d\.\d{1,3}\.\d{1,3}\b")


class NoSender(Exception):
    """Neither TALON_MAIL_URL nor TALON_MAILBOX is set."""


class Sender(Protocol):
    """Hands a letter in, or raises. ``message_id`` is the outbox row's id."""

    def send(self, letter: EmailMessage, *, message_id: int) -> None: ...


class Mailbox:
    """Keeps the letter for the page /mailbox."""

    def send(self, letter: EmailMessage, *, message_id: int) -> None:
        with own_transaction(SYSTEM) as session:
            mailbox.keep(
                session,
                message_id=message_id,
                recipient=letter["To"].addresses[0].addr_spec,
                subject=str(letter["Subject"]),
                source=letter.as_string(),
                now=utcnow(),
            )


class Smtp:
    """An SMTP server: STARTTLS unless its address says ``tls=tls`` or ``tls=none``."""

    def __init__(self, server: MailServer, *, name: str) -> None:
        self.server = server
        self.name = name
        """What we call ourselves in EHLO."""

    def send(self, letter: EmailMessage, *, message_id: int) -> None:
        with self._connection() as smtp:
            smtp.send_message(letter)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        deadline = time.monotonic() + LETTER_SECONDS
        smtp = self._connect(deadline)
        try:
            if self.server.tls == "starttls":
                smtp.starttls(context=ssl.create_default_context())
            if self.server.user:
                smtp.login(self.server.user, self.server.password)
            yield smtp
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()  # the letter is accepted: whatever the farewell is like, it is not sent again
        finally:
            smtp.close()

    def _connect(self, deadline: float) -> smtplib.SMTP:
        address = (self.server.host, self.server.port)
        if self.server.tls == "tls":
            context = ssl.create_default_context()
            return _PatientTls(deadline, *address, self.name, STEP_SECONDS, context)
        return _Patient(deadline, *address, self.name, STEP_SECONDS)


class _Waiting(smtplib.SMTP):
    """Waits for each answer, but not for ever in all."""

    deadline: float

    def getreply(self) -> tuple[int, bytes]:
        left = self.deadline - time.monotonic()
        if left <= 0:
            self.close()
            raise TimeoutError("the whole conversation took too long")
        if self.sock is not None:
            self.sock.settimeout(min(STEP_SECONDS, left))
        return super().getreply()


class _Patient(_Waiting):
    def __init__(self, deadline: float, host: str, port: int, name: str, timeout: float) -> None:
        self.deadline = deadline
        super().__init__(host, port, local_hostname=name, timeout=timeout)


class _PatientTls(_Waiting, smtplib.SMTP_SSL):
    def __init__(
        self,
        deadline: float,
        host: str,
        port: int,
        name: str,
        timeout: float,
        context: ssl.SSLContext,
    ) -> None:
        self.deadline = deadline
        smtplib.SMTP_SSL.__init__(
            self, host, port, local_hostname=name, timeout=timeout, context=context
        )


def sender_of(settings: Mapping[str, Any]) -> Sender:
    """The sender that the settings name. Raises NoSender."""
    if settings["MAILBOX"]:
        return Mailbox()
    if settings["MAIL_URL"]:
        name = settings["PUBLIC_URL"].partition("://")[2].partition("/")[0].partition(":")[0]
        return Smtp(mail_server(settings["MAIL_URL"]), name=name)
    raise NoSender("set TALON_MAIL_URL or TALON_MAILBOX")


def described(error: BaseException) -> str:
    """What went wrong, for the ledger: codes and kinds only. A server's words may name the recipient."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        return _answer(code, words)
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.errno is not None:
        return f"{type(error).__name__} {error.errno}"
    return type(error).__name__


def _answer(code: int, words: bytes | str) -> str:
    found = ENHANCED.match(words if isinstance(words, bytes) else words.encode())
    return f"SMTP {code} {found[0].decode()}" if found else f"SMTP {code}"
