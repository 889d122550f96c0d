"""Files of the platforms: public https only, within limits, and never a way into this machine's network."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tikomni.dispatch.downloads import Downloader, DownloadFailed
from tikomni.dispatch.http import Transport


def fetch(url: str, upstream: str = "https://api.tikomni.com", **limits) -> bytes:
    async def go() -> bytes:
        async with Transport("test", "en", 10) as transport:
            return await Downloader(transport, upstream).fetch(url, **limits)

    return asyncio.run(go())


@pytest.fixture
def server():
    """A server on this machine: ``/big`` 1 MB, ``/text`` text, ``/to?URL`` a redirect, ``/loop`` to itself."""
    seen: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.path, self.headers.get("Authorization")))
            name, _, target = self.path.partition("?")
            if name in ("/to", "/loop"):
                self.send_response(302)
                self.send_header("Location", target or "/loop")
                self.end_headers()
                return
            self.send_response(404 if name == "/none" else 200)
            self.send_header("Content-Type", "text/plain" if name == "/text" else "image/png")
            self.end_headers()
            self.wfile.write(bytes(1_000_000 if name == "/big" else 10))

        def log_message(self, *_):
            return

    http = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}", seen
    http.shutdown()
    http.server_close()


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:1/x", "https://127.0.0.1/x", "https://localhost/x", "https://10.1.2.3/x"),
        *("https://192.168.0.1/x", "https://169.254.169.254/latest/meta-data", "https://[::1]/x", "https://0.0.0.0/x"),
        *("https://[::ffff:127.0.0.1]/x", "file:///etc/passwd", "ftp://example.com/x", "gopher://example.com", ""),
        *(
            "https://user:pw@example.com/x",
            "//example.com/x",
            "https://example.com:notaport/x",
            "http://example.com:8080/x",
        ),
    ],
)
def test_private_addresses_and_other_schemes_are_refused(url):
    with pytest.raises(DownloadFailed) as caught:
        fetch(url)
    assert caught.value.reason == "refused_address"


def test_the_upstreams_own_origin_is_excepted_and_nothing_else_of_its_host(server):
    base, _ = server
    assert fetch(base + "/x", upstream=base) == bytes(10)
    with pytest.raises(DownloadFailed):
        fetch(base + "/x", upstream="http://127.0.0.1:1")


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/x", "https://localhost/x", "file:///etc/passwd"])
def test_a_redirect_is_checked_like_any_address(server, target):
    base, seen = server
    with pytest.raises(DownloadFailed) as caught:
        fetch(f"{base}/to?{target}", upstream=base)
    assert caught.value.reason == "refused_address" and len(seen) == 1


@pytest.mark.parametrize(
    ("path", "limits", "reason"),
    [
        ("/big", {"most_bytes": 10_000}, "too_large"),
        ("/text", {"types": ("image/",)}, "wrong_type"),
        ("/none", {}, "http_404"),
        ("/loop", {}, "too_many_redirects"),
    ],
)
def test_limits(server, path, limits, reason):
    base, _ = server
    with pytest.raises(DownloadFailed) as caught:
        fetch(base + path, upstream=base, **limits)
    assert caught.value.reason == reason


def test_no_key_travels_with_a_download(server):
    base, seen = server
    fetch(f"{base}/to?/x", upstream=base)
    assert [key for _, key in seen] == [None, None]


@pytest.fixture
def proxy(tmp_path, monkeypatch):
    """A proxy on this machine that is the host behind it, too; the names that it was asked for."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-keyout", key, "-out", certificate, "-subj", "/CN=x", "-addext", "subjectAltName=DNS:cdn.invalid"],
        check=True, capture_output=True,
    )  # fmt: skip
    asked: list[str] = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                asked.append(plain.recv(4096).split()[1].decode())
                plain.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                with tls.wrap_socket(plain, server_side=True) as inner:
                    inner.recv(4096)
                    inner.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    threading.Thread(target=serve, daemon=True).start()
    for name in ("HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "all_proxy", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    yield asked
    listener.close()


def test_a_proxy_may_have_a_private_address_and_looks_names_up(proxy):
    assert fetch("https://cdn.invalid/x") == b"hi" and proxy == ["cdn.invalid:443"]


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "https://localhost/x", "https://10.1.2.3/x"])
def test_a_proxy_is_no_way_to_private_addresses(proxy, url):
    with pytest.raises(DownloadFailed) as caught:
        fetch(url)
    assert (caught.value.reason, proxy) == ("refused_address", [])
