"""A page about one legal body's settings, with a way to the others' where there are several."""

from __future__ import annotations

from flask import abort, request

from admin import tenants
from admin.base import StaffPage
from app.models.organization import Organization


class TenantPage(StaffPage):
    """``?of=<uid>`` says whose settings these are; without it, the first the reader sees."""

    def tenant(self) -> Organization:
        """The organization meant, or 404."""
        seen = list(tenants.seen().values())
        wanted = request.args.get("of")
        found = [row for row in seen if wanted in (None, str(row.uid))]
        if not found:
            abort(404)
        return found[0]

    def others(self, tenant: Organization) -> list[Organization]:
        return [row for row in tenants.seen().values() if row.id != tenant.id]
