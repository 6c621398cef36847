"""Tracebacks of every language: which exception came first, what it said, where the application's code stands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from forensics.entries import tracebacks as exceptions
from forensics.entries.tracebacks import fails_without_exception, parse_exceptions, tells_failure, unescaped

PYTHON = """\
Traceback (most recent call last):
  File "/usr/local/lib/python3.11/site-packages/sqlalchemy/engine/base.py", line 1961, in _exec_single_context
    self.dialect.do_execute(
  File "/usr/local/lib/python3.11/site-packages/pymysql/err.py", line 143, in raise_mysql_exception
    raise errorclass(errno, errval)
pymysql.err.OperationalError: (1364, "Field 'id' doesn't have a default value")

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/shop/orders.py", line 35, in create
    db.session.commit()
    ^^^^^^^^^^^^^^^^^^^
  File "<string>", line 2, in commit
sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1364, "Field 'id'")
[SQL: INSERT INTO orders]
(Background on this error at: https://sqlalche.me/e/20/e3q8)"""

PHP = """\
PHP Fatal error:  Uncaught RuntimeException: none in /app/shop.php:12
Stack trace:
#0 /app/index.php(3): Shop->pay()
#1 {main}
  thrown in /app/shop.php on line 12"""


def test_a_python_chain_begins_where_it_was_raised_first() -> None:
    first, second = parse_exceptions("Could not save\n" + PYTHON)
    assert (first.type, first.value) == (
        "pymysql.err.OperationalError",
        "(1364, \"Field 'id' doesn't have a default value\")",
    )
    assert [f.in_app for f in first.frames] == [False, False]
    assert second.type == "sqlalchemy.exc.OperationalError"
    assert second.value.splitlines()[1] == "[SQL: INSERT INTO orders]"
    assert [(f.file, f.line, f.function, f.in_app) for f in second.frames] == [
        ("/app/shop/orders.py", 35, "create", True),
        ("<string>", 2, "commit", False),
    ]


def test_a_python_traceback_that_lost_its_beginning() -> None:
    lines = PYTHON.splitlines()
    for start in (2, 3, 4):  # in the middle of a frame, at a frame, behind one
        found = parse_exceptions(
            "\n".join(line.strip() if i == start else line for i, line in enumerate(lines) if i >= start)
        )
        assert found[-1].type == "sqlalchemy.exc.OperationalError"
    assert parse_exceptions("\n".join(lines[3:]))[0].type == "pymysql.err.OperationalError"


def test_a_python_traceback_that_lost_its_end_has_frames_and_no_type() -> None:
    (found,) = parse_exceptions("\n".join(PYTHON.splitlines()[:3]))
    assert (found.type, found.value, len(found.frames)) == ("", "", 1)


def test_a_lone_frame_is_no_exception() -> None:
    assert parse_exceptions('  File "/app/main.py", line 3, in run\n    x()') == ()


def test_a_python_traceback_that_lost_its_indentation() -> None:
    text = (
        "Traceback (most recent call last):\nFile \"/app/a.py\",line 375, in get\nreturn cache[x]\nraise\nKeyError: 'x'"
    )
    (found,) = parse_exceptions(text)
    assert (found.type, found.value, found.frames[0].line) == ("KeyError", "'x'", 375)


def test_a_syntax_error_is_where_its_file_says() -> None:
    text = """\
Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    from app import agents
  File "/app/agents.py", line 676
    f"
    ^
SyntaxError: unterminated string literal (detected at line 676)"""
    (found,) = parse_exceptions(text)
    assert (found.type, found.frames[-1].file, found.frames[-1].line) == ("SyntaxError", "/app/agents.py", 676)


def test_the_parts_of_a_group_come_before_it() -> None:
    text = """\
  + Exception Group Traceback (most recent call last):
  |   File "/app/run.py", line 1, in main
  |     async with TaskGroup():
  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/run.py", line 9, in one
    |     raise ValueError(1)
    | ValueError: 1
    +---------------- 2 ----------------
    | TypeError: 2
    +------------------------------------"""
    assert [(e.type, e.value, len(e.frames)) for e in parse_exceptions(text)] == [
        ("ValueError", "1", 1),
        ("TypeError", "2", 0),
        ("ExceptionGroup", "unhandled errors in a TaskGroup (2 sub-exceptions)", 1),
    ]


def test_a_traceback_written_as_a_quoted_string() -> None:
    quoted = unescaped(PYTHON.replace('"', '\\"').replace("\n", "\\n"))
    assert [e.type for e in parse_exceptions(quoted)] == [e.type for e in parse_exceptions(PYTHON)]
    assert unescaped(r"C:\new\table") == r"C:\new\table"


def test_node_with_a_cause_and_a_dump() -> None:
    text = """\
/app/server.js:12
    throw err;
    ^

Error: Cannot find module './x'
Require stack:
- /app/index.js
    at Module._resolveFilename (node:internal/modules/cjs/loader:1134:15)
    at async main (file:///app/index.js:3:5)
    at /app/node_modules/express/lib/router.js:9:1
    at Array.map (<anonymous>)
    at /app/run.js:9:1 {
  code: 'MODULE_NOT_FOUND',
  [cause]: TypeError [ERR_X]: inner
      at foo (/app/foo.js:1:2)
}

Node.js v20.1.0"""
    cause, error = parse_exceptions(text)
    assert (cause.type, cause.value, cause.frames[0].function) == ("TypeError", "inner", "foo")
    assert error.value == "Cannot find module './x'\nRequire stack:\n- /app/index.js"
    assert [(f.file, f.line, f.in_app) for f in error.frames] == [
        ("/app/run.js", 9, True),
        ("", None, False),
        ("/app/node_modules/express/lib/router.js", 9, False),
        ("/app/index.js", 3, True),
        ("node:internal/modules/cjs/loader", 1134, False),
    ]
    assert [f.function for f in error.frames] == ["", "Array.map", "", "main", "Module._resolveFilename"]


def test_node_with_words_before_the_error() -> None:
    (found,) = parse_exceptions(
        "Error fetching orders Error: timeout of 5 s\n    at get (/app/api.js:7:3)\n    at /app/b.js:1:1"
    )
    assert (found.type, found.value, found.frames[-1].function) == ("Error", "timeout of 5 s", "get")


def test_java_begins_at_the_last_cause() -> None:
    text = """\
Exception in thread "main" java.lang.IllegalStateException: outer
\tat com.example.Shop.pay(Shop.java:40)
\tat org.springframework.web.Servlet.service(Servlet.java:1)
\tSuppressed: java.lang.RuntimeException: close
\t\tat com.example.Res.close(Res.java:1)
Caused by: com.example.NoStock: middle
\tat com.example.Db.query(Db.java:7)
\t... 2 more
Caused by: java.net.ConnectException: Connection refused
\tat java.base/java.net.Socket.connect(Socket.java:633)
\tat com.example.Net.open(Net.kt:5)
\t... 12 more"""
    found = parse_exceptions(text)
    assert [e.type for e in found] == [
        "java.net.ConnectException",
        "com.example.NoStock",
        "java.lang.IllegalStateException",
    ]
    assert [(f.function, f.in_app) for f in found[0].frames] == [
        ("com.example.Net.open", True),
        ("java.base/java.net.Socket.connect", False),
    ]


def test_dotnet_begins_at_the_inner_exception() -> None:
    text = """\
      System.InvalidOperationException: outer
       ---> System.ArgumentException: inner
         at Shop.Db.Open() in /src/Db.cs:line 5
         --- End of inner exception stack trace ---
         at Shop.Api.Pay(Order order) in /src/Api.cs:line 12
         at Microsoft.AspNetCore.Mvc.Controller.Run[T](Func`1 f)"""
    inner, outer = parse_exceptions(text.strip())
    assert (inner.type, inner.value, [f.line for f in inner.frames]) == ("System.ArgumentException", "inner", [5])
    assert [(f.file, f.line, f.in_app) for f in outer.frames] == [("", None, False), ("/src/Api.cs", 12, True)]


def test_go_panics() -> None:
    text = """\
panic: first [recovered]
\tpanic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
panic({0x45ee80?, 0x4b3d40?})
\t/usr/local/go/src/runtime/panic.go:770 +0x132
main.(*Shop).Pay(0xc000012345, {0x1, 0x2})
\t/app/shop.go:12 +0x1d
goroutine 5 [select]:
other.Wait()
\t/app/z.go:1 +0x1
exit status 2"""
    first, last = parse_exceptions(text)
    assert (first.type, first.value, first.frames) == ("panic", "first", ())
    assert last.value == "runtime error: index out of range [5] with length 3"
    assert [(f.file, f.function, f.in_app) for f in last.frames] == [
        ("/app/shop.go", "main.(*Shop).Pay", True),
        ("/usr/local/go/src/runtime/panic.go", "panic", False),
    ]
    assert parse_exceptions("Do not panic, it is only a drill") == ()


@pytest.mark.parametrize(
    ("text", "type_", "value", "frame"),
    [
        (
            "app/shop.rb:12:in `pay': undefined method `x' for nil (NoMethodError)\n\tfrom app/shop.rb:3:in `<main>'",
            "NoMethodError",
            "undefined method `x' for nil",
            ("app/shop.rb", 12, "pay"),
        ),
        (
            PHP,
            "RuntimeException",
            "none",
            ("/app/shop.php", 12, "Shop->pay"),
        ),
        ("thread 'main' panicked at src/main.rs:4:5:\nno such order", "panic", "no such order", ("src/main.rs", 4, "")),
        ("thread 'main' panicked at 'no order', src/main.rs:4:5", "panic", "no order", ("src/main.rs", 4, "")),
    ],
)
def test_other_languages(text: str, type_: str, value: str, frame: tuple[str, int, str]) -> None:
    (found,) = parse_exceptions(text)
    last = found.frames[-1]
    assert (found.type, found.value, (last.file, last.line, last.function)) == (type_, value, frame)


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("TypeError: x is not a function", "TypeError", "x is not a function"),
        ("Uncaught exception: SyntaxError: bad (a.py, line 6)", "SyntaxError", "bad (a.py, line 6)"),
        ("Unhandled exception. System.NullReferenceException: none", "System.NullReferenceException", "none"),
        ("sqlalchemy.exc.OperationalError: (x) y", "sqlalchemy.exc.OperationalError", "(x) y"),
        ("psycopg2.errors.UndefinedTable: no relation", "psycopg2.errors.UndefinedTable", "no relation"),
        ("google.api_core.exceptions.PermissionDenied: 403", "google.api_core.exceptions.PermissionDenied", "403"),
        ("socket.gaierror: [Errno -2] unknown", "socket.gaierror", "[Errno -2] unknown"),
        ("(psycopg2.OperationalError) no connection", "psycopg2.OperationalError", "no connection"),
        ("[Trace] Error: no tool", "Error", "no tool"),
        ("Error [ERR_X]: y", "Error", "y"),
        ("Error: something", "Error", "something"),
    ],
)
def test_a_message_that_begins_with_an_exception(text: str, type_: str, value: str) -> None:
    (found,) = parse_exceptions(text)
    assert (found.type, found.value, found.frames) == (type_, value, ())
    assert tells_failure(text)


@pytest.mark.parametrize(
    "text",
    [
        "error: could not connect",
        "Warning: deprecated",
        "Error listing calendars: name 'x' is not defined",
        "Exception on /pay [POST]",
        "A ValidationError occurred",
        "/app/lib.py:433: UserWarning: deprecated",
        "Migration skipped: (psycopg2.errors.DuplicateColumn) column exists",
        "KeyError",
        "main: Error",
        "meet me at noon\nor at night",
    ],
)
def test_prose_names_no_exception(text: str) -> None:
    assert parse_exceptions(text) == ()
    assert not tells_failure(text)


@given(
    st.text(max_size=60),
    st.sampled_from([PYTHON, "Error: x\n    at f (/a.js:1:2)", "panic: x\n\ngoroutine 1 [running]:"]),
)
def test_cut_and_torn_texts_break_nothing(noise: str, text: str) -> None:
    for torn in (text[: len(noise)], noise + text, text + noise, text[len(noise) :], text.replace("\n", noise)):
        for exception in parse_exceptions(torn):
            assert isinstance(exception.value, str)


def test_a_header_of_which_only_a_name_is_left_is_read() -> None:
    (found,) = parse_exceptions("error\n    at f (/app/a.js:1:2)\n    at g (/app/b.js:2:3)")
    assert (found.type, found.value, len(found.frames)) == ("error", "", 2)


MARKS = st.sampled_from(
    [
        *("Traceback (most recent call last):", '  File "/a.py", line 3, in f', "\n", " at "),
        *("\tat f (/a.js:1:2)", "KeyError", ": x", "panic: ", "goroutine 1 [running]:", "/a.go:3"),
        *(":in `f'", ":in 'f'", "/a.php:3", "panicked at ", "Uncaught "),
    ]
)


@settings(max_examples=400)
@given(st.lists(MARKS, max_size=8).map("".join))
def test_what_is_not_marked_no_printer_would_read(text: str) -> None:
    assert exceptions._may_be_printed(text) or not any(printer.may_be(text) for printer in exceptions._PRINTERS)
    if not parse_exceptions(text):
        assert tells_failure(text) == fails_without_exception(text)
