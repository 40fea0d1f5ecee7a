"""What is measured of the polyclinics: pages, the nearest free time, booking, publishing, districts."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.models.enums import Role
from app.models.scope import PUBLIC, set_scope
from app.rules import (
    directory,
    districts,
    drafts,
    horizons,
    large_publishing,
    policy_query,
    publishing,
    slot_states,
    week,
)
from app.rules.actor import actor_of
from app.rules.matrix import Dates
from app.rules.sittings import Line, Plan
from tests import make
from tests.bench.load import Timing, Wire, median, spread
from tests.bench.measures import CLIENTS, _all, _first_byte, cpu
from tests.bench.sites import Bare, Sites
from tests.bench.town import Place, Town
from tests.client import csrf_token

BORN = dt.date(1985, 3, 8)


def page(sites: Sites, path: str, count: int) -> float:
    """Milliseconds to the first byte, nobody signed in: the median of ``count``, warm."""
    return _first_byte(sites.talon, path, "", count)


def grid_of(town: Town, place: Place) -> str:
    """The institution's page at the first week that has times."""
    return f"{place.page}?week={town.monday}"


@contextmanager
def as_public(sites: Sites) -> Iterator[Session]:
    with sites.talon.session() as session:
        set_scope(session, PUBLIC)
        yield session


def statements(sites: Sites, town: Town, place: Place) -> int:
    """How many statements the institution's page is made of, beside the frame's own."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    with as_public(sites) as session:
        session.connection()
        event.listen(sites.talon.engine, "before_cursor_execute", note)
        try:
            here = directory.institution(session, uid=place.uid, now=sites.centre.now)
            week.grid(
                session, institution=here, wish=week.Wish(week=town.monday), now=sites.centre.now
            )
        finally:
            event.remove(sites.talon.engine, "before_cursor_execute", note)
    return len(seen)


def _ms(sites: Sites, count: int, ask: Callable[[Session], object]) -> float:
    """Of one question to the database and its answer as objects, in this process."""
    times = []
    with as_public(sites) as session:
        for number in range(count + 3):
            session.expunge_all()
            began = time.perf_counter()
            ask(session)
            if number >= 3:
                times.append((time.perf_counter() - began) * 1000)
    return median(times)


def nearest(sites: Sites, town: Town, place: Place, count: int) -> float:
    """The nearest free time of every doctor of the institution, in milliseconds: one statement."""
    from sqlalchemy import select

    from app.models import PractitionerRole

    now = sites.centre.now
    with as_public(sites) as session:
        here = directory.institution(session, uid=place.uid, now=now)
        until = horizons.of(session, institution=here, now=now).until_in_sql(
            policy_query.meant(None)
        )
    query = select(
        PractitionerRole.id, slot_states.nearest(now, None, until).label("nearest")
    ).where(PractitionerRole.organization_id == place.id)

    def ask(session: Session) -> None:
        rows = session.execute(query).all()
        if len(rows) != place.doctors or any(row.nearest is None for row in rows):
            raise RuntimeError("somebody has no free time")

    return _ms(sites, count, ask)


def district(sites: Sites, town: Town, count: int) -> float:
    """Whose is a house among all ranges of the institution, in milliseconds: two statements."""
    on = sites.centre.now.date()

    def ask(session: Session) -> None:
        found = districts.serving(
            session, organization=town.tenant.branch, street="Пробная 7", house="35", on=on
        )
        if len(found) != 1:
            raise RuntimeError(f"{len(found)} districts")

    return _ms(sites, count, ask)


def district_page(sites: Sites, town: Town, count: int) -> float:
    street = quote("Пробная 7")
    uid = town.tenant.branch.uid
    return page(sites, f"/districts?organization={uid}&street={street}&house=35", count)


# --- publishing


def publish(sites: Sites, town: Town, slots: int) -> tuple[float, float, int]:
    """So many slots of new doctors at once and in portions: seconds of each; slots made by each."""
    at_once, made = _published(sites, town, slots, in_portions=False)
    in_portions, also = _published(sites, town, slots, in_portions=True)
    if made != also:
        raise RuntimeError(f"{made} slots at once, {also} in portions")
    return at_once, in_portions, made


def _published(sites: Sites, town: Town, slots: int, *, in_portions: bool) -> tuple[float, int]:
    first = town.monday + dt.timedelta(days=364)
    lines = tuple(Line(day, dt.time(8), dt.time(16), 10) for day in range(1, 8))
    dates = Dates(first, first + dt.timedelta(days=27))
    now = sites.centre.now
    with sites.talon.session() as session:
        by = actor_of(make.make_staff(session, Role.SCHEDULER, town.tenant.root, now=now))
        roles = [make.make_role(session, town.tenant).id for _ in range(-(-slots // (48 * 28)))]
        plan = Plan(None, tuple(roles), dates, lines)
        draft = drafts.save(
            session, tenant_id=town.tenant.id, matrix=plan, title="", actor=by, now=now
        )
    common: dict[str, Any] = {"publication_id": draft.id, "actor": by, "now": now}
    began = time.perf_counter()
    if not in_portions:
        with sites.talon.session() as session:
            publishing.publish(session, **common)
    else:
        with sites.talon.session() as session:
            large_publishing.begin(session, **common)
        run, goes_on = large_publishing.Run(draft.id), True
        while goes_on:
            with sites.talon.session() as session:
                goes_on = run.step(session, now=now)
    seconds = time.perf_counter() - began
    with sites.talon.session() as session:
        return seconds, int(drafts.own(session, draft.id).report["places"])


# --- a booking end to end


class Browser:
    """A cookie with the secret of its forms, as a page would have left it."""

    def __init__(self, signer: Flask) -> None:
        secret = secrets.token_hex(20)
        serializer = SecureCookieSessionInterface().get_signing_serializer(signer)
        assert serializer is not None
        self.cookie = f"talon={serializer.dumps({'csrf_token': secret})}"
        self.token = csrf_token(signer, secret)


def bookings(sites: Sites, town: Town, place: Place, count: int) -> Timing:
    """``count`` people from as many addresses: policy and birth date, a free time, «Да»."""
    with sites.talon.session() as session:
        numbers = [
            make.make_document(session, make.make_person(session, town.tenant, birth_date=BORN)).number
            for _ in range(count)
        ]  # fmt: skip
    text = town.tenant.consent_text.id
    door = f"/appointment?organization={place.uid}&method=oms"
    fields = f"birth_date={BORN:%d.%m.%Y}&consent=y&consent_text={text}"
    slots = town.free(place, count)
    sites.tidy()
    jobs = [
        (Browser(sites.centre.signer), f"10.{n // 65536 % 256}.{n // 256 % 256}.{n % 256}", door, f"number={number}&{fields}", slot)
        for n, (number, slot) in enumerate(zip(numbers, slots, strict=True), 1)
    ]  # fmt: skip
    return _timed(sites.talon, jobs, _book)


def _book(wire: Wire, job: Any) -> Hashable:
    browser, address, door, who, slot = job
    token = f"csrf_token={browser.token}"
    known = wire.post(door, f"{token}&{who}", browser.cookie, address)
    if known.status != 303:
        return f"identify {known.status}"
    cookie = known.cookie or browser.cookie
    held = wire.post("/visits", f"{token}&slot={slot}", cookie, address)
    if held.status != 303:
        return f"hold {held.status}"
    return wire.post(f"{held.location}/confirm", token, held.cookie or cookie, address).status


def bare_bookings(bare: Bare, count: int) -> Timing:
    """The same three steps by Flask and psycopg alone."""
    places = bare.places(count)
    numbers = bare.people(count)
    jobs = [
        (bare.cookie(0), f"number={number}&birth_date={BORN}", f"slot={place}")
        for number, place in zip(numbers, places, strict=True)
    ]
    return _timed(bare, jobs, _book_bare)


def _book_bare(wire: Wire, job: tuple[str, str, str]) -> Hashable:
    cookie, who, slot = job
    known = wire.post("/identify", who, cookie)
    if known.status != 303:
        return known.status
    held = wire.post("/hold", slot, known.cookie or cookie)
    if held.status != 303:
        return held.status
    return wire.post(held.location, "", known.cookie or cookie).status


def _timed(site: Any, jobs: list[Any], do: Callable[[Wire, Any], Hashable]) -> Timing:
    before = cpu(site)
    timing = _all(spread(site.port, jobs, do, clients=CLIENTS), 303)
    timing.cpu_ms = (cpu(site) - before) * 1000 / len(jobs)
    return timing
