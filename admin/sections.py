"""Headings of the back office's menu; the same object for every view that stands under one."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

SCHEDULE = _l("Schedule")
DONORS = _l("Donors")
DIRECTORY = _l("Directory")
