"""``./talon bench [--quick] [--rounds N] [--write]``: measure, print the table, rewrite the document's."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
import tempfile
from pathlib import Path

from tests.bench import measures, report
from tests.bench.crowd import Crowd
from tests.bench.report import Figures
from tests.bench.sites import Sites, running


def main() -> int:
    asked = _arguments()
    figures = Figures(began=dt.datetime.now(dt.UTC), rounds=asked.rounds, quick=asked.quick)
    figures.loads.append(os.getloadavg()[0])
    with (
        tempfile.TemporaryDirectory(prefix="talon-bench-") as folder,
        running(Path(folder)) as all_,
    ):
        measure(all_, figures, asked)
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
    parser.add_argument("--only", nargs="*", default=(), help="list booking race approve queue")
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
    figures.memory = measures.memory(sites.talon)
    figures.bare_memory = measures.memory(sites.bare)


if __name__ == "__main__":
    sys.exit(main())
