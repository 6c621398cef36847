"""Find out within seconds whether Cloud Logging answers at all.

Later a connection that breaks may come back, and a pull waits for it. But a name that no name server knows, a port that
refuses or a proxy that swallows everything stays as it is, and whoever waits for it should know soon.
"""

from __future__ import annotations

import time
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING

from forensics.cloud.access_errors import AccessError, BrokenOffError

if TYPE_CHECKING:
    from forensics.cloud.connection import Transport

LONGEST = 15.0
"""Seconds after which nobody answers; name servers and token servers may hang without an error."""
_PAUSES = (1.0, 2.0)
"""Seconds before each further try: a network that is just coming up is met by the second or third."""


def reach(connection: Transport, longest: float = LONGEST) -> None:
    """Return when the server answers anything; raise AccessError in words when it does not."""
    said: Queue[AccessError | None] = Queue()
    Thread(target=_try, args=(connection, said), daemon=True).start()
    end, error = time.monotonic() + longest, None
    try:
        for _ in range(len(_PAUSES) + 1):
            error = said.get(timeout=max(0.0, end - time.monotonic()))
            if error is None:
                return
            if not isinstance(error, BrokenOffError):
                break
    except Empty:
        pass
    if error is not None:
        raise AccessError(str(error)) from error
    raise AccessError(
        f"no answer from {connection.server} within {longest:.0f} s: check the network, its name server, and the proxy "
        "that HTTPS_PROXY names"
    )


def _try(connection: Transport, said: Queue[AccessError | None]) -> None:
    for pause in (*_PAUSES, 0.0):
        try:
            connection.greet()
        except AccessError as error:
            said.put(error)
            time.sleep(pause)
        else:
            said.put(None)
            return
