"""Names that are code somewhere stay names everywhere: on pages, tickets, in letters, files and headers."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from lxml import html
from openpyxl import load_workbook
from pypdf import PdfReader

from app.documents.letters import render
from app.models import AccessEvent, AccessSubject, AuditEvent
from app.models.enums import ActorKind, AppointmentStatus, MessageKind, Role
from app.rules import outbox
from tests import make

PAYLOADS = {
    "html": '"><img src=x onerror=alert(1)>',
    "script": "</title><script>alert(1)</script>",
    "formula": '=HYPERLINK("http://a.example","x")',
    "plus": "+7*7",
    "at": "@SUM(1+1)",
    "jinja": "{{7*7}}{% raw %}",
    "percent": "%s %d %(name)s 100%",
    "format": "{0.__class__}{name}",
    "lines": "Вера\r\nBcc: spy@example.org",
    "pdf": "<pdf:include src='x'/><font>&amp;&lt;",
    "bidi": "a\u202eb\u2066c",
}
PUBLIC = ("/", "/bookings", "/profile", "/settings")


class Spiked:
    """A centre in which every text that somebody types is the payload."""

    def __init__(self, store: Any, as_account: Any, as_staff: Any, clock: Any, text: str) -> None:
        self.store, self.text, self.now = store, text, clock.now
        tenant = self.tenant = make.make_tenant(store, name=text)
        for place in (tenant.root, tenant.branch):
            place.name = place.short_name = place.settlement = text
            place.address = place.directions = text
            place.phone = text[:40]
        for kind in tenant.types.values():
            kind.name_ru = kind.name_en = kind.memo_ru = kind.memo_en = text
        for reason in tenant.reasons:
            reason.text_ru = reason.text_en = reason.advice_ru = reason.advice_en = text
        tenant.consent_text.text_ru = text
        self.known = make.make_donor(
            store, tenant, family_name=text, given_name=text, patronymic=text, donor_code=text[:20]
        )
        self.record = make.make_record(store, tenant, self.known)
        make.make_deferral(store, tenant, self.record, reason=text, starts_on=clock.now.date())
        make.make_pause(
            store, tenant, donation_type_id=tenant.types[make.DonationKind.PLASMA].id,
            notice_ru=text, notice_en=text,
        )  # fmt: skip
        self.day = make.make_schedule(store, tenant)
        self.booking = make.make_appointment(
            store, tenant, self.known, self.day, status=AppointmentStatus.BOOKED
        )
        self.request = make.make_appointment(store, tenant, self.known, self.day)
        self.rejected = make.make_appointment(
            store, tenant, self.known, self.day, status=AppointmentStatus.REJECTED, comment=text
        )
        self.people = {
            role: make.make_staff(store, role, tenant.root, full_name=text) for role in Role
        }
        self._journals()
        store.flush()
        self.donor = as_account(self.known)
        self.staff = {role: as_staff(user) for role, user in self.people.items()}

    def _journals(self) -> None:
        who = self.people[Role.REGISTRAR]
        event = AccessEvent(
            at=self.now,
            tenant_id=self.tenant.id,
            staff_user_id=who.id,
            action=self.text[:40],
            ip="::1",
        )
        event.subjects.append(AccessSubject(person_id=self.known.person.id))
        self.store.add(event)
        self.store.add(
            AuditEvent(
                at=self.now, tenant_id=self.tenant.id, actor_kind=ActorKind.STAFF, actor_id=who.id,
                verb=self.text[:40], subject="organization", subject_id=self.tenant.id,
                changes={"name": [self.text, self.text]},
            )
        )  # fmt: skip

    def pages(self) -> list[tuple[Any, str]]:
        """Who opens what."""
        registrar, admin = self.staff[Role.REGISTRAR], self.staff[Role.ADMINISTRATOR]
        control, scheduler = self.staff[Role.SECURITY], self.staff[Role.SCHEDULER]
        booking, day = self.booking.uid, self.day.uid
        of_donor = [
            *PUBLIC,
            f"/places/{day}",
            f"/bookings/{booking}",
            f"/bookings/{booking}/cancel",
        ]
        found = [(self.donor, address) for address in of_donor]
        found.append((self.donor, f"/bookings/{self.rejected.uid}"))
        person = self.known.person.uid
        found += [
            (registrar, address)
            for address in (
                "/staff/", f"/staff/queue/?open={self.request.uid}", f"/staff/ticket/{booking}",
                f"/staff/ticket/donor/{person}", f"/staff/donors/{person}/",
                f"/staff/donors/{person}/correct/", f"/staff/records/{self.record.uid}/",
                f"/staff/queue-bulk/?do=reject&pick={self.request.uid}", "/staff/messages/", "/staff/calls/",
            )
        ]  # fmt: skip
        found += [
            (scheduler, address)
            for address in (
                "/staff/days/", f"/staff/days/{day}/", f"/staff/days/{day}/close/",
                "/staff/publishing/new/", "/staff/pauses/",
            )
        ]  # fmt: skip
        found += [
            (admin, f"/staff/{slug}/")
            for slug in ("organizations", "staff", "reasons", "donation-types", "policies", "consents", "audit")
        ]  # fmt: skip
        return [*found, (control, "/staff/access/"), (control, f"/staff/access/card/{person}/")]


@pytest.fixture(params=PAYLOADS, ids=list(PAYLOADS))
def spiked(request, store, as_account, as_staff, clock):
    return Spiked(store, as_account, as_staff, clock, PAYLOADS[request.param])


def shown(text: str) -> str:
    """As a page shows it: white space runs together."""
    return " ".join(text.split())


def test_on_pages_a_name_is_only_a_name(spiked):
    literal = []
    for who, address in spiked.pages():
        answer = who.get(address)
        assert answer.status_code == 200, f"{address}: {answer.status}"
        page = html.document_fromstring(answer.get_data(as_text=True))
        assert page.xpath("//img[@src='x'] | //*[@onerror] | //script[not(@src)]") == [], address
        whole = shown(page.text_content()) + " ".join(page.xpath("//@value"))
        if shown(spiked.text) in whole:
            literal.append(address)
    assert len(literal) > len(spiked.pages()) * 0.6, literal


def test_on_the_ticket_a_name_is_only_a_name(spiked):
    answer = spiked.donor.get(f"/bookings/{spiked.booking.uid}/ticket.pdf")
    assert answer.status_code == 200
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
    seen = "".join(text.split())
    wanted = "".join(spiked.text.split())
    for control in "\u202e\u2066":  # the font has no glyph for what only turns text around
        wanted = wanted.replace(control, "?")
    assert wanted in seen
    assert answer.headers["Content-Disposition"].isascii()


def test_in_a_letter_a_name_is_only_a_name(spiked, app):
    with app.app_context():
        for kind, booking in (
            (MessageKind.APPROVED, spiked.booking),
            (MessageKind.REJECTED, spiked.rejected),
        ):
            message = outbox.tell(spiked.store, booking, kind, now=spiked.now)
            spiked.store.flush()
            letter = render(message, now=spiked.now)
            source = letter.as_string()
            head = source.partition("\n\n")[0]
            assert "\nBcc:" not in head
            assert [str(a) for a in letter["To"].addresses] == [spiked.known.account.email]
            assert shown(spiked.text) in shown(letter.get_body(("plain",)).get_content())
            page = letter.get_body(("html",))
            if page is not None:
                tree = html.document_fromstring(page.get_content())
                assert tree.xpath("//img[@src='x'] | //*[@onerror] | //script") == []


@pytest.mark.parametrize(
    ("role", "slug"), [(Role.SECURITY, "access"), (Role.ADMINISTRATOR, "audit")], ids=["access", "audit"]
)  # fmt: skip
def test_in_a_table_file_a_name_is_never_a_formula(spiked, role, slug):
    who = spiked.staff[role]
    answer = who.send(f"/staff/{slug}/export/", {"format": "csv"})
    assert answer.status_code == 200
    rows = list(
        csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff")), delimiter=";")
    )
    cells = [cell for row in rows for cell in row]
    assert any(shown(spiked.text[:40]) in shown(cell) for cell in cells)
    assert [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@")] == []
    answer = who.send(f"/staff/{slug}/export/", {"format": "xlsx"})
    book = load_workbook(io.BytesIO(answer.data))
    found = [cell for sheet in book for row in sheet for cell in row]
    assert {cell.data_type for cell in found} <= {"s", "inlineStr", "n", "d"}  # no «f»
    assert any(shown(spiked.text[:40]) in shown(str(cell.value)) for cell in found)
