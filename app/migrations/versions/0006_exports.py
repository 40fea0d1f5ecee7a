"""The archive of one's own data, made by a job and kept sealed for a few days; refused sign-ins in the event log.

Revision: 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('data_archive',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_data_archive_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_data_archive')),
    sa.UniqueConstraint('account_id', name=op.f('uq_data_archive_account_id')),
    sa.UniqueConstraint('uid', name=op.f('uq_data_archive_uid'))
    )
    with op.batch_alter_table('data_archive', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_data_archive_ends_at'), ['ends_at'], unique=False)

    op.create_table('data_archive_part',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('archive_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('content_ciphertext', sa.LargeBinary(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_data_archive_part_account_id')),
    sa.ForeignKeyConstraint(['archive_id'], ['data_archive.id'], name=op.f('fk_data_archive_part_archive_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_data_archive_part')),
    sa.UniqueConstraint('archive_id', 'number', name=op.f('uq_data_archive_part_archive_id_number')),
    sa.UniqueConstraint('uid', name=op.f('uq_data_archive_part_uid'))
    )
    with op.batch_alter_table('data_archive_part', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_data_archive_part_account_id'), ['account_id'], unique=False)

    op.create_table('sign_in_refusal',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ip', sa.String(length=45), nullable=False),
    sa.Column('user_agent', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_refusal'))
    )
    with op.batch_alter_table('sign_in_refusal', schema=None) as batch_op:
        batch_op.create_index('ix_sign_in_refusal_account', ['account_id', 'id'], unique=False)


def downgrade():
    with op.batch_alter_table('sign_in_refusal', schema=None) as batch_op:
        batch_op.drop_index('ix_sign_in_refusal_account')

    op.drop_table('sign_in_refusal')
    with op.batch_alter_table('data_archive_part', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_data_archive_part_account_id'))

    op.drop_table('data_archive_part')
    with op.batch_alter_table('data_archive', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_data_archive_ends_at'))

    op.drop_table('data_archive')
