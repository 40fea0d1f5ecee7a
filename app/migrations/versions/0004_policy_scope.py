"""A booking policy may hold for one department, one service, or one service in one department.

Revision: 0004, after 0003.
"""

import datetime as dt

import sqlalchemy as sa
from alembic import op

from app.models.base import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = {"department_id": "department", "service_id": "healthcare_service"}
NEVER = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)


def upgrade():
    with op.batch_alter_table("booking_policy", schema=None) as batch_op:
        for name, table in COLUMNS.items():
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=True))
            batch_op.create_index(batch_op.f(f"ix_booking_policy_{name}"), [name], unique=False)
            batch_op.create_foreign_key(
                batch_op.f(f"fk_booking_policy_{name}"), table, [name], ["id"]
            )


def downgrade():
    """Versions for a department or a service stay, for bookings name them, but must not hold everywhere."""
    policy = sa.table(
        "booking_policy",
        sa.column("valid_from", UtcDateTime()),
        *(sa.column(name, sa.Integer()) for name in COLUMNS),
    )
    narrow = sa.or_(*(policy.c[name].is_not(None) for name in COLUMNS))
    op.execute(policy.update().where(narrow).values(valid_from=NEVER))
    with op.batch_alter_table("booking_policy", schema=None) as batch_op:
        for name in COLUMNS:
            batch_op.drop_constraint(batch_op.f(f"fk_booking_policy_{name}"), type_="foreignkey")
            batch_op.drop_index(batch_op.f(f"ix_booking_policy_{name}"))
            batch_op.drop_column(name)
