"""Writes and reads rows through the models."""

import os
from decimal import Decimal

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from orders import models  # noqa: E402
from orders.models import EDIT, Customer, Order, Product  # noqa: E402

name = "full_name" if EDIT >= 7 else "name"
customer = Customer.objects.create(email=f"{EDIT}@example.org", **{name: f"Customer {EDIT}"})
product = Product.objects.create(title=f"Tea {EDIT}", price=Decimal("10.00"))
user = get_user_model().objects.create(username=f"user{EDIT}")
order = Order.objects.create(customer=customer, **({"note": "n"} if EDIT >= 2 else {}))
order.products.add(product)
if EDIT >= 3:
    models.Invoice.objects.create(number=EDIT, order=order)
    assert Product.objects.get(pk=product.pk).double_price == Decimal("20.00")
if EDIT >= 4:
    order.seller = user
    order.save()

# Earlier rows are still there.
customers = list(Customer.objects.order_by("pk"))
assert [one.email for one in customers] == [f"{n}@example.org" for n in range(1, EDIT + 1)], customers
assert getattr(customers[0], name) == "Customer 1"
assert all(one.created_at for one in customers)
if EDIT >= 2:
    assert customers[-1].state == "a'; 100%\n\\", customers[-1].state
if EDIT > 3:
    assert models.CustomerId.objects.count() == EDIT
assert Order.objects.filter(products__title__startswith="Tea").count() == EDIT
if EDIT >= 10:
    assert {one.note for one in Order.objects.all()} == {"none", "n"}
