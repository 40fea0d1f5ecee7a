"""One try at one message: the rq job, and the same function when Redis is away.

Three steps, each of its own: take it up (a transaction), write and hand it in (no transaction: a slow
mail server holds no lock), note how it ended (a transaction). Killed between the second and the third,
the letter is sent again after the lease, with the same Message-ID.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

from flask import current_app
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app.documents import sms
from app.documents.letters import render
from app.extensions import own_transaction, utcnow
from app.jobs import archives
from app.jobs.database import reading
from app.jobs.gateway import SmsFailed, sms_sender_of
from app.jobs.senders import described, sender_of
from app.models.enums import MessageChannel, MessageKind, MessageStatus
from app.models.message import Message
from app.models.scope import SYSTEM
from app.rules import delivery, offers, outbox
from app.rules.sms import NeverSent

log = logging.getLogger("talon.jobs")
NOTE_TRIES = 5
"""A letter that was handed in must be noted: the database is asked this often, a second apart."""


def deliver(message_id: int, attempt: int) -> None:
    """Try to send, within an application context. With the database away the lease simply runs out."""
    try:
        _deliver(message_id, attempt)
    except SQLAlchemyError as error:  # its words may quote rows: only the kind goes into the log
        log.warning("message %s, try %s: %s", message_id, attempt, type(error).__name__)


def _deliver(message_id: int, attempt: int) -> None:
    with own_transaction(SYSTEM) as session:
        ours = delivery.begin(session, message_id=message_id, attempt=attempt, now=utcnow())
    if not ours:
        return
    try:
        _hand_in(message_id)
    except NeverSent as hopeless:
        _note_hopeless(message_id, attempt, str(hopeless))
    except SmsFailed as failed:
        _note_failed(message_id, attempt, str(failed))
    except Exception as error:  # whatever it is, the message must be tried again
        _note_failed(message_id, attempt, described(error))
    else:
        _note_sent(message_id)
        log.info("message %s, try %s: sent", message_id, attempt)


def _hand_in(message_id: int) -> None:
    with reading() as session:
        message = session.get_one(Message, message_id)
        if message.kind is MessageKind.PLACE_FREED:
            send: Callable[..., None] = _offer
        elif message.kind is MessageKind.DATA_WANTED:
            send = archives.make
        elif message.channel is MessageChannel.SMS:
            send = partial(sms_sender_of(current_app.config).send, sms.render(message))
        else:
            letter = render(message, now=utcnow())
            send = partial(sender_of(current_app.config).send, letter)
    send(message_id=message_id)


def _offer(*, message_id: int) -> None:
    """A place became free: keep it for the next in line, write to him and end the row, all or nothing."""
    with own_transaction(SYSTEM) as session:
        message = session.get_one(Message, message_id)
        looked = offers.answer(session, message, now=utcnow())
        outbox.finish(session, message, MessageStatus.SENT, now=utcnow())
    log.info(
        "message %s: %s offered, passed over %s",
        message_id,
        len(looked.offers),
        dict(Counter(looked.skipped.values())),
    )


def _note_failed(message_id: int, attempt: int, error: str) -> None:
    log.warning("message %s, try %s: %s", message_id, attempt, error)
    with own_transaction(SYSTEM) as session:
        delivery.fail(session, message_id=message_id, attempt=attempt, now=utcnow(), error=error)


def _note_hopeless(message_id: int, attempt: int, error: str) -> None:
    log.warning("message %s, try %s: %s, given up", message_id, attempt, error)
    with own_transaction(SYSTEM) as session:
        delivery.give_up(session, message_id=message_id, attempt=attempt, now=utcnow(), error=error)


def _note_sent(message_id: int) -> None:
    for tries_left in reversed(range(NOTE_TRIES)):
        try:
            with own_transaction(SYSTEM) as session:
                delivery.succeed(session, message_id=message_id, now=utcnow())
            return
        except OperationalError:
            if not tries_left:
                raise
            time.sleep(1)
