"""The ledger's addresses: pages for staff, and the API."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from transactions.api.exports import ExportDetail, ExportFile, ExportList
from transactions.api.purchases import PurchaseDetail
from transactions.api.refunds import RefundDetail, RefundList
from transactions.api.transactions import (
    TransactionDetail,
    TransactionList,
)
from transactions.views import (
    browse,
    bulk,
    bulk_page,
    card,
    customers,
    disputes,
    export_form,
    export_schedules,
    exports,
    flag,
    handing_over,
    layout,
    notes,
    overview,
    payouts,
    polling,
    products,
    queue,
    refund_form,
    refund_limits,
    refund_pages,
    rules,
    saved_views,
)
from transactions.views.metrics import Metrics

app_name = "transactions"

Patterns = list[URLPattern | URLResolver]

pages: Patterns = [
    path("", overview.home, name="home"),
    path("transactions/", browse.browse, name="list"),
    path("transactions/new/", browse.news, name="news"),
    path("transactions/totals/", browse.totals, name="totals"),
    path("transactions/layout/", layout.layout, name="layout"),
    path("transactions/views/", saved_views.views, name="views"),
    path(
        "transactions/views/<uuid:id>/rename/", saved_views.rename, name="rename_view"
    ),
    path(
        "transactions/views/<uuid:id>/change/", saved_views.change, name="change_view"
    ),
    path("transactions/views/<uuid:id>/share/", saved_views.share, name="share_view"),
    path(
        "transactions/views/<uuid:id>/default/",
        saved_views.make_default,
        name="default_view",
    ),
    path(
        "transactions/views/<uuid:id>/delete/", saved_views.delete, name="delete_view"
    ),
    path("transactions/<uuid:id>/", card.card, name="card"),
    path(
        "transactions/<uuid:id>/fulfilment/<slug:act>/",
        handing_over.act,
        name="fulfil",
    ),
    path("transactions/<uuid:id>/receipt.pdf", exports.of_one, name="receipt"),
    path("transactions/<uuid:id>/refund/", refund_form.ask, name="ask_refund"),
    path("refunds/", refund_pages.browse, name="refunds"),
    path("refunds/limits/", refund_limits.page, name="refund_limits"),
    path("refunds/limits/<uuid:id>/", refund_limits.set_limit, name="set_refund_limit"),
    path("refunds/<uuid:id>/", refund_pages.refund, name="refund"),
    path("refunds/<uuid:id>/approve/", refund_pages.approve, name="approve_refund"),
    path("refunds/<uuid:id>/decline/", refund_pages.decline, name="decline_refund"),
    path("refunds/<uuid:id>/cancel/", refund_pages.cancel, name="cancel_refund"),
    path("refunds/<uuid:id>/give-up/", refund_pages.give_up, name="give_up_refund"),
    path("disputes/", disputes.disputes, name="disputes"),
    path("payouts/", payouts.payouts, name="payouts"),
    path("payouts/<uuid:id>/", payouts.payout, name="payout"),
    path("transactions/<uuid:id>/acceptance/", handing_over.accept, name="accept"),
    path(
        "connections/<uuid:id>/poll/", polling.poll_connection, name="poll_connection"
    ),
    path("fulfilment/", queue.queue, name="queue"),
    path("transactions/bulk/", bulk.choose, name="choose_bulk"),
    path("bulk/", bulk_page.history, name="bulk_history"),
    path("bulk/<uuid:id>/", bulk_page.page, name="bulk"),
    path("bulk/<uuid:id>/start/", bulk.start, name="start_bulk"),
    path("bulk/<uuid:id>/cancel/", bulk.cancel, name="cancel_bulk"),
    path("bulk/<uuid:id>/undo/", bulk.undo, name="undo_bulk"),
    path("exports/", exports.history, name="exports"),
    path("exports/new/", export_form.new, name="export_new"),
    path(
        "exports/columns/<uuid:id>/delete/", export_form.drop_preset, name="drop_preset"
    ),
    path("exports/schedules/", export_schedules.browse, name="export_schedules"),
    path("exports/schedules/new/", export_schedules.new, name="export_schedule_new"),
    path("exports/schedules/<uuid:id>/", export_schedules.edit, name="export_schedule"),
    path(
        "exports/schedules/<uuid:id>/pause/",
        export_schedules.pause,
        name="pause_schedule",
    ),
    path(
        "exports/schedules/<uuid:id>/resume/",
        export_schedules.resume,
        name="resume_schedule",
    ),
    path(
        "exports/schedules/<uuid:id>/delete/",
        export_schedules.delete,
        name="delete_schedule",
    ),
    path("exports/<uuid:id>/", exports.export, name="export"),
    path("exports/<uuid:id>/file/", exports.download, name="download_export"),
    path("exports/<uuid:id>/receipt/", exports.receipt, name="export_receipt"),
    path("exports/<uuid:id>/cancel/", exports.cancel, name="cancel_export"),
    path("exports/<uuid:id>/again/", exports.again, name="repeat_export"),
    path("exports/<uuid:id>/delete/", exports.delete, name="delete_export"),
    path("transactions/<uuid:id>/notes/", notes.add, name="add_note"),
    path("notes/<uuid:id>/edit/", notes.edit, name="edit_note"),
    path("notes/<uuid:id>/remove/", notes.remove, name="remove_note"),
    path("customers/<uuid:id>/flag/", flag.flag, name="flag"),
    path("customers/", customers.customers, name="customers"),
    path("customers/<uuid:id>/", customers.customer, name="customer"),
    path("products/", products.products, name="products"),
    path("products/<uuid:id>/", products.product, name="product"),
    path("products/<uuid:id>/rule/", rules.of_product, name="product_rule"),
    path("products/<uuid:id>/rule/set/", rules.set_of_product, name="set_product_rule"),
    path("products/rules/<uuid:id>/", rules.of_project, name="products_rule"),
    path(
        "products/rules/<uuid:id>/set/",
        rules.set_of_project,
        name="set_products_rule",
    ),
]

api: Patterns = [
    path("v1/transactions", TransactionList.as_view(), name="api_list"),
    path("v1/transactions/<str:id>", TransactionDetail.as_view(), name="api_card"),
    path("v1/refunds", RefundList.as_view(), name="api_refunds"),
    path("v1/refunds/<str:id>", RefundDetail.as_view(), name="api_refund"),
    path("v1/purchases/<str:id>", PurchaseDetail.as_view(), name="api_purchase"),
    path("v1/exports", ExportList.as_view(), name="api_exports"),
    path("v1/exports/<str:id>", ExportDetail.as_view(), name="api_export"),
    path("v1/exports/<str:id>/file", ExportFile.as_view(), name="api_export_file"),
    path("metrics", Metrics.as_view(), name="metrics"),
]

urlpatterns = pages + api
