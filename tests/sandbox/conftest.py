"""One sandbox for all tests, wiped before each, and a client that knows nothing but HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tikomni.sandbox import Sandbox, Script

PREFIX = "/api/u1/v1/"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        return self.json["data"]


@dataclass
class Client:
    """Requests over a fresh connection each. ``key`` None sends no Authorization."""

    base_url: str
    key: str | None
    timeout: float = 10.0
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, address: str, body: bytes | None = None, **headers: str) -> Reply:
        parts = urlsplit(address if "://" in address else self.base_url + address)
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key and "authorization" not in {name.lower() for name in sent}:
            sent["Authorization"] = f"Bearer {self.key}"
        connection = HTTPConnection(parts.netloc, timeout=self.timeout)
        try:
            connection.request(method, f"{parts.path}?{parts.query}".rstrip("?"), body, sent)
            reply = connection.getresponse()
            return Reply(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def get(self, address: str, **query: Any) -> Reply:
        if not address.startswith(("/", "http")):
            address = PREFIX + address
        return self.send("GET", address + (f"?{urlencode(query, doseq=True)}" if query else ""))

    def post(self, address: str, value: Any = None, **query: Any) -> Reply:
        if not address.startswith(("/", "http")):
            address = PREFIX + address
        address += f"?{urlencode(query, doseq=True)}" if query else ""
        if value is None:
            return self.send("POST", address)
        return self.send("POST", address, json.dumps(value).encode(), Content_Type="application/json")

    def submit(self, *file_urls: str) -> Reply:
        return self.post("/api/u2/v1/services/audio/asr/transcription", {"input": {"file_urls": list(file_urls)}})

    def poll(self, task_id: str) -> Any:
        return self.post(f"/api/u2/v1/tasks/{task_id}").data


@pytest.fixture(scope="session")
def _running() -> Iterator[Sandbox]:
    with Sandbox(rate=None) as running:
        yield running


@pytest.fixture
def sandbox(_running: Sandbox) -> Sandbox:
    _running.reset()
    _running.asr.script, _running.rate, _running.latency_s = Script(), None, 0.0
    return _running


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox.base_url, sandbox.key)
