"""How long the answer of a route stands for a new one. Data, and one function over it; reads and sends nothing.

Groups: ``facts`` (counts, profiles), ``lists``, ``rankings`` (what changes by the minute: charts, feeds, rooms, links
and tokens that expire), ``text`` (never changes). ``None``: a state, a price or a service's own word, never stored.
"""

from __future__ import annotations

from typing import Literal

from tikomni.catalog import Route

Group = Literal["facts", "lists", "rankings", "text"]

OBJECTS: dict[str, Group | None] = {
    **dict.fromkeys(("account", "generation", "health", "mail"), None),
    **dict.fromkeys(("subtitle", "transcript"), "text"),
    **dict.fromkeys(("crypto_tool", "feed", "live", "media", "ranking", "trend"), "rankings"),
    **dict.fromkeys(
        ("comments", "danmaku", "interaction", "relation", "replies", "search", "suggest", "works"), "lists"
    ),
    **dict.fromkeys(
        ("ads", "analytics", "article", "audience", "collection", "config", "id_tool", "location", "music", "product"),
        "facts",
    ),
    **dict.fromkeys(("profile", "question", "shop", "topic", "work"), "facts"),
}
# What is asked of a model (``dispatch/llm.py``): no route of the catalogue, and a question once answered stays so.
MODEL = "llm.chat"
# Providers' own services: accounts, prices, versions.
OWN = ("tikhub.",)


def group(route: Route) -> Group | None:
    """The shelf of ``route``.

    Raises:
        KeyError: an object that the table above does not know.
    """
    found = OBJECTS[route.object]
    if route.price == 0 or route.effect not in ("read", "account_read") or route.id.startswith(OWN):
        return None
    return "lists" if found == "facts" and route.paging is not None else found
