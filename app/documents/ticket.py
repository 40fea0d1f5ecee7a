"""The ticket: one A5 page by xhtml2pdf in PT Sans, with a QR code that the staff look-up opens; other papers are drawn alike.

xhtml2pdf draws Russian text as black squares when it cannot read the font, and only counts a
warning: any warning is a failure here. Its log lines quote the page, and so the donor's name: they are silenced.
"""

from __future__ import annotations

import io
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import force_locale, gettext, pgettext
from sqlalchemy.orm import object_session

from app.documents import words
from app.models.appointment import Appointment
from app.models.enums import AppointmentStatus
from app.rules.visits import Visit, visit_of

FONTS = Path(__file__).resolve().parent.parent / "fonts"
TONES = {
    AppointmentStatus.BOOKED: "booked",
    AppointmentStatus.ARRIVED: "booked",
    AppointmentStatus.FULFILLED: "booked",
    AppointmentStatus.PENDING: "pending",
    AppointmentStatus.PROPOSED: "pending",
}

UNKNOWN = "?"

logging.getLogger("xhtml2pdf").setLevel(logging.CRITICAL + 1)


class TicketFailed(Exception):
    """The ticket could not be drawn as it must look (a font is missing, a warning was raised)."""


def ticket_pdf(appointment: Appointment, locale: str) -> bytes:
    """The ticket of ``appointment`` in Russian or English. Raises TicketFailed."""
    session = object_session(appointment)
    assert session is not None
    visit = visit_of(session, appointment_id=appointment.id)
    with force_locale(locale):
        page, title = _page(visit), f"{words.title(visit)} № {visit.number}"
    return drawn(page, title)


def ticket_name(number: int) -> str:
    """The file's name: the number alone, nothing about the person."""
    return f"talon-{number}.pdf"


def _page(visit: Visit) -> str:
    template = current_app.jinja_env.get_template("pdf/ticket.html")
    return template.render(
        visit=visit,
        fonts=FONTS.as_posix(),
        title=words.title(visit),
        status=words.status(visit),
        tone=TONES.get(visit.status, "ended"),
        date=words.date(visit),
        time=words.time(visit),
        zone=words.zone(visit),
        facts=_facts(visit),
        memo=words.lines(words.memo(visit)),
        code=_code(f"{current_app.config['PUBLIC_URL']}/staff/ticket/{visit.uid}"),
    )


def _facts(visit: Visit) -> list[tuple[str, str, list[str]]]:
    """Rows of the ticket: what it is called, the main line, further lines (B13, D18)."""
    where = [*words.lines(words.address(visit)), *words.lines(visit.directions)]
    if visit.doctor is not None:
        room = visit.doctor.room and gettext("room %(number)s", number=visit.doctor.room)
        facts = [
            (pgettext("ticket", "Patient"), visit.full_name or "—", []),
            (pgettext("ticket", "Service"), words.service(visit), []),
            (pgettext("ticket", "Doctor"), words.doctor(visit), [room] if room else []),
            (pgettext("ticket", "Clinic"), visit.branch, where),
        ]
    else:
        facts = [
            (pgettext("ticket", "Donor"), words.donor(visit), []),
            (pgettext("ticket", "Donation"), words.donation(visit), []),
            (pgettext("ticket", "Where"), visit.branch, where),
        ]
    if visit.phone:
        facts.append((pgettext("ticket", "Phone"), visit.phone, []))
    return facts


@lru_cache(maxsize=256)
def _code(address: str) -> str:
    """A QR code as a ``data:`` URI."""
    import segno  # as below: only the processes that draw pay it

    return str(segno.make(address, error="m").png_data_uri(scale=6, border=1, dark="#16202b"))


def warm() -> None:
    """Load what drawing needs (some 20 MB) before processes are forked, so that they share it."""
    _code(".")
    drawn("<p>.</p>", "")


@lru_cache(maxsize=1)
def _policy() -> Any:
    """Our two fonts and nothing else: no address and no other file, whatever the page says."""
    from xhtml2pdf.config.resources import ResourceAccessPolicy

    return ResourceAccessPolicy(
        allow_remote=False,
        allow_private_networks=False,
        base_dir=FONTS,
        max_local_bytes=2_000_000,
        max_image_pixels=1_000_000,
        max_resources=4,
        max_render_seconds=10,
        max_document_bytes=200_000,
        max_depth=60,
        allow_remote_pdf_backgrounds=False,
    )


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    """What both cuts of the font can draw. A missing font raises here, or as a warning of the drawing."""
    from reportlab.pdfbase.ttfonts import TTFontFile

    cuts = [TTFontFile(str(FONTS / f"PTSans-{cut}.ttf")).charToGlyph for cut in ("Regular", "Bold")]
    return frozenset(cuts[0]) & frozenset(cuts[1]) | {ord("\n")}


def _drawable(page: str) -> str:
    """``page`` with a question mark for each character that the font lacks: one odd letter in a name costs nobody the ticket."""
    known = _glyphs()
    return "".join(c if ord(c) in known else UNKNOWN for c in page)


def drawn(page: str, title: str) -> bytes:
    """A page of HTML in our fonts as a PDF. Raises TicketFailed."""
    from xhtml2pdf import pisa  # 0.3 s: only the processes that draw pay it

    out = io.BytesIO()
    try:
        status = pisa.CreatePDF(
            _drawable(page),
            dest=out,
            encoding="utf-8",
            context_meta={"title": title, "author": "Talon"},
            resource_policy=_policy(),
        )
    except Exception as error:  # of any kind, and with the page in its text: only the kind goes on
        raise TicketFailed(type(error).__name__) from None
    if status.err or status.warn:
        raise TicketFailed(f"{status.err} errors, {status.warn} warnings")
    return out.getvalue()
