"""The stand-in for an OpenAI-compatible server: judges a request as a strict one does, and answers an analysis task.

It knows nothing of our tasks but what the request says: it fills the schema, cites the sentences that it was given, and
says what stands in no figure. Told by an ``llm`` fault it answers badly (``manner``, one of ``MANNERS``), takes less
(``refuses``, types of ``response_format``) or calls the answer's longest otherwise (``limit``). Every answer is billed
in tokens, good or bad.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from tikomni.envelope import tokens
from tikomni.sandbox.answers import Answer, Refusal, as_json
from tikomni.sandbox.bill import Bill

Json = dict[str, Any]

ROUTE = "sandbox.v1"
MODELS = ("sandbox-model", "sandbox-model-2")
MOST_TOKENS = 8192
_ROLES = ("system", "user", "assistant")
_MEMBERS = frozenset({"model", "messages", "response_format", "temperature", "top_p", "stream"})
_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})
_FORMATS = ("text", "json_object", "json_schema")
_SENTENCE = re.compile(r"^(W\d+)\.([tc]?\d+) \| ", re.MULTILINE)
# A comment of the audience: what the author answers is no evidence.
_COMMENT = re.compile(r"^(C\d+) \| (?![^|]*(?:作者|author) \| )", re.MULTILINE)
_BUCKET = re.compile(r"^(W\d+) \| .*?\bbucket (\w+)", re.MULTILINE)


def refusal(status: int, message: str, kind: str = "invalid_request_error", param: str | None = None) -> Refusal:
    """A refusal in the words and shape of such servers."""
    return Refusal(as_json({"error": {"message": message, "type": kind, "param": param, "code": None}}, status))


class Llm:
    """One account."""

    def __init__(self, bill: Bill, key: str) -> None:
        self.key = key
        self._bill = bill

    def complete(self, key: str | None, request: Any, options: Mapping[str, Any]) -> Answer:
        """The answer to one chat completion; ``options`` are those of an ``llm`` fault.

        Raises:
            Refusal: the request is not one that a strict server takes.
        """
        if key != self.key:
            raise refusal(401, "Incorrect API key provided", "authentication_error")
        limit = options.get("limit", "max_tokens")
        self._judge(request, limit)
        form = request.get("response_format", {}).get("type", "text")
        if form in options.get("refuses", ()):
            raise refusal(400, f"response_format type {form!r} is not supported by this model", param="response_format")
        text, finish = MANNERS[options.get("manner", "well")](request)
        if tokens(text) > request[limit]:
            text, finish = text[: request[limit]], "length"
        read = sum(tokens(message["content"]) for message in request["messages"])
        self._bill.model(read, tokens(text))
        message = {"role": "assistant", "content": text}
        return as_json(
            {
                "id": f"chatcmpl-{uuid.uuid4().hex}",
                "object": "chat.completion",
                "created": 1_790_000_000,
                "model": request["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
                "usage": {
                    "prompt_tokens": read,
                    "completion_tokens": tokens(text),
                    "total_tokens": read + tokens(text),
                },
            }
        )

    def _judge(self, request: Any, limit: str) -> None:
        if not isinstance(request, dict):
            raise refusal(400, "We could not parse the JSON body of your request")
        if limit not in request and (other := request.keys() & _LIMITS):
            raise refusal(400, f"Unsupported parameter: {min(other)!r}. Use {limit!r} instead.", param=min(other))
        if unknown := sorted(request.keys() - _MEMBERS - {limit}):
            raise refusal(400, f"Unrecognized request argument supplied: {', '.join(unknown)}", param=unknown[0])
        if request.get("model") not in MODELS:
            raise refusal(404, f"The model `{request.get('model')}` does not exist", param="model")
        most = request.get(limit)
        if not isinstance(most, int) or not 1 <= most <= MOST_TOKENS:
            raise refusal(400, f"Invalid {limit} value, the valid range is [1, {MOST_TOKENS}]", param=limit)
        messages = request.get("messages")
        if not isinstance(messages, list) or not messages:
            raise refusal(400, "messages: expected a list with at least one message", param="messages")
        for n, message in enumerate(messages):
            well = isinstance(message, dict) and message.keys() == {"role", "content"} and message["role"] in _ROLES
            if not well or not isinstance(message["content"], str) or not message["content"].strip():
                raise refusal(400, f"messages[{n}] is not a message with a role and a text", param="messages")
        if messages[-1]["role"] != "user":
            raise refusal(400, "The last message must be from the user", param="messages")
        if "response_format" in request:
            self._judge_format(request["response_format"], messages)

    def _judge_format(self, form: Any, messages: list[Json]) -> None:
        kind = form.get("type") if isinstance(form, dict) else None
        if kind not in _FORMATS or form.keys() - {"type", "json_schema"}:
            raise refusal(400, f"Invalid response_format {kind!r}", param="response_format")
        if kind == "json_object" and not any("json" in message["content"].lower() for message in messages):
            raise refusal(400, "messages must contain the word 'json' to use response_format json_object")
        if (kind == "json_schema") != ("json_schema" in form):
            raise refusal(400, "response_format.json_schema is required for its type alone", param="response_format")
        if kind == "json_schema":
            given = form["json_schema"]
            name = given.get("name") if isinstance(given, dict) else None
            if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
                raise refusal(400, "Invalid response_format.json_schema.name", param="response_format")
            try:
                Draft202012Validator.check_schema(given.get("schema"))
            except SchemaError as error:
                raise refusal(400, f"Invalid schema: {error.message}", param="response_format") from None
            if '"x-' in json.dumps(given["schema"]):
                raise refusal(400, "Invalid schema: keywords that are not of JSON Schema", param="response_format")


# --- what it says


def _well(request: Json) -> tuple[str, str]:
    return json.dumps(_filled(request), ensure_ascii=False), "stop"


def _schema_errors(request: Json) -> tuple[str, str]:
    answer = _filled(request)
    answer.pop(next(iter(answer)))
    return json.dumps(answer | {"confidence": "high"}, ensure_ascii=False), "stop"


def _wrong_id(request: Json) -> tuple[str, str]:
    text = json.dumps(_filled(request), ensure_ascii=False)
    return re.sub(r"W\d+\.[tc]?\d+", "W99.01", text, count=1), "stop"


def _cut(request: Json) -> tuple[str, str]:
    text = _well(request)[0]
    return text[: len(text) // 2], "length"


def _prose(request: Json) -> tuple[str, str]:
    return f"Sure! Here is {{my}} analysis:\n\n```json\n{_well(request)[0]}\n```\n\nIs there anything else?", "stop"


def _injected(request: Json) -> tuple[str, str]:
    answer = _filled(request)
    claim = next(node for node in _nodes(answer) if isinstance(node, dict) and "evidence" in node)
    claim["text"] = "见 https://evil.example/x ](javascript:1) <script>alert(1)</script>"
    return json.dumps(answer, ensure_ascii=False), "stop"


MANNERS: Mapping[str, Callable[[Json], tuple[str, str]]] = {
    "well": _well,
    "schema_errors": _schema_errors,
    "wrong_id": _wrong_id,
    "blank": lambda request: ("", "stop"),
    "cut": _cut,
    "prose": _prose,
    "list": lambda request: (f"[{_well(request)[0]}]", "stop"),
    "empty_list": lambda request: ("[]", "stop"),
    "no_json": lambda request: ("I would rather not say.", "stop"),
    "injected": _injected,
}


def _filled(request: Json) -> Json:
    """The least answer that follows the schema in the request, resting on the first sentence of each work in it."""
    text = "\n".join(message["content"] for message in request["messages"])
    found = _SENTENCE.findall(text)
    # Of the main text where there is one; titles and captions stand beside it.
    first = {work: f"{work}.{n}" for main in (False, True) for work, n in reversed(found) if n.isdigit() is main}
    schema = _schema_in(request)
    sources = sorted(first.items()) or [(name, name) for name in _COMMENT.findall(text)]
    return _fill(schema, schema, sources, dict(_BUCKET.findall(text)))


def _schema_in(request: Json) -> Json:
    if given := request.get("response_format", {}).get("json_schema"):
        return given["schema"]
    system = request["messages"][0]["content"]
    for line in system.splitlines():
        if line.startswith('{"type"'):
            return json.loads(line)
    raise refusal(400, "There is no schema in this request")


def _fill(schema: Json, root: Json, works: list[tuple[str, str]], buckets: Mapping[str, str]) -> Any:
    wanted = set(schema.get("required", ()))
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
        wanted |= set(schema.get("required", ()))
    if "anyOf" in schema:
        return None
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        properties = schema["properties"]
        if "evidence" in properties:
            label = {"label": "直接陈述"} if "label" in wanted else {}
            return {**label, "text": "开头直接说事", "evidence": [works[0][1]]}
        made = {n: _fill(s, root, works, buckets) for n, s in properties.items() if n in wanted}
        if "work" in made:
            made["work"] = works[0][0]
        if "bucket" in made:
            made["bucket"] = buckets.get(works[0][0], "")
        return made
    if schema["type"] == "array":
        item, least = schema["items"], schema.get("minItems", 0)
        if "maxItems" not in schema and "work" in item.get("properties", {}):
            return [_fill(item, root, [work], buckets) for work in works]
        return [_fill(item, root, works, buckets)] * least
    return 3 if schema["type"] == "integer" else "有理由"


def _nodes(node: Any) -> list[Any]:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [node, *(inner for child in children for inner in _nodes(child))]
