"""doctor: what is wrong with this installation, each fault in one line with its mend."""

from __future__ import annotations

import smtplib
import socket
from collections import Counter
from collections.abc import Iterator

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

import config
from app.extensions import db, utcnow
from app.models.crypto import keys
from app.models.scope import SYSTEM, set_scope
from app.rules import condition, key_rotation
from app.rules.invariants import check_invariants


def faults(app: Flask, *, head: str) -> Iterator[str]:
    """Every fault found; nothing when all is well. ``head`` is the newest migration of this version."""
    try:
        revision = _revision()
    except SQLAlchemyError as error:
        yield f"База недоступна ({type(error).__name__}): проверьте TALON_DATABASE_URL и что PostgreSQL работает."
        return
    if revision != head:
        yield f"Схема базы «{revision}», а этой версии нужна «{head}»: flask --app wsgi migrate"
        return
    yield from _redis(app)
    yield from _mail(app)
    set_scope(db.session(), SYSTEM)
    yield from _sms(app)
    for name in condition.lacking(db.session(), now=utcnow()):
        yield f"Стоит: {name}. Проверьте, что работают dispatcher и worker-pool (или worker)."
    yield from _keys()
    yield from check_invariants(db.session(), now=utcnow())


def hints(_app: Flask) -> Iterator[str]:
    """What is no fault, but could be done: former data keys that seal nothing any more; what was not done for
    somebody who may ask again."""
    ring = keys()
    try:
        set_scope(db.session(), SYSTEM)
        given_up = condition.given_up(db.session(), now=utcnow())
        used = _used_keys() if len(ring.data) > 1 else Counter()  # reads whole tables
    except SQLAlchemyError:
        return  # that is among the faults
    for task in given_up:
        yield f"За неделю не сделано после всех попыток: {task.kind} {task.id} ({task.last_error}). Причина стоит в журнале worker; её устранив, дождитесь новой просьбы."
    for key_id in sorted(id_ for id_ in ring.data if id_ < ring.current and id_ not in used):
        yield f"Ключ данных {key_id} больше ничего не шифрует: уберите его из TALON_DATA_KEYS, когда не нужны и копии базы с ним."


def _used_keys() -> Counter[int]:
    set_scope(db.session(), SYSTEM)
    used: Counter[int] = Counter()
    for kind in key_rotation.kinds():
        used += key_rotation.counts(db.session(), kind)
    return used


def _keys() -> Iterator[str]:
    """Values whose key is gone, values of a former key, indexes that find nothing."""
    ring = keys()
    for key_id, number in sorted(_used_keys().items()):
        if key_id not in ring.data:
            yield f"Ключа данных {key_id} нет, а им зашифровано значений: {number}. Верните его в TALON_DATA_KEYS."
        elif key_id != ring.current:
            yield f"Прежним ключом данных {key_id} зашифровано значений: {number}. Запустите: flask --app wsgi rotate-keys"
    for kind in key_rotation.stale_indexes(db.session()):
        yield f"Поиск по {kind} не работает: индекс сделан другим ключом. Верните прежний TALON_INDEX_KEY или запустите: flask --app wsgi rotate-keys --index"


def _revision() -> str | None:
    from alembic.migration import MigrationContext

    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _redis(app: Flask) -> Iterator[str]:
    if not app.config["REDIS_URL"]:
        return
    import redis

    try:
        redis.Redis.from_url(app.config["REDIS_URL"], socket_connect_timeout=3).ping()
    except redis.RedisError as error:
        yield f"Redis не отвечает ({type(error).__name__}): письма идут без него, медленнее. Проверьте TALON_REDIS_URL."


def _mail(app: Flask) -> Iterator[str]:
    if app.config["MAILBOX"] or not app.config["MAIL_URL"]:
        return
    server = config.mail_server(app.config["MAIL_URL"])
    kind = smtplib.SMTP_SSL if server.tls == "tls" else smtplib.SMTP
    try:
        with kind(server.host, server.port, timeout=5) as connection:
            connection.noop()
    except OSError as error:  # smtplib's own errors are OSErrors too
        yield f"Почтовый сервер не отвечает ({type(error).__name__}): проверьте TALON_MAIL_URL."


def _sms(app: Flask) -> Iterator[str]:
    """A gateway is needed where bookings are confirmed by SMS: wherever there is a polyclinic."""
    if app.config["MAILBOX"]:
        return
    if not app.config["SMS_URL"]:
        if condition.sms_needed(db.session()):
            yield "СМС не настроены: коды подтверждения записи не уходят. Задайте TALON_SMS_URL."
        return
    gateway = config.sms_gateway(app.config["SMS_URL"])
    try:
        socket.create_connection((gateway.host, gateway.port), timeout=5).close()
    except OSError as error:
        yield f"СМС-шлюз не отвечает ({type(error).__name__}): проверьте TALON_SMS_URL."
