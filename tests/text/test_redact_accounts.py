"""A service account is named in a report, a person is not."""

from __future__ import annotations

import pytest

from forensics.text.redact import redact


@pytest.mark.parametrize(
    "account",
    ["ci@shop.iam.gserviceaccount.com", "123-compute@developer.gserviceaccount.com", "x@appspot.gserviceaccount.com"],
)
def test_the_account_that_a_role_is_given_to_is_named(account: str) -> None:
    assert redact(f"Permission denied for {account}.") == f"Permission denied for {account}."


@pytest.mark.parametrize(
    "address", ["jane@example.com", "jane@gserviceaccount.com", "a@x.gserviceaccount.com.example.com"]
)
def test_a_person_is_not(address: str) -> None:
    assert redact(f"refused: {address}") == "refused: [redacted:email]"
