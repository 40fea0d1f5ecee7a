"""The figures of one run as a table, on the screen and in docs/performance.md."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.load import Timing, median
from tests.bench.sign_in import Storm
from tests.bench.start import Took

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- figures: ./talon bench --write -->\n", "<!-- end of figures -->\n"
HEAD = ("Measure", "Talon", "Bare Flask", "Ratio", "Goal")


@dataclass
class Figures:
    """All that one run has measured, round by round."""

    began: dt.datetime
    rounds: int
    quick: bool = False
    loads: list[float] = field(default_factory=list)
    lists: dict[int, list[tuple[float, float, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    own: list[Timing] = field(default_factory=list)
    bookings: list[tuple[Timing, Timing]] = field(default_factory=list)
    races: list[tuple[float, float, int]] = field(default_factory=list)
    approvals: list[Timing] = field(default_factory=list)
    tickets: list[float] = field(default_factory=list)
    queue: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    town: dict[str, dict[int, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    """Milliseconds by what was asked and how many future times there are."""
    large: list[float] = field(default_factory=list)
    near: list[float] = field(default_factory=list)
    statements: tuple[int, int] = (0, 0)
    visits: list[tuple[Timing, Timing]] = field(default_factory=list)
    districts: dict[int, list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    published: list[tuple[float, float, int]] = field(default_factory=list)
    cabinet: dict[str, dict[int, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    """Milliseconds by page and by how many events there are."""
    waiting: dict[str, dict[int, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    """Milliseconds by what was done and by how many wait."""
    sign_ins: list[Timing] = field(default_factory=list)
    storms: list[Storm] = field(default_factory=list)
    starts: list[Took] = field(default_factory=list)
    loadings: list[Took] = field(default_factory=list)
    memory: float = 0.0
    bare_memory: float = 0.0


Row = tuple[str, str, str, str, str]


def rows(figures: Figures) -> list[Row]:
    """The lines of the table: what, ours, theirs, ratio, goal."""
    return [
        *_lists(figures),
        *_bookings(figures),
        *_races(figures),
        *_staff(figures),
        *_growing(figures.town, "future times"),
        *_large(figures),
        *_visits(figures),
        *_districts(figures),
        *_published(figures),
        *_growing(figures.cabinet, "events in all"),
        *_growing(figures.waiting, "waiting"),
        *_sign_ins(figures),
        *_starts(figures),
        ("Memory of two web workers, PSS", f"{figures.memory:.0f} MB",
         f"{figures.bare_memory:.0f} MB", _times(figures.memory / figures.bare_memory),
         "≤ 180 MB"),
    ]  # fmt: skip


def _times(ratio: float) -> str:
    return f"{ratio:.2f}"


def _range(values: list[float], digits: int = 0) -> str:
    """The median, and between which values the rounds lay."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def _lists(figures: Figures) -> list[Row]:
    made = []
    for count, rounds in figures.lists.items():
        ours, plain, sizes = ([r[n] for r in rounds] for n in range(3))
        made.append((
            f"Public list, {count} days ({sizes[0] / 1024:.0f} KB), pages/s",
            _range(ours), _range(plain),
            _times(median([a / b for a, b in zip(ours, plain, strict=True)])), "≥ 0.60",
        ))  # fmt: skip
    if figures.own:
        rates = [timing.per_second for timing in figures.own]
        made.append(("The same list signed in, 10 rows, pages/s", _range(rates), "", "", ""))
    return made


def _bookings(figures: Figures) -> list[Row]:
    if not figures.bookings:
        return []
    ours = [timing.per_second for timing, _ in figures.bookings]
    plain = [timing.per_second for _, timing in figures.bookings]
    ratio = median([a / b for a, b in zip(ours, plain, strict=True)])
    work, plain_work = ([pair[n].cpu_ms for pair in figures.bookings] for n in (0, 1))
    work_ratio = median([b / a for a, b in zip(work, plain_work, strict=True)])
    half = median([timing.ms(0.5) for timing, _ in figures.bookings])
    late = median([timing.ms(0.99) for timing, _ in figures.bookings])
    return [
        ("Booking end to end, 16 at a time, bookings/s", _range(ours), _range(plain),
         _times(ratio), "0.20–0.30; 0.33 a stretch"),
        ("The same, processor time of the web workers, ms", _range(work, 1),
         _range(plain_work, 1), _times(work_ratio), "(bare / Talon)"),
        ("The same, p50 / p99 of both requests, ms", f"{half:.0f} / {late:.0f}",
         "{:.0f} / {:.0f}".format(*(median([t.ms(share) for _, t in figures.bookings])
                                    for share in (0.5, 0.99))), "", ""),
    ]  # fmt: skip


def _races(figures: Figures) -> list[Row]:
    if not figures.races:
        return []
    ours, plain, sold = ([r[n] for r in figures.races] for n in range(3))
    return [
        ("200 racing for 10 places: all answered in, s", _range(list(ours), 2),
         _range(list(plain), 2), _times(median([a / b for a, b in zip(ours, plain, strict=True)])),
         "≤ 1 s"),
        ("The same: places sold", ", ".join(str(n) for n in sold), "", "", "exactly 10"),
    ]  # fmt: skip


def _staff(figures: Figures) -> list[Row]:
    made: list[Row] = []
    if figures.approvals:
        rates = [timing.per_second for timing in figures.approvals]
        made.append(("Approvals by 4 registrars, per second", _range(rates), "", "", ""))
    sizes = sorted(figures.queue)
    for size in sizes:
        name = f"Queue page at {size:,} pending, first byte, ms"
        made.append((name, _range(figures.queue[size], 1), "", "", ""))
    if len(sizes) == 2:
        small, large = (median(figures.queue[size]) for size in sizes)
        made.append(
            ("The larger queue against the smaller", "", "", _times(large / small), "≤ 1.3")
        )
    if figures.tickets:
        made.append(
            ("Ticket PDF over HTTP, warm, ms", _range(figures.tickets, 1), "", "", "≤ 40 ms")
        )
    return made


def _growing(found: dict[str, dict[int, list[float]]], what: str) -> list[Row]:
    """Milliseconds at few and at many of ``what``, and how much the second is of the first."""
    made: list[Row] = []
    for name, by_size in found.items():
        sizes = sorted(by_size)
        made += [
            (f"{name}, at {size:,} {what}, ms", _range(by_size[size], 1), "", "", "")
            for size in sizes
        ]
        if len(sizes) == 2:
            small, large = (median(by_size[size]) for size in sizes)
            made.append(("The same, many against few", "", "", _times(large / small), "≤ 1.3"))
    return made


def _large(figures: Figures) -> list[Row]:
    if not figures.large:
        return []
    few, many = figures.statements
    return [
        ("Institution page, 60 doctors × 4 weeks, ms", _range(figures.large, 1), "", "", ""),
        ("Statements of that page with 20 and with 60 doctors", f"{few}, {many}", "", "", "≤ 3"),
        ("Nearest free time of 60 doctors, ms", _range(figures.near, 1), "", "", ""),
    ]


def _sign_ins(figures: Figures) -> list[Row]:
    made: list[Row] = []
    if figures.sign_ins:
        rates = [timing.per_second for timing in figures.sign_ins]
        work = [timing.cpu_ms for timing in figures.sign_ins]
        made += [
            ("Signing in, 16 at a time, per second", _range(rates), "", "", ""),
            ("The same, processor time of the web workers, ms", _range(work, 1), "", "", ""),
        ]
    if figures.storms:
        storms = figures.storms
        half, late = (median([storm.beside.ms(share) for storm in storms]) for share in (0.5, 0.99))
        made += [
            ("Bookings without anybody who signs in, bookings/s",
             _range([storm.alone.per_second for storm in storms]), "", "", ""),
            ("The same beside 16 who sign in without a pause",
             _range([storm.beside.per_second for storm in storms]), "",
             _times(median([storm.ratio for storm in storms])), "≥ 0.50"),
            ("The same, p50 / p99 of both requests, ms",
             f"{half:.0f} / {late:.0f}", "", "", ""),
            ("Sign-ins meanwhile, per second; asked to come again in a moment",
             f"{_range([storm.sign_ins for storm in storms])}; "
             f"{sum(storm.turned_away for storm in storms)}", "", "", ""),
        ]  # fmt: skip
    return made


def _visits(figures: Figures) -> list[Row]:
    if not figures.visits:
        return []
    ours, plain = ([pair[n].per_second for pair in figures.visits] for n in (0, 1))
    ratio = median([a / b for a, b in zip(ours, plain, strict=True)])
    work, plain_work = ([pair[n].cpu_ms for pair in figures.visits] for n in (0, 1))
    work_ratio = median([b / a for a, b in zip(work, plain_work, strict=True)])
    half = [median([pair[n].ms(0.5) for pair in figures.visits]) for n in (0, 1)]
    late = [median([pair[n].ms(0.99) for pair in figures.visits]) for n in (0, 1)]
    return [
        ("Booking without an account: document, time, «Да»; 16 at a time, bookings/s",
         _range(ours), _range(plain), _times(ratio), "≥ 0.25"),
        ("The same, processor time of the web workers, ms", _range(work, 1),
         _range(plain_work, 1), _times(work_ratio), "(bare / Talon)"),
        ("The same, p50 / p99 of the three requests, ms",
         *(f"{low:.0f} / {high:.0f}" for low, high in zip(half, late, strict=True)), "", ""),
    ]  # fmt: skip


def _districts(figures: Figures) -> list[Row]:
    made: list[Row] = []
    for size, rounds in sorted(figures.districts.items()):
        rule, whole = ([pair[n] for pair in rounds] for n in (0, 1))
        made += [
            (f"Whose is a house, of {size:,} ranges, ms", _range(rule, 1), "", "", ""),
            ("The page with the answer, ms", _range(whole, 1), "", "", ""),
        ]
    return made


def _published(figures: Figures) -> list[Row]:
    if not figures.published:
        return []
    at_once, in_portions, made = ([r[n] for r in figures.published] for n in range(3))
    return [
        (f"Publishing {made[0]:,} times in one transaction, s", _range(list(at_once), 1), "", "", "< 20"),
        ("The same in portions that are watched, s", _range(list(in_portions), 1), "", "", "< 20"),
    ]  # fmt: skip


def _starts(figures: Figures) -> list[Row]:
    made: list[Row] = []
    for name, took, goal in (
        ("`./talon run` again, until it says how to sign in", figures.starts, "≤ 5 s"),
        ("Loading the application, one process", figures.loadings, ""),
    ):
        if took:
            made += [
                (f"{name}, s", _range([each.seconds for each in took], 1), "", "", goal),
                ("The same, processor time, s", _range([each.processor for each in took], 1), "", "", ""),
            ]  # fmt: skip
    return made


def table(figures: Figures) -> str:
    """Markdown: a line about the run, then the table."""
    low, high = min(figures.loads), max(figures.loads)
    cpu = next(
        (line.partition(":")[2].strip()
         for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
        platform.machine(),
    )  # fmt: skip
    about = (
        f"{figures.began:%d %B %Y}. {os.cpu_count()} cores ({cpu}), Python "
        f"{platform.python_version()}, {figures.rounds} rounds"
        f"{', TINY LOADS' if figures.quick else ''}; load average {low:.1f} to {high:.1f} (about 3 are ours)."
    )
    lines = [HEAD, ("---", "---:", "---:", "---:", "---"), *rows(figures)]
    return "\n".join([about, "", *("| " + " | ".join(line) + " |" for line in lines)]) + "\n"


def write(figures: Figures, made: str) -> None:
    """Put the table between its two marks. Raises ValueError if the document has lost them."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    DOCUMENT.write_text(before + BEGIN + "\n" + made + "\n" + END + after, encoding="utf-8")
