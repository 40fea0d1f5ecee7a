"""Commands: ``flask --app wsgi …``. Each gives its session a scope, calls rules, commits."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import Flask

from app.extensions import db, saved, utcnow
from app.models.scope import SYSTEM, set_scope

if TYPE_CHECKING:
    from alembic.config import Config

    from app.rules.key_rotation import Kind, Portion

TRIES = 5
"""Of one portion of rotate-keys, a second apart."""
PAUSE = 0.01
"""Seconds between two portions of rotate-keys: on SQLite the site's own writers get in there."""
MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config() -> Config:
    from alembic.config import Config  # here, so that no web process carries Alembic

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def init_cli(app: Flask) -> None:
    app.cli.add_command(migrate)
    app.cli.add_command(demo)
    app.cli.add_command(worker)
    app.cli.add_command(dispatcher)
    app.cli.add_command(doctor)
    app.cli.add_command(make_admin)
    app.cli.add_command(rotate_keys)


@click.command()
def migrate() -> None:
    """Bring the database to this version's schema, and its dictionaries to this version's."""
    from alembic import command

    from app.rules.directory import ensure_specialties

    command.upgrade(alembic_config(), "head")
    set_scope(db.session(), SYSTEM)
    with saved() as session:
        ensure_specialties(session)


@click.command()
def demo() -> None:
    """Make the invented blood centre and polyclinics, or roll them forward when no future day is left."""
    from flask import current_app

    from app.seeds.demo import ensure_demo
    from app.seeds.sign_ins import sign_ins

    set_scope(db.session(), SYSTEM)
    with saved() as session:
        click.echo(f"  {ensure_demo(session, now=utcnow())}\n")
        session.flush()
        click.echo(sign_ins(session, now=utcnow(), site=current_app.config["PUBLIC_URL"]))


@click.command()
def worker() -> None:
    """The worker of a single machine: outbox and periodic jobs, rq inside this process."""
    from flask import current_app

    from app.jobs.worker import run_embedded

    run_embedded(current_app)


@click.command()
def dispatcher() -> None:
    """Hand due messages to rq (TALON_REDIS_URL) and run the periodic jobs; any number may run."""
    from flask import current_app

    from app.jobs.worker import run_dispatcher

    run_dispatcher(current_app)


@click.command()
def doctor() -> None:
    """Check the database, its schema, Redis, mail, the jobs and the invariants; exit 1 if something is wrong."""
    from alembic.script import ScriptDirectory
    from flask import current_app

    from app.doctor import faults, hints

    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    found = list(faults(current_app, head=str(head)))
    for fault in found:
        click.echo(f"✗ {fault}")
    for hint in hints(current_app):
        click.echo(f"· {hint}")
    click.echo("Найдены неполадки." if found else "Все в порядке.")
    sys.exit(1 if found else 0)


@click.command("make-admin")
@click.argument("email")
@click.argument("name")
def make_admin(email: str, name: str) -> None:
    """Invite the first administrator of the whole installation; prints the one-time link."""
    from flask import current_app

    from app.rules.actor import SYSTEM as ACTOR
    from app.rules.staff import invite_first

    set_scope(db.session(), SYSTEM)
    with saved() as session:
        token = invite_first(session, email=email, full_name=name, actor=ACTOR, now=utcnow())
    click.echo(f"{current_app.config['PUBLIC_URL']}/staff/invitation/{token}")


@click.command("rotate-keys")
@click.option("--index", "indexes", is_flag=True, help="Make the look-up indexes anew, too.")
@click.option("--portion", default=500, show_default=True, help="Values in one transaction.")
def rotate_keys(indexes: bool, portion: int) -> None:
    """Seal every encrypted value by TALON_DATA_KEY. Interrupted, it is started again; nothing is lost."""
    from app.models.crypto import keys
    from app.rules import key_rotation

    unreadable = 0
    for kind in key_rotation.kinds():
        after: int | None = 0
        changed = 0
        while after is not None:
            done = _rotated(kind, after, portion, indexes)
            after, changed = done.last, changed + done.changed
            if done.unreadable:
                unreadable += len(done.unreadable)
                click.echo(f"✗ {kind}: не читаются строки {', '.join(map(str, done.unreadable))}")
            if done.changed:
                click.echo(f"{kind}: {changed}")
            time.sleep(PAUSE)
    everything = "Все остальное" if unreadable else "Все"
    click.echo(f"{everything} под ключом {keys().current}.")
    sys.exit(1 if unreadable else 0)


def _rotated(kind: Kind, after: int, limit: int, indexes: bool) -> Portion:
    """One portion, in a transaction of its own. A busy database is asked again."""
    from sqlalchemy.exc import OperationalError

    from app.rules import key_rotation

    for tries_left in reversed(range(TRIES)):
        set_scope(db.session(), SYSTEM)
        try:
            with saved() as session:
                return key_rotation.step(session, kind, after=after, limit=limit, indexes=indexes)
        except OperationalError:
            if not tries_left:
                raise
            time.sleep(1)
        finally:
            db.session.remove()
    raise AssertionError("unreachable")
