"""Payloads that the application of the seed incident logs for one failing session, by kind of failure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Line = tuple[int, str, dict[str, Any]]
"""(microseconds after the first, severity, payload)"""

ROUTE = "netra_backend.app.routes.websocket"
FACTORY = "netra_backend.app.websocket_core.websocket_manager_factory"
AUTH = "netra_backend.app.websocket_core.unified_websocket_auth"

NOISE: Mapping[str, str] = {
    "sentry-sdk-missing": "Sentry SDK not available - install sentry-sdk[fastapi] to enable error tracking",
    "service-id-whitespace": "SERVICE_ID contained whitespace - sanitized from 'netra-backend\\n' to 'netra-backend'",
    "websocket-manager-duplicates": (
        "SSOT WARNING: Found other WebSocket Manager classes:"
        " ['netra_backend.app.websocket_core.manager.WebSocketManager',"
        " 'netra_backend.app.websocket_core.migration_adapter.WebSocketManagerAdapter']"
    ),
    "opentelemetry-unavailable": "OpenTelemetry not available - tracing is off",
}
"""Said once at each start, at WARNING."""

SESSION_MIDDLEWARE = (
    "Session access failed (middleware not installed?): SessionMiddleware must be installed to access request.session"
)


def payload(message: str, logger: str, function: str, **extra: object) -> dict[str, Any]:
    """Return a structured line of the application."""
    return {
        "message": message,
        "context": {"name": logger},
        "labels": {"function": function, "module": logger},
        **extra,
    }


def authentication() -> dict[str, Any]:
    """Return the INFO line that opens each session."""
    text = "SSOT WEBSOCKET AUTH=REDACTED authentication (state: WebSocketState.CONNECTED)"
    return payload(text, AUTH, "authenticate_websocket_connection")


def test_context() -> dict[str, Any]:
    """Return the INFO line of the one layer that sees a test's context; the one that validates the token never does."""
    return payload("E2E test context found in the headers of the handshake", ROUTE, "websocket_endpoint")


def missing_field() -> dict[str, Any]:
    """Return an INFO line whose payload has an error field: no failure, only a field that was left out."""
    error = {"message": "Missing field", "severity": "ERROR"}
    return payload("thread list answered", "netra_backend.app.routes.threads", "list_threads", error=error)


def serialization(number: int) -> list[Line]:
    """Return the lines of a session that ends because its state cannot be turned into JSON."""
    text, function = (
        ("WebSocket authentication error", "authenticate_websocket_connection")
        if number % 6 == 5  # noqa: PLR2004 - every sixth takes the other path
        else ("WebSocket error", "websocket_endpoint")
    )
    message = f"{text}: Object of type WebSocketState is not JSON serializable"
    return [(0, "ERROR", payload(message, ROUTE, function))]


def agent_state(connection: str) -> list[Line]:
    """Return the line of a session that ends because an agent's state cannot be turned into JSON."""
    message = f"Error sending to connection conn_{connection}: Object of type DeepAgentState is not JSON serializable"
    return [(0, "ERROR", payload(message, "netra_backend.app.websocket_core.manager", "send_to_connection"))]


def ssot_auth(user: str) -> list[Line]:
    """Return the lines of a session whose token is refused."""
    failure = {"error_code": "VALIDATION_FAILED", "environment": "staging", "user": user}
    debug = {"connection_state": "connected", "failure_count": 1, "metadata_keys": []}
    return [
        (
            0,
            "ERROR",
            payload(
                "🔒 SSOT AUTHENTICATION FAILED: VALIDATION_FAILED - Token=(373chars,2dots) failed on staging",
                "netra_backend.app.services.unified_authentication_service",
                "authenticate_token",
            ),
        ),
        (120, "ERROR", payload(f"🔍 FULL FAILURE CONTEXT: {json.dumps(failure)}", AUTH, "log_failure")),
        (
            310,
            "WARNING",
            payload("SSOT WEBSOCKET AUTH: Authentication failed - Token=REDACTED failed", AUTH, "authenticate"),
        ),
        (470, "ERROR", payload(f"🚨 WEBSOCKET AUTH FAILURE DEBUG: {json.dumps(debug)}", AUTH, "authenticate")),
    ]


def factory(number: int, user: str) -> list[Line]:
    """Return the lines of a session whose user context the factory refuses."""
    reason = (
        "SSOT CONTEXT INCOMPLETE: Missing attributes ['websocket_client_id']",
        "SSOT VIOLATION: Expected UserExecutionContext, got UserExecutionContext from shared.types.user_context",
        "STAGING CRITICAL: Expected UserExecutionContext, got <class 'dict'>",
    )[number % 3]
    state = {
        "user_id": user,
        "environment": "staging",
        "is_cloud_run": True,
        "error_type": "FactoryInitializationError",
    }
    lines = [
        (0, "ERROR", payload(reason, FACTORY, "_validate_ssot_user_context")),
        (90, "ERROR", payload(f"SSOT FACTORY VALIDATION FAILURE: {reason}", FACTORY, "create_websocket_manager")),
        (
            240,
            "ERROR",
            payload("🚨 FACTORY INITIALIZATION FAILED: Factory SSOT validation failed", ROUTE, "websocket_endpoint"),
        ),
        (380, "ERROR", payload(f"🔍 FACTORY ERROR CONTEXT: {json.dumps(state)}", ROUTE, "websocket_endpoint")),
    ]
    return [*lines, (520, "ERROR", _factory_traceback(reason))] if number % 4 == 0 else lines


def _factory_traceback(reason: str) -> dict[str, Any]:
    app = "/app/netra_backend/app"
    text = (
        "Traceback (most recent call last):\n"
        f'  File "{app}/routes/websocket.py", line 312, in websocket_endpoint\n'
        "    ws_manager = create_websocket_manager(user_context)\n"
        f'  File "{app}/websocket_core/websocket_manager_factory.py", line 214, in create_websocket_manager\n'
        "    _validate_ssot_user_context(user_context)\n"
        f'  File "{app}/websocket_core/websocket_manager_factory.py", line 96, in _validate_ssot_user_context\n'
        "    raise ValueError(reason)\n"
        f"ValueError: {reason}"
    )
    return payload(text, ROUTE, "websocket_endpoint")


STARTUP_FAILURE = (
    ("ERROR", " FAIL:  PHASE FAILED: VALIDATION - Startup validation failed with 1 critical failures", "_fail_phase"),
    ("CRITICAL", "CRITICAL STARTUP FAILURE: Startup validation failed with 1 critical failures", "run_startup"),
)
"""How the deterministic start-up stops."""
