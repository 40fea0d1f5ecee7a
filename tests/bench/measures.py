"""What is measured, one function each. A ratio compares two loads of the same round."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.models import Account, Appointment, Slot
from app.models.enums import AppointmentStatus, SlotStatus
from tests import make
from tests.bench.load import Job, Timing, Wire, median, spread
from tests.bench.sites import Bare, Sites, cookie_of
from tests.live import Live

CLIENTS = 16
RACERS = 200
RACE_PLACES = 10
REGISTRARS = 4


def list_rate(site: Live, path: str, seconds: float) -> float:
    """GETs a second of ``path`` by 16 kept connections: by wrk where it is installed, else by ours."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return spread(site.port, [path] * int(600 * seconds), _get, clients=CLIENTS).per_second
    done = subprocess.run(
        [wrk, "-t1", f"-c{CLIENTS}", f"-d{max(1, int(seconds))}s", site.url + path],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    if "Non-2xx" in done or "Socket errors" in done:
        raise RuntimeError(f"{path}:\n{done}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", done)
    assert found is not None
    return float(found[1])


def _get(wire: Wire, path: str) -> Hashable:
    return wire.get(path).status


def public_list(sites: Sites, path: str, seconds: float) -> tuple[float, float, int]:
    """Pages a second of the anonymous list and of a constant page of the same size; that size."""
    size = len(Wire(sites.talon.port).get(path).body)
    plain = list_rate(sites.bare, f"/page/{size}", seconds)
    return list_rate(sites.talon, path, seconds), plain, size


def own_list(sites: Sites, path: str, count: int) -> Timing:
    """The list of somebody who is signed in, made anew for each request."""
    (given,) = sites.centre.passes([sites.centre.donors(1)[0].account])
    return spread(
        sites.talon.port,
        [path] * count,
        lambda wire, path: wire.get(path, cookie_of(given)).status,
        clients=CLIENTS,
    )


def warm(sites: Sites) -> None:
    """Both processes have compiled their statements and templates before anything is counted."""
    bookings(sites, 48)
    bare_bookings(sites.bare, 48)
    race(sites, RACERS // 4)


def bookings(sites: Sites, count: int) -> Timing:
    """``count`` donors, signed in, each on a place of one's own: choose, confirm."""
    accounts = [known.account for known in sites.centre.donors(count)]
    passes = sites.centre.passes(accounts)
    with sites.talon.session() as session:
        here = (
            Slot.organization_id == sites.centre.tenant.branch.id,
            Slot.status == SlotStatus.FREE,
        )
        free = session.scalars(select(Slot).where(*here).order_by(Slot.place, Slot.id))
        places = [(slot.schedule.uid, slot.uid) for slot in free.fetchmany(count)]
    if len(places) < count:
        raise RuntimeError("too few days are published for so many bookings")
    sites.tidy()
    jobs = list(zip(passes, places, strict=True))
    return _booked(sites.talon, jobs, _book)


def _book(wire: Wire, job: Any) -> Hashable:
    given, (day, place) = job
    token, cookie = f"csrf_token={given.csrf}", cookie_of(given)
    held = wire.post(f"/places/{day}", f"{token}&slot={place}", cookie)
    if held.status != 303 or not held.location:
        return held.status
    return wire.post(held.location, token, cookie).status


def bare_bookings(bare: Bare, count: int) -> Timing:
    places = bare.places(count)
    jobs = [(bare.cookie(place), f"slot={place}") for place in places]
    return _booked(bare, jobs, _book_bare)


def _booked(site: Live, jobs: list[Any], book: Job) -> Timing:
    before = cpu(site)
    timing = _all(spread(site.port, jobs, book, clients=CLIENTS), 303)
    timing.cpu_ms = (cpu(site) - before) * 1000 / len(jobs)
    return timing


def _book_bare(wire: Wire, job: tuple[str, str]) -> Hashable:
    cookie, body = job
    held = wire.post("/hold", body, cookie)
    if held.status != 303:
        return held.status
    return wire.post(held.location, "", cookie).status


def _all(timing: Timing, wanted: int) -> Timing:
    if set(timing.outcomes) != {wanted}:
        raise RuntimeError(f"answers: {dict(timing.outcomes)}")
    return timing


def race(sites: Sites, racers: int = RACERS) -> tuple[float, float, int]:
    """200 people, one time with ten places: seconds until all are answered, of both; sold by Talon."""
    centre = sites.centre
    sites.races += 1
    passes = centre.passes([known.account for known in centre.donors(racers)])
    with sites.talon.session() as session:
        date = (centre.now + dt.timedelta(days=3)).date()
        start = dt.time(9, sites.races)
        day = make.make_schedule(
            session, centre.tenant, date=date, start=start,
            end=dt.time(10, start.minute), per_time=RACE_PLACES,
        )  # fmt: skip
        time = int(make.slots_of(session, day)[0].starts_at.timestamp())
        day_id, uid = day.id, day.uid
    jobs = [(given, uid, time) for given in passes]
    ours = spread(sites.talon.port, jobs, _race, clients=racers)
    with sites.talon.session() as session:
        sold = session.scalars(
            select(Appointment.id).where(
                Appointment.schedule_id == day_id, Appointment.status == AppointmentStatus.PENDING
            )
        ).all()
    if set(ours.outcomes) - {303, 409}:
        raise RuntimeError(f"answers: {dict(ours.outcomes)}")
    sites.bare.places(RACE_PLACES)
    plain = [(sites.bare.cookie(n), "") for n in range(racers)]
    theirs = spread(sites.bare.port, plain, _book_bare, clients=racers)
    return ours.seconds, theirs.seconds, len(sold)


def _race(wire: Wire, job: Any) -> Hashable:
    given, day, time = job
    token, cookie = f"csrf_token={given.csrf}", cookie_of(given)
    held = wire.post(f"/places/{day}", f"{token}&time={time}", cookie)
    return wire.post(held.location, token, cookie).status if held.status == 303 else held.status


def approvals(sites: Sites, count: int) -> Timing:
    """``count`` pending requests, approved one by one by four registrars."""
    centre = sites.centre
    passes = centre.passes([centre.staff() for _ in range(REGISTRARS)])
    with sites.talon.session() as session:
        asked = session.scalars(
            select(Appointment)
            .where(Appointment.status == AppointmentStatus.PENDING)
            .order_by(Appointment.id)
            .limit(count)
        ).all()
        waiting = [row.uid for row in asked]
    before = centre.count(AppointmentStatus.BOOKED)
    jobs = [(passes[n % REGISTRARS], uid) for n, uid in enumerate(waiting)]
    timing = _all(spread(sites.talon.port, jobs, _approve, clients=REGISTRARS), 303)
    done = centre.count(AppointmentStatus.BOOKED) - before
    if done != count:
        raise RuntimeError(f"{done} of {count} were approved")
    return timing


def _approve(wire: Wire, job: Any) -> Hashable:
    given, uid = job
    token = f"csrf_token={given.csrf}"
    return wire.post(f"/staff/queue/{uid}/approve", token, cookie_of(given)).status


def queue_page(sites: Sites, count: int) -> float:
    """Milliseconds to the first byte of the registrar's queue: the median of ``count``, warm."""
    (given,) = sites.centre.passes([sites.centre.staff()])
    return _first_byte(sites.talon, "/staff/queue/", cookie_of(given), count)


def _first_byte(site: Live, path: str, cookie: str, count: int) -> float:
    times = []
    for number in range(count + 8):  # the first ones warm both processes
        wire = Wire(site.port)
        reply = wire.get(path, cookie)
        wire.close()
        if reply.status != 200:
            raise RuntimeError(f"{path}: {reply.status}")
        if number >= 8:
            times.append(reply.first_byte * 1000)
    return median(times)


def ticket(sites: Sites, count: int) -> float:
    """Milliseconds from the click to the ticket's first byte, which is drawn whole by then."""
    with sites.talon.session() as session:
        row = session.scalars(
            select(Appointment)
            .where(Appointment.status == AppointmentStatus.BOOKED)
            .order_by(Appointment.id)
            .limit(1)
        ).one()
        account = session.scalars(
            select(Account).where(Account.people.any(person_id=row.person_id))
        ).one()
        path = f"/bookings/{row.uid}/ticket.pdf"
    (given,) = sites.centre.passes([account])
    return _first_byte(sites.talon, path, cookie_of(given), count)


def _workers(site: Live) -> list[int]:
    assert site.web is not None
    master = site.web.pid
    return [int(p) for p in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def memory(site: Live) -> float:
    """Megabytes (PSS) of the web workers together."""
    return sum(_pss(pid) for pid in _workers(site)) / 1024


def cpu(site: Live) -> float:
    """Seconds of processor time that the web workers have used up to now.

    Unlike the clock on the wall it says much the same on a machine that is busy with something else.
    """
    ticks = 0
    for pid in _workers(site):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime, stime
    return ticks / os.sysconf("SC_CLK_TCK")


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError("no PSS")
