"""init_admin: the back office's table of contents, in menu order. Nothing else lives here."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_admin import Admin
from flask_admin.theme import Theme
from flask_babel import lazy_gettext as _l

from admin import looks
from admin.checked_files import LARGEST_UPLOAD as LARGEST_TABLE
from admin.sections import DIRECTORY
from admin.sign_in import DOOR
from admin.views.absences import AbsencesPage
from admin.views.access import AccessView
from admin.views.accounts import AccountsPage
from admin.views.addresses import AddressesPage
from admin.views.attachments import AttachmentsPage
from admin.views.audit import AuditView
from admin.views.confirmations import ConfirmationsPage
from admin.views.days import DaysPage
from admin.views.desk import DeskPage
from admin.views.directory import DepartmentsView, ServicesView, SpecialtiesView
from admin.views.directory_doctors import PractitionersView
from admin.views.directory_files import LARGEST_UPLOAD as LARGEST_WORKBOOK
from admin.views.directory_files import DirectoryFilesPage
from admin.views.district_files import DistrictFilesPage
from admin.views.district_streets import DistrictStreetsPage
from admin.views.districts import DistrictsPage
from admin.views.donation_types import DonationTypesView
from admin.views.donors import DonorsPage
from admin.views.families import FamiliesPage
from admin.views.feedback import FeedbackPage
from admin.views.grid import GridPage
from admin.views.home import HomePage
from admin.views.imports import LARGEST_UPLOAD, ImportsPage
from admin.views.medical import MedicalPage
from admin.views.messages import CallsPage, MessagesView
from admin.views.organizations import OrganizationsView
from admin.views.pages import PagesPage
from admin.views.papers import LARGEST_UPLOAD as LARGEST_COPY
from admin.views.papers import PapersPage
from admin.views.pauses import PausesPage
from admin.views.policies import PoliciesView
from admin.views.publishing import PublishingPage
from admin.views.queue import QueuePage, VisitsPage
from admin.views.queue_bulk import BulkPage, VisitsBulkPage
from admin.views.reasons import ReasonsView
from admin.views.records import RecordsPage
from admin.views.referrals import ReferralsPage
from admin.views.reports import ReportsPage
from admin.views.retention import RetentionPage
from admin.views.reviews import ReviewsPage, SurveyView
from admin.views.sitting_closing import SittingClosingPage
from admin.views.sittings import SittingsPage
from admin.views.staff import StaffUsersView
from admin.views.templates import TemplatesPage
from admin.views.texts import ConsentsPage, LettersPage
from admin.views.ticket import TicketPage
from admin.views.waiting import WaitingView
from app.models.appointment import RejectionReason
from app.models.audit import AccessEvent, AuditEvent
from app.models.directory import Department, HealthcareService, Practitioner, Specialty
from app.models.donation_type import DonationType
from app.models.message import Message
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.models.review import SurveyQuestion
from app.models.staff import StaffUser
from app.models.waiting import WaitingEntry
from app.security import allow_large

SETTINGS = _l("Settings")
JOURNALS = _l("Journals")


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
        for view in (
            DeskPage(),
            AttachmentsPage(),
            FamiliesPage(),
            ReferralsPage(),
            VisitsPage(),
            VisitsBulkPage(),
            QueuePage(),
            TicketPage(),
            BulkPage(),
            WaitingView(WaitingEntry),
            CallsPage(),
            MessagesView(Message),
            FeedbackPage(),
            ConfirmationsPage(),
            PapersPage(),
            ReviewsPage(),
            ReportsPage(),
            AccountsPage(),
            DonorsPage(),
            RecordsPage(),
        ):
            office.add_view(view)
        allow_large(app, "papers.person", LARGEST_COPY)
        office.add_view(ImportsPage())
        allow_large(app, "imports.index", LARGEST_UPLOAD)
        office.add_view(GridPage())
        office.add_view(SittingClosingPage())
        office.add_view(TemplatesPage())
        office.add_view(SittingsPage())
        office.add_view(AbsencesPage())
        office.add_view(DaysPage())
        office.add_view(PublishingPage())
        office.add_view(PausesPage())
        _under(office, DIRECTORY, DepartmentsView(Department))
        _under(office, DIRECTORY, PractitionersView(Practitioner))
        _under(office, DIRECTORY, ServicesView(HealthcareService))
        _under(office, DIRECTORY, SpecialtiesView(Specialty))
        _under(office, DIRECTORY, DirectoryFilesPage())
        allow_large(app, "directory-files.index", LARGEST_WORKBOOK)
        _under(office, DIRECTORY, DistrictsPage())
        office.add_view(DistrictStreetsPage())
        office.add_view(DistrictFilesPage())
        allow_large(app, "district-files.index", LARGEST_TABLE)
        _under(office, DIRECTORY, AddressesPage())
        allow_large(app, "addresses.index", LARGEST_TABLE)
        _under(office, SETTINGS, OrganizationsView(Organization))
        _under(office, SETTINGS, StaffUsersView(StaffUser))
        _under(office, SETTINGS, PoliciesView(BookingPolicy))
        _under(office, SETTINGS, MedicalPage())
        _under(office, SETTINGS, DonationTypesView(DonationType))
        _under(office, SETTINGS, ReasonsView(RejectionReason))
        _under(office, SETTINGS, SurveyView(SurveyQuestion), LettersPage())
        _under(office, SETTINGS, ConsentsPage())
        _under(office, SETTINGS, PagesPage())
        _journals(office)
        for door in DOOR:
            office.add_view(door())
    looks.init_looks(app)


def _journals(office: Admin) -> None:
    _under(office, JOURNALS, AuditView(AuditEvent))
    _under(office, JOURNALS, AccessView(AccessEvent))
    _under(office, JOURNALS, RetentionPage())


def _under(office: Admin, heading: Any, *views: Any) -> None:
    """Pages under a heading of the menu."""
    for view in views:
        view.category = heading
        office.add_view(view)
