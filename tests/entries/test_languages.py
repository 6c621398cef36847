"""Stacks of each language: found, type, words, root and the application's frame; also cut, escaped and with CRLF."""

from __future__ import annotations

from typing import NamedTuple

import pytest

import forensics
from forensics.entries.tracebacks import parse_exceptions


class Trace(NamedTuple):
    """A text as a runtime prints it, and what it tells."""

    language: str
    text: str
    type: str
    message: str
    root: str
    place: str | None
    """File and line of the application's innermost frame; None where all code is a library's."""


TRACES = (
    Trace(
        "Python",
        "Traceback (most recent call last):\n"
        "  File \"/app/shop/stock.py\", line 7, in take\n    return shelf[name]\nKeyError: 'tea'\n\n"
        "The above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n"
        '  File "/app/shop/pay.py", line 31, in pay\n    take(name)\nshop.errors.NoStockError: tea is gone',
        "shop.errors.NoStockError",
        "tea is gone",
        "KeyError",
        "/app/shop/stock.py:7",
    ),
    Trace(
        "Node",
        "/app/pay.js:12\n    throw err;\n    ^\n\nTypeError: Cannot read properties of undefined (reading 'total')\n"
        "    at pay (/app/pay.js:12:9)\n    at /app/node_modules/express/lib/router.js:9:1\n\nNode.js v22.1.0",
        "TypeError",
        "Cannot read properties of undefined (reading 'total')",
        "TypeError",
        "/app/pay.js:12",
    ),
    Trace(
        "Deno",
        "error: Uncaught (in promise) TypeError: basket is not iterable\n  for (const tea of basket) {\n"
        "                     ^\n    at sum (https://deno.land/x/sums@v1.2.0/mod.ts:4:11)\n"
        "    at file:///app/pay.ts:22:1",
        "TypeError",
        "basket is not iterable",
        "TypeError",
        "/app/pay.ts:22",
    ),
    Trace(
        "Deno",
        'Uncaught NotFound: No such file "menu.json"\n    at open (ext:deno_fs/30_fs.js:9:4)\n    at '
        "file:///app/menu.ts:3:9",
        "NotFound",
        'No such file "menu.json"',
        "NotFound",
        "/app/menu.ts:3",
    ),
    Trace(
        "Bun",
        "7 | }\n8 | \n9 | Bun.serve({ port: tea });\n        ^\nTypeError: port must be a number\n"
        ' code: "ERR_INVALID_ARG_TYPE"\n\n      at /app/src/index.ts:9:5\n\nBun v1.2.1 (Linux x64)',
        "TypeError",
        'port must be a number\n code: "ERR_INVALID_ARG_TYPE"',
        "TypeError",
        "/app/src/index.ts:9",
    ),
    Trace(
        "Bun",
        "Bun v1.2.1 (abc) Linux x64\n\npanic(main thread): Segmentation fault at address 0x10\noh no: Bun has crashed.",
        "panic",
        "Segmentation fault at address 0x10",
        "panic",
        None,
    ),
    Trace(
        "Java",
        'Exception in thread "main" com.example.PayException: no payment\n'
        "\tat com.example.Pay.run(Pay.java:40)\n\tat org.springframework.web.Servlet.service(Servlet.java:1)\n"
        "Caused by: java.io.IOException: the till is shut\n\t... 2 more",
        "com.example.PayException",
        "no payment",
        "java.io.IOException",
        "Pay.java:40",
    ),
    Trace(
        "Kotlin",
        "java.lang.IllegalStateException: no till\n\tat org.koin.core.Koin.get(Koin.kt:33)\n"
        "\tat com.example.PayKt$main$1.invokeSuspend(Pay.kt:12)\n"
        "\tat kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith(ContinuationImpl.kt:33)",
        "java.lang.IllegalStateException",
        "no till",
        "java.lang.IllegalStateException",
        "Pay.kt:12",
    ),
    Trace(
        "Scala",
        'Exception in thread "main" scala.MatchError: tea (of class java.lang.String)\n'
        "\tat shop.Main$.delayedEndpoint$shop$Main$1(Main.scala:8)\n\tat scala.App.main(App.scala:76)\n"
        "\tat akka.actor.ActorCell.invoke(ActorCell.scala:5)",
        "scala.MatchError",
        "tea (of class java.lang.String)",
        "scala.MatchError",
        "Main.scala:8",
    ),
    Trace(
        "Go",
        "panic: no till [recovered]\n\tpanic: assignment to entry in nil map\n\ngoroutine 1 [running]:\n"
        "encoding/json.(*decodeState).object(0x1)\n\tencoding/json/decode.go:7 +0x1d\n"
        "github.com/labstack/echo/v4.(*Echo).Start(0x1)\n\tgithub.com/labstack/echo/v4@v4.1.0/echo.go:9 +0x1d\n"
        "shop/till.Open(...)\n\tshop/till/open.go:31 +0x1d\nmain.main()\n\t./main.go:12 +0x4",
        "panic",
        "assignment to entry in nil map",
        "panic",
        "shop/till/open.go:31",
    ),
    Trace(
        "Go",
        "fatal error: concurrent map writes\n\ngoroutine 7 [running]:\nruntime.throw(0x6df750, 0x15)\n"
        "\t/opt/go1.21/src/runtime/panic.go:605 +0x95 fp=0xc4200 sp=0xc4201 pc=0x42b5c5\n"
        "example.com/shop.add(0xc42012fb00)\n\t/srv/shop/add.go:142 +0xdd fp=0xc4202 sp=0xc4203 pc=0x63f4dd",
        "fatal error",
        "concurrent map writes",
        "fatal error",
        "/srv/shop/add.go:142",
    ),
    Trace(
        "Ruby",
        "/app/pay.rb:12:in `pay': undefined method `total' for nil (NoMethodError)\n"
        "\tfrom /usr/share/gems/gems/rack-3.0/lib/rack.rb:9:in `call'\n\tfrom /app/run.rb:3:in `<main>'",
        "NoMethodError",
        "undefined method `total' for nil",
        "NoMethodError",
        "/app/pay.rb:12",
    ),
    Trace(
        "Ruby",
        "Puma caught this error: wrong number of arguments (ArgumentError)\n"
        "/usr/share/gems/gems/puma-6.0/lib/puma.rb:7:in `run'\n/app/pay.rb:24:in `pay'",
        "ArgumentError",
        "wrong number of arguments",
        "ArgumentError",
        "/app/pay.rb:24",
    ),
    Trace(
        "PHP",
        "PHP Fatal error:  Uncaught PDOException: refused in /app/Db.php:9\nStack trace:\n#0 "
        "/app/Pay.php(31): Db->open()\n"
        "#1 {main}\n\nNext App\\PayException: no payment in /app/Pay.php:33\nStack trace:\n#0 {main}\n  thrown",
        "App\\PayException",
        "no payment",
        "PDOException",
        "/app/Db.php:9",
    ),
    Trace(
        "PHP, Laravel",
        '[2026-03-02 10:00:00] production.ERROR: refused {"exception":"[object] '
        "(Illuminate\\\\Database\\\\QueryException"
        "(code: 2002): refused (SQL: select 1) at /app/vendor/laravel/Connection.php:760)\n[stacktrace]\n"
        '#0 /app/vendor/laravel/Connection.php(720): run()\n#1 /app/app/Pay.php(31): query()\n"}',
        "Illuminate\\Database\\QueryException",
        "refused (SQL: select 1)",
        "Illuminate\\Database\\QueryException",
        "/app/app/Pay.php:31",
    ),
    Trace(
        "PHP, Symfony",
        'request.CRITICAL: Uncaught PHP Exception App\\Errors\\NoStock: "tea is gone" at /app/src/Pay.php line 12 {}',
        "App\\Errors\\NoStock",
        "tea is gone",
        "App\\Errors\\NoStock",
        "/app/src/Pay.php:12",
    ),
    Trace(
        ".NET",
        "Unhandled exception. System.AggregateException: One or more errors occurred. ---> "
        "Shop.PayException (0x80004005): "
        "no till\n   at Shop.Till.Open() in /src/Till.cs:line 5\n   --- End of inner exception stack trace ---\n"
        "   at System.Threading.Tasks.Task.Wait()",
        "System.AggregateException",
        "One or more errors occurred.",
        "Shop.PayException",
        "/src/Till.cs:5",
    ),
    Trace(
        "Rust",
        "thread 'main' panicked at /rustc/abc/library/core/src/option.rs:5:9:\nno tea\nstack backtrace:\n"
        "   0: rust_begin_unwind\n             at /rustc/abc/library/std/src/panicking.rs:5:5\n"
        "   1: shop::till::open\n             at ./src/till.rs:31:7\n   2: tokio::runtime::run\n"
        "             at /root/.cargo/registry/src/tokio-1.0/src/run.rs:9:1\nnote: Some details are omitted",
        "panic",
        "no tea",
        "panic",
        "./src/till.rs:31",
    ),
    Trace(
        "Rust",
        "thread 'tokio-runtime-worker' panicked at 'assertion failed: `(left == right)`\n  left: `1`,\n right: `2`', "
        "src/till.rs:3:5\nnote: run with `RUST_BACKTRACE=1`",
        "panic",
        "assertion failed: `(left == right)`\n  left: `1`,\n right: `2`",
        "panic",
        "src/till.rs:3",
    ),
    Trace(
        "Rust",
        "Error: no payment\n\nCaused by:\n    0: no till\n    1: Connection refused (os error 111)",
        "Error",
        "no payment",
        "Error",
        None,
    ),
    Trace(
        "Dart",
        "Unhandled exception:\nBad state: no tea\n#0      Iterable.first (dart:core/iterable.dart:9)\n"
        "#1      pay (package:shop/pay.dart:15:3)\n<asynchronous suspension>\n#2      main "
        "(file:///app/bin/main.dart:6:5)",
        "StateError",
        "Bad state: no tea",
        "StateError",
        "package:shop/pay.dart:15",
    ),
    Trace(
        "Flutter",
        "E/flutter ( 509): [ERROR:flutter/runtime/dart_vm.cc(41)] Unhandled Exception: SocketException: refused\n"
        "E/flutter ( 509): #0      _Socket.connect (dart:io/socket.dart:7:2)\n"
        "E/flutter ( 509): #1      Till.open (package:shop/till.dart:31:9)",
        "SocketException",
        "refused",
        "SocketException",
        "package:shop/till.dart:31",
    ),
    Trace(
        "Elixir",
        "10:00:00.000 [error] GenServer Shop.Till terminating\n** (Shop.NoStockError) tea is gone\n"
        "    (ecto 3.1.0) lib/ecto/repo.ex:9: Ecto.Repo.get/2\n    (shop 0.1.0) lib/shop/till.ex:31: Shop.Till.open/1\n"
        "    (stdlib 5.0) gen_server.erl:9: :gen_server.try_handle_call/4\nLast message: :open",
        "Shop.NoStockError",
        "tea is gone",
        "Shop.NoStockError",
        "lib/shop/till.ex:31",
    ),
    Trace(
        "Elixir",
        "** (stop) exited in: GenServer.call(Shop.Till, :open, 5000)\n    ** (EXIT) no process: the till is not alive\n"
        "    (elixir 1.15.7) lib/gen_server.ex:9: GenServer.call/3\n    lib/shop/pay.ex:7: Shop.Pay.run/1",
        "stop",
        "exited in: GenServer.call(Shop.Till, :open, 5000)",
        "EXIT",
        "lib/shop/pay.ex:7",
    ),
    Trace(
        "Erlang",
        "** Generic server shop terminating\n** Reason for termination ==\n** {badmatch,\n"
        '       [{shop_till,open,[<<"tea">>],[{file,"src/shop_till.erl"},{line,31}]},\n'
        '        {gen_server,handle_msg,6,[{file,"gen_server.erl"},{line,9}]}]}',
        "badmatch",
        "",
        "badmatch",
        "src/shop_till.erl:31",
    ),
    Trace(
        "Swift",
        "App/Pay.swift:13: Fatal error: no till\n\n"
        "0x5579, NIOCore.run() -> () at /app/.build/checkouts/swift-nio/Sources/Loop.swift:9",
        "Fatal error",
        "no till",
        "Fatal error",
        "App/Pay.swift:13",
    ),
    Trace(
        "Swift",
        "*** Swift runtime failure: arithmetic overflow ***\n\nThread 1 crashed:\n\n"
        "0 0x0055 add + 8 in shop at /app/.build/checkouts/sums/Sources/Sum.swift:3:9\n"
        "1 0x0056 pay() + 15 in shop at /app/Sources/App/Pay.swift:72:54",
        "Swift runtime failure",
        "arithmetic overflow",
        "Swift runtime failure",
        "/app/Sources/App/Pay.swift:72",
    ),
    Trace(
        "C++",
        "terminate called after throwing an instance of 'shop::NoStock'\n  what():  tea is gone\n"
        "#0  __GI_raise (sig=6) at ../sysdeps/unix/raise.c:58\n#1  0x007f in shop::pay () at /app/pay.cpp:31\nAborted",
        "shop::NoStock",
        "tea is gone",
        "shop::NoStock",
        "/app/pay.cpp:31",
    ),
    Trace(
        "C++",
        "shop: /app/till.cpp:12: int open(int): Assertion `tea > 0' failed.\nAborted",
        "Assertion",
        "tea > 0",
        "Assertion",
        "/app/till.cpp:12",
    ),
    Trace(
        "C++",
        "libc++abi: terminating due to uncaught exception of type shop::NoStock: tea is gone",
        "shop::NoStock",
        "tea is gone",
        "shop::NoStock",
        None,
    ),
)
_NAMES = [f"{trace.language}-{number}" for number, trace in enumerate(TRACES)]
of_each = pytest.mark.parametrize("trace", TRACES, ids=_NAMES)


def told(text: str) -> tuple[str, str, str, str | None]:
    found = forensics.exception_of(text)
    assert found is not None, text
    frame = found.frame if found.frame and found.frame.in_app else None
    return found.type, found.message, found.root.type, f"{frame.file}:{frame.line}" if frame else None


@of_each
def test_a_stack_tells_its_type_its_words_its_root_and_its_place(trace: Trace) -> None:
    assert told(trace.text) == (trace.type, trace.message, trace.root, trace.place)


@of_each
def test_windows_line_ends_change_nothing(trace: Trace) -> None:
    assert told(trace.text.replace("\n", "\r\n")) == (trace.type, trace.message, trace.root, trace.place)


@of_each
def test_words_before_and_behind_change_no_type_and_no_place(trace: Trace) -> None:
    kind, _, root, place = told(f"the shop opens\n{trace.text}\n")
    assert (kind, root, place) == (trace.type, trace.root, trace.place)


@of_each
def test_a_stack_that_was_cut_still_tells_what_failed(trace: Trace) -> None:
    cut = trace.text[: len(trace.text) * 6 // 10]
    assert parse_exceptions(cut) or trace.text.count("\n") < 3 or trace.language == "Bun"  # under code, no frame


MANY_LINES = [trace for trace in TRACES if trace.text.count("\n") > 2]


@pytest.mark.parametrize("trace", MANY_LINES, ids=lambda trace: trace.language)
def test_a_stack_written_on_one_line_is_read_as_well(trace: Trace) -> None:
    found = forensics.exception_of(trace.text.replace('"', '\\"').replace("\t", "\\t").replace("\n", "\\n"))
    assert found is not None
    assert found.root.type == trace.root


def test_lines_of_a_stack_are_joined_and_others_are_not() -> None:
    lines = ["the shop opens", *TRACES[0].text.splitlines(), "the shop is shut"]
    joined = forensics.join_traces(lines)
    assert (joined[0], joined[-1]) == (lines[0], lines[-1])
    assert told("\n".join(joined[1:-1]))[0] == "shop.errors.NoStockError"
    assert forensics.join_traces([]) == []


def test_a_fingerprint_is_of_the_failure_and_not_of_its_numbers() -> None:
    text = "TypeError: no till 17\n    at pay (/app/pay.js:12:9)\n    at run (/app/run.js:3:1)"
    assert forensics.fingerprint(text) == forensics.fingerprint(text.replace("17", "18"))
    assert forensics.fingerprint(text) != forensics.fingerprint(text.replace("TypeError", "RangeError"))


@pytest.mark.parametrize(
    "text",
    [
        "** (see the manual)",
        "the till is at /app/pay.swift and fine",
        "#0 of 3 in shop.dart",
        "Caused by:\n  a shut till",
        "the check failed: no tea",
    ],
)
def test_prose_is_no_stack(text: str) -> None:
    assert forensics.exception_of(text) is None
