"""A shop with all of its tables."""

import enum

from sqlalchemy import BigInteger, Column, Enum, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.orm import Mapped, mapped_column

from app import people, stock
from app.base import EDIT, Base, Document, Stamped, Texts

__all__ = ["Base", "people", "stock"]
print("DROP TABLE printed_while_imported;")


class Status(enum.Enum):
    new = "new"
    paid = "paid"
    if EDIT >= 4:
        shipped = "shipped"


class Customer(Stamped, Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    if EDIT < 7:
        name: Mapped[str] = mapped_column(String(100 if EDIT >= 5 else 50), index=EDIT < 6)
    else:
        full_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(
        Text().with_variant(CITEXT() if EDIT >= 8 else Text(), "postgresql"), unique=EDIT >= 6
    )
    if EDIT >= 2:
        data: Mapped[dict] = mapped_column(Document, server_default=text("'{\"a\": \"100%; \"}'"))
        labels: Mapped[list | None] = mapped_column(Texts)
    if EDIT >= 5:
        __table_args__ = (Index("customer_data", "data", postgresql_using="gin"),)


class Order(Stamped, Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE" if EDIT >= 5 else None))
    status: Mapped[Status] = mapped_column(Enum(Status, name="status"), server_default="new")
    if EDIT >= 2:
        note: Mapped[str | None] = mapped_column(Text, nullable=EDIT < 10)
    if EDIT >= 10:
        total: Mapped[int] = mapped_column(server_default=text("0"), comment="in cents")


lines = Table(
    "order_lines",
    Base.metadata,
    Column("order_id", ForeignKey("orders.id"), primary_key=True),
    Column("product_id", ForeignKey("stock.products.id"), primary_key=True),
    Column("amount", BigInteger if EDIT >= 5 else Integer, nullable=False, server_default="1"),
)

if EDIT >= 3:

    class Invoice(Base):
        __tablename__ = "invoices"
        __table_args__ = (
            UniqueConstraint("order_id", "number"),
            Index("open_invoices", "order_id", postgresql_where=text("NOT is_paid"), sqlite_where=text("NOT is_paid")),
            {"schema": "stock"},
        )
        id: Mapped[int] = mapped_column(primary_key=True)
        number: Mapped[int]
        is_paid: Mapped[bool] = mapped_column(server_default=text("false"))
        order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))


if EDIT < 9:

    class Obsolete(Base):
        __tablename__ = "obsolete"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str] = mapped_column(Enum("a", "b", name="obsolete_kind"))
