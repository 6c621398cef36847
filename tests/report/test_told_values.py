"""The value that is the cause stands in the headline, and a root cause names the component."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import query, raw, raws, request

from forensics.model import Report, Role
from forensics.pipeline import analyze
from forensics.rulebook import load_rules

RULES, INFO = load_rules()


def report(*records: dict[str, Any]) -> Report:
    return analyze(raws(*records), RULES, query(), rulebook=INFO, tool_version="test").report


def failed(text: str, **fields: Any) -> Report:
    return report(raw("hello", at=0), raw(text, at=10, **{"severity": "ERROR"} | fields))


NO_HOST = "org.postgresql.util.PSQLException: Connection to :5432 refused. Check the hostname and port"
NEW_CLASS = (
    "java.lang.UnsupportedClassVersionError: shop/Cart has been compiled by a more recent version of the Java Runtime "
    "(class file version 65.0), this version of the Java Runtime only recognizes class file versions up to 61.0"
)
NO_ACCESS = "robot@shop.iam.gserviceaccount.com does not have storage.objects.get access to projects/_/buckets/bills."
PHRASE = "403 Forbidden: Permission 'iam.serviceAccounts.signBlob' denied on resource (or it may not exist)."
COLUMN = 'column "vat" of relation "orders" does not exist: query failed'
MAIL = "Error: Invalid login: 535 5.7.8 Username not known. For more information, go to"
EXPORT = "onFailure: com.google.cloud.logging.LoggingException: io.grpc.StatusRuntimeException: UNAVAILABLE: io error"


@pytest.mark.parametrize(
    ("text", "headline", "component"),
    [
        (NO_HOST, "database address names no host: PSQLException: Connection to :5432 refused", "shop-api"),
        (NEW_CLASS, "`shop/Cart` has class file version 65.0, this Java reads up to 61.0", "shop-api"),
        (PHRASE, "Permission denied: `iam.serviceAccounts.signBlob` is missing", "shop-api"),
        (NO_ACCESS, "`storage.objects.get` on `projects/_/buckets/bills`", "projects/_/buckets/bills"),
        (NO_ACCESS, "`robot@shop.iam.gserviceaccount.com` lacks", "projects/_/buckets/bills"),
        ("Connection refused (orders-db:5432)", "database at `orders-db:5432` cannot be reached", "orders-db:5432"),
        ("Connection refused (rates:8443)", "`rates:8443` cannot be reached", "rates:8443"),
        ("Could not resolve host: rates.example", "`rates.example` cannot be reached", "rates.example"),
        ("connection pool exhausted (20 of 20)", "used up: connection pool exhausted (20 of 20)", "shop-api"),
        ("Could not load required secret PAY_KEY", "`PAY_KEY` could not be loaded", "shop-api"),
        (COLUMN, 'no column `"vat"` in table `orders`', "orders"),
        (MAIL, "The mail server refuses: 535 5.7.8 Username not known.", "shop-api"),
    ],
)
def test_the_cause_is_told_by_its_value(text: str, headline: str, component: str) -> None:
    found = failed(text)
    (cause,) = found.root_causes
    assert headline in found.headline
    assert "(or" not in found.headline
    assert cause.component == component


def test_the_applications_own_line_goes_before_what_the_entries_name() -> None:
    text = (
        'Traceback (most recent call last):\n  File "/app/rates.py", line 7, in load\n    fetch()\n'
        "ConnectionError: Connection refused (rates:8443)"
    )
    assert failed(text).root_causes[0].component == "/app/rates.py:7"


def test_the_memory_of_several_instances_is_a_range() -> None:
    text = "Memory limit of 256 MiB exceeded with {} MiB used. Consider increasing the memory limit"
    fields: dict[str, Any] = {"stream": "varlog%2Fsystem", "severity": "ERROR"}
    records = [
        raw(text.format(used), at=60 * number, instance=f"i{number}", **fields)
        for number, used in enumerate((420, 258))
    ]
    assert report(*records).headline == "Out of memory: the limit is 256 MiB, 258–420 MiB were used"


def test_the_platforms_own_words_on_a_request_are_the_headline() -> None:
    words = "The request failed because the region is being drained."
    entry = request(503, at=10, latency=0.0, textPayload=words)
    assert report(raw("hello", at=0), entry).headline == "The request failed because the region is being drained"


def test_a_log_that_could_not_be_exported_is_noise() -> None:
    found = failed(EXPORT)
    assert found.incidents == ()
    assert [cluster.role for cluster in found.clusters] == [Role.NOISE]


def test_a_pool_that_is_used_up_says_nothing_of_a_start() -> None:
    assert "start" not in failed("timed out waiting for database connection from pool").headline
