"""Make a `Frame`, and tell whether it belongs to the application or to a library."""

from __future__ import annotations

import re
from functools import lru_cache

from forensics.model import Frame
from forensics.text.lazy_regex import late

_FOREIGN_FILE = late(
    r"""
      site-packages | dist-packages | /lib/python\d | \\Lib\\ | /python\d(?:\.\d+)?/lib/ | ^<
    | node_modules | ^node: | ^internal/ | ^\[eval | ^native$ | /\.pnp\. | /\.yarn/
    | /usr/local/go/ | /usr/lib/go | /go/pkg/mod/ | /vendor/ | /libexec/src/
    | /gems/ | /lib/ruby/ | \(eval | /rustc/ | /\.cargo/registry/
    | ^/_/src/ | (?:^|/)bin/[^/.]+$
    """,
    re.VERBOSE,
)

# Packages of runtimes and frameworks, by the prefix of a function's name.
_FOREIGN_FUNCTION = late(
    r"""(?:(?:app|platform|bootstrap)//|java\.\w+(?:@[\d.]+)?/)?
    (?: javax?\. | jdk\. | sun\. | com\.sun\. | jakarta\. | kotlinx?\. | scala\. | groovy\. | clojure\.
      | org\.(?:springframework|apache|eclipse|hibernate|postgresql|mariadb|slf4j|jboss|junit|codehaus)\.
      | com\.(?:zaxxer|mysql|fasterxml|google|microsoft|mongodb|datastax|amazonaws|netflix|squareup)\.
      | io\.(?:netty|grpc|micrometer|undertow|vertx|micronaut|quarkus|opentelemetry|projectreactor|ktor|lettuce)\.
      | reactor\. | feign\. | okhttp3?\. | redis\.clients\. | ch\.qos\.
      | System\. | Microsoft\. | Npgsql\. | MySql\. | MySqlConnector\. | Newtonsoft\. | MediatR\. | AutoMapper\.
      | Dapper\. | FluentValidation\. | Grpc\. | Google\. | Swashbuckle\. | Serilog\. | NLog\. | StackExchange\.
      | MongoDB\. | Castle\. | Polly\. | MassTransit\. | Hangfire\. | Azure\. | lambda_method
      | runtime[./] | net/http\. | reflect\. | testing\. | syscall\. | internal/ | panic\(? )""",
    re.VERBOSE,
)

_MEMORABLE = 200
"""Characters of the longest cached file name: the same files occur again and again."""


def _is_foreign(file: str) -> bool:
    return _is_known_foreign(file) if len(file) <= _MEMORABLE else _FOREIGN_FILE.search(file) is not None


@lru_cache(maxsize=1024)
def _is_known_foreign(file: str) -> bool:
    return _FOREIGN_FILE.search(file) is not None


def python_frame(file: str, line: int | None, function: str) -> Frame:
    """Make a frame whose file shows where its code comes from."""
    return Frame(file=file, line=line, function=function, in_app=bool(file) and not _is_foreign(file))


def named_frame(file: str, line: int | None, function: str) -> Frame:
    """Make a frame whose function's package is considered too: Java, .NET and Go print no full path."""
    foreign = bool(_FOREIGN_FUNCTION.match(function)) or bool(file and _is_foreign(file))
    return Frame(file=file, line=line, function=function, in_app=not foreign)
