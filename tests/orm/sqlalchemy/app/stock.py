"""What is in stock, and where."""

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Numeric,
    Sequence,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.base import EDIT, Base, Stamped

BigKey = BigInteger().with_variant(Integer(), "sqlite")


class Product(Stamped, Base):
    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price >= 0 AND title NOT LIKE 'a;%\n--'", name="price"),
        {"schema": "stock", "comment": "What's sold; 100%"},
    )
    id: Mapped[int] = mapped_column(BigKey, Identity(), primary_key=True)
    title: Mapped[str]
    price: Mapped[Decimal] = mapped_column(Numeric(12 if EDIT >= 8 else 10, 2))
    if EDIT >= 3:
        with_tax: Mapped[Decimal] = mapped_column(
            Numeric(12, 2), Computed("price * 1.25" if EDIT >= 9 else "price * 1.2")
        )


if EDIT >= 2:

    class Category(Base):
        __tablename__ = "categories"
        __table_args__ = (
            Index("uq_categories_name", text("lower(name)"), unique=True),
            {"schema": "stock"},
        )
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(40), comment="It's unique, in any case" if EDIT >= 4 else None)
        parent_id: Mapped[int | None] = mapped_column(ForeignKey("stock.categories.id", ondelete="SET NULL"))

    product_categories = Table(
        "product_categories",
        Base.metadata,
        Column("product_id", ForeignKey("stock.products.id", ondelete="CASCADE"), primary_key=True),
        Column("category_id", ForeignKey("stock.categories.id"), primary_key=True),
        *([Index("products_of_category", "category_id")] if EDIT >= 5 else []),
        schema="stock",
    )


class Warehouse(Base):
    __tablename__ = "warehouses"
    __table_args__ = {"schema": "stock"}
    code: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(server_default="The 'main' one" if EDIT >= 3 else "main")
    if EDIT >= 6:
        opened: Mapped[date] = mapped_column(Date, server_default=text("'2000-01-01'"))


class Level(Base):
    __tablename__ = "levels"
    __table_args__ = (
        CheckConstraint("amount >= 0" if EDIT < 5 else "amount >= 0 AND amount >= reserved", name="amount"),
        {"schema": "stock"},
    )
    product_id: Mapped[int] = mapped_column(ForeignKey("stock.products.id"), primary_key=True)
    warehouse_code: Mapped[str] = mapped_column(
        ForeignKey("stock.warehouses.code", onupdate="CASCADE" if EDIT >= 4 else None), primary_key=True
    )
    amount: Mapped[int] = mapped_column(server_default=text("0"))
    reserved: Mapped[int] = mapped_column(server_default=text("0"))


if EDIT >= 3:

    class Movement(Base):
        __tablename__ = "movements"
        __table_args__ = (
            ForeignKeyConstraint(
                ["product_id", "warehouse_code"],
                ["stock.levels.product_id", "stock.levels.warehouse_code"],
                ondelete="CASCADE" if EDIT >= 10 else None,
                deferrable=EDIT >= 7,
                initially="DEFERRED" if EDIT >= 7 else None,
            ),
            UniqueConstraint("product_id", "number"),
            Index("late_movements", text("at DESC"), postgresql_include=["change"] if EDIT >= 6 else []),
            {"schema": "stock"},
        )
        id: Mapped[int] = mapped_column(
            BigKey, Identity(always=True, start=100, increment=5 if EDIT >= 9 else 1), primary_key=True
        )
        number: Mapped[int | None] = mapped_column(
            Integer, Sequence("movement_numbers", schema="stock", start=1000, increment=10 if EDIT >= 5 else 1)
        )
        reference: Mapped[uuid.UUID] = mapped_column(Uuid)
        product_id: Mapped[int]
        warehouse_code: Mapped[str] = mapped_column(String(8))
        change: Mapped[int]
        at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


if EDIT >= 8:

    class Discount(Base):
        __tablename__ = "discounts"
        __table_args__ = (
            CheckConstraint("percent > 0" if EDIT < 9 else "percent > 0 AND percent < 100", name="percent"),
            ExcludeConstraint(("during", "&&"), name="one_discount").ddl_if(dialect="postgresql"),
            {"schema": "stock"},
        )
        id: Mapped[int] = mapped_column(primary_key=True)
        percent: Mapped[int]
        during: Mapped[object] = mapped_column(DATERANGE().with_variant(String(), "sqlite"))
