"""A patient without an account walks from a free time to a ticket: who sits at the browser, how an
organization asks who somebody is, and by what way a booking was made and agreed to.

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('guest',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('holder', sa.LargeBinary(length=32), nullable=False),
    sa.Column('organization_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('method', sa.Enum('none', 'oms', 'snils', 'passport', 'dms', 'two_documents', name='identifyby', native_enum=False, length=24), nullable=True),
    sa.Column('consent_text_id', sa.Integer(), nullable=True),
    sa.Column('agreed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('phone_ciphertext', sa.LargeBinary(), nullable=True),
    sa.Column('phone_settled', sa.Boolean(), nullable=False),
    sa.Column('email_ciphertext', sa.LargeBinary(), nullable=True),
    sa.Column('ticket_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('locale', sa.String(length=2), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['consent_text_id'], ['consent_text.id'], name=op.f('fk_guest_consent_text_id')),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_guest_organization_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_guest_person_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['organization.id'], name=op.f('fk_guest_tenant_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['appointment.id'], name=op.f('fk_guest_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_guest')),
    sa.UniqueConstraint('holder', name=op.f('uq_guest_holder')),
    sa.UniqueConstraint('uid', name=op.f('uq_guest_uid'))
    )
    with op.batch_alter_table('guest', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_guest_expires_at'), ['expires_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_guest_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_guest_tenant_id'), ['tenant_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_guest_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('survey_address',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('appointment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('consent_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('email_ciphertext', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tenant_id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['appointment_id'], ['appointment.id'], name=op.f('fk_survey_address_appointment_id')),
    sa.ForeignKeyConstraint(['consent_id'], ['consent.id'], name=op.f('fk_survey_address_consent_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_survey_address_person_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['organization.id'], name=op.f('fk_survey_address_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_survey_address')),
    sa.UniqueConstraint('appointment_id', name=op.f('uq_survey_address_appointment_id')),
    sa.UniqueConstraint('uid', name=op.f('uq_survey_address_uid'))
    )
    with op.batch_alter_table('survey_address', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_survey_address_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_survey_address_tenant_id'), ['tenant_id'], unique=False)

    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('channel', sa.Enum('web', 'desk', name='channel', native_enum=False, length=24), server_default='web', nullable=False))
        batch_op.add_column(sa.Column('phone_ciphertext', sa.LargeBinary(), nullable=True))

    with op.batch_alter_table('booking_policy', schema=None) as batch_op:
        batch_op.add_column(sa.Column('entry', sa.Enum('account', 'before', 'after', name='entry', native_enum=False, length=24), server_default='account', nullable=False))
        batch_op.add_column(sa.Column('methods', sa.String(length=120), server_default='', nullable=False))
        batch_op.add_column(sa.Column('consent', sa.Enum('registration', 'screen', 'box', name='consentstep', native_enum=False, length=24), server_default='registration', nullable=False))
        batch_op.add_column(sa.Column('phone', sa.Enum('none', 'required', 'optional', 'choice', name='phonerule', native_enum=False, length=24), server_default='none', nullable=False))
        batch_op.add_column(sa.Column('kiosk_seconds', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('kiosk_dark', sa.Boolean(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column('wording', sa.Enum('donation', 'visit', 'request', name='wording', native_enum=False, length=24), server_default='donation', nullable=False))

    with op.batch_alter_table('consent', schema=None) as batch_op:
        batch_op.add_column(sa.Column('channel', sa.Enum('site', 'paper', 'oral', name='consentchannel', native_enum=False, length=24), server_default='site', nullable=False))
        batch_op.add_column(sa.Column('recorded_by_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_consent_recorded_by_id'), ['recorded_by_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_consent_recorded_by_id'), 'staff_user', ['recorded_by_id'], ['id'])

    with op.batch_alter_table('organization', schema=None) as batch_op:
        batch_op.add_column(sa.Column('link_lost_at', sa.DateTime(timezone=True), nullable=True))



def downgrade():
    with op.batch_alter_table('organization', schema=None) as batch_op:
        batch_op.drop_column('link_lost_at')

    with op.batch_alter_table('consent', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_consent_recorded_by_id'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_consent_recorded_by_id'))
        batch_op.drop_column('recorded_by_id')
        batch_op.drop_column('channel')

    with op.batch_alter_table('booking_policy', schema=None) as batch_op:
        batch_op.drop_column('wording')
        batch_op.drop_column('kiosk_dark')
        batch_op.drop_column('kiosk_seconds')
        batch_op.drop_column('phone')
        batch_op.drop_column('consent')
        batch_op.drop_column('methods')
        batch_op.drop_column('entry')

    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.drop_column('phone_ciphertext')
        batch_op.drop_column('channel')

    with op.batch_alter_table('survey_address', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_survey_address_tenant_id'))
        batch_op.drop_index(batch_op.f('ix_survey_address_person_id'))

    op.drop_table('survey_address')
    with op.batch_alter_table('guest', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_guest_ticket_id'))
        batch_op.drop_index(batch_op.f('ix_guest_tenant_id'))
        batch_op.drop_index(batch_op.f('ix_guest_person_id'))
        batch_op.drop_index(batch_op.f('ix_guest_expires_at'))

    op.drop_table('guest')
