"""Projects: which there are, and what is set for each of them."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from merchant import audit, htmx, projects
from merchant.models import Member, Project
from merchant.selectors import held_projects, projects_of
from merchant.views.guard import may

ONE = "project"


class NewForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=projects.LONGEST_NAME,
        help_text=_("As staff call the shop, store or brand."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        initial="UTC",
        help_text=_(
            "Where its days begin: a date in a filter, the API or an export is meant "
            "there. Times are kept in UTC, so it can be changed later."
        ),
        widget=forms.TextInput(
            {"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}
        ),
    )

    def refuse(self, error: projects.NotUsable) -> None:
        self.add_error(error.field, str(error))


class ChangeForm(NewForm):
    honour_callbacks = forms.BooleanField(
        label=_("Honour callbacks carried by purchases"),
        required=False,
        widget=forms.CheckboxInput(
            {"aria-describedby": "id_honour_callbacks_helptext"}
        ),
    )


@require_safe
@may("manage_projects")
def browse(request: HttpRequest) -> HttpResponse:
    context = {
        "shops": projects_of(_member(request)).annotate(
            connected=Count("connections", filter=Q(connections__closed=None))
        ),
        "may_add": _may_add(request),
    }
    return render(request, "merchant/projects/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@may("manage_projects")
def new(request: HttpRequest) -> HttpResponse:
    if not _may_add(request):
        raise Http404
    member = _member(request)
    form = NewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            project = projects.add(member.merchant, **form.cleaned_data)
        except projects.NotUsable as error:
            form.refuse(error)
        else:
            audit.note(member, "project.added", project, request=request)
            words = _("Project added")
            return htmx.redirect(request, _page(project), words=words)
    context = {"form": form, "zones": sorted(available_timezones())}
    status = 422 if request.method == "POST" else 200
    return render(request, "merchant/projects/new.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@may("manage_projects")
def project(request: HttpRequest, id: str) -> HttpResponse:
    member, shop = _member(request), _found(request, id)
    now = {name: getattr(shop, name) for name in ChangeForm.base_fields}
    form = ChangeForm(request.POST if request.method == "POST" else None, initial=now)
    if request.method == "POST" and form.is_valid():
        try:
            changed = projects.change(shop, **form.cleaned_data)
        except projects.NotUsable as error:
            form.refuse(error)
        else:
            if changed:
                audit.note(
                    member, "project.changed", shop, detail=changed, request=request
                )
            words = _("Project changed") if changed else _("Nothing was changed")
            return htmx.redirect(request, _page(shop), words=words)
    context = {"form": form, "shop": shop, "zones": sorted(available_timezones())}
    status = 422 if request.method == "POST" else 200
    return render(request, "merchant/projects/page.html", context, status=status)


def _found(request: HttpRequest, id: str) -> Project:
    """By slug, or by id as commands take it too."""
    shops = projects_of(_member(request))
    try:
        shop = shops.filter(pk=UUID(id)).first()
    except ValueError:
        shop = shops.filter(slug=id).first()
    if shop is None:
        raise Http404
    return shop


def _may_add(request: HttpRequest) -> bool:
    """Who is limited to some projects would not see a new one."""
    return not held_projects(_member(request))


def _member(request: HttpRequest) -> Member:
    return request.member  # type: ignore[attr-defined, no-any-return]


def _page(shop: Project) -> str:
    return reverse(ONE, args=[shop.slug])
