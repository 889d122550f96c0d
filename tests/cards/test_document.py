"""The work document follows its schema, and the schema says exactly what a work is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tikomni.cards import document
from tikomni.errors import TikomniError
from tikomni.facts import Creator, Segment, Transcript, Work
from tikomni.settings import Settings
from tikomni.storage.tree import Tree

AT = datetime(2025, 11, 22, 9, tzinfo=UTC)
SCHEMA = json.loads(document.SCHEMA_PATH.read_text("utf-8"))
CREATOR_SCHEMA = json.loads(document.CREATOR_SCHEMA_PATH.read_text("utf-8"))


def test_the_schemas_are_schemas_and_name_the_members_of_the_documents() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator.check_schema(CREATOR_SCHEMA)
    for model, part, extra in (
        (Work, SCHEMA, ["schema_version"]),
        (Creator, CREATOR_SCHEMA, ["schema_version"]),
        (Transcript, SCHEMA["$defs"]["transcript"], []),
        (Segment, SCHEMA["$defs"]["segment"], []),
    ):
        expected = extra + [f.name for f in fields(model)]
        assert list(part["properties"]) == expected == part["required"]
        assert part["additionalProperties"] is False


def test_works_make_valid_documents_that_read_back(video: Work, note: Work) -> None:
    for work in (video, note, Work(platform="x", platform_work_id="1")):
        made = document.document(work)
        document.validate(made)
        assert made["schema_version"] == document.SCHEMA_VERSION
        assert Work.from_dict(json.loads(json.dumps(made))) == work


def test_a_document_goes_to_the_results_and_no_json_to_the_cards(settings: Settings, video: Work) -> None:
    path = document.write_document(Tree(settings), video, AT)
    assert path.is_relative_to(settings.output_root / "results" / "20251122")
    assert Work.from_dict(json.loads(path.read_text("utf-8"))) == video
    assert document.write_document(Tree(settings), video, AT) != path
    assert not settings.cards.exists()


@pytest.mark.parametrize(
    ("pointer", "spoil"),
    [
        ("/", lambda d: d.pop("play_count")),
        ("/", lambda d: d.update(raw={})),
        ("/schema_version", lambda d: d.update(schema_version=2)),
        ("/platform_work_id", lambda d: d.update(platform_work_id=7301)),
        ("/digg_count", lambda d: d.update(digg_count="1.2万")),
        ("/digg_count", lambda d: d.update(digg_count=-1)),
        ("/media_kind", lambda d: d.update(media_kind="audio")),
        ("/published_at", lambda d: d.update(published_at="2025-10-30 23:20:03")),
        ("/published_at", lambda d: d.update(published_at="2025-10-30T23:20:03")),
        ("/snapshot_at", lambda d: d.update(snapshot_at="2025-13-30T23:20:03Z")),
        ("/published_date", lambda d: d.update(published_date="2025-02-30")),
        ("/published_date", lambda d: d.update(published_date="N/A")),
        ("/approximate/digg_count", lambda d: d["approximate"].update(digg_count="about")),
        ("/open_url", lambda d: d.update(open_url="javascript:alert(1)")),
        ("/image_urls/0", lambda d: d.update(image_urls=["file:///etc/passwd"])),
        ("/transcript/source", lambda d: d["transcript"].update(source="caption")),
        ("/transcript", lambda d: d["transcript"].update(words=[])),
        ("/primary_text_source", lambda d: d.update(primary_text_source="caption_raw")),
        ("/primary_text_source", lambda d: d.update(primary_text_source=None)),
        ("/primary_text_source", lambda d: d.update(primary_text=None, analysis_eligibility="incomplete")),
        ("/primary_text", lambda d: d.update(primary_text="")),
    ],
)
def test_a_violation_is_told_by_its_place(video: Work, pointer: str, spoil: Callable[[dict[str, Any]], Any]) -> None:
    made = document.document(video)
    spoil(made)
    with pytest.raises(TikomniError) as caught:
        document.validate(made)
    assert caught.value.code == "internal" and caught.value.details["pointer"] == pointer
    assert len(caught.value.message) < 500


def test_a_partial_caption_is_never_main_text(note: Work) -> None:
    made = document.document(note) | {"partial": {"caption_raw": "cut"}}
    with pytest.raises(TikomniError, match="primary_text_source"):
        document.validate(made)


def test_an_invalid_document_is_not_written(settings: Settings, video: Work) -> None:
    with pytest.raises(TikomniError):
        document.write_document(Tree(settings), replace(video, digg_count=-1), AT)
    assert not settings.output_root.exists()


CREATOR = Creator("douyin", "MS4w", author_name="田", liked_count=3, approximate={"liked_count": "rounded"})


def test_a_creators_document_reads_back(settings: Settings) -> None:
    for creator in (CREATOR, Creator("x", "1")):
        path = document.write_document(Tree(settings), creator, AT)
        stored = json.loads(path.read_text("utf-8"))
        assert Creator.from_dict(stored) == creator and stored["schema_version"] == document.SCHEMA_VERSION


@pytest.mark.parametrize(
    ("pointer", "changed"),
    [
        ("/fans_count", {"fans_count": "1.2万"}),
        ("/platform_author_id", {"platform_author_id": ""}),
        ("/avatar_url", {"avatar_url": "javascript:x"}),
        ("/approximate/fans_count", {"approximate": {"fans_count": "about"}}),
        ("/", {"figures": {}}),
    ],
)
def test_a_violation_of_a_creators_document_is_told(pointer: str, changed: dict[str, Any]) -> None:
    with pytest.raises(TikomniError, match="creator document") as caught:
        document.validate(document.document(CREATOR) | changed, document.CREATOR_SCHEMA_PATH)
    assert caught.value.details["pointer"] == pointer
