"""The files behind the world's addresses."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tikomni.sandbox import pictures
from tikomni.sandbox.world import load, media


@pytest.mark.parametrize(
    ("path", "content_type", "begins"),
    [
        ("dy_video/cover.jpg", "image/jpeg", b"\xff\xd8\xff\xe0"),
        ("xhs_pictures/2.png", "image/png", b"\x89PNG\r\n\x1a\n"),
        ("dy_pictures/1-water.webp", "image/webp", b"RIFF"),
        ("avatar/repair.jpg", "image/jpeg", b"\xff\xd8"),
        ("dy_video/video-540.mp4", "video/mp4", b"\0\0\0\x20ftypisom"),
        ("dy_video/sound.m4a", "audio/mp4", b"\0\0\0\x20ftyp"),
        ("dy_pictures/music.mp3", "audio/mpeg", b"ID3"),
        ("xhs_subtitled/en-US.srt", "application/x-subrip", b"1\n00:00:00,080 --> "),
        ("xhs_subtitled/zh-CN.vtt", "text/vtt", b"WEBVTT\n\n1\n00:00:00.080 --> "),
    ],
)
def test_files_need_no_key_and_are_what_they_say(client, path, content_type, begins):
    client.key = None
    reply = client.get(f"/media/{path}?sign=1")
    assert (reply.status, reply.headers["content-type"]) == (200, content_type)
    assert reply.body.startswith(begins)
    assert client.get(f"/media/{path}").body == reply.body


@pytest.mark.parametrize("path", ["nobody/cover.jpg", "dy_video/cover.exe", "dy_deleted/cover.jpg", "dy_video", ""])
def test_what_is_not_there(client, path):
    assert client.get(f"/media/{path}").status == 404


def test_files_are_only_read(client):
    for place in ("media", "files", "transcriptions", "cache"):
        reply = client.send("DELETE", f"/{place}/some/thing")
        assert (reply.status, reply.headers["allow"]) == (405, "GET")
    assert client.send("HEAD", "/media/dy_video/cover.jpg").status == 200


def test_parts_of_a_file(client):
    whole = client.get("/media/dy_video/video-540.mp4").body
    client.headers = {"Range": "bytes=10-19"}
    part = client.get("/media/dy_video/video-540.mp4")
    assert (part.status, part.body) == (206, whole[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
    client.headers = {"Range": "bytes=0-"}
    assert client.get("/media/dy_video/video-540.mp4").body == whole
    client.headers = {"Range": f"bytes={len(whole)}-"}
    assert client.get("/media/dy_video/video-540.mp4").status == 416


def test_every_film_is_itself():
    films = [work for work in load().works.values() if work.kind == "video" and work.is_there]
    data = {media.find(work.name, "video-540.mp4").read() for work in films}
    assert len(data) == len(films)
    assert all(media.recognise(film).work in films for film in data)


def test_subtitles_say_the_words():
    work = load().works["xhs_subtitled"]
    text = media.find(work.name, "source.srt").read().decode()
    blocks = text.strip().split("\n\n")
    assert [block.splitlines()[2] for block in blocks] == list(work.words)
    assert [block.splitlines()[0] for block in blocks] == [str(n) for n in range(1, len(work.words) + 1)]


@pytest.mark.parametrize(("extension", "form"), [("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")])
def test_a_picture_is_of_its_format_and_size(extension, form):
    with Image.open(io.BytesIO(pictures.card("label 1", extension))) as picture:
        picture.load()
        assert (picture.format, picture.size) == (form, (pictures.WIDE, pictures.HIGH))


def test_labels_make_different_pictures():
    assert len({pictures.card(f"work {n}", "jpg") for n in range(20)}) == 20


def test_a_long_label_stays_on_the_picture():
    assert pictures.card("a_very_long_label_of_many_words_that_goes_on_and_on_without_end 12", "png")
