"""The one module that imports the HTTP client. It sends one request and returns what came back.

It follows no redirect, retries nothing and knows neither routes nor keys; failures come as ``Failure``.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

CONNECT_SECONDS = 10.0
WRITE_SECONDS = 30.0
CONNECTIONS = 50
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, lower-cased headers, decoded body. ``peer`` is the address that answered, where known."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    peer: str | None = None


class Failure(Exception):
    """No reply. ``sent``: the request may have reached the other side."""

    def __init__(self, message: str, *, timeout: bool = False, sent: bool = False) -> None:
        super().__init__(message)
        self.timeout = timeout
        self.sent = sent


class TooLarge(Failure):
    """The body passed its limit and was dropped."""


class Transport:
    """A pool of connections. Use as an async context manager.

    Args:
        user_agent, accept_language: sent with every request.
        timeout_s: longest wait for one whole answer.
    """

    def __init__(self, user_agent: str, accept_language: str, timeout_s: float) -> None:
        self._headers = {"User-Agent": user_agent, "Accept-Language": accept_language}
        self._timeout_s = timeout_s
        self._clients: dict[bool, httpx2.AsyncClient] = {}

    async def __aenter__(self) -> Transport:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            await client.aclose()

    def prepare(self, url: str) -> None:
        """Get ready to send to ``url``: what that takes must not come between a slot and its request."""
        self._client(url)

    def _client(self, url: str) -> httpx2.AsyncClient:
        # This machine is never reached through a proxy of the environment.
        loopback = (urlsplit(url).hostname or "") in LOOPBACK
        if loopback not in self._clients:
            # Loading the certificate store is the dearest part of a client; plain loopback needs none.
            verify: Any = False if loopback else ssl.create_default_context()
            self._clients[loopback] = httpx2.AsyncClient(
                headers=self._headers,
                follow_redirects=False,
                trust_env=not loopback,
                verify=verify,
                limits=httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            )
        return self._clients[loopback]

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: Any = None,
        files: Any = None,
        timeout_s: float | None = None,
        most_bytes: int = 64 * 1024 * 1024,
        on_chunk: Callable[[bytes], None] | None = None,
    ) -> Reply:
        """Send one request and read its body.

        Args:
            most_bytes: limit of the decoded body.
            on_chunk: takes each piece of the body instead of keeping it.

        Raises:
            Failure: nothing usable came back in ``timeout_s``.
        """
        total = timeout_s or self._timeout_s
        timeout = httpx2.Timeout(total, connect=min(CONNECT_SECONDS, total), write=min(WRITE_SECONDS, total), pool=None)
        body = {"json": json, "content": content, "files": files}
        try:
            async with (
                asyncio.timeout(total),
                self._client(url).stream(method, url, headers=headers, timeout=timeout, **body) as response,
            ):
                return await _read(response, most_bytes, on_chunk)
        except (httpx2.ConnectTimeout, httpx2.PoolTimeout):
            raise Failure("no connection in time", timeout=True) from None
        except (httpx2.TimeoutException, TimeoutError):
            raise Failure("no answer in time", timeout=True, sent=True) from None
        except httpx2.ConnectError as error:
            raise Failure(f"no connection ({_reason(error)})") from None
        except httpx2.DecodingError as error:
            raise Failure(f"the body could not be decoded ({_reason(error)})", sent=True) from None
        except (httpx2.TransportError, httpx2.StreamError) as error:
            raise Failure(f"the connection broke ({_reason(error)})", sent=True) from None
        except (httpx2.InvalidURL, UnicodeError, ValueError) as error:
            raise Failure(f"not an address ({_reason(error)})") from None


async def _read(response: httpx2.Response, most_bytes: int, on_chunk: Callable[[bytes], None] | None) -> Reply:
    pieces: list[bytes] = []
    length = 0
    async for chunk in response.aiter_bytes():
        length += len(chunk)
        if length > most_bytes:
            raise TooLarge(f"the body is larger than {most_bytes} bytes", sent=True)
        if on_chunk is not None:
            on_chunk(chunk)
        else:
            pieces.append(chunk)
    stream = response.extensions.get("network_stream")
    address = stream.get_extra_info("server_addr") if stream is not None else None
    headers = {k.lower(): v for k, v in response.headers.items()}
    return Reply(response.status_code, headers, b"".join(pieces), address[0] if address else None)


def _reason(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__
