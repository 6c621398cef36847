"""An error whose class, message and stack are entries of their own is one message, with all three."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders import entry

from forensics.clusters.mask import template
from forensics.entries import join, stitch

if TYPE_CHECKING:
    from forensics.model import ExceptionInfo, LogEntry

HEADER = "Traceback (most recent call last):"
FRAMES = ("    at pay (/app/src/pay.js:12:5)", "    at handle (/app/src/server.js:40:3)")


def written(*texts: str | tuple[str, str], step: float = 0.000_2) -> list[LogEntry]:
    """Entries of one stream, a fraction of a millisecond apart; a pair is a text with its severity."""
    made: list[dict[str, Any]] = [
        {"text": text} if isinstance(text, str) else {"text": text[0], "severity": text[1]} for text in texts
    ]
    return [entry(**fields, at=n * step, number=n) for n, fields in enumerate(made)]


def whole(*texts: str | tuple[str, str], step: float = 0.000_2) -> LogEntry:
    """The one message that all of the texts are."""
    (found,) = stitch(written(*texts, step=step))
    assert len(found.pieces) == len(texts)
    assert join(found.pieces) == found
    return found


def exception(found: LogEntry) -> ExceptionInfo:
    (only,) = found.exceptions
    return only


def at_error(*texts: str) -> list[tuple[str, str]]:
    return [(text, "ERROR") for text in texts]


def test_the_message_follows_the_class() -> None:
    found = whole(
        "Rendering failed: Error [ShopClientError]: ",
        "Invalid `shop.order.findMany()` invocation:",
        "",
        "The table `public.orders` does not exist.",
        FRAMES[0] + " {",
        "  code: 'S2021',",
        "}",
    )
    assert exception(found).type == "ShopClientError"
    assert exception(found).value.endswith("The table `public.orders` does not exist.")
    assert exception(found).frames[0].function == "pay"


def test_the_message_of_a_panic_of_rust_follows_its_place() -> None:
    note = "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace"
    found = whole("thread 'main' panicked at src/main.rs:14:42:", "the cart is locked", note)
    assert exception(found).value == "the cart is locked"


def test_the_message_follows_without_any_stack() -> None:
    found = whole("ShopClientError:", "the cart is locked")
    assert (exception(found).type, exception(found).value) == ("ShopClientError", "the cart is locked")


def test_an_excerpt_of_the_code_stands_above_the_message() -> None:
    found = whole(
        "Invalid `prisma.order.create()` invocation in",
        "/app/src/orders.js:18:36",
        "",
        "  15 const total = sum(cart)",
        "→ 18 await prisma.order.create(",
        "Unique constraint failed on the fields: (`number`)",
    )
    assert "Unique constraint failed" in found.message


@pytest.mark.parametrize("severities", [("", "", ""), ("ERROR", "ERROR", "ERROR"), ("INFO", "", "ERROR")])
def test_a_message_of_two_lines_above_its_stack(severities: tuple[str, str, str]) -> None:
    texts = ("Sending failed: Error: 534 rejected. See", "534 5.7.9 the help pages", "\n".join(FRAMES))
    found = whole(*[(text, told) if told else text for text, told in zip(texts, severities, strict=True)])
    assert exception(found).value == "534 rejected. See\n534 5.7.9 the help pages"
    assert len(exception(found).frames) == 2


def test_class_and_message_are_lines_of_their_own() -> None:
    found = whole("TypeError", "the cart is no list", *FRAMES)
    assert (exception(found).type, exception(found).value) == ("TypeError", "the cart is no list")


def test_the_stack_is_logged_before_its_error() -> None:
    found = whole(*FRAMES, ("RangeError: no such page", "ERROR"))
    assert found.message.startswith("RangeError: no such page\n    at pay")
    assert exception(found).value == "no such page"
    assert len(exception(found).frames) == 2
    assert found.insert_id == found.pieces[0].insert_id


def test_the_next_error_keeps_its_own_stack() -> None:
    found = stitch(written(*FRAMES, "RangeError: no such page", *FRAMES))
    assert [len(e.originals) for e in found] == [2, 3]


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("PluginError [Error]: not ready: 'cache'", "PluginError"),
        ("Error [PluginError]: not ready: 'cache'", "PluginError"),
        ("Error [ERR_NOT_READY]: not ready: 'cache'", "Error"),
    ],
)
def test_the_code_is_printed_above_the_error(header: str, kind: str) -> None:
    found = whole(
        "/app/node_modules/plugs/lib/load.js:114",
        "      const late = new NotReady(name)",
        ("\n".join((header, *FRAMES)) + " {", "ERROR"),
        "  statusCode: 500",
        "}",
        step=0.001,
    )
    assert (exception(found).type, exception(found).value) == (kind, "not ready: 'cache'")
    assert template(found) == f"{kind}: not ready: 'cache'"


GOROUTINE = (
    "goroutine 113 [running]:",
    "net/http.(*conn).serve.func1(0xc00085c320)",
    "\tnet/http/server.go:1801 +0x147",
    "panic(0x11d3c40, 0x1d62310)",
    "\truntime/panic.go:975 +0x3e9",
    "shop.example/cart.(*Cart).Sum(0x0, 0xc000)",
    "\tshop.example/cart/sum.go:40 +0x1a9",
)


@pytest.mark.parametrize("severity", ["", "ERROR"])
def test_a_request_panics_line_by_line(severity: str) -> None:
    texts = ("2026/03/01 10:00:00 http: panic serving 10.0.0.1:5000: runtime error: no cart", *GOROUTINE)
    found = whole(*[(text, severity) if severity else text for text in texts])
    assert (exception(found).type, exception(found).value) == ("panic", "runtime error: no cart")
    assert any(frame.file == "shop.example/cart/sum.go" and frame.line == 40 for frame in exception(found).frames)


def test_a_python_traceback_with_a_severity_on_each_line() -> None:
    texts = at_error(HEADER, '  File "/app/shop.py", line 3, in pay', "    charge()", "shop.OutOfStock: item 5")
    assert exception(whole(*texts)).value == "item 5"


@pytest.mark.parametrize(
    "texts",
    [
        ("Error: refused", "ready on port 8080"),  # no stack shows that the second belongs to the first
        ("Order saved", "Cart emptied", FRAMES[0]),
        ("Reload failed. Error:", "2026-03-01 10:00:00 INFO next"),
        ("Reload failed. Error:", "OtherError: x"),
        ("no panic, all is well", "goroutines: 12"),
    ],
)
def test_other_lines_stay_alone(texts: tuple[str, ...]) -> None:
    first, *_ = stitch(written(*texts))
    assert len(first.originals) == 1


def test_milliseconds_keep_them_apart() -> None:
    assert len(stitch(written("Reload failed: Error:", "no cart", step=0.004))) == 2
    assert len(stitch(written(*FRAMES, "RangeError: no such page", step=0.004))) == 2


def test_words_above_a_stack_without_a_class_are_its_title() -> None:
    found = whole("order not paid", *FRAMES)
    assert template(found) == "order not paid"
    torn = whole(*FRAMES)
    assert template(torn) == "A traceback that stops before its exception, in pay"
    cut = entry(f'Paying failed\n{HEADER}\n  File "/app/shop.py", line 3, in pay')
    assert template(cut) == "A traceback that stops before its exception, in pay"
