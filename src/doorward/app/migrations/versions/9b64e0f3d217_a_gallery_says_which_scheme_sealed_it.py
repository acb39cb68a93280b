"""a gallery says which scheme sealed it"""

import sqlalchemy as sa
from alembic import op

revision = "9b64e0f3d217"
down_revision = "c41d7b90aa52"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("gallery_generations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("scheme", sa.String(), nullable=False, server_default="own"))


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: going back would lose records")
