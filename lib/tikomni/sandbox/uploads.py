"""Uploads in three steps: a session, one PUT to a signed address, and its completion.

Keeps what was uploaded in memory until its link ends. It checks what the real service checks (type, size, the signed
headers, once only, in time) and never looks into a file; ``media`` does, when speech is wanted.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tikomni.sandbox.answers import ORIGIN, refuse
from tikomni.sandbox.bill import Bill

MOST_BYTES = 512 * 1_048_576
FILE_TTL_S = 86_400
TYPES = frozenset(
    "audio/mpeg audio/mp4 audio/wav audio/x-wav audio/webm video/mp4 video/quicktime video/webm video/x-m4v".split()
)


@dataclass(slots=True)
class _Upload:
    name: str
    content_type: str
    size: int
    expires: float
    data: bytes | None = None
    file_expires: float | None = None


class Uploads:
    """All uploads of one sandbox. ``ttl_s``: how long the PUT address is good for."""

    def __init__(self, bill: Bill, ttl_s: float) -> None:
        self.ttl_s = ttl_s
        self._bill = bill
        self._uploads: dict[str, _Upload] = {}

    def reset(self) -> None:
        self._uploads.clear()

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if body["content_type"] not in TYPES:
            raise refuse(400, f"content_type {body['content_type']} is not allowed")
        if body["size_bytes"] > MOST_BYTES:
            raise refuse(413, f"size_bytes is more than {MOST_BYTES}")
        upload_id = f"upl_{uuid.uuid4().hex}"
        upload = _Upload(body["file_name"], body["content_type"], body["size_bytes"], time.time() + self.ttl_s)
        self._uploads[upload_id] = upload
        return {
            "upload_id": upload_id,
            "upload_method": "PUT",
            "upload_url": f"{ORIGIN}/uploads/{upload_id}?Expires={int(upload.expires)}&Signature={_sign(upload_id)}",
            "upload_headers": _headers(upload_id, upload),
            "upload_expires_at": _moment(upload.expires),
            "file_ttl_seconds": FILE_TTL_S,
        }

    def put(self, upload_id: str, signature: str, headers: Mapping[str, str], data: bytes) -> None:
        """Stores the bytes; refuses like an object store: 403 for whatever was not signed for."""
        upload = self._uploads.get(upload_id)
        if upload is None or signature != _sign(upload_id):
            raise refuse(403, "SignatureDoesNotMatch")
        if time.time() > upload.expires:
            raise refuse(403, "AccessDenied: Request has expired.")
        if upload.data is not None:
            raise refuse(403, "AccessDenied: this address was used already.")
        wanted = _headers(upload_id, upload)
        wrong = [name for name, value in wanted.items() if headers.get(name.lower()) != value]
        if wrong:
            raise refuse(403, f"SignatureDoesNotMatch: {', '.join(wrong)}")
        if len(data) != upload.size:
            raise refuse(400, f"InvalidDigest: {upload.size} bytes were announced, {len(data)} came")
        upload.data = data

    def complete(self, upload_id: str) -> dict[str, Any]:
        """The link of the file. Asking again gives the same link."""
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise refuse(404, "Upload not found")
        if upload.data is None:
            raise refuse(409, "Upload object is not there yet")
        if upload.file_expires is None:
            upload.file_expires = time.time() + FILE_TTL_S
            self._bill.upload(upload.size)
        return {
            "upload_id": upload_id,
            "file_url": f"{ORIGIN}/files/{upload_id}/{quote(upload.name)}",
            "file_expires_at": _moment(upload.file_expires),
        }

    def file(self, upload_id: str) -> tuple[str, bytes] | None:
        """Type and bytes behind a file link."""
        upload = self._uploads.get(upload_id)
        if upload is None or upload.data is None or time.time() > (upload.file_expires or 0):
            return None
        return upload.content_type, upload.data


def _headers(upload_id: str, upload: _Upload) -> dict[str, str]:
    return {"Content-Type": upload.content_type, "x-oss-meta-upload-id": upload_id}


def _sign(text: str) -> str:
    return hashlib.sha256(f"sandbox:{text}".encode()).hexdigest()[:24]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
