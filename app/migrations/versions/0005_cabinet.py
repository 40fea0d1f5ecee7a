"""The personal cabinet: more ways into an account, families, attachments and referrals, copies of documents,
reviews, and the waiting list.

Revision: 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('account_identity',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('issuer', sa.String(length=200), nullable=False),
    sa.Column('subject', sa.String(length=255), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_account_identity_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account_identity')),
    sa.UniqueConstraint('issuer', 'subject', name=op.f('uq_account_identity_issuer_subject')),
    sa.UniqueConstraint('uid', name=op.f('uq_account_identity_uid'))
    )
    with op.batch_alter_table('account_identity', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_account_identity_account_id'), ['account_id'], unique=False)

    op.create_table('contact_proof',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('email', 'phone', 'sign_in', name='contactkind', native_enum=False, length=24), nullable=False),
    sa.Column('value_ciphertext', sa.LargeBinary(), nullable=True),
    sa.Column('nonce', sa.String(length=32), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('sent', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_contact_proof_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact_proof')),
    sa.UniqueConstraint('uid', name=op.f('uq_contact_proof_uid'))
    )
    with op.batch_alter_table('contact_proof', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contact_proof_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_contact_proof_expires_at'), ['expires_at'], unique=False)

    op.create_table('notice_choice',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('event', sa.Enum('booking', 'reminder', 'medication', 'donation_date', 'offer', 'document', 'survey', name='noticeevent', native_enum=False, length=24), nullable=False),
    sa.Column('channel', sa.Enum('email', 'sms', name='messagechannel', native_enum=False, length=24), nullable=False),
    sa.Column('is_on', sa.Boolean(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_notice_choice_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice_choice')),
    sa.UniqueConstraint('account_id', 'event', 'channel', name=op.f('uq_notice_choice_account_id_event_channel'))
    )
    op.create_table('oidc_attempt',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('holder', sa.LargeBinary(length=32), nullable=False),
    sa.Column('nonce_ciphertext', sa.LargeBinary(), nullable=False),
    sa.Column('verifier_ciphertext', sa.LargeBinary(), nullable=False),
    sa.Column('back', sa.String(length=500), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_oidc_attempt_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_oidc_attempt')),
    sa.UniqueConstraint('state_hash', name=op.f('uq_oidc_attempt_state_hash')),
    sa.UniqueConstraint('uid', name=op.f('uq_oidc_attempt_uid'))
    )
    with op.batch_alter_table('oidc_attempt', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_oidc_attempt_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_oidc_attempt_expires_at'), ['expires_at'], unique=False)

    op.create_table('survey_question',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('text_ru', sa.String(length=200), nullable=False),
    sa.Column('text_en', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.Enum('stars', 'yes_no', 'text', name='questionkind', native_enum=False, length=24), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['organization.id'], name=op.f('fk_survey_question_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_survey_question')),
    sa.UniqueConstraint('uid', name=op.f('uq_survey_question_uid'))
    )
    with op.batch_alter_table('survey_question', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_survey_question_tenant_id'), ['tenant_id'], unique=False)

    op.create_table('attachment',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('therapy', 'general', 'family', 'complex', 'feldsher', 'paediatric', 'gynaecology', 'dental', name='districtkind', native_enum=False, length=24), nullable=False),
    sa.Column('district_id', sa.Integer(), nullable=True),
    sa.Column('status', sa.Enum('requested', 'active', 'refused', 'ended', name='attachmentstatus', native_enum=False, length=24), nullable=False),
    sa.Column('source', sa.Enum('address', 'staff', 'registry', name='attachmentsource', native_enum=False, length=24), nullable=False),
    sa.Column('address_ciphertext', sa.LargeBinary(), nullable=True),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['decided_by_id'], ['staff_user.id'], name=op.f('fk_attachment_decided_by_id')),
    sa.ForeignKeyConstraint(['district_id'], ['district.id'], name=op.f('fk_attachment_district_id')),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_attachment_organization_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_attachment_person_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['organization.id'], name=op.f('fk_attachment_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attachment')),
    sa.UniqueConstraint('uid', name=op.f('uq_attachment_uid'))
    )
    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attachment_decided_by_id'), ['decided_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attachment_district_id'), ['district_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attachment_organization_id'), ['organization_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attachment_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attachment_tenant_id'), ['tenant_id'], unique=False)
        batch_op.create_index('ix_attachment_waiting', ['tenant_id', 'status', 'requested_at'], unique=False)
        batch_op.create_index('uq_attachment_active', ['person_id', 'kind'], unique=True, postgresql_where=sa.text("status = 'active'"), sqlite_where=sa.text("status = 'active'"))

    op.create_table('medical_document',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('test_results', 'outpatient_card', 'other', name='paperkind', native_enum=False, length=24), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('content_ciphertext', sa.LargeBinary(), nullable=True),
    sa.Column('content_type', sa.String(length=100), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by_id', sa.Integer(), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['created_by_id'], ['staff_user.id'], name=op.f('fk_medical_document_created_by_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_medical_document_person_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['organization.id'], name=op.f('fk_medical_document_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_medical_document')),
    sa.UniqueConstraint('uid', name=op.f('uq_medical_document_uid'))
    )
    with op.batch_alter_table('medical_document', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_medical_document_created_by_id'), ['created_by_id'], unique=False)
        batch_op.create_index('ix_medical_document_person', ['person_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_medical_document_tenant_id'), ['tenant_id'], unique=False)

    op.create_table('prescription',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('medicine', sa.String(length=200), nullable=False),
    sa.Column('dose', sa.String(length=200), nullable=False),
    sa.Column('hours', sa.JSON(), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by_id', sa.Integer(), nullable=False),
    sa.Column('stopped_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['created_by_id'], ['staff_user.id'], name=op.f('fk_prescription_created_by_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_prescription_person_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['organization.id'], name=op.f('fk_prescription_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_prescription')),
    sa.UniqueConstraint('uid', name=op.f('uq_prescription_uid'))
    )
    with op.batch_alter_table('prescription', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_prescription_created_by_id'), ['created_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_prescription_last_day'), ['last_day'], unique=False)
        batch_op.create_index(batch_op.f('ix_prescription_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_prescription_tenant_id'), ['tenant_id'], unique=False)

    op.create_table('profile_confirmation',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('status', sa.Enum('waiting', 'confirmed', 'refused', 'withdrawn', name='confirmationstatus', native_enum=False, length=24), nullable=False),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=2000), nullable=False),
    sa.Column('consent_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_profile_confirmation_account_id')),
    sa.ForeignKeyConstraint(['consent_id'], ['consent.id'], name=op.f('fk_profile_confirmation_consent_id')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['staff_user.id'], name=op.f('fk_profile_confirmation_decided_by_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_profile_confirmation_person_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['organization.id'], name=op.f('fk_profile_confirmation_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_profile_confirmation')),
    sa.UniqueConstraint('uid', name=op.f('uq_profile_confirmation_uid'))
    )
    with op.batch_alter_table('profile_confirmation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_profile_confirmation_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_profile_confirmation_decided_by_id'), ['decided_by_id'], unique=False)
        batch_op.create_index('ix_profile_confirmation_due', ['tenant_id', 'status', 'due_on', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_profile_confirmation_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_profile_confirmation_tenant_id'), ['tenant_id'], unique=False)

    op.create_table('waiting_entry',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('donation_type_id', sa.Integer(), nullable=True),
    sa.Column('role_id', sa.Integer(), nullable=True),
    sa.Column('specialty_id', sa.Integer(), nullable=True),
    sa.Column('service_id', sa.Integer(), nullable=True),
    sa.Column('family', sa.Uuid(), nullable=True),
    sa.Column('first_day', sa.Date(), nullable=True),
    sa.Column('last_day', sa.Date(), nullable=True),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('status', sa.Enum('waiting', 'offered', 'booked', 'left', 'lapsed', name='waitingstatus', native_enum=False, length=24), nullable=False),
    sa.Column('offers', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.CheckConstraint('donation_type_id IS NOT NULL OR role_id IS NOT NULL OR specialty_id IS NOT NULL OR service_id IS NOT NULL', name=op.f('ck_waiting_entry_for_something')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_waiting_entry_account_id')),
    sa.ForeignKeyConstraint(['donation_type_id'], ['donation_type.id'], name=op.f('fk_waiting_entry_donation_type_id')),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_waiting_entry_organization_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_waiting_entry_person_id')),
    sa.ForeignKeyConstraint(['role_id'], ['practitioner_role.id'], name=op.f('fk_waiting_entry_role_id')),
    sa.ForeignKeyConstraint(['service_id'], ['healthcare_service.id'], name=op.f('fk_waiting_entry_service_id')),
    sa.ForeignKeyConstraint(['specialty_id'], ['specialty.id'], name=op.f('fk_waiting_entry_specialty_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['organization.id'], name=op.f('fk_waiting_entry_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_waiting_entry')),
    sa.UniqueConstraint('uid', name=op.f('uq_waiting_entry_uid'))
    )
    with op.batch_alter_table('waiting_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_waiting_entry_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_waiting_entry_donation_type_id'), ['donation_type_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_waiting_entry_family'), ['family'], unique=False)
        batch_op.create_index('ix_waiting_entry_next', ['organization_id', 'priority', 'id'], unique=False, postgresql_where=sa.text("status = 'waiting'"), sqlite_where=sa.text("status = 'waiting'"))
        batch_op.create_index(batch_op.f('ix_waiting_entry_organization_id'), ['organization_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_waiting_entry_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_waiting_entry_role_id'), ['role_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_waiting_entry_service_id'), ['service_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_waiting_entry_specialty_id'), ['specialty_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_waiting_entry_tenant_id'), ['tenant_id'], unique=False)

    op.create_table('account_event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.Enum('sign_in', 'sign_in_refused', 'sign_out', 'password', 'contact', 'policy', 'second_factor', 'booked', 'booking_refused', 'cancelled', 'moved', 'family', 'attachment', 'consent_given', 'consent_withdrawn', 'document_sent', 'data_exported', 'notices', 'review', 'waiting', name='accounteventkind', native_enum=False, length=24), nullable=False),
    sa.Column('ip', sa.String(length=45), nullable=False),
    sa.Column('user_agent', sa.String(length=200), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('appointment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_account_event_account_id')),
    sa.ForeignKeyConstraint(['appointment_id'], ['appointment.id'], name=op.f('fk_account_event_appointment_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_account_event_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account_event'))
    )
    with op.batch_alter_table('account_event', schema=None) as batch_op:
        batch_op.create_index('ix_account_event_account', ['account_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_account_event_appointment_id'), ['appointment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_account_event_person_id'), ['person_id'], unique=False)

    op.create_table('referral',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('specialty_id', sa.Integer(), nullable=False),
    sa.Column('service_id', sa.Integer(), nullable=True),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('issued_by_id', sa.Integer(), nullable=False),
    sa.Column('role_id', sa.Integer(), nullable=True),
    sa.Column('valid_until', sa.Date(), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('appointment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['appointment_id'], ['appointment.id'], name=op.f('fk_referral_appointment_id')),
    sa.ForeignKeyConstraint(['issued_by_id'], ['staff_user.id'], name=op.f('fk_referral_issued_by_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_referral_person_id')),
    sa.ForeignKeyConstraint(['role_id'], ['practitioner_role.id'], name=op.f('fk_referral_role_id')),
    sa.ForeignKeyConstraint(['service_id'], ['healthcare_service.id'], name=op.f('fk_referral_service_id')),
    sa.ForeignKeyConstraint(['specialty_id'], ['specialty.id'], name=op.f('fk_referral_specialty_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['organization.id'], name=op.f('fk_referral_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_referral')),
    sa.UniqueConstraint('appointment_id', name=op.f('uq_referral_appointment_id')),
    sa.UniqueConstraint('uid', name=op.f('uq_referral_uid'))
    )
    with op.batch_alter_table('referral', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_referral_issued_by_id'), ['issued_by_id'], unique=False)
        batch_op.create_index('ix_referral_person', ['person_id', 'specialty_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_referral_role_id'), ['role_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_referral_service_id'), ['service_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_referral_specialty_id'), ['specialty_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_referral_tenant_id'), ['tenant_id'], unique=False)

    op.create_table('review',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('appointment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('role_id', sa.Integer(), nullable=True),
    sa.Column('stars', sa.SmallInteger(), nullable=False),
    sa.Column('comment', sa.String(length=2000), nullable=False),
    sa.Column('status', sa.Enum('new', 'published', 'hidden', name='reviewstatus', native_enum=False, length=24), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('moderated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('moderated_by_id', sa.Integer(), nullable=True),
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.CheckConstraint('stars BETWEEN 1 AND 5', name=op.f('ck_review_stars')),
    sa.ForeignKeyConstraint(['appointment_id'], ['appointment.id'], name=op.f('fk_review_appointment_id')),
    sa.ForeignKeyConstraint(['moderated_by_id'], ['staff_user.id'], name=op.f('fk_review_moderated_by_id')),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_review_organization_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_review_person_id')),
    sa.ForeignKeyConstraint(['role_id'], ['practitioner_role.id'], name=op.f('fk_review_role_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['organization.id'], name=op.f('fk_review_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review')),
    sa.UniqueConstraint('appointment_id', name=op.f('uq_review_appointment_id')),
    sa.UniqueConstraint('uid', name=op.f('uq_review_uid'))
    )
    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_review_moderated_by_id'), ['moderated_by_id'], unique=False)
        batch_op.create_index('ix_review_organization', ['organization_id', 'status', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_review_organization_id'), ['organization_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_review_person_id'), ['person_id'], unique=False)
        batch_op.create_index('ix_review_role', ['role_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_review_tenant_id'), ['tenant_id'], unique=False)

    op.create_table('waiting_offer',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('entry_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('slot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('appointment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('status', sa.Enum('open', 'accepted', 'declined', 'expired', name='offerstatus', native_enum=False, length=24), nullable=False),
    sa.Column('offered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['appointment_id'], ['appointment.id'], name=op.f('fk_waiting_offer_appointment_id')),
    sa.ForeignKeyConstraint(['entry_id'], ['waiting_entry.id'], name=op.f('fk_waiting_offer_entry_id')),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_waiting_offer_organization_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_waiting_offer_person_id')),
    sa.ForeignKeyConstraint(['slot_id'], ['slot.id'], name=op.f('fk_waiting_offer_slot_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_waiting_offer')),
    sa.UniqueConstraint('appointment_id', name=op.f('uq_waiting_offer_appointment_id')),
    sa.UniqueConstraint('entry_id', 'slot_id', name=op.f('uq_waiting_offer_entry_id_slot_id')),
    sa.UniqueConstraint('uid', name=op.f('uq_waiting_offer_uid'))
    )
    with op.batch_alter_table('waiting_offer', schema=None) as batch_op:
        batch_op.create_index('ix_waiting_offer_due', ['expires_at'], unique=False, postgresql_where=sa.text("status = 'open'"), sqlite_where=sa.text("status = 'open'"))
        batch_op.create_index(batch_op.f('ix_waiting_offer_organization_id'), ['organization_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_waiting_offer_person_id'), ['person_id'], unique=False)
        batch_op.create_index('uq_waiting_offer_open_slot', ['slot_id'], unique=True, postgresql_where=sa.text("status = 'open'"), sqlite_where=sa.text("status = 'open'"))

    op.create_table('review_answer',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('review_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('question_id', sa.Integer(), nullable=False),
    sa.Column('value', sa.String(length=2000), nullable=False),
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_review_answer_organization_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_review_answer_person_id')),
    sa.ForeignKeyConstraint(['question_id'], ['survey_question.id'], name=op.f('fk_review_answer_question_id')),
    sa.ForeignKeyConstraint(['review_id'], ['review.id'], name=op.f('fk_review_answer_review_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_answer')),
    sa.UniqueConstraint('review_id', 'question_id', name=op.f('uq_review_answer_review_id_question_id'))
    )
    with op.batch_alter_table('review_answer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_review_answer_organization_id'), ['organization_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_review_answer_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_review_answer_question_id'), ['question_id'], unique=False)

    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.add_column(sa.Column('login_ciphertext', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('login_index', sa.LargeBinary(length=32), nullable=True))
        batch_op.add_column(sa.Column('phone_ciphertext', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('phone_confirmed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('password_expires_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('second_factor', sa.Enum('none', 'sms', 'totp', name='secondfactor', native_enum=False, length=24), server_default='none', nullable=False))
        batch_op.add_column(sa.Column('totp_seed_ciphertext', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('totp_last_step', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.alter_column('email',
               existing_type=sa.VARCHAR(length=254),
               nullable=True)
        batch_op.alter_column('password_hash',
               existing_type=sa.VARCHAR(length=200),
               nullable=True)
        batch_op.create_unique_constraint(batch_op.f('uq_account_login_index'), ['login_index'])

    with op.batch_alter_table('account_person', schema=None) as batch_op:
        batch_op.add_column(sa.Column('basis', sa.Enum('birth_certificate', 'guardianship', 'own_consent', name='familybasis', native_enum=False, length=24), nullable=True))
        batch_op.add_column(sa.Column('proof', sa.Enum('oms', 'snils', 'passport', 'dms', 'birth_certificate', 'social_card', name='documentkind', native_enum=False, length=24), nullable=True))
        batch_op.add_column(sa.Column('proved_by_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('created_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('agreed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('consent_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.create_index(batch_op.f('ix_account_person_proved_by_id'), ['proved_by_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_account_person_proved_by_id'), 'staff_user', ['proved_by_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_account_person_consent_id'), 'consent', ['consent_id'], ['id'])

    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('moved_by_owner', sa.Integer(), server_default='0', nullable=False))

    with op.batch_alter_table('booking_policy', schema=None) as batch_op:
        batch_op.add_column(sa.Column('for_family', sa.Boolean(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column('attachment_required', sa.Boolean(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column('referral_required', sa.Boolean(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column('move_hours', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('move_limit', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('remind_again_hours', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('account_sms', sa.Boolean(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column('offer_minutes', sa.Integer(), server_default='120', nullable=False))
        batch_op.add_column(sa.Column('offer_limit', sa.Integer(), server_default='3', nullable=False))

    with op.batch_alter_table('web_session', schema=None) as batch_op:
        batch_op.add_column(sa.Column('half_open', sa.Boolean(), server_default="0", nullable=False))



def downgrade():
    with op.batch_alter_table('web_session', schema=None) as batch_op:
        batch_op.drop_column('half_open')

    with op.batch_alter_table('booking_policy', schema=None) as batch_op:
        batch_op.drop_column('offer_limit')
        batch_op.drop_column('offer_minutes')
        batch_op.drop_column('account_sms')
        batch_op.drop_column('remind_again_hours')
        batch_op.drop_column('move_limit')
        batch_op.drop_column('move_hours')
        batch_op.drop_column('referral_required')
        batch_op.drop_column('attachment_required')
        batch_op.drop_column('for_family')

    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.drop_column('moved_by_owner')

    with op.batch_alter_table('account_person', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_account_person_consent_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_account_person_proved_by_id'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_account_person_proved_by_id'))
        batch_op.drop_column('consent_id')
        batch_op.drop_column('ends_at')
        batch_op.drop_column('agreed_at')
        batch_op.drop_column('created_at')
        batch_op.drop_column('proved_by_id')
        batch_op.drop_column('proof')
        batch_op.drop_column('basis')

    # the former schema knows no account without an e-mail and a password: such a one can no longer sign in
    op.execute("UPDATE account SET email = 'account-' || id || '@invalid' WHERE email IS NULL")
    op.execute("UPDATE account SET password_hash = '' WHERE password_hash IS NULL")
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_account_login_index'), type_='unique')
        batch_op.alter_column('password_hash',
               existing_type=sa.VARCHAR(length=200),
               nullable=False)
        batch_op.alter_column('email',
               existing_type=sa.VARCHAR(length=254),
               nullable=False)
        batch_op.drop_column('erased_at')
        batch_op.drop_column('totp_last_step')
        batch_op.drop_column('totp_seed_ciphertext')
        batch_op.drop_column('second_factor')
        batch_op.drop_column('password_expires_at')
        batch_op.drop_column('phone_confirmed_at')
        batch_op.drop_column('phone_ciphertext')
        batch_op.drop_column('login_index')
        batch_op.drop_column('login_ciphertext')

    with op.batch_alter_table('review_answer', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_review_answer_question_id'))
        batch_op.drop_index(batch_op.f('ix_review_answer_person_id'))
        batch_op.drop_index(batch_op.f('ix_review_answer_organization_id'))

    op.drop_table('review_answer')
    with op.batch_alter_table('waiting_offer', schema=None) as batch_op:
        batch_op.drop_index('uq_waiting_offer_open_slot', postgresql_where=sa.text("status = 'open'"), sqlite_where=sa.text("status = 'open'"))
        batch_op.drop_index(batch_op.f('ix_waiting_offer_person_id'))
        batch_op.drop_index(batch_op.f('ix_waiting_offer_organization_id'))
        batch_op.drop_index('ix_waiting_offer_due', postgresql_where=sa.text("status = 'open'"), sqlite_where=sa.text("status = 'open'"))

    op.drop_table('waiting_offer')
    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_review_tenant_id'))
        batch_op.drop_index('ix_review_role')
        batch_op.drop_index(batch_op.f('ix_review_person_id'))
        batch_op.drop_index(batch_op.f('ix_review_organization_id'))
        batch_op.drop_index('ix_review_organization')
        batch_op.drop_index(batch_op.f('ix_review_moderated_by_id'))

    op.drop_table('review')
    with op.batch_alter_table('referral', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_referral_tenant_id'))
        batch_op.drop_index(batch_op.f('ix_referral_specialty_id'))
        batch_op.drop_index(batch_op.f('ix_referral_service_id'))
        batch_op.drop_index(batch_op.f('ix_referral_role_id'))
        batch_op.drop_index('ix_referral_person')
        batch_op.drop_index(batch_op.f('ix_referral_issued_by_id'))

    op.drop_table('referral')
    with op.batch_alter_table('account_event', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_account_event_person_id'))
        batch_op.drop_index(batch_op.f('ix_account_event_appointment_id'))
        batch_op.drop_index('ix_account_event_account')

    op.drop_table('account_event')
    with op.batch_alter_table('waiting_entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_waiting_entry_tenant_id'))
        batch_op.drop_index(batch_op.f('ix_waiting_entry_specialty_id'))
        batch_op.drop_index(batch_op.f('ix_waiting_entry_service_id'))
        batch_op.drop_index(batch_op.f('ix_waiting_entry_role_id'))
        batch_op.drop_index(batch_op.f('ix_waiting_entry_person_id'))
        batch_op.drop_index(batch_op.f('ix_waiting_entry_organization_id'))
        batch_op.drop_index('ix_waiting_entry_next', postgresql_where=sa.text("status = 'waiting'"), sqlite_where=sa.text("status = 'waiting'"))
        batch_op.drop_index(batch_op.f('ix_waiting_entry_family'))
        batch_op.drop_index(batch_op.f('ix_waiting_entry_donation_type_id'))
        batch_op.drop_index(batch_op.f('ix_waiting_entry_account_id'))

    op.drop_table('waiting_entry')
    with op.batch_alter_table('profile_confirmation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_profile_confirmation_tenant_id'))
        batch_op.drop_index(batch_op.f('ix_profile_confirmation_person_id'))
        batch_op.drop_index('ix_profile_confirmation_due')
        batch_op.drop_index(batch_op.f('ix_profile_confirmation_decided_by_id'))
        batch_op.drop_index(batch_op.f('ix_profile_confirmation_account_id'))

    op.drop_table('profile_confirmation')
    with op.batch_alter_table('prescription', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_prescription_tenant_id'))
        batch_op.drop_index(batch_op.f('ix_prescription_person_id'))
        batch_op.drop_index(batch_op.f('ix_prescription_last_day'))
        batch_op.drop_index(batch_op.f('ix_prescription_created_by_id'))

    op.drop_table('prescription')
    with op.batch_alter_table('medical_document', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_medical_document_tenant_id'))
        batch_op.drop_index('ix_medical_document_person')
        batch_op.drop_index(batch_op.f('ix_medical_document_created_by_id'))

    op.drop_table('medical_document')
    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.drop_index('uq_attachment_active', postgresql_where=sa.text("status = 'active'"), sqlite_where=sa.text("status = 'active'"))
        batch_op.drop_index('ix_attachment_waiting')
        batch_op.drop_index(batch_op.f('ix_attachment_tenant_id'))
        batch_op.drop_index(batch_op.f('ix_attachment_person_id'))
        batch_op.drop_index(batch_op.f('ix_attachment_organization_id'))
        batch_op.drop_index(batch_op.f('ix_attachment_district_id'))
        batch_op.drop_index(batch_op.f('ix_attachment_decided_by_id'))

    op.drop_table('attachment')
    with op.batch_alter_table('survey_question', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_survey_question_tenant_id'))

    op.drop_table('survey_question')
    with op.batch_alter_table('oidc_attempt', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_oidc_attempt_expires_at'))
        batch_op.drop_index(batch_op.f('ix_oidc_attempt_account_id'))

    op.drop_table('oidc_attempt')
    op.drop_table('notice_choice')
    with op.batch_alter_table('contact_proof', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_contact_proof_expires_at'))
        batch_op.drop_index(batch_op.f('ix_contact_proof_account_id'))

    op.drop_table('contact_proof')
    with op.batch_alter_table('account_identity', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_account_identity_account_id'))

    op.drop_table('account_identity')
