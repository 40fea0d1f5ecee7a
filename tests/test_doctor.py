"""doctor names what is wrong, and is silent when nothing is."""

from __future__ import annotations

import dataclasses
import os
import smtplib

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy import select

from app import doctor
from app.cli import alembic_config
from app.models import Heartbeat, Message, Slot, crypto
from app.models.enums import MessageStatus, SlotStatus
from app.rules import data_archive, outbox
from tests import make
from tests.jobs.gateway import open_gateway

HEAD = str(ScriptDirectory.from_config(alembic_config()).get_current_head())


def found(app, head=HEAD):
    with app.app_context():
        return list(doctor.faults(app, head=head))


def beat(store, now):
    store.add(Heartbeat(name="worker", at=now))
    store.commit()


def test_a_healthy_installation_has_no_faults(app, store, now, clock):
    beat(store, now)
    assert found(app) == []


def test_an_older_schema_is_named_with_its_mend(app, store):
    assert found(app, head="9999") == [
        f"Схема базы «{HEAD}», а этой версии нужна «9999»: flask --app wsgi migrate"
    ]


def test_standing_jobs_and_broken_invariants_are_named(app, store):
    tenant = make.make_tenant(store)
    make.make_schedule(store, tenant)
    slot = store.scalars(select(Slot)).first()
    slot.status = SlotStatus.BUSY
    store.commit()
    faults = found(app)
    assert any(fault.startswith("Стоит: worker") for fault in faults)
    assert f"I1 held or busy places that nobody keeps: {slot.id}" in faults


def test_a_task_that_was_given_up_is_named_for_a_week(app, store, now, clock):
    beat(store, now)
    account = make.make_account(store)
    archive = data_archive.ask(store, account=account, now=now)
    task = store.scalars(select(Message)).one()
    outbox.finish(store, task, MessageStatus.DEAD, now=now, error="disk full")
    store.commit()
    assert found(app) == []
    assert f"data_wanted {task.id} (disk full)" in hinted(app)
    assert str(archive.uid) not in hinted(app)
    clock.forward(days=8)
    assert hinted(app) == ""


def test_a_mail_server_that_does_not_answer_is_named(app, store, now, monkeypatch):
    beat(store, now)
    monkeypatch.setitem(app.config, "MAILBOX", False)
    monkeypatch.setitem(app.config, "MAIL_URL", "smtp://127.0.0.1:1?tls=none")
    assert [fault.split(" (")[0] for fault in found(app)] == ["Почтовый сервер не отвечает"]
    monkeypatch.setattr(smtplib, "SMTP", Answering)
    assert found(app) == []


def test_a_polyclinic_without_sms_is_named(app, store, now, monkeypatch):
    beat(store, now)
    monkeypatch.setitem(app.config, "MAILBOX", False)
    assert found(app) == []
    make.make_polyclinic(store)
    store.commit()
    assert [fault.split(":")[0] for fault in found(app)] == ["СМС не настроены"]


def test_an_sms_gateway_that_does_not_answer_is_named(app, store, now, monkeypatch):
    beat(store, now)
    monkeypatch.setitem(app.config, "MAILBOX", False)
    monkeypatch.setitem(app.config, "SMS_URL", "https://u:secret@127.0.0.1:1/")
    (fault,) = found(app)
    assert fault.startswith("СМС-шлюз не отвечает") and "secret" not in fault
    with open_gateway() as fake:
        monkeypatch.setitem(app.config, "SMS_URL", fake.url)
        assert found(app) == []


def test_redis_that_does_not_answer_is_named(app, store, now, monkeypatch):
    beat(store, now)
    monkeypatch.setitem(app.config, "REDIS_URL", "redis://127.0.0.1:1/0")
    assert [fault.split(" (")[0] for fault in found(app)] == ["Redis не отвечает"]


def test_a_database_that_is_away_is_named_and_nothing_else_is_tried(app, store, monkeypatch):
    def away():
        raise sa.exc.OperationalError("", None, Exception())

    monkeypatch.setattr(doctor, "_revision", away)
    assert [fault.split(" (")[0] for fault in found(app)] == ["База недоступна"]


class Answering:
    """A mail server that is there."""

    def __init__(self, *_args, **_options):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        return None

    def noop(self):
        return 250, b"ok"


def test_keys_that_are_gone_or_former_or_needless_are_named(app, store, now, clock):
    """From one key to the next: what doctor says at each step of docs/operate.md."""
    beat(store, now)
    person = make.make_person(store, make.make_tenant(store), phone="+79001234567")
    store.commit()
    before = crypto.keys()
    both = {**before.data, 2: os.urandom(32)}
    try:
        crypto.use_keys(dataclasses.replace(before, data=both))
        assert found(app) == [] and hinted(app) == ""
        crypto.use_keys(dataclasses.replace(before, data=both, current=2))
        (fault,) = found(app)
        assert fault.startswith("Прежним ключом данных 1 зашифровано значений: ")
        assert "rotate-keys" in fault and hinted(app) == ""
        person.phone = "+79001234567"
        store.commit()
        assert found(app) == [] and hinted(app).startswith("Ключ данных 1 больше ничего")
        crypto.use_keys(dataclasses.replace(before, data=both))
        person.phone = "+79001234567"
        store.commit()
        crypto.use_keys(dataclasses.replace(before, data={2: both[2]}, current=2))
        (fault,) = found(app)
        assert fault.startswith("Ключа данных 1 нет, а им зашифровано")
        crypto.use_keys(dataclasses.replace(before, index=os.urandom(32)))
        (fault,) = found(app)
        assert fault.startswith("Поиск по person.phone не работает")
    finally:
        crypto.use_keys(before)
    assert person.phone == "+79001234567" and found(app) == [] and hinted(app) == ""


def hinted(app):
    with app.app_context():
        return " ".join(doctor.hints(app))
