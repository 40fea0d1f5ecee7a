"""A registrar at the desk, and requests made to order: what the tests of the queue stand on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Appointment, Message
from app.models.enums import AppointmentStatus, MessageKind, MessageStatus
from app.rules import outbox
from tests import make
from tests.client import Visitor

QUEUE = "/staff/queue/"
NOBODY = "00000000-0000-4000-8000-000000000000"
"""A well-formed name of nothing."""


class Desk:
    """A blood centre with its registrar, and requests made to order."""

    def __init__(self, store: Session, as_staff: Callable[..., Visitor], clock: Any) -> None:
        self.store, self.clock = store, clock
        self.tenant = make.make_tenant(store)
        self.registrar = make.make_staff(store, over=self.tenant.root, full_name="Ольга Первая")
        self.as_staff = as_staff
        self.days: dict[Any, Any] = {}
        self.client = as_staff(self.registrar)

    def request(self, *, known: bool = True, name: str = "Соснова", **day: Any) -> Appointment:
        donor = make.make_donor(self.store, self.tenant, family_name=name)
        if known:
            make.make_record(self.store, self.tenant, donor)
        key = tuple(sorted((name, str(value)) for name, value in day.items()))
        if key not in self.days:
            self.days[key] = make.make_schedule(self.store, self.tenant, per_time=40, **day)
        made = make.make_appointment(self.store, self.tenant, donor, self.days[key])
        outbox.tell(self.store, made, MessageKind.REQUEST_RECEIVED, now=self.clock.now)
        self.store.commit()
        return made

    def requests(self, count: int, **more: Any) -> list[Appointment]:
        return [self.request(days=2 + n, **more) for n in range(count)]

    def status(self, row: Appointment) -> AppointmentStatus:
        self.store.refresh(row)
        return row.status

    def act(self, row: Appointment, what: str, *, by: Visitor | None = None, **data: Any) -> Any:
        """Press a button; ``args`` is the query string of the page the button stands on."""
        args = data.pop("args", "")
        return (by or self.client).send(f"{QUEUE}{row.uid}/{what}{args}", data)

    def approve(self, row: Appointment, **more: Any) -> Any:
        return self.act(row, "approve", **more)

    def reject(self, row: Appointment, **more: Any) -> Any:
        return self.act(row, "reject", **{"reason": str(self.tenant.reasons[0].uid)} | more)

    def due(self, row: Appointment) -> set[MessageKind]:
        query = select(Message.kind).where(
            Message.appointment_id == row.id, Message.status == MessageStatus.DUE
        )
        return set(self.store.scalars(query))
