"""Writes and reads rows through the models."""

import os
import uuid
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import create_engine, insert, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from app import models, people, stock
from app.models import EDIT, Customer, Order, Status, lines
from app.people import Address, CardPayment, CashPayment, Login, Payment, Review, Tag, customer_tags
from app.stock import Level, Product, Warehouse

url = os.environ["DATABASE_URL"]
POSTGRES = os.environ["BACKEND"] == "postgres"
if POSTGRES:
    engine = create_engine("postgresql+psycopg://" + url.partition("://")[2])
else:
    # A SQLite file has no schemas.
    engine = create_engine(f"sqlite:///{url.partition(':')[2]}")
    engine = engine.execution_options(schema_translate_map={"stock": None})


def write_order(session):
    customer = Customer(email=f"{EDIT}@example.org")
    setattr(customer, "full_name" if EDIT >= 7 else "name", f"Customer {EDIT}")
    product = Product(title="Tea", price=Decimal("10.00"))
    session.add_all([customer, product])
    session.flush()
    order = Order(customer_id=customer.id, **({"note": "n"} if EDIT >= 2 else {}))
    order.status = Status.shipped if EDIT >= 4 else Status.paid
    session.add(order)
    session.flush()
    session.execute(insert(lines).values(order_id=order.id, product_id=product.id))
    if EDIT >= 3:
        session.add(models.Invoice(number=EDIT, order_id=order.id))
    write_people(session, customer, product, order)
    write_stock(session, product)
    session.commit()


def write_people(session, customer, product, order):
    tag = Tag(name=f"tag {EDIT}")
    session.add(tag)
    session.flush()
    session.execute(insert(customer_tags).values(customer_id=customer.id, tag_id=tag.id))
    session.add_all(
        [
            Address(customer_id=customer.id, street="1 Row", city="Ely", is_default=True),
            CashPayment(order_id=order.id, amount=Decimal("7.50"), given=Decimal("10")),
            CardPayment(order_id=order.id, amount=Decimal("2.50"), card="4000"),
            Review(customer_id=customer.id, product_id=product.id, stars=5, words="Ü; 'good'"),
            Login(customer_id=customer.id, address="192.0.2.1", token=b"\x00\xff"),
        ]
    )
    if EDIT >= 4:
        session.add_all([people.Supplier(name="Leaf & Co", terms="30 days"), people.Carrier(name="Post")])
    if EDIT >= 8:
        department = people.Department()
        session.add(department)
        session.flush()
        session.add(people.Employee(department_id=department.id))


def write_stock(session, product):
    warehouse = Warehouse(code=f"W{EDIT}")
    session.add(warehouse)
    session.flush()
    session.add(Level(product_id=product.id, warehouse_code=warehouse.code, amount=EDIT))
    session.flush()
    if EDIT >= 2:
        parent = stock.Category(name=f"Parent {EDIT}")
        session.add(parent)
        session.flush()
        category = stock.Category(name=f"Child {EDIT}", parent_id=parent.id)
        session.add(category)
        session.flush()
        session.execute(insert(stock.product_categories).values(product_id=product.id, category_id=category.id))
    if EDIT >= 3:
        place = {"product_id": product.id, "warehouse_code": warehouse.code}
        session.add(stock.Movement(**place, reference=uuid.uuid4(), change=-1))
    if EDIT >= 8:
        days = Range(date(2000 + EDIT, 1, 1), date(2000 + EDIT, 2, 1))
        session.add(stock.Discount(percent=10, during=days if POSTGRES else str(days)))


def read_orders(session):
    customers = session.scalars(select(Customer).order_by(Customer.id)).all()
    # Earlier rows are still there.
    assert [one.email for one in customers] == [f"{n}@example.org" for n in range(1, EDIT + 1)], customers
    named = customers[0].full_name if EDIT >= 7 else customers[0].name
    assert named == "Customer 1", named
    assert all(one.created_at for one in customers)
    if EDIT >= 2:
        assert customers[-1].data == {"a": "100%; "}, customers[-1].data
    found = session.scalars(select(Order)).all()
    assert len(found) == EDIT
    if EDIT >= 10:
        assert {one.note for one in found} == {"none", "n"}, found
    assert session.execute(select(lines.c.amount)).scalars().all() == [1] * EDIT


def read_people(session):
    assert [tag.name for tag in session.scalars(select(Tag).order_by(Tag.id))] == [f"tag {n}" for n in range(1, EDIT + 1)]
    assert len(session.execute(select(customer_tags)).all()) == EDIT
    payments = session.scalars(select(Payment)).all()
    assert {type(one) for one in payments} == {CashPayment, CardPayment}
    assert len(payments) == 2 * EDIT
    assert {(one.stars, one.words) for one in session.scalars(select(Review))} == {(5, "Ü; 'good'")}
    logins = session.scalars(select(Login)).all()
    assert {(one.token, one.lasts) for one in logins} == {(b"\x00\xff", timedelta(days=1))}, logins
    assert len(logins) == len(session.scalars(select(Address)).all()) == EDIT
    if EDIT >= 4:
        parties = session.scalars(select(people.Party)).all()
        assert {type(one) for one in parties} == {people.Supplier, people.Carrier}


def read_stock(session):
    assert [one.amount for one in session.scalars(select(Level).order_by(Level.amount))] == list(range(1, EDIT + 1))
    warehouse = session.get(Warehouse, f"W{EDIT}")
    assert warehouse.name == ("The 'main' one" if EDIT >= 3 else "main"), warehouse.name
    if EDIT >= 3:
        tax = Decimal("12.50") if EDIT >= 9 else Decimal("12.00")
        assert {one.with_tax for one in session.scalars(select(Product))} == {tax}
        movements = session.scalars(select(stock.Movement)).all()
        assert len(movements) == EDIT - 2
        assert not POSTGRES or all(one.id >= 100 and one.number >= 1000 for one in movements)
    if EDIT >= 8:
        assert len(session.scalars(select(stock.Discount)).all()) == EDIT - 7


with Session(engine) as session:
    write_order(session)
with Session(engine) as session:
    read_orders(session)
    read_people(session)
    read_stock(session)
