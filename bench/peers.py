"""The same list as one would build it quickly: Django's admin, and django-tables2.

Both are set up as their documentation does it, for the same columns, filters and page
size, and where a default would make them slow for no reason (a filter that first asks
for all values there are) it is left out.
"""

from __future__ import annotations

import os
from typing import Any

import django_filters
import django_tables2
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from merchant.models import Project
from transactions.models import Product, Transaction
from transactions.statuses import Status

SIZE = 25
COLUMNS = ("created", "amount", "currency", "status", "customer_email", "method",
           "project", "fulfilment")  # fmt: skip
SEARCHED = ("customer_email", "customer_name", "order_reference", "provider_id")


def rows() -> QuerySet[Transaction]:
    """What our list shows when nothing is asked."""
    return Transaction.objects.filter(
        merchant__slug=os.environ["BENCH_MERCHANT"], parked=False
    )


# --------------------------------------------------------------------------- admin
@admin.register(Transaction)
class TransactionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = COLUMNS
    list_filter = ("status", "provider", "livemode", "fulfilment", "project")
    search_fields = SEARCHED
    list_select_related = ("project",)
    list_per_page = SIZE
    ordering = ("-created", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        return rows()

    def lookup_allowed(self, *_: Any) -> bool:
        return True  # columns that no list_filter names can be asked by the address


# -------------------------------------------------------------------------- tables2
class Table(django_tables2.Table):
    class Meta:
        model = Transaction
        fields = COLUMNS
        order_by = ("-created", "-id")


class Filter(django_filters.FilterSet):
    status = django_filters.MultipleChoiceFilter(choices=Status.choices)
    project = django_filters.ModelChoiceFilter(queryset=Project.objects.all())
    product = django_filters.ModelMultipleChoiceFilter(
        field_name="items__product__name",
        to_field_name="name",
        queryset=Product.objects.order_by("name").distinct("name"),
    )
    currency = django_filters.CharFilter()
    country = django_filters.CharFilter(field_name="customer_country")
    method = django_filters.CharFilter(lookup_expr="iexact")
    brand = django_filters.CharFilter(field_name="method_brand", lookup_expr="iexact")
    created = django_filters.DateFromToRangeFilter()
    amount = django_filters.RangeFilter()
    q = django_filters.CharFilter(method="search")

    class Meta:
        model = Transaction
        fields = ("provider", "fulfilment")

    def search(
        self, found: QuerySet[Transaction], name: str, words: str
    ) -> QuerySet[Transaction]:
        every = Q()
        for column in SEARCHED:
            every |= Q(**{f"{column}__icontains": words})
        return found.filter(every)


def tables(request: HttpRequest) -> HttpResponse:
    found = Filter(request.GET, queryset=rows().filter(livemode=True))
    assert found.is_valid(), found.errors
    table = Table(found.qs.select_related("project"))
    django_tables2.RequestConfig(request, paginate={"per_page": SIZE}).configure(table)
    page = engines["django"].from_string(
        "{% load django_tables2 %}<form>{{ filter.form.as_p }}</form>"
        "{% render_table table %}"
    )
    return HttpResponse(page.render({"table": table, "filter": found}, request))


urlpatterns = [path("admin/", admin.site.urls), path("tables/", tables)]
