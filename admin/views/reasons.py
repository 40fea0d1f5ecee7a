"""Why a request is rejected: the list the registrar chooses from (row A32)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from admin.base import StaffView
from admin.columns import Badge
from admin.filters import YesNo
from app.models.appointment import RejectionReason


def state(row: RejectionReason) -> Badge:
    return Badge(_l("offered"), "ok") if row.is_active else Badge(_l("not offered"), "off")


class ReasonsView(StaffView):
    slug = "reasons"
    title = _l("Rejection reasons")
    title_one = _l("Reason")
    new_title = _l("New rejection reason")
    permission = "reasons.edit"
    intro = _l(
        "The registrar chooses one of these; the donor reads it in the letter, with the advice."
    )
    can_create = can_edit = can_delete = True
    column_list = ("position", "text_ru", "advice_ru", "state")
    column_searchable_list = ("text_ru", "text_en")
    column_default_sort = ("position", False)
    column_labels = {
        "position": _l("Place in the list"),
        "text_ru": _l("Reason, in Russian"),
        "text_en": _l("Reason, in English"),
        "advice_ru": _l("What to do, in Russian"),
        "advice_en": _l("What to do, in English"),
        "is_active": _l("Offered to the registrars"),
        "state": _l("State"),
    }
    column_descriptions = {
        "advice_ru": _l(
            "What the donor can do now: check the code, choose another date, telephone."
        ),
    }
    cells = {"state": state}
    filters = (
        YesNo("offered", _l("State"), RejectionReason.is_active, _l("offered"), _l("not offered")),
    )
    form_columns = ("text_ru", "text_en", "advice_ru", "advice_en", "position", "is_active")
