"""A shop. `edit.json` says which of the successive versions of the models it has."""

import enum
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import CITEXT, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

EDIT = json.loads((Path(__file__).parent.parent / "edit.json").read_text())
print("DROP TABLE printed_while_imported;")


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
        data: Mapped[dict] = mapped_column(JSON().with_variant(JSONB(), "postgresql"), server_default=text("'{\"a\": \"100%; \"}'"))
        labels: Mapped[list | None] = mapped_column(JSON().with_variant(ARRAY(Text), "postgresql"))


class Product(Stamped, Base):
    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price >= 0 AND title NOT LIKE 'a;%\n--'", name="price"),
        {"schema": "stock", "comment": "What's sold; 100%"},
    )
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), Identity(), primary_key=True)
    title: Mapped[str]
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    if EDIT >= 3:
        with_tax: Mapped[Decimal] = mapped_column(Numeric(12, 2), Computed("price * 1.2"))


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


if EDIT >= 8:

    class Department(Base):
        __tablename__ = "departments"
        id: Mapped[int] = mapped_column(primary_key=True)
        head_id: Mapped[int | None] = mapped_column(ForeignKey("employees.id", use_alter=True))

    class Employee(Base):
        __tablename__ = "employees"
        id: Mapped[int] = mapped_column(primary_key=True)
        department_id: Mapped[int] = mapped_column(ForeignKey("departments.id"))
        boss_id: Mapped[int | None] = mapped_column(ForeignKey("employees.id"))


if EDIT < 9:

    class Obsolete(Base):
        __tablename__ = "obsolete"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str] = mapped_column(Enum("a", "b", name="obsolete_kind"))
