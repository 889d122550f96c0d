"""Fetches public files: covers, pictures, subtitles, transcript documents. Never sends a key.

Only https, only public addresses, checked before and after connecting and again at each redirect; the configured
upstream's own origin is excepted. Size, type and time are limited.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin, urlsplit

from tikomni.dispatch.http import Failure, Reply, TooLarge, Transport
from tikomni.errors import UpstreamError

AT_ONCE = 8
REDIRECTS = 5
IMAGE_BYTES = 20 * 1024 * 1024
TEXT_BYTES = 8 * 1024 * 1024
PIECE_BYTES = 256 * 1024


class DownloadFailed(UpstreamError):
    """A file that could not be had. ``reason`` is a stable word for ``missing``; the message says more."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__("download", message, details={"reason": reason})
        self.reason = reason


class Downloader:
    """Downloads for one run, at most ``AT_ONCE`` at a time.

    Args:
        transport: the run's connections.
        upstream: base URL of the upstream, whose own origin may be plain http or private (a sandbox is).
    """

    def __init__(self, transport: Transport, upstream: str) -> None:
        self._transport = transport
        self._upstream = _origin(upstream)
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def fetch(
        self,
        url: str,
        *,
        most_bytes: int = IMAGE_BYTES,
        types: Sequence[str] = (),
        referer: str | None = None,
        timeout_s: float = 30.0,
    ) -> bytes:
        """The bytes behind ``url``.

        Args:
            types: accepted beginnings of the content type; empty accepts all.

        Raises:
            DownloadFailed: ``refused_address``, ``too_large``, ``wrong_type``, ``http_<status>``, ``network``,
                ``timeout``, ``too_many_redirects``.
        """
        async with self._gate:
            reply = await self._get(url, most_bytes, types, referer, timeout_s, lambda: None)
        return reply.body

    async def save(
        self,
        url: str,
        path: Path,
        *,
        most_bytes: int,
        referer: str | None,
        timeout_s: float,
    ) -> str:
        """Write what is behind ``url`` to ``path``, piece by piece; returns its content type.

        Media is packed already: what comes packed once more is something else.

        Raises:
            DownloadFailed: as ``fetch``.
        """
        async with self._gate:
            with path.open("wb") as file:

                def anew() -> Callable[[bytes], Any]:
                    file.seek(0)
                    file.truncate()
                    return file.write

                reply = await self._get(url, most_bytes, (), referer, timeout_s, anew, {"Accept-Encoding": "identity"})
        if (packed := reply.headers.get("content-encoding", "identity")) != "identity":
            raise DownloadFailed("wrong_type", f"content encoding {packed}")
        return reply.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def put(self, url: str, path: Path, headers: Mapping[str, str], timeout_s: float = 600.0) -> None:
        """Send the file at ``path`` to ``url``, piece by piece.

        Raises:
            DownloadFailed: as ``fetch``; a redirect is ``http_<status>``, because a signed address has none.
        """
        async with self._gate:
            url = await self._permit(url)
            length = {"Content-Length": str(path.stat().st_size)}
            try:
                reply = await self._transport.send(
                    "PUT", url, headers={**headers, **length}, content=_pieces(path), timeout_s=timeout_s
                )
            except Failure as failure:
                raise DownloadFailed("timeout" if failure.timeout else "network", str(failure)) from None
            await self._check_peer(url, reply)
            if not 200 <= reply.status < 300:
                raise DownloadFailed(f"http_{reply.status}", f"HTTP {reply.status}")

    async def _get(
        self,
        url: str,
        most_bytes: int,
        types: Sequence[str],
        referer: str | None,
        timeout_s: float,
        sink: Callable[[], Callable[[bytes], Any] | None],
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> Reply:
        """The reply at the end of the redirects. ``sink`` is asked before each of them who takes the body's pieces."""
        for _ in range(REDIRECTS + 1):
            url = await self._permit(url)
            headers = {**({"Referer": referer} if referer else {}), **more}
            try:
                reply = await self._transport.send(
                    "GET", url, headers=headers, timeout_s=timeout_s, most_bytes=most_bytes, on_chunk=sink()
                )
            except TooLarge as failure:
                raise DownloadFailed("too_large", str(failure)) from None
            except Failure as failure:
                raise DownloadFailed("timeout" if failure.timeout else "network", str(failure)) from None
            await self._check_peer(url, reply)
            if reply.status in (301, 302, 303, 307, 308) and reply.headers.get("location"):
                url = urljoin(url, reply.headers["location"])
                continue
            if reply.status != 200:
                raise DownloadFailed(f"http_{reply.status}", f"HTTP {reply.status}")
            kind = reply.headers.get("content-type", "").lower()
            if types and not kind.startswith(tuple(types)):
                raise DownloadFailed("wrong_type", f"content type {kind or 'missing'}")
            return reply
        raise DownloadFailed("too_many_redirects", f"more than {REDIRECTS} redirects")

    async def _permit(self, url: str) -> str:
        """``url`` as it may be asked: http of a public host becomes https; everything else unfit is refused."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise DownloadFailed("refused_address", "not an address") from None
        if _origin(url) == self._upstream:
            return url
        if parts.scheme == "http" and parts.port in (None, 80):
            parts = parts._replace(scheme="https", netloc=f"[{host}]" if ":" in host else host)
        if parts.scheme != "https" or not host or parts.username:
            raise DownloadFailed("refused_address", f"only https links are fetched, not {parts.scheme or 'this'}")
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            if _proxy_for(host):  # which looks names up where this machine cannot
                return parts.geturl()
            raise DownloadFailed("network", f"{host} has no address") from None
        if not found or not all(_public(entry[4][0]) for entry in found):
            raise DownloadFailed("refused_address", f"{host} leads to a private address")
        return parts.geturl()

    async def _check_peer(self, url: str, reply: Reply) -> None:
        """Refuse what a private address answered: a name may lead elsewhere by the time that it is connected to.

        A proxy of the user's may well have one.
        """
        if not reply.peer or _origin(url) == self._upstream or _public(reply.peer):
            return
        host = urlsplit(url).hostname or ""
        if proxy := _proxy_for(host):
            found = await asyncio.get_running_loop().getaddrinfo(proxy, None, type=socket.SOCK_STREAM)
            if reply.peer in {entry[4][0] for entry in found}:
                return
        raise DownloadFailed("refused_address", f"{host} leads to a private address")


def _proxy_for(host: str) -> str | None:
    """The host of the proxy that https to ``host`` goes through, as the environment tells."""
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    return urlsplit(proxy if "://" in proxy else f"//{proxy}").hostname if proxy and not proxy_bypass(host) else None


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", "", None
    return parts.scheme, parts.hostname or "", port


# Addresses of IPv4 that stand in the last four bytes of one of IPv6: compatible, mapped, translated (RFC 6052).
_EMBEDDED = tuple(ipaddress.IPv6Network(net) for net in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/96"))


def _public(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(str(address).split("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.sixtofour or (ipaddress.IPv4Address(ip.packed[-4:]) if any(ip in net for net in _EMBEDDED) else None)
        if inner is None and ip.is_site_local:
            return False
        ip = inner or ip
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)
