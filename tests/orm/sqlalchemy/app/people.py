"""Whom the shop deals with."""

import enum
import uuid
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    Column,
    Enum,
    ForeignKey,
    Index,
    Interval,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from app.base import EDIT, Base, SoftDeleted, Stamped

# A SQLite file has no schemas.
TAGS = "stock.tags" if EDIT >= 10 else "tags"


class Address(SoftDeleted, Base):
    __tablename__ = "addresses"
    __table_args__ = (
        UniqueConstraint("customer_id", "street", *(["city"] if EDIT >= 6 else [])),
        Index(
            "one_default_address",
            "customer_id",
            unique=True,
            postgresql_where=text("is_default" if EDIT < 6 else "is_default AND deleted_at IS NULL"),
            sqlite_where=text("is_default" if EDIT < 6 else "is_default AND deleted_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    street: Mapped[str]
    city: Mapped[str]
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))


class Tag(Base):
    __tablename__ = "tags"
    __table_args__ = {"schema": "stock"} if EDIT >= 10 else {}
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


customer_tags = Table(
    "customer_tags",
    Base.metadata,
    Column("customer_id", ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey(f"{TAGS}.id", ondelete="CASCADE" if EDIT >= 4 else None), primary_key=True),
)


class Method(enum.Enum):
    cash = "cash"
    card = "card"
    if EDIT < 9:
        cheque = "cheque"


class Payment(Stamped, Base):
    """One table for all of its subclasses."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        Index("cash_payments", "order_id", postgresql_where=text("method = 'cash'"), sqlite_where=text("method = 'cash'")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    method: Mapped[Method] = mapped_column(
        # On SQLite, a check constraint.
        Enum(Method, name="method", create_constraint=True),
        server_default="card",
    )
    amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    __mapper_args__ = {"polymorphic_on": "method"}


class CashPayment(Payment):
    given: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    __mapper_args__ = {"polymorphic_identity": Method.cash}


class CardPayment(Payment):
    card: Mapped[str | None] = mapped_column(String(24 if EDIT >= 3 else 19))
    __mapper_args__ = {"polymorphic_identity": Method.card}


class Review(SoftDeleted, Stamped, Base):
    __tablename__ = "ratings" if EDIT >= 7 else "reviews"
    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("stock.products.id"))
    stars: Mapped[int] = mapped_column(SmallInteger)
    words: Mapped[str | None] = mapped_column(Text)


class Login(Base):
    __tablename__ = "logins"
    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    address: Mapped[str | None] = mapped_column(INET().with_variant(String(45), "sqlite"))
    token: Mapped[bytes] = mapped_column(LargeBinary)
    lasts: Mapped[timedelta | None] = mapped_column(Interval, default=timedelta(days=1), nullable=EDIT >= 5)


if EDIT >= 4:

    class Party(Base):
        """A table for what is common to its subclasses."""

        __tablename__ = "parties"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str] = mapped_column(String(20))
        name: Mapped[str]
        if EDIT >= 9:
            rank: Mapped[int | None] = mapped_column(unique=True)
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "party"}

    class Supplier(Party):
        __tablename__ = "suppliers"
        id: Mapped[int] = mapped_column(ForeignKey("parties.id"), primary_key=True)
        terms: Mapped[str | None] = mapped_column(Text if EDIT >= 6 else String(200))
        __mapper_args__ = {"polymorphic_identity": "supplier"}

    class Carrier(Party):
        __tablename__ = "carriers"
        id: Mapped[int] = mapped_column(ForeignKey("parties.id"), primary_key=True)
        if EDIT >= 7:
            supplier_id: Mapped[int | None] = mapped_column(ForeignKey("suppliers.id"))
        __mapper_args__ = {"polymorphic_identity": "carrier"}


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
