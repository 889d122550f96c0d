"""Files of the platforms lead nowhere but to public https addresses, however an address is spelled."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni.dispatch.downloads import Downloader, DownloadFailed
from tikomni.dispatch.http import Transport

ELSEWHERE = "https://api.example.com"
# Loopback, private, link-local, shared, multicast, broadcast and reserved places: plain, mapped, embedded, in decimal,
# octal and hexadecimal, shortened, full-width, with a zone, with a trailing dot.
PLACES = """127.0.0.1 127.1 127.0.0.1. 2130706433 017700000001 0x7f000001 0x7f.1 0177.0.0.1 0 0.0.0.0 localhost
localhost. LOCALHOST ip6-localhost [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1]
[::ffff:10.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [fe80::1] [fe80::1%25lo] [fc00::1] [ff02::1] [fec0::1] 10.0.0.1
172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 198.18.0.1 192.0.2.1 203.0.113.1 224.0.0.1 240.0.0.1
255.255.255.255 3232235777 １２７.０.０.１ 127。0。0。1 ①②⑦.0.0.1""".split()


def fetch(url: str, upstream: str = ELSEWHERE, **limits) -> bytes:
    async def go() -> bytes:
        async with Transport("test", "en", 5) as transport:
            return await Downloader(transport, upstream).fetch(url, **limits)

    return asyncio.run(go())


def refusal(url: str, upstream: str = ELSEWHERE) -> str:
    with pytest.raises(DownloadFailed) as caught:
        fetch(url, upstream)
    return caught.value.reason


@pytest.mark.parametrize("place", PLACES)
def test_a_private_place_is_refused_however_it_is_spelled(place):
    for url in (f"https://{place}/x", f"http://{place}/x", f"https://{place}:8443/x"):
        assert refusal(url) == ("refused_address" if _known(url) else "network"), url


def _known(url: str) -> bool:
    """Whether this system's resolver takes the host for an address; what it does not has none."""
    try:
        return bool(socket.getaddrinfo(urlsplit(url).hostname, 443))
    except (OSError, UnicodeError):
        return False


@pytest.mark.parametrize("place", ["127.0.0.1", "2130706433", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1"])
def test_a_redirect_leads_to_no_private_place(place):
    assert _redirected(f"https://{place}:8443/stolen") == "refused_address"
    assert _redirected(f"http://{place}/stolen") == "refused_address"


def _redirected(target: str) -> str:
    """Why a file was refused that a server of the upstream's own origin redirects to ``target``."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(307)
            self.send_header("Location", target)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        base = f"http://127.0.0.1:{server.server_port}"
        return refusal(f"{base}/x", upstream=base)
    finally:
        server.shutdown()
        server.server_close()


SCHEMES = ("file:///etc/passwd", "file://localhost/etc/passwd", "ftp://example.com/x", "data:image/png;base64,AAAA")


ODD = r"""javascript:alert(1) gopher://example.com/x ws://example.com HTTPS:/x //example.com/x \\example.com\x https://
https:///x http://[ https://user@example.com/x https://a:b@example.com/x jar:https://example.com""".split()


@pytest.mark.parametrize("url", [*SCHEMES, *ODD, "\x00", ""])
def test_other_schemes_and_names_of_users_are_refused(url):
    assert refusal(url) == "refused_address"


@pytest.mark.parametrize("url", [*SCHEMES, "//10.0.0.1/x", "https://a:b@example.com/x"])
def test_a_redirect_changes_to_no_other_scheme(url):
    assert _redirected(url) == "refused_address"


@settings(max_examples=150, deadline=None)
@given(start=st.sampled_from(["", "https://", "https://127.0.0.1", "http://[::1]", "//"]), rest=st.text(max_size=40))
def test_whatever_a_platform_calls_an_address_is_fetched_or_refused(start, rest):
    try:
        fetch(start + rest, timeout_s=0.5)
    except DownloadFailed as failed:
        assert failed.reason


def test_a_name_that_leads_to_a_public_and_a_private_address_is_refused(monkeypatch):
    async def both(*_, **__):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.216.34", "127.0.0.1")]

    async def go() -> str:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
        async with Transport("test", "en", 5) as transport:
            with pytest.raises(DownloadFailed) as caught:
                await Downloader(transport, ELSEWHERE).fetch("https://two-faced.example/x")
        return caught.value.reason

    assert asyncio.run(go()) == "refused_address"
