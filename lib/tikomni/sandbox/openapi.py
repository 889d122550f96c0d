"""The sandbox's own ``/openapi.json``: the catalogue in the form that a FastAPI upstream publishes.

Made from the compiled routes that the upstream lists. It must not say anything that is ours alone (``x-tikomni-*``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from tikomni import catalog
from tikomni.catalog import Body, Input, Route

PROVIDER = "tikomni"

_ENVELOPE = {
    "title": "ResponseModel",
    "type": "object",
    "properties": {
        "code": {"title": "Code", "type": "integer", "default": 200},
        "request_id": {"title": "Request Id", "anyOf": [{"type": "string"}, {"type": "null"}]},
        "message": {"title": "Message", "type": "string"},
        "message_zh": {"title": "Message Zh", "type": "string"},
        "router": {"title": "Router", "type": "string", "default": ""},
        "params": {"title": "Params", "default": {}},
        "data": {"title": "Data", "anyOf": [{}, {"type": "null"}]},
    },
}
_PROBLEMS = {
    "title": "HTTPValidationError",
    "type": "object",
    "properties": {"detail": {"title": "Detail", "type": "array", "items": {"type": "object"}}},
}


@cache
def document() -> dict[str, Any]:
    """The whole document; made once."""
    paths: dict[str, dict[str, Any]] = {}
    for route in catalog.all_routes():
        if route.provider == PROVIDER and route.in_catalogue:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sandbox", "version": "sandbox"},
        "paths": paths,
        "components": {"schemas": {"ResponseModel": _ENVELOPE, "HTTPValidationError": _PROBLEMS}},
    }


def _operation(route: Route) -> dict[str, Any]:
    name = re.sub(r"\W+", "_", f"{route.id.rpartition('.')[2]}{route.path}")
    operation: dict[str, Any] = {
        "tags": [route.tag],
        "summary": route.summary,
        "operationId": f"{name.rstrip('_')}_{route.method.lower()}",
    }
    if parameters := [_parameter(item) for item in route.inputs if item.where != "body"]:
        operation["parameters"] = parameters
    if route.body:
        operation["requestBody"] = _body(route.body)
    return operation | {"responses": dict(_responses(route))}


def _parameter(item: Input) -> dict[str, Any]:
    parameter = {"name": item.name, "in": item.where, "required": item.required, "schema": item.schema}
    return parameter | ({"description": item.about} if item.about else {})


def _body(body: Body) -> dict[str, Any]:
    return {"required": body.required, "content": {body.content_type: {"schema": _without_ours(body.schema)}}}


def _responses(route: Route) -> Iterator[tuple[str, Any]]:
    answer = {"schema": {"$ref": "#/components/schemas/ResponseModel"} if route.response == "envelope" else {}}
    content = {"application/octet-stream": {}} if route.response == "file" else {"application/json": answer}
    yield "200", {"description": "Successful Response", "content": content}
    if route.inputs:
        problems = {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}
        yield "422", {"description": "Validation Error", "content": {"application/json": problems}}


def _without_ours(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_ours(value) for key, value in node.items() if not key.startswith("x-tikomni-")}
    return [_without_ours(part) for part in node] if isinstance(node, list) else node
