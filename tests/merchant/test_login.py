"""The way in: log in, log out, limits, password change and reset."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, reverse

from merchant.models import Member, User
from tests.conftest import client_of
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "a much longer secret 7"


def log_in(email: str, password: str = PASSWORD, **more: str):  # noqa: ANN201
    return Client(**more).post("/login/", {"login": email, "password": password})


def test_a_member_gets_in(owner: Member) -> None:
    response = log_in(owner.user.email)
    assert response.status_code == 302
    assert response["Location"] == "/"


def test_the_case_of_the_address_does_not_matter(owner: Member) -> None:
    assert log_in(owner.user.email.upper()).status_code == 302


def test_a_wrong_password_is_answered_like_an_unknown_address(owner: Member) -> None:
    wrong = log_in(owner.user.email, "not it")
    unknown = log_in("nobody@example.com", "not it")
    assert wrong.status_code == unknown.status_code == 200
    hide = re.compile(r'value="[^"]*"|name="csrf[^>]*')
    bodies = [hide.sub("", r.content.decode()) for r in (wrong, unknown)]
    assert bodies[0] == bodies[1]
    assert "The e-mail or the password is not right." in bodies[0]


def test_the_eleventh_failure_of_an_account_reads_how_long_to_wait(
    owner: Member,
) -> None:
    for _ in range(10):
        log_in(owner.user.email, "not it")
    limited = log_in(owner.user.email)
    assert limited.status_code == 200
    assert "Too many failed tries. Try again in 5 minutes." in limited.content.decode()


def test_another_account_is_not_limited_with_it(owner: Member, viewer: Member) -> None:
    for _ in range(11):
        log_in(owner.user.email, "not it")
    assert log_in(viewer.user.email).status_code == 302


def test_an_address_is_limited_after_thirty_failures(owner: Member) -> None:
    for number in range(30):
        log_in(f"guess{number}@example.com", "not it")
    limited = log_in(owner.user.email)
    assert "Too many failed tries." in limited.content.decode()
    elsewhere = log_in(owner.user.email, REMOTE_ADDR="198.51.100.7")
    assert elsewhere.status_code == 302


def test_a_made_up_forwarded_address_evades_no_limit(owner: Member) -> None:
    for number in range(30):
        log_in("g@example.com" if number < 5 else f"g{number}@example.com", "no",
               HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")  # fmt: skip
    limited = log_in(owner.user.email, HTTP_X_FORWARDED_FOR="203.0.113.200")
    assert "Too many failed tries." in limited.content.decode()


def test_logging_in_well_does_not_use_up_tries(owner: Member) -> None:
    assert {log_in(owner.user.email).status_code for _ in range(12)} == {302}


@pytest.mark.parametrize(
    "evil",
    [
        "//evil.example",
        "///evil.example",
        "https://evil.example/",
        "http:evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\x08//evil.example",
        "javascript:alert(1)",
        "https://testserver@evil.example/",
        "\t//evil.example",
        "https:///evil.example",
    ],
)
def test_a_login_leads_to_no_other_house(owner: Member, evil: str) -> None:
    form = {"login": owner.user.email, "password": PASSWORD, "next": evil}
    response = Client().post("/login/", form)
    assert response["Location"] == "/"


def test_a_login_leads_back_to_the_page_that_was_asked_for(owner: Member) -> None:
    client = Client()
    asked = "/transactions/?status=paid"
    door = client.get(asked)
    assert door["Location"].startswith("/login/?next=")
    form = {"login": owner.user.email, "password": PASSWORD, "next": asked}
    assert client.post(door["Location"], form)["Location"] == asked


def test_the_session_gets_a_new_id_at_login(owner: Member) -> None:
    client = Client()
    client.get("/login/")
    before = client.cookies.get("session")
    client.post("/login/", {"login": owner.user.email, "password": PASSWORD})
    after = client.cookies["session"].value
    assert before is None or before.value != after


def test_logging_out_ends_the_session_on_the_server(owner: Member) -> None:
    client = client_of(owner)
    stolen = client.cookies["session"].value
    assert client.post("/logout/").status_code == 302
    thief = Client()
    thief.cookies["session"] = stolen
    assert thief.get("/transactions/").status_code == 302


def test_logging_out_wants_a_post(owner_client: Client) -> None:
    assert owner_client.get("/logout/").status_code == 200
    assert owner_client.get("/transactions/").status_code == 200


def test_a_form_without_its_token_is_refused(owner: Member) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/login/", {"login": "a@example.com", "password": "x"})
    assert response.status_code == 403
    assert "form is out of date" in response.content.decode()


@pytest.mark.parametrize(
    "name", ["account_signup", "account_email", "account_set_password"]
)
def test_only_what_we_use_is_mounted(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


@pytest.mark.parametrize(
    "path", ["/signup/", "/accounts/signup/", "/email/", "/admin/"]
)
def test_there_is_no_other_way_in(path: str) -> None:
    assert Client().get(path).status_code == 404


# -------------------------------------------------------------------- password change
def test_a_changed_password_holds_and_other_sessions_end(owner: Member) -> None:
    here, elsewhere = client_of(owner), client_of(owner)
    form = {
        "oldpassword": PASSWORD,
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
    }
    assert here.post("/password/change/", form)["Location"] == "/"
    assert here.get("/transactions/").status_code == 200
    assert elsewhere.get("/transactions/").status_code == 302
    assert log_in(owner.user.email, NEW_PASSWORD).status_code == 302


def test_a_change_wants_the_current_password(owner_client: Client) -> None:
    form = {"oldpassword": "no", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    response = owner_client.post("/password/change/", form)
    assert "This is not your current password." in response.content.decode()


@pytest.mark.parametrize("weak", ["short", "password1234"])
def test_a_weak_password_is_not_taken(owner: Member, weak: str) -> None:
    form = {"oldpassword": PASSWORD, "password1": weak, "password2": weak}
    client_of(owner).post("/password/change/", form)
    assert User.objects.get(pk=owner.user.pk).check_password(PASSWORD)


# --------------------------------------------------------------------- password reset
def link_of(message: mail.EmailMessage) -> str:
    found = re.search(r"https?://\S+", str(message.body))
    assert found
    return found[0]


def test_a_reset_sends_a_link_that_works_once(owner: Member, settings) -> None:
    client = Client()
    asked = client.post("/password/reset/", {"email": owner.user.email})
    assert asked["Location"] == "/password/reset/done/"
    link = link_of(mail.outbox[0])
    assert link.startswith(settings.PUBLIC_URL)
    path = link.removeprefix(settings.PUBLIC_URL)
    form_page = client.get(path, follow=True)
    action = form_page.redirect_chain[-1][0]
    form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post(action, form)["Location"] == "/password/reset/key/done/"
    assert log_in(owner.user.email, NEW_PASSWORD).status_code == 302
    assert "does not work any more" in Client().get(path).content.decode()


def test_a_foreign_host_name_gets_into_no_mail(owner: Member, settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    client = Client(HTTP_HOST="evil.example")
    client.post("/password/reset/", {"email": owner.user.email})
    assert "evil.example" not in str(mail.outbox[0].body)


def test_a_reset_for_nobody_is_answered_alike_and_sends_nothing(owner: Member) -> None:
    known = Client().post("/password/reset/", {"email": owner.user.email})
    unknown = Client().post("/password/reset/", {"email": "nobody@example.com"})
    assert known["Location"] == unknown["Location"]
    assert len(mail.outbox) == 1


def test_a_mail_that_cannot_go_out_tells_nobody_who_is_a_member(
    owner: Member, settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answer = Client().post("/password/reset/", {"email": owner.user.email})
    assert answer["Location"] == "/password/reset/done/"
    assert "could not be sent" in caplog.text


def test_a_reset_opens_an_account_that_ran_into_the_limit(owner: Member) -> None:
    for _ in range(11):
        log_in(owner.user.email, "not it")
    client = Client()
    client.post("/password/reset/", {"email": owner.user.email})
    path = re.sub(r"https?://[^/]+", "", link_of(mail.outbox[0]))
    action = client.get(path, follow=True).redirect_chain[-1][0]
    client.post(action, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert log_in(owner.user.email, NEW_PASSWORD).status_code == 302
