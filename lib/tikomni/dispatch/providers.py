"""Who answers a route: addresses, keys and headers of the providers. Data: ``providers.json``.

The key that is set chooses: TikOmni's, else TikHub's, which has most of the same routes under another prefix; a route
of Content Insight needs that account. Nothing here sends anything but the request for a token.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tikomni import redact
from tikomni.catalog import Route
from tikomni.dispatch.http import Failure, Transport
from tikomni.dispatch.ledger import Scope
from tikomni.errors import InputError, UpstreamError
from tikomni.settings import PREFIX, Settings, check_key, variable

MAIN = ("tikomni", "tikhub")


@dataclass(slots=True)
class Provider:
    """One provider with the user's account at it.

    ``rate``: requests a second that it takes, ``None`` for the setting's. A token, where it needs one, lives in
    memory alone.
    """

    id: str
    name: str
    base_url: str
    key: str
    account: str
    rules: Mapping[str, Any]
    _token: str = ""
    _renew_at: float = 0.0
    _renewing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def scope(self) -> Scope:
        return Scope.of(self.base_url, f"{self.account}{self.key}")

    @property
    def rate(self) -> float | None:
        return self.rules.get("requests_per_second")

    def url(self, path: str) -> str:
        """The address of a catalogued path at this provider."""
        rewrite = self.rules.get("path")
        if rewrite and path.startswith(rewrite["from"]):
            path = rewrite["to"] + path.removeprefix(rewrite["from"])
        return self.base_url.rstrip("/") + path

    async def headers(self, transport: Transport) -> dict[str, str]:
        """What identifies the user; asks for a token where the one in hand is about to end.

        Raises:
            InputError: ``rejected_key``. UpstreamError: ``network``, ``invalid_answer``.
        """
        if "token" in self.rules:
            async with self._renewing:  # many calls of a run share one token
                if time.monotonic() >= self._renew_at:
                    await self._renew(transport)
        return self._fill(self.rules["sends"])

    def disown(self, headers: Mapping[str, str]) -> bool:
        """Forget the token of these headers, which was refused; whether another can be asked for."""
        if "token" in self.rules and headers == self._fill(self.rules["sends"]):
            self._renew_at = 0.0
        return "token" in self.rules

    def _fill(self, headers: Mapping[str, str]) -> dict[str, str]:
        values = {"key": self.key, "account": self.account, "token": self._token}
        return {name: template.format(**values) for name, template in headers.items()}

    async def _renew(self, transport: Transport) -> None:
        rule = self.rules["token"]
        try:
            reply = await transport.send("GET", self.url(rule["path"]), headers=self._fill(rule["sends"]))
            body = json.loads(reply.body)
        except Failure as failure:
            raise UpstreamError("network", f"{self.name}: no token ({failure}).") from None
        except ValueError:
            raise UpstreamError("invalid_answer", f"{self.name}: no token (the answer is not JSON).") from None
        data = body.get("data") if isinstance(body, dict) else None
        token = data.get("access_token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not token:
            said = body.get("message") if isinstance(body, dict) else None
            raise InputError("rejected_key", f"{self.name} gave no token: {said or f'HTTP {reply.status}'}.")
        redact.register([token])
        life = data.get("expire")
        self._token = token
        seconds = life if isinstance(life, int | float) else 0
        self._renew_at = time.monotonic() + max(0.0, seconds - rule["renew_before_s"])


class Providers:
    """The providers that the settings have a key for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ready: dict[str, Provider] = {}

    def main(self) -> Provider:
        """The provider of the catalogue's common routes.

        Raises:
            InputError: ``missing_key``, ``placeholder_key``, ``config``.
        """
        return self._provider(self._settings.provider)

    def of(self, route: Route) -> Provider:
        """The provider that answers ``route``.

        Raises:
            InputError: as ``main``; ``unknown_route`` where the provider in use lacks it.
        """
        provider = self.main() if route.provider in MAIN else self._provider(route.provider)
        if provider.id == "tikhub" and not route.tikhub:
            raise InputError(
                "unknown_route",
                f"{provider.name} does not have {route.id}.",
                hint=f"Set {PREFIX}API_KEY: TikOmni has it.",
                details={"route": route.id, "provider": provider.id},
            )
        return provider

    def _provider(self, name: str) -> Provider:
        if name not in self._ready:
            rules = _rules()[name]
            settings = self._settings
            named = settings.api_key_env if name == "tikomni" else variable(rules["key"])
            key = check_key(getattr(settings, rules["key"]), named)
            account = ""
            if "account" in rules:
                account = check_key(getattr(settings, rules["account"]), variable(rules["account"]))
            base_url = getattr(settings, rules["base_url"])
            self._ready[name] = Provider(name, rules["name"], base_url, key, account, rules)
        return self._ready[name]


@cache
def _rules() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("providers.json").read_text(encoding="utf-8"))
