"""A wire that breaks: passes bytes on to a server, and cuts each connection after so many bytes of answers."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

_BLOCK = 16_384


class CuttingWire:
    """Listens on loopback while its `with` block runs; once all cuts are made, connections stay whole."""

    def __init__(self, server: str, cuts: Iterable[int]) -> None:
        host, _, port = server.removeprefix("http://").rpartition(":")
        self._server = (host, int(port))
        self._prefix = "http://" if server.startswith("http://") else ""
        self.cuts = list(cuts)
        """Bytes after which each of the next connections breaks."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []

    @property
    def endpoint(self) -> str:
        return f"{self._prefix}127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self._listener, *self._open):
            _cut(end)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._open += [client, server]
                left = self.cuts.pop(0) if self.cuts else None
                threading.Thread(target=_pass_on, args=(client, server, None), daemon=True).start()
                threading.Thread(target=_pass_on, args=(server, client, left), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, left: int | None) -> None:
    with suppress(OSError):
        while left is None or left > 0:
            block = source.recv(_BLOCK if left is None else min(_BLOCK, left))
            if not block:
                break
            target.sendall(block)
            left = None if left is None else left - len(block)
    _cut(source)
    _cut(target)


def _cut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
