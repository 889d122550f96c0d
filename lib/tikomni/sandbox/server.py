"""The sandbox: the order in which a request is looked at, and what answers it.

    with Sandbox() as sandbox:
        get(f"{sandbox.base_url}/api/u1/v1/…", {"Authorization": f"Bearer {sandbox.key}"})
        assert sandbox.bill.billed_calls == 1

A catalogued call is looked at as upstream does it: address, key, rate, fault, contract, work, bill. Only what is
answered with HTTP 200 is billed. This module holds no facts about platforms and no judgement of contracts.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from tikomni import catalog
from tikomni.errors import InputError
from tikomni.sandbox import insight, mapped, openapi, world
from tikomni.sandbox.answers import ORIGIN, Answer, Refusal, as_json, envelope, new_id, not_allowed, refuse
from tikomni.sandbox.asr import Asr, Script
from tikomni.sandbox.bill import Bill
from tikomni.sandbox.checks import MOST_BODY_BYTES, check
from tikomni.sandbox.faults import Fault, Faults, bend, instead
from tikomni.sandbox.llm import Llm
from tikomni.sandbox.llm import refusal as llm_refusal
from tikomni.sandbox.replay import Replay
from tikomni.sandbox.uploads import MOST_BYTES, Uploads
from tikomni.sandbox.wire import HOST, Server, deliver, file_answer, read_body
from tikomni.sandbox.world import crowd, media

KEY = "sandbox-key-4c1f7e0a9b"
LLM_KEY = "sandbox-llm-key-7d20b8c3"
RATE = 10
CACHE_S, CACHE_ROWS = 86_400, 2_000
READ_ONLY = ("media", "files", "transcriptions", "cache")
HEALTH = "health.check"
OURS, TIKHUB = "/api/u1/v1/", "/api/v1/"
"""TikHub's prefix is answered too, for the routes that it has: same keys, same bill."""
ASR_SUBMIT = "u2.services.audio.asr.transcription"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came, and what became of it.

    ``route`` is empty for an unknown address and ``sandbox.<place>`` for one outside the catalogue (media, files,
    uploads, transcriptions, cache, …). ``status`` 0: the connection was closed instead. ``key``: the Bearer sent.
    ``fault``: the kind of what befell it, empty for none.
    """

    method: str
    path: str
    route: str
    inputs: Mapping[str, Any]
    status: int
    key: str | None
    fault: str = ""


@dataclass(slots=True)
class _Call:
    """A request on its way through the server."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes = b""
    route: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault | None = None

    @property
    def key(self) -> str | None:
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        return key if scheme.lower() == "bearer" and key else None

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query_string, keep_blank_values=True)

    @property
    def parts(self) -> list[str]:
        """The path after its first part."""
        return [unquote(part) for part in self.path.split("/")[2:]]

    def options(self, kind: str) -> Mapping[str, Any]:
        """What a fault of this kind says, if it befell this call."""
        return self.fault.options if self.fault and self.fault.kind == kind else {}


class Sandbox:
    """An upstream on this machine.

    Args:
        latency_s: what every catalogued call takes at least.
        rate: calls a second for each key before 429; None: any number.
        replay: a folder of recorded answers, which then are the only ones (see ``replay``).
        script: how speech jobs go unless an ``asr`` fault says otherwise; also ``asr.script``.
        upload_ttl_s: how long an upload's address is good for.

    Attributes:
        base_url: where it listens; also the Insight stand-in's.
        keys: what it accepts; ``key`` is the usual one.
        llm: a model's stand-in at ``base_url`` + ``/v1``, with a key of its own.
        bill: what would have been charged.
        faults: what is to go wrong.
        requests: every request so far, refused ones too.
    """

    def __init__(
        self,
        *,
        latency_s: float = 0.0,
        rate: int | None = RATE,
        replay: Path | str | None = None,
        script: Script | None = None,
        upload_ttl_s: float = 900.0,
    ) -> None:
        self.key, self.keys = KEY, (KEY,)
        self.latency_s, self.rate = latency_s, rate
        self.bill, self.faults = Bill(), Faults()
        self.asr, self.uploads = Asr(self.bill, script), Uploads(self.bill, upload_ttl_s)
        self.insight = insight.Insight(self.bill)
        self.llm = Llm(self.bill, LLM_KEY)
        self.replay = Replay.read(Path(replay)) if replay else None
        self.requests: list[Seen] = []
        self.base_url = ""
        self._recent: dict[str, deque[float]] = {}
        self._cached: dict[str, tuple[float, bytes]] = {}
        self._server: Server | None = None
        self._places: dict[str, Callable[[_Call], Answer]] = {
            "media": self._media,
            "files": self._uploaded,
            "uploads": self._upload,
            "transcriptions": self._transcription,
            "cache": self._from_cache,
            "oauth": self._token,
            "v1": self._model,
            "openapi.json": self._openapi,
            "sandbox": self._handle,
        }

    def start(self, port: int = 0) -> Self:
        """Serves in a thread of this process; returns when the first request can be sent."""
        self._server = Server(self, port)
        self.base_url = f"http://{HOST}:{self._server.port}"
        self._server.start()
        return self

    def stop(self) -> None:
        """Drops every connection and stops serving."""
        if self._server:
            self._server.stop()
            self._server = None

    def reset(self) -> None:
        """Forgets bill, faults, jobs, uploads, tokens, cache and requests; keeps serving."""
        for part in (self.bill, self.faults, self.asr, self.uploads, self.insight):
            part.reset()
        crowd.reset()
        self._recent.clear()
        self._cached.clear()
        self.requests.clear()

    def __enter__(self) -> Self:
        return self if self._server else self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    # --- one request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        request = Request(scope, receive)
        # As it came: what is escaped in it is one part of the path, and is decoded once, by who reads that part.
        path, query_string = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        call = _Call(scope["method"], path, query_string, request.headers)
        try:
            answer = await self._answer(call, request)
        except Refusal as refusal:
            answer = refusal.answer
        except ClientDisconnect:
            return
        except Exception:
            _log.exception("The sandbox failed on %s %s", call.method, call.path)
            answer = as_json({"detail": "The sandbox failed; its log says why."}, 500)
        answer = bend(call.fault, answer)
        status = 0 if answer.cut_at == -1 else answer.status
        kind = call.fault.kind if call.fault else ""
        self.requests.append(Seen(call.method, call.path, call.route, call.inputs, status, call.key, kind))
        await deliver(answer, send)

    async def _answer(self, call: _Call, request: Request) -> Answer:
        place = call.path.split("/")[1]
        if here := self._places.get(place):
            call.route = f"sandbox.{place}"
            if place in READ_ONLY and call.method not in ("GET", "HEAD"):
                raise not_allowed("GET")
            if replaced := self._fault(call):
                return replaced
            call.body = await read_body(request, MOST_BYTES)
            return here(call)
        route, path_values = self._route(call)
        self._admit(call, route)
        await asyncio.sleep(self.latency_s)
        if replaced := self._fault(call):
            return replaced
        call.body = await read_body(request, MOST_BODY_BYTES)
        content_type = call.headers.get("content-type", "")
        call.inputs = check(route, path_values, call.query, call.body, content_type)
        return self._work(call, route)

    def _route(self, call: _Call) -> tuple[catalog.Route, dict[str, str]]:
        as_tikhub = call.path.startswith(TIKHUB)
        path = OURS + call.path.removeprefix(TIKHUB) if as_tikhub else call.path
        try:
            route, path_values = catalog.match(call.method, path)
        except InputError as error:
            if methods := error.details.get("methods"):
                raise not_allowed(*methods) from None
            raise Refusal(as_json({"detail": "Not Found"}, 404)) from None
        if as_tikhub and not route.tikhub:
            raise Refusal(as_json({"detail": "Not Found"}, 404))
        call.route = route.id
        return route, path_values

    def _admit(self, call: _Call, route: catalog.Route) -> None:
        """Key, then rate."""
        if route.id == HEALTH:
            return
        if route.provider == "insight":
            if not self.insight.allows(call.headers):
                raise Refusal(as_json(insight.refused(), 401))
            return
        if call.key not in self.keys:
            told = "Invalid API key" if call.key else "Authorization header with a Bearer token is missing"
            raise refuse(401, told, www_authenticate="Bearer")
        if wait := self._too_fast(call.key):
            raise refuse(429, f"Rate limit of {self.rate} per second exceeded", retry_after=str(wait))

    def _too_fast(self, key: str) -> int:
        """Whole seconds to wait; 0 when this call is within the rate."""
        if self.rate is None:
            return 0
        now, recent = time.monotonic(), self._recent.setdefault(key, deque())
        while recent and now - recent[0] >= 1:
            recent.popleft()
        if len(recent) >= self.rate:
            return math.ceil(1 - (now - recent[0]))
        recent.append(now)
        return 0

    def _fault(self, call: _Call) -> Answer | None:
        call.fault = self.faults.take(call.route)
        return instead(call.fault, f"{self.base_url}{call.path}?{call.query_string}".rstrip("?"))

    # --- what answers

    def _work(self, call: _Call, route: catalog.Route) -> Answer:
        if route.id == HEALTH:
            return as_json({"status": "ok"})
        if self.replay:
            answer = self.replay.answer(route.id, call.inputs)
            if answer.status == 200:
                self.bill.call(route.id, route.price)
            return answer
        if route.id == insight.ROUTE:
            work = world.load().work("douyin", call.inputs["origin_id"])
            return self._told(self.insight.query(work))
        if route.id == ASR_SUBMIT:
            addresses, script = call.inputs["input"]["file_urls"], call.options("asr")
            return as_json(self.asr.submit(addresses, self._heard, script, new_id()))
        data = self._data(call, route)
        self.bill.call(route.id, route.price)
        if route.response == "envelope":
            return self._enveloped(call, data)
        if route.response == "file":
            return data if isinstance(data, Answer) else file_answer("application/octet-stream", b"sandbox")
        return self._told({"code": 200, "router": call.path} | data)

    def _data(self, call: _Call, route: catalog.Route) -> Any:
        match route.id:
            case "u2.tasks":
                return self.asr.poll(call.inputs["task_id"])
            case "u3.uploads":
                return self.uploads.create(call.inputs)
            case "u3.uploads.complete":
                return self.uploads.complete(call.inputs["upload_id"])
            case route_id if mapped.answers(route_id):
                return mapped.answer(route_id, call.inputs)
        return {"object": route.object, "route": route.id, "items": [], "sandbox": True}

    def _enveloped(self, call: _Call, data: Any) -> Answer:
        request_id = new_id()
        asked = dict(call.query) | (dict(call.inputs) if call.body else {})
        answer = self._told(envelope(data, request_id, call.path, asked))
        self._cached[request_id] = (time.monotonic() + CACHE_S, answer.body)
        if len(self._cached) > CACHE_ROWS:
            del self._cached[next(iter(self._cached))]
        return answer

    def _told(self, value: Any) -> Answer:
        """``value`` with this sandbox's address in it."""
        answer = as_json(value)
        return replace(answer, body=answer.body.replace(ORIGIN.encode(), self.base_url.encode()))

    def _heard(self, address: str) -> media.Media | None:
        """What the speech service finds at an address: a file of the world, or an uploaded copy of one."""
        parts = urlsplit(address)
        if f"{parts.scheme}://{parts.netloc}" != self.base_url:
            return None
        match unquote(parts.path).split("/"):
            case ["", "media", name, file]:
                return media.find(name, file)
            case ["", "files", upload_id, _] if found := self.uploads.file(upload_id):
                copy = media.recognise(found[1])
                return copy and replace(copy, copied=True)
        return None

    # --- places outside the catalogue

    def _media(self, call: _Call) -> Answer:
        match call.parts:
            case [name, file] if found := media.find(name, file):
                return file_answer(found.content_type, found.read(), call.headers.get("range", ""))
        raise refuse(404, "No such file")

    def _uploaded(self, call: _Call) -> Answer:
        match call.parts:
            case [upload_id, _] if found := self.uploads.file(upload_id):
                return file_answer(*found, call.headers.get("range", ""))
        raise refuse(404, "No such file, or no longer")

    def _upload(self, call: _Call) -> Answer:
        if call.method != "PUT":
            raise not_allowed("PUT")
        upload_id, signature = "/".join(call.parts), dict(call.query).get("Signature", "")
        self.uploads.put(upload_id, signature, call.headers, call.body)
        return Answer()

    def _transcription(self, call: _Call) -> Answer:
        match call.parts:
            case [task_id, file] if (index := file.removesuffix(".json")).isdigit():
                if document := self.asr.document(task_id, int(index)):
                    return as_json(document)
        raise refuse(404, "No such file")

    def _from_cache(self, call: _Call) -> Answer:
        request_id = "/".join(call.parts)
        ends, body = self._cached.get(request_id, (0.0, b""))
        if time.monotonic() > ends or dict(call.query).get("sign") != request_id[:8]:
            raise refuse(404, "No cached answer")
        return Answer(200, body, {"content-type": "application/json"})

    def _token(self, call: _Call) -> Answer:
        if (call.method, call.parts) != ("GET", ["access_token"]):
            raise refuse(404, "Not Found")
        return as_json(self.insight.token(call.headers))

    def _model(self, call: _Call) -> Answer:
        """An OpenAI-compatible server; its base URL ends in ``/v1``."""
        if call.parts != ["chat", "completions"]:
            raise refuse(404, "Not Found")
        if call.method != "POST":
            raise not_allowed("POST")
        if call.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise llm_refusal(415, "Content-Type must be application/json")
        try:
            call.inputs = json.loads(call.body)
        except ValueError:
            raise llm_refusal(400, "We could not parse the JSON body of your request") from None
        return self.llm.complete(call.key, call.inputs, call.options("llm"))

    def _openapi(self, call: _Call) -> Answer:
        if (call.method, call.parts) != ("GET", []):
            raise refuse(404, "Not Found")
        return as_json(openapi.document())

    def _handle(self, call: _Call) -> Answer:
        """For tests that drive a separate process; needs no key."""
        match call.method, call.parts:
            case "GET", ["bill"]:
                return as_json(self.bill.as_dict())
            case "POST", ["faults"]:
                return self._add_faults(call)
            case "POST", ["advance"]:
                return as_json({"new_works": crowd.advance(int(dict(call.query).get("works", "10")))})
            case "POST", ["reset"]:
                self.reset()
                return as_json({"reset": True})
        raise refuse(404, "Not Found")

    def _add_faults(self, call: _Call) -> Answer:
        try:
            self.faults.add(**json.loads(call.body))
        except (ValueError, TypeError) as error:
            raise refuse(400, str(error)) from None
        return as_json({"added": True})
