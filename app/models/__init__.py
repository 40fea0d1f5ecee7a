"""Tables and nothing but tables. Importing this package makes the metadata complete."""

from app.models.account import Account, AccountPerson, OneTimeLink, Throttle, WebSession
from app.models.address import AddressImport, AddressPoint
from app.models.appointment import Appointment, AppointmentEvent, RejectionReason
from app.models.attachment import Attachment, Referral
from app.models.audit import AccessEvent, AccessSubject, AuditEvent
from app.models.base import Base
from app.models.cabinet import AccountEvent, NoticeChoice
from app.models.consent import Consent, ConsentText
from app.models.data_archive import DataArchive, DataArchivePart
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
from app.models.medical_document import MedicalDocument, Prescription, ProfileConfirmation
from app.models.message import MailboxLetter, Message, MessageTemplate
from app.models.organization import Organization
from app.models.page import Feedback, Page
from app.models.person import Person
from app.models.policy import BookingPolicy
from app.models.review import Review, ReviewAnswer, SurveyQuestion
from app.models.schedule import Publication, Schedule, Slot
from app.models.sign_in import AccountIdentity, ContactProof, OidcAttempt, SignInRefusal
from app.models.staff import RoleAssignment, StaffUser
from app.models.template import ScheduleException, ScheduleTemplate, TemplateLine
from app.models.waiting import WaitingEntry, WaitingOffer

__all__ = [
    "AccessEvent",
    "AccessSubject",
    "Account",
    "AccountEvent",
    "AccountIdentity",
    "AccountPerson",
    "AddressImport",
    "AddressPoint",
    "Appointment",
    "AppointmentEvent",
    "Attachment",
    "AuditEvent",
    "Base",
    "BookingPolicy",
    "Consent",
    "ConsentText",
    "ContactProof",
    "DataArchive",
    "DataArchivePart",
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
    "MedicalDocument",
    "Message",
    "MessageTemplate",
    "NoticeChoice",
    "OidcAttempt",
    "OneTimeLink",
    "Organization",
    "Page",
    "Person",
    "PersonDocument",
    "Practitioner",
    "PractitionerRole",
    "PractitionerService",
    "Prescription",
    "ProfileConfirmation",
    "Publication",
    "Referral",
    "RejectionReason",
    "Review",
    "ReviewAnswer",
    "RoleAssignment",
    "Schedule",
    "ScheduleException",
    "ScheduleTemplate",
    "SignInRefusal",
    "Slot",
    "Specialty",
    "StaffUser",
    "SurveyAddress",
    "SurveyQuestion",
    "TemplateLine",
    "Throttle",
    "WaitingEntry",
    "WaitingOffer",
    "WebSession",
]
