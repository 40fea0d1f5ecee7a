"""Indexes: who waits for something else is not walked past; family requests and dead letters are found at once.

Revision: 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OLD = ["organization_id", "priority", "id"]
NEW = ["organization_id", "donation_type_id", "priority", "id"]
WAITS = "status = 'waiting'"
DEAD = "status = 'dead'"
ASKED = "relation != 'self' AND agreed_at IS NULL AND ends_at IS NULL"


def upgrade():
    op.drop_index("ix_waiting_entry_next", table_name="waiting_entry")
    _index("ix_waiting_entry_next", "waiting_entry", NEW, WAITS)
    _index("ix_account_person_asked", "account_person", ["tenant_id", "created_at", "id"], ASKED)
    _index("ix_message_dead", "message", ["tenant_id", "id"], DEAD)


def downgrade():
    op.drop_index("ix_message_dead", table_name="message")
    op.drop_index("ix_account_person_asked", table_name="account_person")
    op.drop_index("ix_waiting_entry_next", table_name="waiting_entry")
    _index("ix_waiting_entry_next", "waiting_entry", OLD, WAITS)


def _index(name, table, columns, where):
    op.create_index(
        name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where)
    )
