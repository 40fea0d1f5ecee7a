"""The waiting list is read by what is waited for: who waits for something else is not walked past.

Revision: 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NAME = "ix_waiting_entry_next"
OLD = ["organization_id", "priority", "id"]
NEW = ["organization_id", "donation_type_id", "priority", "id"]
WAITS = sa.text("status = 'waiting'")


def upgrade():
    _index(NEW)


def downgrade():
    _index(OLD)


def _index(columns):
    op.drop_index(NAME, table_name="waiting_entry")
    op.create_index(NAME, "waiting_entry", columns, postgresql_where=WAITS, sqlite_where=WAITS)
