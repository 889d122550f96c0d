"""Whatever comes, the sandbox answers with a status of its own choosing, never with a failure of ours."""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tikomni import catalog
from tikomni.sandbox import COOKIE, links
from tikomni.sandbox.world import read

MAPPED = sorted(route_id for routes in read("routes").values() for route_id in routes)
OURS = ["u2.services.audio.asr.transcription", "u2.tasks", "u3.uploads", "u3.uploads.complete", "health.check"]
ROUTES = st.sampled_from(MAPPED + OURS) | st.sampled_from(catalog.ids())
PLACES = st.sampled_from(["media", "files", "uploads", "transcriptions", "cache", "oauth", "sandbox", "api", ""])
TEXTS = st.text(max_size=40) | st.sampled_from([t for link in links.values() for t in (link.id, link.url, link.text)])
VALUES = TEXTS | st.integers().map(str) | st.sampled_from(["true", "", "0", "-1", "9" * 5000])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)


@shared
@given(route_id=ROUTES, data=st.data())
def test_calls(sandbox, client, route_id, data):
    route = catalog.get(route_id)
    names = [item.name for item in route.inputs if item.where != "path"]
    query = data.draw(st.dictionaries(st.sampled_from(names) if names else TEXTS, VALUES, max_size=4))
    body = data.draw(st.none() | JSON)
    if isinstance(body, dict) and names:
        body |= data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=4))
        body |= {"cookie": COOKIE} if "cookie" in names else {}
    path = route.path.replace("{task_id}", "some").replace("{upload_id}", "some")
    raw = None if body is None else json.dumps(body).encode()
    reply = client.send(route.method, f"{path}?{urlencode(query)}", raw, Content_Type="application/json")
    assert reply.status in (200, 400, 401, 404, 413, 422)
    assert not (reply.status == 200 and route.body is None and raw)


@shared
@given(place=PLACES, parts=st.lists(TEXTS, max_size=3), method=st.sampled_from(["GET", "PUT", "POST"]), body=JSON)
def test_other_places(sandbox, client, place, parts, method, body):
    path = "/" + "/".join([place, *(quote(part, safe="") for part in parts)])
    reply = client.send(method, path, json.dumps(body).encode())
    assert reply.status in (200, 400, 403, 404, 405)
