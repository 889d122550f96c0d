"""What a route is: its address, inputs, effect, price and how its lists go on.

Plain data made from one compiled row: named tuples, since every command makes these classes and dataclasses take ten
times as long to make. Nothing here reads files, checks values or sends anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

DEFAULT_PRICE_USD = 0.001

Where = Literal["path", "query", "body"]
Method = Literal["GET", "POST"]

LIFTED = {
    "description": "about",
    "x-tikomni-values": "values",
    "x-tikomni-format": "format",
    "x-tikomni-maximum": "maximum",
}
"""Keys of a parameter or body property that say what an ``Input`` has fields for; the rest is its JSON Schema."""


class Input(NamedTuple):
    """One value that a caller may give.

    ``values`` maps a code to its meaning and need not be complete; ``schema`` (``enum``) is what binds.
    ``format`` is a note for people. ``maximum`` is how many values a comma-separated text may hold; other
    bounds are in ``schema``.
    """

    name: str
    where: Where
    required: bool
    schema: dict[str, Any]
    about: str = ""
    values: dict[str, str] | None = None
    format: str | None = None
    maximum: int | None = None

    @property
    def type(self) -> str | None:
        return self.schema.get("type")

    @property
    def comma_separated(self) -> bool:
        return bool(self.format) and "comma-separated" in self.format


class Body(NamedTuple):
    """The request body as a whole. ``schema`` may be an object, a bare array or a bare string."""

    content_type: str
    required: bool
    schema: dict[str, Any]

    def inputs(self) -> tuple[Input, ...]:
        """Each top-level property of an object body, as an input; none for any other body."""
        required = self.schema.get("required", ())
        return tuple(
            Input(
                name,
                "body",
                name in required,
                {key: value for key, value in schema.items() if key not in LIFTED},
                **{field: schema[key] for key, field in LIFTED.items() if key in schema},
            )
            for name, schema in self.schema.get("properties", {}).items()
        )


class Paging(NamedTuple):
    """How the next page is asked for.

    ``send`` names the inputs that travel together; ``next`` says for each of them, in the same order, where
    its value stands in the answer before (JMESPath from the top of the response body), or None where that is
    unknown or the caller counts by itself. ``more`` is the path of the flag that says whether there is more.
    ``size`` is the input that sets the page's length. ``fields`` are names that upstream tells without saying
    where they stand: pairs of an input, or ``"more"``, and the field.
    """

    kind: Literal["page", "offset", "cursor", "token"]
    send: tuple[str, ...]
    next: tuple[str | None, ...]
    more: str | None = None
    size: str | None = None
    fields: tuple[tuple[str, str], ...] = ()


class Route(NamedTuple):
    """One documented call.

    ``give`` says in words what to give, where it is had from, and which of two counts. Of a route that is not
    ``reviewed`` words and effect are careful guesses made from its path.
    """

    id: str
    method: Method
    path: str
    provider: str
    tag: str
    summary: str
    summary_zh: str
    object: str
    effect: Literal["read", "account_read", "write", "generate", "inflate"]
    inputs: tuple[Input, ...]
    body: Body | None
    response: Literal["envelope", "json", "file"]
    any_of: tuple[tuple[str, ...], ...]
    limits: tuple[str, ...]
    paging: Paging | None
    in_catalogue: bool
    tikhub: bool
    price_usd: float | None = None
    prefer: str | None = None
    replaced_by: str | None = None
    reviewed: bool = True
    give: str = ""

    @property
    def price(self) -> float:
        """USD for one call: what the catalogue knows, else the standard price."""
        return DEFAULT_PRICE_USD if self.price_usd is None else self.price_usd

    def input(self, name: str) -> Input | None:
        return next((item for item in self.inputs if item.name == name), None)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Route:
        """A route from its compiled row (``compile.py`` says what a row leaves out)."""
        body = Body(**row["body"]) if "body" in row else None
        inputs = tuple(Input(**item) for item in row.get("inputs", ()))
        told = {
            "inputs": inputs + (body.inputs() if body else ()),
            "body": body,
            "any_of": tuple(map(tuple, row.get("any_of", ()))),
            "limits": tuple(row.get("limits", ())),
            "paging": _paging(row["paging"]) if "paging" in row else None,
        }
        return cls(**{**row, **told})


def _paging(row: Mapping[str, Any]) -> Paging:
    send = row["send"]
    fields = tuple(row.get("fields", {}).items())
    return Paging(**{**row, "send": tuple(send), "next": tuple(send.values()), "fields": fields})
