"""Indexes: donors who wait for something else are not walked past; family requests and dead letters are found at once.

Revision: 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_waiting_entry_donors": (
        "waiting_entry",
        ["organization_id", "donation_type_id", "priority", "id"],
        "status = 'waiting' AND donation_type_id IS NOT NULL",
    ),
    "ix_account_person_asked": (
        "account_person",
        ["tenant_id", "created_at", "id"],
        "relation != 'self' AND agreed_at IS NULL AND ends_at IS NULL",
    ),
    "ix_message_dead": ("message", ["tenant_id", "id"], "status = 'dead'"),
}


def upgrade():
    for name, (table, columns, where) in INDEXES.items():
        op.create_index(
            name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where)
        )


def downgrade():
    for name, (table, _, _) in reversed(INDEXES.items()):
        op.drop_index(name, table_name=table)
