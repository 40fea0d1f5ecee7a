"""Organizations and their branches (row A13)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from admin.base import StaffView
from admin.columns import Badge
from admin.filters import Choice, YesNo
from app.extensions import db
from app.i18n import label, spoken
from app.models.enums import OrganizationKind
from app.models.organization import Organization
from app.models.scope import scope_of
from app.rules import directory, organizations
from app.rules.errors import NotAllowed
from forms.directory import CoordinateField, KeyField
from forms.inputs import ChosenField, LineField, MemberField, NotBlank, RowField

ZONES = (
    ("Europe/Kaliningrad", _l("Kaliningrad, UTC+2")),
    ("Europe/Moscow", _l("Moscow, UTC+3")),
    ("Europe/Samara", _l("Samara, UTC+4")),
    ("Asia/Yekaterinburg", _l("Yekaterinburg, UTC+5")),
    ("Asia/Omsk", _l("Omsk, UTC+6")),
    ("Asia/Krasnoyarsk", _l("Krasnoyarsk, UTC+7")),
    ("Asia/Novosibirsk", _l("Novosibirsk, UTC+7")),
    ("Asia/Irkutsk", _l("Irkutsk, UTC+8")),
    ("Asia/Yakutsk", _l("Yakutsk, UTC+9")),
    ("Asia/Vladivostok", _l("Vladivostok, UTC+10")),
    ("Asia/Magadan", _l("Magadan, UTC+11")),
    ("Asia/Kamchatka", _l("Kamchatka, UTC+12")),
)


def zone_name(code: str) -> str:
    """«Москва, UTC+3»; the code itself for a zone that is not offered."""
    return str(dict(ZONES).get(code, code))


class ZoneField(ChosenField):
    """A time zone of Russia, or the one the organization already has."""

    def __init__(self, label: Any = None, validators: Any = (), **rest: Any) -> None:
        names = {name: name for name, _ in ZONES}
        super().__init__(label, validators, names, zone_name, None, **rest)

    def process_data(self, value: Any) -> None:
        super().process_data(value)
        if value:
            self.things = {**self.things, value: value}


def parents() -> list[Organization]:
    """What a new branch may be part of."""
    return [row for row in organizations.in_scope(db.session()) if row.is_active]


def state(row: Organization) -> Badge:
    return Badge(_l("works"), "ok") if row.is_active else Badge(_l("switched off"), "off")


def institution_words(key: str) -> str:
    """The type patients search by, in words."""
    words = directory.institution_kinds().get(key)
    return spoken(words) if words else key


class OrganizationsView(StaffView):
    slug = "organizations"
    title = _l("Organizations")
    title_one = _l("Organization")
    new_title = _l("New organization")
    permission = "organizations.edit"
    intro = _l(
        "Legal bodies and their branches. Donors choose a branch by its settlement and name."
    )
    can_create = can_edit = can_view_details = True
    column_list = ("short_name", "settlement", "kind", "part_of", "time_zone", "state")
    column_details_list = (
        "name",
        "short_name",
        "kind",
        "part_of",
        "settlement",
        "address",
        "directions",
        "phone",
        "phones",
        "site",
        "hours",
        "institution",
        "latitude",
        "longitude",
        "time_zone",
        "takes_donors",
        "takes_patients",
        "state",
    )
    column_sortable_list = ("short_name", "settlement", "kind")
    column_searchable_list = ("name", "short_name", "settlement", "address")
    column_default_sort = ("short_name", False)
    column_labels = {
        "name": _l("Full name"),
        "short_name": _l("Short name"),
        "kind": _l("Kind"),
        "part_of": _l("Part of"),
        "settlement": _l("Settlement"),
        "address": _l("Address"),
        "directions": _l("How to get there"),
        "phone": _l("Telephone"),
        "phones": _l("Telephones of the registry desks"),
        "site": _l("Web site"),
        "hours": _l("Opening hours"),
        "institution": _l("Type of institution"),
        "latitude": _l("Latitude"),
        "longitude": _l("Longitude"),
        "takes_patients": _l("Takes patients"),
        "time_zone": _l("Time zone"),
        "takes_donors": _l("Takes donors"),
        "is_active": _l("Works"),
        "state": _l("State"),
    }
    column_descriptions = {
        "name": _l("As in the charter: it stands in letters and on tickets."),
        "short_name": _l("As people call it: it stands in lists."),
        "directions": _l("Entrance, floor, bus stop: goes into letters and onto tickets."),
        "phones": _l("Several are parted by commas; on the page for patients."),
        "takes_donors": _l("Donors see it when they choose where to go."),
        "takes_patients": _l(
            "Patients find it in the list of institutions and book doctors there."
        ),
        "is_active": _l("Switched off, it takes no bookings and is not offered any more."),
    }
    cells = {
        "state": state,
        "time_zone": lambda row: zone_name(row.time_zone),
        "institution": lambda row: institution_words(row.institution),
    }
    load = (Organization.part_of,)
    filters = (
        Choice("kind", _l("Kind"), Organization.kind, OrganizationKind),
        YesNo("works", _l("State"), Organization.is_active, _l("works"), _l("switched off")),
    )
    form_columns = (
        "name",
        "short_name",
        "settlement",
        "address",
        "directions",
        "phone",
        "phones",
        "site",
        "hours",
        "institution",
        "latitude",
        "longitude",
        "time_zone",
        "takes_donors",
        "takes_patients",
        "is_active",
    )
    create_columns = ("parent", "sort", *form_columns[:-1])
    form_fields = {
        "parent": RowField(
            _l("Part of"),
            rows=parents,
            blank=_l("a legal body of its own"),
            description=_l("A branch keeps the settings and the donors of the body it is part of."),
        ),
        "sort": MemberField(
            _l("Kind"),
            members=(OrganizationKind.BLOOD_CENTRE, OrganizationKind.POLYCLINIC),
            words=label,
            description=_l("For a legal body of its own."),
        ),
        "name": LineField(_l("Full name"), [NotBlank(_l("Type the name, please."))]),
        "short_name": LineField(_l("Short name"), [NotBlank(_l("Type the name, please."))]),
        "time_zone": ZoneField(_l("Time zone"), default="Europe/Moscow"),
        "institution": KeyField(
            _l("Type of institution"),
            [],
            {key: key for key in directory.institution_kinds()},
            institution_words,
            _l("none of these"),
            description=_l("Patients search by it."),
        ),
        "latitude": CoordinateField(
            _l("Latitude"),
            description=_l("In degrees: 55.7512. With both, patients find it on the map."),
        ),
        "longitude": CoordinateField(_l("Longitude"), description=_l("In degrees: 37.6184.")),
    }

    def create_form(self, obj: Any = None) -> Any:
        form = super().create_form(obj)
        if not scope_of(self.session).everywhere:
            form.parent.blank = None
            del form.sort
        return form

    def create_row(self, form: Any) -> Any:
        fields = {name: form[name].data for name in self.form_columns if name in form}
        parent = form.parent.data
        if parent is not None:
            return organizations.create_branch(
                self.session, part_of=parent, actor=self.actor, now=self.now, **fields
            )
        if "sort" not in form:  # a new body is for who administers the whole installation
            raise NotAllowed()
        kind = form.sort.data
        return organizations.create_root(
            self.session, actor=self.actor, now=self.now, kind=kind, **fields
        )

    def change_row(self, form: Any, row: Any) -> Any:
        fields = {name: form[name].data for name in self.form_columns}
        return organizations.change(
            self.session, organization=row, actor=self.actor, now=self.now, **fields
        )
