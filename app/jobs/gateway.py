"""Where SMS go: an HTTP gateway, or the development mailbox. Neither number nor text is ever logged."""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import urlencode

from app.documents.sms import Sms
from app.extensions import own_transaction, utcnow
from app.models.scope import SYSTEM
from app.rules import mailbox
from app.rules.sms import NeverSent
from config import SmsGateway, sms_gateway

STEP_SECONDS = 10.0
"""For the connection, and for each answer."""
SMS_SECONDS = 30.0
"""For the whole exchange: less than the lease, so that nobody else sends the same SMS meanwhile."""
TOO_MANY = 429


class SmsFailed(Exception):
    """This try failed; another may succeed. The words go into the ledger and name nobody."""


class SmsSender(Protocol):
    """Hands an SMS in, or raises SmsFailed or NeverSent. ``message_id`` is the outbox row's id."""

    def send(self, sms: Sms, *, message_id: int) -> None: ...


class Mailbox:
    """Keeps the SMS for the page /mailbox."""

    def send(self, sms: Sms, *, message_id: int) -> None:
        with own_transaction(SYSTEM) as session:
            mailbox.keep(
                session,
                message_id=message_id,
                recipient=sms.number,
                subject=sms.text,
                source=sms.text,
                now=utcnow(),
            )


class Gateway:
    """POST of a form with ``to``, ``text`` and ``id``; 2xx is sent, 4xx but 429 is refused for good."""

    def __init__(self, server: SmsGateway) -> None:
        self.server = server

    def send(self, sms: Sms, *, message_id: int) -> None:
        try:
            status = self._post(urlencode({"to": sms.number, "text": sms.text, "id": sms.id}))
        except TimeoutError:
            raise SmsFailed("SMS no answer") from None
        except (OSError, http.client.HTTPException) as error:
            raise SmsFailed(_fault(error)) from None
        if 200 <= status < 300:
            return
        if 400 <= status < 500 and status != TOO_MANY:
            raise NeverSent(f"SMS {status}")
        raise SmsFailed(f"SMS {status}")

    def _post(self, form: str) -> int:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Connection": "close"}
        if self.server.user:
            pair = f"{self.server.user}:{self.server.password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        with contextlib.closing(self._connection()) as connection:
            connection.connect()
            with _ended_in_time(connection.sock):
                connection.request("POST", self.server.path, form, headers)
                return connection.getresponse().status  # a redirect is not followed

    def _connection(self) -> http.client.HTTPConnection:
        address = (self.server.host, self.server.port)
        if self.server.encrypted:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(*address, timeout=STEP_SECONDS, context=context)
        return http.client.HTTPConnection(*address, timeout=STEP_SECONDS)


@contextlib.contextmanager
def _ended_in_time(line: socket.socket) -> Iterator[None]:
    """A gateway that answers drop by drop is hung up on. Raises TimeoutError then."""
    over = threading.Event()

    def hang_up() -> None:
        over.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(line, socket.SHUT_RDWR)

    timer = threading.Timer(SMS_SECONDS, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, ValueError, http.client.HTTPException):
        if over.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()


def _fault(error: BaseException) -> str:
    """Kind and number of an error; its words may quote what was sent."""
    number = error.errno if isinstance(error, OSError) else None
    return f"SMS {type(error).__name__}" + (f" {number}" if number is not None else "")


def sms_sender_of(settings: Mapping[str, Any]) -> SmsSender:
    """The sender that the settings name. Raises NeverSent if there is none."""
    if settings["MAILBOX"]:
        return Mailbox()
    if settings["SMS_URL"]:
        return Gateway(sms_gateway(settings["SMS_URL"]))
    raise NeverSent("SMS is not set up")
