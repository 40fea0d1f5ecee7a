"""Points of houses, by which the institutions nearest to an address are found, and their files.

Revision: 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

from app.models.base import BigKey, Folded, UtcDateTime


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "address_point",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("settlement", sa.String(length=200), nullable=False),
        sa.Column("street", sa.String(length=200), nullable=False),
        sa.Column("street_key", Folded, nullable=False),
        sa.Column("house", sa.String(length=40), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_point")),
        sa.UniqueConstraint("street_key", "house", name=op.f("uq_address_point_street_key_house")),
    )
    with op.batch_alter_table("address_point", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_address_point_settlement_street_key"),
            ["settlement", "street_key"],
            unique=False,
        )

    op.create_table(
        "address_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=True),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff_user.id"], name=op.f("fk_address_import_created_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_import")),
        sa.UniqueConstraint("uid", name=op.f("uq_address_import_uid")),
    )


def downgrade():
    op.drop_table("address_import")
    with op.batch_alter_table("address_point", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_address_point_settlement_street_key"))

    op.drop_table("address_point")
