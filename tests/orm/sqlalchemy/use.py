"""Writes and reads rows through the models."""

import os
from decimal import Decimal

from sqlalchemy import create_engine, insert, select
from sqlalchemy.orm import Session

from app import models
from app.models import EDIT, Customer, Order, Product, Status, lines

url = os.environ["DATABASE_URL"]
if os.environ["BACKEND"] == "postgres":
    engine = create_engine("postgresql+psycopg://" + url.partition("://")[2])
else:
    # A SQLite file has no schemas.
    engine = create_engine(f"sqlite:///{url.partition(':')[2]}")
    engine = engine.execution_options(schema_translate_map={"stock": None})

with Session(engine) as session:
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
    if EDIT >= 8:
        department = models.Department()
        session.add(department)
        session.flush()
        session.add(models.Employee(department_id=department.id))
    session.commit()

with Session(engine) as session:
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
    if EDIT >= 3:
        assert session.scalars(select(Product)).all()[-1].with_tax == Decimal("12.00")
    if EDIT >= 10:
        assert {one.note for one in found} == {"none", "n"}, found
    assert session.execute(select(lines.c.amount)).scalars().all() == [1] * EDIT
