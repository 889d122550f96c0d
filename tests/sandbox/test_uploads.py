"""Three steps of an upload, and what each refuses."""

from __future__ import annotations

import pytest

from tikomni.sandbox.uploads import MOST_BYTES
from tikomni.sandbox.world import load, media

UPLOADS = "/api/u3/v1/uploads"


def create(client, size: int = 5, **changes):
    body = {"provider": "oss", "file_name": "录音 1.mp4", "content_type": "video/mp4", "size_bytes": size}
    return client.post(UPLOADS, body | changes)


def put(client, session, data: bytes, **changes: str):
    client.key = None
    headers = {name.replace("-", "_"): value for name, value in session["upload_headers"].items()}
    return client.send(session["upload_method"], session["upload_url"], data, **headers | changes)


def complete(sandbox, client, session):
    client.key = sandbox.key
    return client.post(f"{UPLOADS}/{session['upload_id']}/complete", {})


def test_a_file_goes_up_and_comes_back(sandbox, client):
    session = create(client).data
    assert (session["upload_method"], session["file_ttl_seconds"]) == ("PUT", 86_400)
    assert session["upload_headers"]["Content-Type"] == "video/mp4"
    assert put(client, session, b"bytes").status == 200
    done = complete(sandbox, client, session)
    assert done.data["file_expires_at"].endswith("Z")
    client.key = None
    file = client.get(done.data["file_url"])
    assert (file.body, file.headers["content-type"]) == (b"bytes", "video/mp4")
    assert complete(sandbox, client, session).data == done.data
    assert (sandbox.bill.uploads, sandbox.bill.uploaded_bytes) == (1, 5)


def test_a_copy_says_what_the_original_says(sandbox, client):
    """The way around a film that the speech service cannot fetch."""
    address = f"{sandbox.base_url}/media/dy_guarded/video-540.mp4"
    data = client.get(address).body
    session = create(client, len(data)).data
    put(client, session, data)
    file_url = complete(sandbox, client, session).data["file_url"]
    for source, status in ((address, "FAILED"), (file_url, "SUCCEEDED")):
        task = client.poll(client.submit(source).json["output"]["task_id"])
        assert task["platform_task_status"] == status
    text = client.get(task["items"][0]["transcription_url"]).json["transcripts"][0]["text"]
    assert text == "".join(load().works["dy_guarded"].words)


def test_what_cannot_be_announced(client):
    assert create(client, content_type="application/octet-stream").status == 400
    assert create(client, MOST_BYTES + 1).status == 413
    assert create(client, 0).status == 422
    assert create(client, file_name="x" * 256).status == 422
    assert create(client, provider="s3").status == 422
    assert create(client, note="x").status == 422


@pytest.mark.parametrize("changes", [{"Content_Type": "audio/mpeg"}, {"x_oss_meta_upload_id": "other"}])
def test_a_put_without_its_signed_headers(client, changes):
    assert put(client, create(client).data, b"bytes", **changes).status == 403


def test_other_puts_that_are_refused(sandbox, client):
    session = create(client).data
    assert put(client, session | {"upload_url": session["upload_url"].rpartition("&")[0]}, b"bytes").status == 403
    assert put(client, session, b"too many bytes").status == 400
    assert put(client, session, b"bytes").status == 200
    assert put(client, session, b"bytes").status == 403
    assert put(client, session | {"upload_method": "POST"}, b"bytes").status == 405
    assert not sandbox.bill.uploads


def test_a_put_that_comes_too_late(sandbox, client):
    sandbox.uploads.ttl_s = -1
    try:
        assert put(client, create(client).data, b"bytes").status == 403
    finally:
        sandbox.uploads.ttl_s = 900


def test_what_cannot_be_completed(sandbox, client):
    session = create(client).data
    assert complete(sandbox, client, session).status == 409
    assert complete(sandbox, client, {"upload_id": "unknown"}).status == 404
    assert client.get(f"/files/{session['upload_id']}/a.mp4").status == 404


def test_an_empty_body_completes_too(sandbox, client):
    session = create(client).data
    put(client, session, b"bytes")
    client.key = sandbox.key
    assert client.post(f"{UPLOADS}/{session['upload_id']}/complete").status == 200


def test_strangers_are_not_recognised():
    assert media.recognise(b"some film") is None
    assert media.recognise(b"{media:nobody/a.mp4}") is None
