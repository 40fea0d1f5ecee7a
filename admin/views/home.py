"""«Сегодня»: three numbers that want something from me, today's load, failed letters; nothing else."""

from __future__ import annotations

from typing import Any

from flask_admin import AdminIndexView, expose
from flask_babel import lazy_gettext as _l

from admin.gate import Guarded


class HomePage(Guarded, AdminIndexView):
    """Open to everybody who works here; each number only to whom it concerns."""

    permission = ""

    def __init__(self) -> None:
        super().__init__(
            name=_l("Today"), endpoint="admin", url="/staff", template="admin/home.html"
        )
        self.static_folder = None

    def is_accessible(self) -> bool:
        return True

    def need(self, permission: str) -> None:
        if permission:
            super().need(permission)

    @expose("/")
    def index(self) -> Any:
        return self.render("admin/home.html")
