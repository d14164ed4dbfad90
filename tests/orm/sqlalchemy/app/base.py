"""What all models share. `edit.json` says which of the successive versions of the models there is."""

import json
from datetime import datetime
from pathlib import Path

from sqlalchemy import ARRAY, JSON, DateTime, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

EDIT = json.loads((Path(__file__).parent.parent / "edit.json").read_text())

Document = JSON().with_variant(JSONB(), "postgresql")
Texts = JSON().with_variant(ARRAY(Text), "postgresql")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Stamped:
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class SoftDeleted:
    """Rows that are marked instead of deleted."""

    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
