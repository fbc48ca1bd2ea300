"""A TCP proxy before PostgreSQL that swallows traffic: the connection stays, and nothing comes through.

A server that dies without a word looks so, and so does a firewall that forgets a connection.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from sqlalchemy import make_url

_Answer = TypeVar("_Answer")


class SwallowingProxy:
    """Pass bytes between TCP on the loopback and a server's Unix socket, until `swallows` is set."""

    def __init__(self, database_url: str) -> None:
        self.swallows, self._forgotten = threading.Event(), threading.Event()
        self._behind = f"{make_url(database_url).query['host']}/.s.PGSQL.5432"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        host, port = self._listener.getsockname()
        self.address = f"{host}:{port}"
        self.url = str(make_url(database_url).set(host=host, port=port, query={}).render_as_string(False))
        threading.Thread(target=self._accept, daemon=True).start()

    def forget(self) -> None:
        """Swallow for good what comes through the connections that are open now; later ones pass."""
        forgotten, self._forgotten = self._forgotten, threading.Event()
        forgotten.set()

    def close(self) -> None:
        """End every connection."""
        for one in [self._listener, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                threading.Thread(target=self._serve, args=(client, self._forgotten), daemon=True).start()

    def _serve(self, client: socket.socket, forgotten: threading.Event) -> None:
        """Pass both ways until both sides are done; end at once where no server is."""
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(self._behind)
            self._open |= {client, server}
            back = threading.Thread(target=self._pass, args=(server, client, forgotten), daemon=True)
            back.start()
            self._pass(client, server, forgotten)
            back.join()
            self._open -= {client, server}

    def _pass(self, source: socket.socket, target: socket.socket, forgotten: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not (self.swallows.is_set() or forgotten.is_set()):
                    target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@contextmanager
def swallowing(database_url: str) -> Iterator[SwallowingProxy]:
    """Put a proxy before a database for the length of the block."""
    proxy = SwallowingProxy(database_url)
    try:
        yield proxy
    finally:
        proxy.close()


def ends(act: Callable[[], _Answer], seconds: float = 60) -> _Answer | Exception:
    """Return what `act` returns or raises; fail when it hangs, which old code does for good."""
    done: list[_Answer | Exception] = []

    def run() -> None:
        try:
            done.append(act())
        except Exception as error:  # noqa: BLE001 - the caller looks at it
            done.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert done, "it hangs"
    return done[0]
