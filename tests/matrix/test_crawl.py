"""Two families in two organizations, a mark in every text of each: everyone opens everything, and nobody reads
a mark that is not his own. Routes that appear later are crawled without being asked.
"""

from __future__ import annotations

import io
import logging
import re
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy.orm import Session

from app.documents import letters
from app.documents.account_fields import TO_PROOF
from app.models import Account, AccountPerson, Base, Person
from app.models.enums import MessageChannel, MessageKind, Relation
from app.rules import links, outbox, sms
from app.rules.delivery import LINKED
from app.rules.ledger import TASKS
from tests import make
from tests.client import Visitor
from tests.make import NOW, PASSWORD
from tests.rules.own_rows import Filled
from tests.working import work

MARKS = ("Чижиковы", "Снегиревы")
PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")
MOST = 600
"""Pages of one visitor that are found by links; far more than there are."""


class Family:
    """An account with all its rows, and a child's card."""

    def __init__(self, session: Session, mark: str) -> None:
        self.mark = mark
        self.filled = Filled(session, medical=True, mark=mark)
        self.account: Account = self.filled.account
        self.account.password_hash = make.cheap_hash()
        self.account.email_confirmed_at, self.account.erased_at = NOW, None
        self.account.is_active, self.account.locale = True, "ru"
        self.account.email = f"{uuid.uuid4().hex[:8]}@example.org"
        child = make.make_person(session, self.filled.tenant, family_name=f"{mark} ребёнок")
        kept = AccountPerson(
            account_id=self.account.id, person_id=child.id, tenant_id=self.filled.tenant.id,
            relation=Relation.CHILD, agreed_at=NOW,
        )  # fmt: skip
        session.add(kept)
        self._open(session)
        session.flush()
        self.child = child

    def _open(self, session: Session) -> None:
        """The own card is the account's, now."""
        for row in session.query(AccountPerson).filter_by(account_id=self.account.id):
            row.ends_at = None
            if row.person_id == self.filled.person.id:
                row.relation = Relation.SELF

    def names(self) -> list[str]:
        """Of each table one row's name outside."""
        rows = [rows[0] for rows in self.filled.rows.values() if hasattr(rows[0], "uid")]
        return sorted({str(row.uid) for row in [*rows, self.child]})


def texts(body: bytes) -> Iterator[str]:
    """What can be read in an answer, whatever it is packed in."""
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            for name in packed.namelist():
                yield packed.read(name).decode(errors="replace")
    elif body.startswith(b"%PDF"):
        for page in PdfReader(io.BytesIO(body)).pages:
            yield page.extract_text()
    yield re.sub(r"\r\n[ \t]", "", body.decode(errors="replace"))  # folded lines of a calendar


def paths(app: Flask, names: list[str]) -> Iterator[str]:
    """Every GET of the public site: rules without a place, and those with one filled in by each name."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith("/staff"):
            continue
        if "static" in rule.endpoint or rule.endpoint.startswith("mailbox"):
            continue  # the mailbox of demonstrations is open to everybody, and in no other installation
        places = PLACE.findall(rule.rule)
        if not places:
            yield rule.rule
        for name in names if places else ():
            yield PLACE.sub(lambda place, name=name: quote(_of(place[1], name)), rule.rule)


def _of(kind: str | None, name: str) -> str:
    return {"uuid": name, "int": "1"}.get(kind or "", name)


class Crawl:
    """Follows links, and tries what it was not shown."""

    def __init__(self, client: Visitor, strange: list[str], own: str = "") -> None:
        self.client, self.strange, self.own = client, strange, own
        self.seen: set[str] = set()
        self.met_own = 0

    def run(self, starts: Iterator[str]) -> None:
        waiting = list(dict.fromkeys(starts))
        tried = set(waiting)
        while waiting and len(self.seen) < len(tried) + MOST:
            path = waiting.pop()
            page = path.partition("?")[0]  # other filters of a list show no other rows
            if page in self.seen:
                continue
            self.seen.add(page)
            answer = self.client.get(path)
            body = answer.get_data()
            assert answer.status_code < 500 or path == "/readyz", f"{path}: {answer.status}"
            self.look(path, body, answer.headers)
            if answer.mimetype == "text/html":
                waiting += [each for each in self._links(body) if each not in self.seen]
            answer.close()

    def look(self, path: str, body: bytes, headers: Any = ()) -> None:
        for text in (*texts(body), str(headers)):
            for mark in self.strange:
                assert mark not in text, f"{path} shows {mark}"
            self.met_own += bool(self.own) and self.own in text

    def _links(self, body: bytes) -> list[str]:
        found = re.findall(r'(?:href|action)="([^"#]+)', body.decode(errors="replace"))
        inside = [urlsplit(link.replace("&amp;", "&")) for link in found]
        return [
            link.path + (f"?{link.query}" if link.query else "")
            for link in inside
            if not link.netloc and link.scheme == "" and "/static/" not in link.path
            and not link.path.startswith("/mailbox")
            and "sign-out" not in link.path and "lang=" not in link.query
        ]  # fmt: skip


@pytest.fixture
def families(store: Session) -> list[Family]:
    return [Family(store, mark) for mark in MARKS]


def test_everyone_crawls_everything_and_reads_nothing_of_others(
    app: Flask,
    families: list[Family],
    as_account: Callable[..., Visitor],
    client: Visitor,
    store: Session,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    names = {family.mark: family.names() for family in families}
    for family, other in (families, families[::-1]):
        crawl = Crawl(as_account(family.account), [other.mark], family.mark)
        crawl.run(paths(app, names[other.mark]))
        crawl.client.send("/profile/data", {"current": PASSWORD, "again": "y"})
        work(app, store)
        archive = crawl.client.send("/profile/data", {"current": PASSWORD})
        crawl.look("the archive", archive.get_data())
        assert archive.data.startswith(b"PK")
        assert crawl.met_own > 2  # its own pages were there to be read
    Crawl(client, list(MARKS)).run(paths(app, [*names[MARKS[0]], *names[MARKS[1]]]))
    told = " ".join(record.getMessage() for record in caplog.records)
    for mark in MARKS:
        assert mark not in told


def facts_of(session: Session, family: Family) -> dict[str, Any]:
    """What letters may be about, all of it this family's own."""
    named = (
        "prescription",
        "feedback",
        "medical_document",
        "survey_address",
        "attachment",
        "referral",
    )
    ids = {f"{name}_id": family.filled.rows[name][0].id for name in named}
    return ids | {
        "document_id": ids["medical_document_id"],
        "proof_id": family.filled.rows["contact_proof"][0].id,
        "person_id": family.child.id,
        "asker_id": family.account.id,
    }


def fact_for(session: Session, family: Family, kind: MessageKind) -> dict[str, int]:
    """What is asked of letters of this kind alone."""
    if kind.startswith("profile_"):
        return {"confirmation_id": family.filled.rows["profile_confirmation"][0].id}
    if kind not in LINKED:
        return {}
    link = links.issue(session, purpose=LINKED[kind], account_id=family.account.id, now=NOW)
    return {"link_id": link.id}


def test_letters_name_nobody_but_their_reader(
    app: Flask, families: list[Family], store: Session
) -> None:
    store.commit()
    # a copy of a document goes by a consent alone: tests/rules/test_medical_documents.py
    others = {*sms.KINDS, *TASKS, MessageKind.STAFF_INVITE, MessageKind.DOCUMENT_COPY}
    to_accounts = set(MessageKind) - others
    met_own = 0
    with app.app_context():
        for family, other in (families, families[::-1]):
            booking = family.filled.rows["appointment"][0]
            facts = facts_of(store, family)
            for kind in sorted(to_accounts):
                message = outbox.add(
                    store, kind=kind, key=f"{kind}:{family.mark}", now=NOW, channel=MessageChannel.EMAIL,
                    tenant_id=booking.tenant_id, account_id=family.account.id,
                    appointment_id=booking.id, facts=facts | fact_for(store, family, kind),
                )  # fmt: skip
                store.flush()
                letter = letters.render(message, now=NOW)
                for part in letter.walk():
                    if not part.is_multipart():
                        for text in texts(part.get_payload(decode=True)):
                            assert other.mark not in text, kind
                            met_own += family.mark in text
                assert kind in TO_PROOF or letter["To"] == family.account.email
    assert met_own > 2 * 5


def test_the_crawl_notices_a_mark(families: list[Family], client: Visitor) -> None:
    crawl = Crawl(client, [MARKS[0]])
    with pytest.raises(AssertionError, match="shows"):
        crawl.look("/x", f"<p>{MARKS[0]} 7</p>".encode())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x.json", MARKS[0])
    with pytest.raises(AssertionError, match="shows"):
        crawl.look("/x.zip", packed.getvalue())


def test_every_text_of_an_account_has_a_mark(families: list[Family], store: Session) -> None:
    """Who adds a table about people is crawled with it."""
    names = {mapper.class_.__tablename__ for mapper in Base.registry.mappers}
    assert set(families[0].filled.rows) <= names
    assert store.query(Person).filter(Person.family_name.startswith(MARKS[0])).count() >= 1
