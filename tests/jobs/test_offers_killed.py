"""A worker that dies between keeping a place and writing of it: nothing is left half done (N6)."""

from __future__ import annotations

import itertools
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.models import Message, WaitingEntry, WaitingOffer
from app.models.cabinet_choices import OfferStatus, WaitingStatus
from app.models.enums import MessageKind, MessageStatus, SlotStatus
from app.rules import freed
from app.rules.invariants import check_invariants
from tests import make, servers, stores
from tests.jobs.processes import WORKER, House, now, until
from tests.jobs.sink import Sink
from tests.waiting import make_entry

_names = itertools.count(1)
DIES = (
    "import os, signal; from app.rules import offer_letters\n"
    "def die(*args, **more): os.kill(os.getpid(), signal.SIGKILL)\n"
    "offer_letters.tell_offer = die\n"
    "import sys; sys.argv = ['flask', '--app', 'wsgi', 'worker']\n"
    "from flask.cli import main; main()"
)


@pytest.fixture
def house(databases: stores.Store, sink: Sink, tmp_path: Path) -> Iterator[House]:
    made = House(databases.create(f"offers{next(_names)}"), tmp_path, MAIL_URL=sink.url)
    with servers.closing(made):
        yield made


def test_a_place_is_kept_and_told_of_or_neither(house: House, sink: Sink) -> None:
    with house.session() as session:
        tenant = make.make_tenant(session, now=now())
        entry = make_entry(session, tenant, make.make_donor(session, tenant, now=now()))
        date = now().date()
        day = make.make_schedule(session, tenant, date=date.replace(year=date.year + 1), total=1)
        tenant.policy.book_days_ahead = 1000
        freed.note_day(session, day.id, now=now())
        session.flush()
        entry_id, day_id = entry.id, day.id
        noted = session.scalars(select(Message.id)).one()
        session.commit()

    killed = house.start([sys.executable, "-c", DIES])
    assert killed.wait(120) == -signal.SIGKILL
    with house.session() as session:
        assert session.scalars(select(WaitingOffer)).all() == []
        assert session.get_one(WaitingEntry, entry_id).status is WaitingStatus.WAITING
        day = session.get_one(make.Schedule, day_id)
        assert [slot.status for slot in make.slots_of(session, day)] == [SlotStatus.FREE]
        assert session.get_one(Message, noted).status is MessageStatus.DUE
        told = select(Message.id).where(Message.kind == MessageKind.PLACE_OFFERED)
        assert session.scalars(told).all() == []

    house.start(WORKER)

    def offered() -> bool:
        with house.session() as session:
            query = select(Message.status).where(Message.kind == MessageKind.PLACE_OFFERED)
            return session.scalars(query).all() == [MessageStatus.SENT]

    until(offered, house)
    with house.session() as session:
        (offer,) = session.scalars(select(WaitingOffer))
        assert offer.status is OfferStatus.OPEN
        assert check_invariants(session, now=now()) == []
    assert len(sink.letters) == 1
