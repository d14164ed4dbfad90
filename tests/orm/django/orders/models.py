"""A shop. `edit.json` says which of the successive versions of the models it has."""

import json
from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

EDIT = json.loads((Path(__file__).parent.parent / "edit.json").read_text())


class Customer(models.Model):
    email = models.EmailField(unique=EDIT >= 6)
    created_at = models.DateTimeField(db_default=Now())
    if EDIT < 7:
        name = models.CharField(max_length=100 if EDIT >= 5 else 50, db_index=EDIT < 6)
    else:
        full_name = models.CharField(max_length=100)
    if EDIT >= 2:
        data = models.JSONField(default=dict, null=True)
        state = models.CharField(max_length=20, db_default="a'; 100%\n\\")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(email__contains="@") & ~Q(email="%;"), name="email_is_one")]
        db_table_comment = "Who's buying; 100%"


class Product(models.Model):
    title = models.TextField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    if EDIT >= 3:
        double_price = models.GeneratedField(
            expression=F("price") * 2,
            output_field=models.DecimalField(max_digits=12, decimal_places=2),
            db_persist=True,
        )

    if EDIT >= 8:

        class Meta:
            indexes = [models.Index(Lower("title"), name="titles")]
            constraints = [
                models.UniqueConstraint(fields=["title"], condition=Q(price__gt=100), name="dear_titles"),
            ]


class Order(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    products = models.ManyToManyField(Product)
    amount = models.BigIntegerField(default=1) if EDIT >= 5 else models.IntegerField(default=1)
    if EDIT >= 2:
        note = models.TextField(null=EDIT < 10)
    if EDIT >= 4:
        seller = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    if EDIT >= 10:
        total = models.IntegerField(db_default=0, db_comment="in cents")


if EDIT >= 3:

    class Invoice(models.Model):
        number = models.PositiveIntegerField()
        is_paid = models.BooleanField(default=False)
        order = models.OneToOneField(Order, on_delete=models.PROTECT)

        class Meta:
            constraints = [models.UniqueConstraint(fields=["order", "number"], name="one_number")]
            indexes = [models.Index(fields=["order"], condition=Q(is_paid=False), name="open_invoices")]


if EDIT < 9:

    class Obsolete(models.Model):
        kind = models.SlugField()


class CustomerId(models.Model):
    """A view that is written by hand."""

    class Meta:
        managed = False
        db_table = "customer_ids"
