"""The safe opens only with the right key, on the right row, for the right purpose."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant import vault

ROW = uuid4()


@given(st.text())
def test_what_was_sealed_comes_back(secret: str) -> None:
    try:
        secret.encode()
    except UnicodeEncodeError:
        return  # half a surrogate pair is no text that anybody can paste
    sealed = vault.seal(secret, purpose="p", row=ROW)
    assert vault.unseal(sealed, purpose="p", row=ROW) == secret


def test_the_secret_does_not_show() -> None:
    assert "whsec" not in vault.seal("whsec_123456", purpose="p", row=ROW)


def test_nothing_stays_nothing() -> None:
    assert vault.seal("", purpose="p", row=ROW) == ""
    assert vault.unseal("", purpose="p", row=ROW) == ""


def test_a_sealed_text_moved_to_another_row_stays_closed() -> None:
    sealed = vault.seal("secret", purpose="p", row=ROW)
    with pytest.raises(vault.Locked, match="another row"):
        vault.unseal(sealed, purpose="p", row=uuid4())


def test_a_sealed_text_used_for_another_purpose_stays_closed() -> None:
    sealed = vault.seal("secret", purpose="connection.signing", row=ROW)
    with pytest.raises(vault.Locked):
        vault.unseal(sealed, purpose="connection.public", row=ROW)


def test_the_old_key_opens_while_it_is_in_the_list(settings) -> None:
    sealed = vault.seal("secret", purpose="p", row=ROW)
    old, new = settings.ENCRYPTION_KEYS[0], vault.new_key()
    settings.ENCRYPTION_KEYS = [new, old]
    assert vault.unseal(sealed, purpose="p", row=ROW) == "secret"


def test_a_wrong_key_says_what_to_do(settings) -> None:
    sealed = vault.seal("secret", purpose="p", row=ROW)
    settings.ENCRYPTION_KEYS = [vault.new_key()]
    with pytest.raises(vault.Locked, match="ENCRYPTION_KEYS"):
        vault.unseal(sealed, purpose="p", row=ROW)


def test_without_keys_nothing_is_sealed(settings) -> None:
    settings.ENCRYPTION_KEYS = []
    with pytest.raises(vault.Locked, match="new_encryption_key"):
        vault.seal("secret", purpose="p", row=ROW)
