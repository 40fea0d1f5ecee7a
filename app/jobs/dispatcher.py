"""From the outbox to whoever sends: leases due messages and hands them over, or sends them itself."""

from __future__ import annotations

from collections.abc import Callable

from rq import Queue

from app.extensions import own_transaction, utcnow
from app.jobs import queue as queues
from app.jobs.database import reading
from app.jobs.deliver import deliver
from app.models.scope import SYSTEM
from app.rules import delivery, outbox

BATCH = 50
BY_HAND = 5
"""Fewer at a time when this process sends them itself: their leases run while they wait."""


def dispatch(queue: Queue, *, room: int | None, between: Callable[[], bool] = lambda: True) -> int:
    """Lease what is due and pass it on; how many.

    ``room``: how many jobs the queue takes; None if nobody works there: then each message is sent
    here and now, and ``between`` two of them says whether to go on. Any number of processes may do
    this at once: a row is leased to one of them (app.rules.outbox).
    """
    if room == 0 or not _anything_due():
        return 0
    limit = BY_HAND if room is None else min(room, BATCH)
    with own_transaction(SYSTEM) as session:
        leased = outbox.lease(session, now=utcnow(), limit=limit)
    for done, (message_id, attempt) in enumerate(leased, start=1):
        if room is not None and queues.hand_over(queue, message_id, attempt):
            continue
        deliver(message_id, attempt)
        if not between():
            _give_back(leased[done:])
            break
    return len(leased)


def _anything_due() -> bool:
    """A look without a lock: most of the time there is nothing to do."""
    with reading() as session:
        return delivery.anything_due(session, now=utcnow())


def _give_back(leased: list[tuple[int, int]]) -> None:
    with own_transaction(SYSTEM) as session:
        delivery.give_back(session, leased)
