"""Make a `Frame`, and tell whether it belongs to the application or to a library."""

from __future__ import annotations

import re
from functools import lru_cache

from forensics.entries.tracebacks.known_packages import GO_STANDARD, RUST_CRATES
from forensics.model import Frame
from forensics.text.lazy_regex import late

_FOREIGN_FILE = late(
    r"""
      site-packages | dist-packages | /lib/python\d | \\Lib\\ | /python\d(?:\.\d+)?/lib/ | ^<
    | node_modules | ^node: | ^internal/ | ^\[eval | ^native$ | /\.pnp\. | /\.yarn/
    | /usr/local/go/ | /usr/lib/go | /go/pkg/mod/ | (?:^|/)vendor/ | /libexec/src/
    | /(?:ruby)?gems/ | /lib/ruby/ | \(eval | ^<internal: | /rustc/ | /\.cargo/(?:registry|git)/
    | /cargo/registry/ | /rustlib/src/
    | ^/?(?:src/)?lib(?:std|core|alloc|rustc)/ | ^library/(?:std|core|alloc)/
    | ^/_/src/ | (?:^|/)bin/[^/.]+$ | @v\d+\.\d | \.pub-cache/
    | ^deno/ | ^(?:ext|deno|bun|internal|jsr|npm): | ^https?://(?:deno\.land|jsr\.io|esm\.sh|cdn\.
    |unpkg\.com) | /\.cache/deno/npm/
    """,
    re.VERBOSE,
)

# Packages of runtimes and frameworks, by the prefix of a function's name.
_FOREIGN_FUNCTION = late(
    r"""(?:(?:app|platform|bootstrap)//|java\.\w+(?:@[\d.]+)?/)?
    (?: javax?\. | jdk\. | sun\. | com\.sun\. | jakarta\. | kotlinx?\. | scala\. | groovy\. | clojure\.
      | org\.(?:springframework|apache|eclipse|hibernate|postgresql|mariadb|slf4j|jboss|junit|codehaus|jetbrains|koin
        |http4s|scalatest|scalactic|gradle|flywaydb|thymeleaf|mybatis|glassfish|elasticsearch|opensearch|bson|mockito
        |aspectj|testng|quartz|reactivestreams|keycloak|jooq|h2|json4s|typelevel|scalikejdbc|wildfly
        |sparkproject|yaml|xnio)\.
      | com\.(?:zaxxer|mysql|fasterxml|google|microsoft|mongodb|datastax|amazonaws|netflix|squareup|typesafe|intellij
        |alibaba|oracle|ibm|rabbitmq|datadoghq|newrelic|lihaoyi|twitter|softwaremill|github\.benmanes
        |clickhouse|apollographql)\.
      | io\.(?:netty|grpc|micrometer|undertow|vertx|micronaut|quarkus|opentelemetry|projectreactor|ktor
      |lettuce|reactivex
        |r2dbc|jsonwebtoken|circe|smallrye|confluent|kotest|fabric8|github\.resilience4j|swagger|sentry
        |javalin|getquill)\.
      | net\.(?:bytebuddy|sf)\. | oracle\. | rx\. | akka\. | cats\. | zio\. | play\. | sbt\. | slick\.
      | fs2\. | doobie\.
      | dagger\. | android\. | androidx\. | dalvik\. | nonapi\. | liquibase\. | graphql\. | retrofit2\.
      | xsbt\. | munit\.
      | reactor\. | feign\. | okhttp3?\. | okio\. | redis\.clients\. | ch\.qos\.
      | System\. | Microsoft\. | Npgsql\. | MySql\. | MySqlConnector\. | Newtonsoft\. | MediatR\. | AutoMapper\.
      | Dapper\. | FluentValidation\. | Grpc\. | Google\. | Swashbuckle\. | Serilog\. | NLog\. | StackExchange\.
      | MongoDB\. | Castle\. | Polly\. | MassTransit\. | Hangfire\. | Azure\. | lambda_method | Amazon\. | RabbitMQ\.
      | Confluent\. | Pomelo\. | Autofac\. | Refit\. | IdentityServer4\. | Volo\. | NuGet\. | Orleans\.
      | Elastic\. | Nest\.
      | Oracle\. | Sentry\. | Yarp\. | Xunit\. | NUnit\. | Quartz\. | Elasticsearch\. | OpenTelemetry\.
      | HotChocolate\.
      | Ocelot\. | Wolverine\. | Marten\. | Duende\. | FastEndpoints\. | Internal\. | Interop\. | Mono\. )""",
    re.VERBOSE,
)

_MEMORABLE = 200
"""Characters of the longest cached file name: the same files occur again and again."""


def _is_foreign(file: str) -> bool:
    return _is_known_foreign(file) if len(file) <= _MEMORABLE else _looks_foreign(file)


@lru_cache(maxsize=1024)
def _is_known_foreign(file: str) -> bool:
    return _looks_foreign(file)


def _looks_foreign(file: str) -> bool:
    return _FOREIGN_FILE.search(file) is not None or (
        "\\" in file and _FOREIGN_FILE.search(file.replace("\\", "/")) is not None
    )


def python_frame(file: str, line: int | None, function: str) -> Frame:
    """Make a frame whose file shows where its code comes from."""
    return Frame(file=file, line=line, function=function, in_app=bool(file) and not _is_foreign(file))


def named_frame(file: str, line: int | None, function: str) -> Frame:
    """Make a frame whose function's package is considered too: Java and .NET print no full path."""
    foreign = bool(_FOREIGN_FUNCTION.match(function)) or bool(file and _is_foreign(file))
    return Frame(file=file, line=line, function=function, in_app=not foreign)


def go_frame(file: str, line: int | None, function: str) -> Frame:
    """Make a frame of Go: its own folder differs, and a build may trim all paths, so that packages tell more."""
    foreign = function.partition("/")[0].partition(".")[0].partition("(")[0] in GO_STANDARD
    foreign = foreign or function.startswith("golang.org/") or _is_foreign(file)
    return Frame(file=file, line=line, function=function, in_app=not foreign)


def placed_frame(match: re.Match[str], function: str | None = None) -> Frame:
    """Make a frame of a match with the groups `file`, `line` and, unless it is given, `function`."""
    name = match["function"] if function is None else function
    return python_frame(match["file"], int(match["line"][:9]), name)


def foreign_crate(function: str) -> bool:
    """Tell whether a function of Rust is one of Rust's own or of a common library."""
    path = function.lstrip("<&").removeprefix("dyn ")
    return path.partition("::")[0].partition(" ")[0] in RUST_CRATES
