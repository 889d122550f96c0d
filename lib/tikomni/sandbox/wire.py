"""Bytes and connections: reading a body, sending an answer as badly as it asks to be sent, running the server.

Everything that knows uvicorn or a socket is here; nothing here knows what is asked or answered.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp, Send

from tikomni.sandbox.answers import Answer, refuse

HOST = "127.0.0.1"


async def read_body(request: Request, most: int) -> bytes:
    """The whole body, or a 413."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise refuse(413, "Request body is too large")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise refuse(413, "Request body is too large")
        parts.append(part)
    return b"".join(parts)


def file_answer(content_type: str, data: bytes, wanted: str = "", *, file_name: str = "") -> Answer:
    """A file, or the part of it that a ``Range`` header of one part asks for; ``file_name``: to be saved under it.

    The name is sent twice, as RFC 6266 has it: for those who read RFC 5987's form, and a plain one for the rest.
    """
    headers = {"content-type": content_type, "accept-ranges": "bytes"}
    if file_name:
        plain = "download." + file_name.rpartition(".")[2]
        encoded = quote(file_name, safe="")
        headers["content-disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    if not wanted.startswith("bytes=") or not first.isdigit():
        return Answer(200, data, headers)
    start, end = int(first), min(int(last) if last.isdigit() else len(data), len(data) - 1)
    if start >= len(data):
        return Answer(416, b"", headers | {"content-range": f"bytes */{len(data)}"})
    return Answer(206, data[start : end + 1], headers | {"content-range": f"bytes {start}-{end}/{len(data)}"})


async def deliver(answer: Answer, send: Send) -> None:
    """Sends the answer as its delivery fields say."""
    if answer.wait_s:
        await asyncio.sleep(answer.wait_s)
    if answer.cut_at == -1:
        await _hang_up(send)
        return
    headers = {"content-length": str(len(answer.body))} | dict(answer.headers)
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    body = answer.body if answer.cut_at is None else answer.body[: answer.cut_at]
    for n, piece in enumerate(_pieces(body, answer.pieces)):
        if n and answer.pause_s:
            await asyncio.sleep(answer.pause_s)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    # uvicorn drops the connection of a body that is not finished, which is what a cut wants.
    if answer.cut_at is None:
        await send({"type": "http.response.body", "body": b""})


def _pieces(body: bytes, count: int) -> Iterator[bytes]:
    size = max(-(-len(body) // count), 1)
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def _hang_up(send: Send) -> None:
    """Closes the connection without a word. ASGI has no message for it, so uvicorn's own connection is asked."""
    send.__self__.transport.abort()  # type: ignore[attr-defined]
    # uvicorn answers 500 for a silent application unless it has seen the connection go, two turns of the loop later.
    await asyncio.sleep(0)
    await asyncio.sleep(0)


class Server:
    """uvicorn in a thread of its own, on a socket that is bound at once. Starts and stops by events, not by polling."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._socket = socket.create_server((HOST, port), backlog=512)
        # Connections take it over. Without it head and body, sent apart, wait 40 ms for one another.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._socket.getsockname()[1]
        self._config = uvicorn.Config(
            app, http="h11", ws="none", lifespan="off", log_config=None, log_level="critical", access_log=False,
            proxy_headers=False, server_header=False,
        )  # fmt: skip
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    def start(self) -> None:
        """Returns when the first request can be sent."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Drops every connection and waits for the thread."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._config.load()
        server = uvicorn.Server(self._config)
        server.lifespan = self._config.lifespan_class(self._config)
        await server.startup(sockets=[self._socket])
        self._ready.set()
        await self._stopping.wait()
        for listener in server.servers:
            listener.close()
        for connection in list(server.server_state.connections):
            connection.transport.abort()
