"""init_admin: the back office's table of contents, in menu order. Nothing else lives here."""

from __future__ import annotations

from flask import Flask
from flask_admin import Admin
from flask_admin.theme import Theme
from flask_babel import lazy_gettext as _l

from admin import looks
from admin.sign_in import DOOR
from admin.views.home import HomePage
from admin.views.queue import QueuePage
from admin.views.queue_bulk import BulkPage
from admin.views.ticket import TicketPage

WORK = _l("Work")
DONORS = _l("Donors")
SETTINGS = _l("Settings")
CONTROL = _l("Control")


def init_admin(app: Flask) -> None:
    """Register every page of the back office under /staff."""
    with app.app_context():
        office = Admin(
            app,
            name="Talon",
            url="/staff",
            index_view=HomePage(),
            theme=Theme(folder="bootstrap4", base_template="admin/base.html"),
        )
        office.add_view(QueuePage())
        office.add_view(TicketPage())
        office.add_view(BulkPage())
        for view in DOOR:
            office.add_view(view())
    looks.init_looks(app)
