"""The reports, as their pages and files know them."""

from __future__ import annotations

from admin.reports_bookings import CHANNELS, DECISIONS, LOSSES
from admin.reports_load import LOAD
from admin.reports_reviews import RATINGS

REPORTS = {report.name: report for report in (LOAD, DECISIONS, LOSSES, CHANNELS, RATINGS)}
"""By the name in the address, in the order of the page."""
