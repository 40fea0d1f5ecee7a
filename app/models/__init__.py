"""Tables and nothing but tables. Importing this package makes the metadata complete."""

from app.models.account import Account, AccountPerson, OneTimeLink, Throttle, WebSession
from app.models.address import AddressImport, AddressPoint
from app.models.appointment import Appointment, AppointmentEvent, RejectionReason
from app.models.audit import AccessEvent, AccessSubject, AuditEvent
from app.models.base import Base
from app.models.consent import Consent, ConsentText
from app.models.directory import (
    Department,
    HealthcareService,
    Practitioner,
    PractitionerRole,
    PractitionerService,
    Specialty,
)
from app.models.district import District, DistrictDoctor, DistrictImport, DistrictRange
from app.models.donation_type import (
    DonationInterval,
    DonationLimit,
    DonationPause,
    DonationType,
)
from app.models.donor import Deferral, Donation, Donor, DonorRecord
from app.models.exchange import DirectoryImport, DonorImport, DonorImportRow
from app.models.guest import Guest, SurveyAddress
from app.models.heartbeat import Heartbeat
from app.models.identity import PersonDocument
from app.models.message import MailboxLetter, Message, MessageTemplate
from app.models.organization import Organization
from app.models.page import Feedback, Page
from app.models.person import Person
from app.models.policy import BookingPolicy
from app.models.schedule import Publication, Schedule, Slot
from app.models.staff import RoleAssignment, StaffUser
from app.models.template import ScheduleException, ScheduleTemplate, TemplateLine

__all__ = [
    "AccessEvent",
    "AccessSubject",
    "Account",
    "AccountPerson",
    "AddressImport",
    "AddressPoint",
    "Appointment",
    "AppointmentEvent",
    "AuditEvent",
    "Base",
    "BookingPolicy",
    "Consent",
    "ConsentText",
    "Deferral",
    "Department",
    "DirectoryImport",
    "District",
    "DistrictDoctor",
    "DistrictImport",
    "DistrictRange",
    "Donation",
    "DonationInterval",
    "DonationLimit",
    "DonationPause",
    "DonationType",
    "Donor",
    "DonorImport",
    "DonorImportRow",
    "DonorRecord",
    "Feedback",
    "Guest",
    "HealthcareService",
    "Heartbeat",
    "MailboxLetter",
    "Message",
    "MessageTemplate",
    "OneTimeLink",
    "Organization",
    "Page",
    "Person",
    "PersonDocument",
    "Practitioner",
    "PractitionerRole",
    "PractitionerService",
    "Publication",
    "RejectionReason",
    "RoleAssignment",
    "Schedule",
    "ScheduleException",
    "ScheduleTemplate",
    "Slot",
    "Specialty",
    "StaffUser",
    "SurveyAddress",
    "TemplateLine",
    "Throttle",
    "WebSession",
]
