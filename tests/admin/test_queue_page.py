"""The registrar's queue over HTTP: seen, decided, undone, by one and by many."""

from __future__ import annotations

from tests import make
from tests.client import words
from app.models.enums import Role


def test_the_queue_opens(store, as_staff):
    tenant = make.make_tenant(store)
    day = make.make_schedule(store, tenant)
    donor = make.make_donor(store, tenant)
    make.make_record(store, tenant, donor)
    make.make_appointment(store, tenant, donor, day)
    client = as_staff(Role.REGISTRAR, over=tenant.root)
    page = client.page("/staff/queue/")
    print(words(page))
    row = page.xpath("//td[@class='who']/a/@href")[0]
    print(row)
    print(words(client.page(row)))
    assert 0
