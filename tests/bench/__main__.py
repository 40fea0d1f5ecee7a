"""``./talon bench [--quick] [--rounds N] [--write]``: measure, print the table, rewrite the document's."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import cabinet, measures, patients, report, sign_in, start, waiting
from tests.bench.crowd import Crowd
from tests.bench.report import Figures
from tests.bench.sites import Sites, running
from tests.bench.town import DOCTORS, Town


def main() -> int:
    asked = _arguments()
    figures = Figures(began=dt.datetime.now(dt.UTC), rounds=asked.rounds, quick=asked.quick)
    figures.loads.append(os.getloadavg()[0])
    with (
        tempfile.TemporaryDirectory(prefix="talon-bench-") as folder,
        running(Path(folder)) as all_,
    ):
        measure(all_, figures, asked)
        if not asked.only or "start" in asked.only:
            _start(Path(folder), figures, asked.rounds)
    figures.loads.append(os.getloadavg()[0])
    table = report.table(figures)
    print(table)
    if asked.write:
        report.write(figures, table)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./talon bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="tiny loads: does it run at all?")
    parser.add_argument("--write", action="store_true", help="put the table into the document")
    parser.add_argument(
        "--only",
        nargs="*",
        default=(),
        help="list booking race approve queue clinic cabinet waiting sign-in start",
    )
    return parser.parse_args()


def measure(sites: Sites, figures: Figures, asked: argparse.Namespace) -> None:
    """Everything, the rounds of one measure after another."""
    small = asked.quick

    def wanted(name: str) -> bool:
        return not asked.only or name in asked.only

    def say(what: str) -> None:
        figures.loads.append(os.getloadavg()[0])
        print(f"… {what}", file=sys.stderr, flush=True)

    for rows, path in ((8, "/"), (300, "/?per=100")):
        say(f"list of {rows} rows")
        sites.fill_days(rows)
        for _ in range(asked.rounds if wanted("list") else 0):
            figures.lists[rows].append(measures.public_list(sites, path, 1 if small else 5))
    if wanted("list"):
        figures.own = [
            measures.own_list(sites, "/", 50 if small else 200) for _ in range(asked.rounds)
        ]
    measures.warm(sites)
    count = 64 if small else 320
    for number in range(asked.rounds if wanted("booking") else 0):
        say(f"bookings, round {number + 1}")
        plain = measures.bare_bookings(sites.bare, count * 4)
        figures.bookings.append((measures.bookings(sites, count), plain))
    for number in range(asked.rounds if wanted("race") else 0):
        say(f"race, round {number + 1}")
        figures.races.append(measures.race(sites))
    if wanted("approve"):
        say("approvals")
        for _ in range(asked.rounds):
            figures.approvals.append(measures.approvals(sites, 16 if small else 160))
        say("tickets")
        for _ in range(asked.rounds):
            figures.tickets.append(measures.ticket(sites, 5 if small else 25))
    if wanted("queue"):
        crowd = Crowd(sites)
        for size in (1_000, 10_000 if small else 100_000):
            say(f"queue of {size}")
            crowd.grow(size)
            for _ in range(asked.rounds):
                figures.queue[size].append(measures.queue_page(sites, 5 if small else 25))
    if wanted("clinic"):
        _clinic(sites, figures, asked, say)
    if wanted("cabinet"):
        _cabinet(sites, figures, asked, say)
    if wanted("waiting"):
        _waiting(sites, figures, asked, say)
    for number in range(asked.rounds if wanted("sign-in") else 0):
        say(f"signing in, round {number + 1}")
        figures.sign_ins.append(sign_in.alone(sites, count))
        figures.storms.append(sign_in.storm(sites, count))
    figures.memory = measures.memory(sites.talon)
    figures.bare_memory = measures.memory(sites.bare)


def _start(folder: Path, figures: Figures, rounds: int) -> None:
    """``./talon run`` once more, and the loading of one process."""
    print("… starts", file=sys.stderr, flush=True)
    figures.starts = list(start.again(folder / "start", rounds))
    for _ in range(rounds):
        figures.loadings.append(start.load(f"sqlite:///{folder}/start/data/talon.db"))


def _clinic(
    sites: Sites, figures: Figures, asked: argparse.Namespace, say: Callable[[str], None]
) -> None:
    """Polyclinics at about 10,000 future times, then at a million."""
    small, pages = asked.quick, 5 if asked.quick else 25
    town = Town(sites)
    usual = town.build(DOCTORS)
    for times in (town.times, 30_000 if small else 1_000_000):
        town.grow(times)
        sites.tidy()
        say(f"a town of {town.times:,} times")
        for _ in range(asked.rounds):
            for name, path in (
                ("Institution page, 20 doctors", patients.grid_of(town, usual)),
                ("Doctor's page, 4 weeks", usual.doctor_page),
            ):
                figures.town[name][town.times].append(patients.page(sites, path, pages))
            found = patients.nearest(sites, town, usual, 4 * pages)
            figures.town["Nearest free time of 20 doctors"][town.times].append(found)
    large = town.build(60)
    sites.tidy()
    say("60 doctors")
    for _ in range(asked.rounds):
        figures.large.append(patients.page(sites, patients.grid_of(town, large), pages))
        figures.near.append(patients.nearest(sites, town, large, 4 * pages))
    figures.statements = (
        patients.statements(sites, town, usual),
        patients.statements(sites, town, large),
    )
    count = 64 if small else 320
    patients.bookings(sites, town, usual, 16)
    patients.bare_bookings(sites.bare, 48)
    for number in range(asked.rounds):
        say(f"bookings without an account, round {number + 1}")
        plain = patients.bare_bookings(sites.bare, count * 4)
        figures.visits.append((patients.bookings(sites, town, large, count), plain))
    for ranges in (2_000, 20_000 if small else 200_000):
        town.streets(ranges)
        say(f"{ranges:,} ranges of houses")
        for _ in range(asked.rounds):
            figures.districts[ranges].append(
                (
                    patients.district(sites, town, 4 * pages),
                    patients.district_page(sites, town, pages),
                )
            )
    for number in range(asked.rounds):
        say(f"publishing, round {number + 1}")
        figures.published.append(patients.publish(sites, town, 12_000 if small else 100_000))


def _cabinet(
    sites: Sites, figures: Figures, asked: argparse.Namespace, say: Callable[[str], None]
) -> None:
    """One reader's cabinet at 100,000 events, then at ten million."""
    small = asked.quick
    one = cabinet.Cabinet(sites)
    for events in (10_000, 100_000) if small else (100_000, cabinet.LONGEST):
        one.grow(events)
        say(f"{events:,} events")
        pages = one.pages
        for _ in range(asked.rounds):
            for name, path in pages.items():
                took = cabinet.page(sites, one, path, 5 if small else 25)
                figures.cabinet[name][events].append(took)


def _waiting(
    sites: Sites, figures: Figures, asked: argparse.Namespace, say: Callable[[str], None]
) -> None:
    """Two lines of 1,000, then of 100,000."""
    small = asked.quick
    lines = waiting.Lines(sites)
    for size in (200, 2_000) if small else (1_000, 100_000):
        lines.grow(size)
        say(f"{size:,} waiting")
        for _ in range(asked.rounds):
            for whose, line in (("donor", lines.donors), ("patient", lines.patients)):
                cancelled, offered = waiting.freed(sites, lines, line, 3 if small else 15)
                figures.waiting[f"Cancelling a {whose}'s booking"][size].append(cancelled)
                figures.waiting[f"Offer of that place to a {whose}"][size].append(offered)


if __name__ == "__main__":
    sys.exit(main())
