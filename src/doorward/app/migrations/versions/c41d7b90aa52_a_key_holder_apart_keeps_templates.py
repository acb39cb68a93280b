"""a key holder apart keeps templates"""

import sqlalchemy as sa
from alembic import op

import doorward.platform.types

revision = "c41d7b90aa52"
down_revision = "f21a60ed5909"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gallery_templates",
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("template", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", doorward.platform.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_gallery_templates")),
        sa.UniqueConstraint("key_id", name=op.f("uq_gallery_templates_key_id")),
    )
    with op.batch_alter_table("gallery_templates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gallery_templates_site_id"), ["site_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead: going back would lose records")
