"""Who saw whose card, asked for by the colleague who looked."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from app.models import AccessEvent, AuditEvent
from app.models.enums import Role
from tests import make
from tests.client import words


@pytest.fixture
def tenant(store):
    return make.make_tenant(store)


def explained(session, statement) -> str:
    """How the database would look, were there many rows."""
    dialect = session.get_bind().dialect
    if dialect.name == "postgresql":
        for way in ("seqscan", "bitmapscan", "sort"):
            session.execute(text(f"SET LOCAL enable_{way} = off"))
    compiled = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    ask = "EXPLAIN" if dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    return "\n".join(str(row) for row in session.execute(text(f"{ask} {compiled}")))


def looked(store, tenant, user, *, action="queue", at=make.NOW):
    row = AccessEvent(
        at=at, tenant_id=tenant.id, staff_user_id=user.id, action=action, ip="192.0.2.9"
    )
    store.add(row)
    store.flush()
    return row


def listed(page):
    return page.xpath("//table[contains(@class,'rows')]/tbody/tr")


def offered(page):
    return page.xpath("//select[@name='who']/option[@value!='']/text()")


def test_looks_are_asked_for_by_the_colleague(store, as_staff, tenant):
    one = make.make_staff(store, Role.REGISTRAR, tenant.branch, full_name="Соловьёва Алёна")
    other = make.make_staff(store, Role.OPERATOR, tenant.root, full_name="Белова Дарья")
    for user in (one, one, other):
        looked(store, tenant, user)
    guard = make.make_staff(store, Role.SECURITY, tenant.root, full_name="Яковлев Пётр")
    client = as_staff(guard)
    page = client.page("/staff/access/")
    assert len(listed(page)) == 3
    assert offered(page) == ["Белова Дарья", "Соловьёва Алёна", "Яковлев Пётр"]
    page = client.page(f"/staff/access/?who={one.uid}")
    assert len(listed(page)) == 2 and "Белова" not in words(listed(page)[0])
    assert page.xpath("//select[@name='who']/option[@selected]/text()") == ["Соловьёва Алёна"]
    page = client.page(f"/staff/access/?who={one.uid}&at_from=2026-11-24")
    assert "По этому отбору ничего нет" in words(page)


def test_the_colleague_may_have_left_or_work_for_all(store, as_staff, tenant):
    there = make.make_tenant(store, name="Дальний центр")
    gone = make.make_staff(store, None, full_name="Ушедшая Анна", is_active=False)
    boss = make.make_staff(store, Role.ADMINISTRATOR, full_name="Общий Олег")
    make.make_staff(store, Role.ADMINISTRATOR, full_name="Непричастный Никита")
    make.make_staff(store, Role.REGISTRAR, there.root, full_name="Чужая Фаина")
    first = make.make_staff(store, Role.REGISTRAR, tenant.root, full_name="Тёзка Анна")
    second = make.make_staff(store, Role.REGISTRAR, tenant.root, full_name="Тёзка Анна")
    for user in (gone, boss):
        looked(store, tenant, user)
    moved = make.make_staff(store, Role.REGISTRAR, there.root, full_name="Перешедшая Инна")
    looked(store, tenant, moved)
    looked(store, there, gone)
    guard = make.make_staff(store, Role.SECURITY, tenant.root, full_name="Яковлев Пётр")
    client = as_staff(guard)
    page = client.page(f"/staff/access/?who={gone.uid}")
    assert offered(page) == [
        "Общий Олег",
        "Перешедшая Инна",
        f"Тёзка Анна ({first.email})",
        f"Тёзка Анна ({second.email})",
        "Ушедшая Анна",
        "Яковлев Пётр",
    ]
    assert len(listed(page)) == 1


def test_the_file_of_one_colleague_s_looks_says_in_the_journal_whose(store, as_staff, tenant):
    user = make.make_staff(store, Role.REGISTRAR, tenant.root, full_name="Белова Дарья")
    looked(store, tenant, user)
    client = as_staff(Role.SECURITY, over=tenant.root)
    url = f"/staff/access/?who={user.uid}"
    form = client.page(url).xpath("//form[@action='/staff/access/export/']")[0]
    assert form.fields["who"] == str(user.uid)
    client.send("/staff/access/export/", {"format": "csv", "who": str(user.uid)})
    line = store.scalars(select(AuditEvent).where(AuditEvent.verb == "access.export")).all()[-1]
    text = words(client.page(f"/staff/audit/details/?id={line.id}"))
    assert "Белова Дарья" in text and str(user.uid) not in text


def test_one_colleague_s_looks_are_found_by_index(store, tenant):
    """In the order of the list, without sorting all that he has ever looked at."""
    user = make.make_staff(store, Role.REGISTRAR, tenant.root)
    store.commit()
    asked = (
        select(AccessEvent.id)
        .where(AccessEvent.staff_user_id == user.id, AccessEvent.tenant_id.in_([tenant.id]))
        .order_by(AccessEvent.id.desc())
        .limit(51)
    )
    plan = explained(store, asked)
    assert "ix_access_event_staff" in plan, plan
    assert "sort" not in plan.lower() and "temp b-tree" not in plan.lower(), plan
