"""Serves an ASGI app on a free port of loopback from a thread, and stops at once."""

import asyncio
import socket
import struct
import threading
import time
from typing import Any

import uvicorn

from tests.waiting import DEADLINE


class Serving:
    """`Serving(app)`, `start()`, `stop()`; the port is taken from the beginning."""

    def __init__(self, app: Any, **options: Any) -> None:
        # asyncio sends small pieces at once only on sockets that say they are TCP: otherwise each answer takes 40 ms
        self._socket = socket.socket(proto=socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", ws="none", **options)
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def start(self) -> None:
        self._thread.start()
        until = time.monotonic() + DEADLINE
        while not self._server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise RuntimeError("the test server did not start")
            time.sleep(0.002)

    def stop(self) -> None:
        """Breaks off the answers under way."""
        self._server.stop()

    def reset(self, scope: Any) -> None:
        """Resets the connection of a request, as a network does; call it from the app that answers the request."""
        for connection in list(self._server.server_state.connections):
            if connection.scope is scope:
                linger = struct.pack("ii", 1, 0)  # what is closed now is reset, not ended
                connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                connection.transport.abort()
                return
        raise RuntimeError("the request's connection is not known")

    def join(self, seconds: float) -> None:
        """Waits until the thread has ended, at most so long."""
        self._thread.join(seconds)


class _Server(uvicorn.Server):
    """Ends when it is told to; uvicorn's own looks ten times a second, and then waits for another tenth."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._told = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for each in sockets or []:
            each.close()
