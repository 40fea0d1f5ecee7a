"""What the worker does, in the tests' own process: everything that is due, once."""

from __future__ import annotations

import datetime as dt

from flask import Flask
from sqlalchemy.orm import Session

from app.jobs.deliver import deliver
from app.rules import outbox
from tests.make import NOW


def work(app: Flask, store: Session, now: dt.datetime = NOW) -> None:
    """One try at each message that is due."""
    store.commit()
    leased = outbox.lease(store, now=now)
    store.commit()
    with app.app_context():
        for message_id, attempt in leased:
            deliver(message_id, attempt)
    store.rollback()
    store.expire_all()
