"""The files behind the world's addresses: pictures, films, sound, subtitles.

An address is ``/media/<work>/<file>``. Files are made when first asked for, from the work's name and words alone,
and are the same every time. Films and sound carry their own address inside, so that a copy (an upload) is
recognised and says the same words. Nothing here can be watched or heard.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tikomni.sandbox import pictures
from tikomni.sandbox.world import Sentence, Work, load

_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
}
_PICTURES = ("jpg", "png", "webp")
_MARK = re.compile(rb"\{media:([\w-]+)/([\w.-]+)\}")
_SOUNDLESS = re.compile(r"dash|music|live")


@dataclass(frozen=True, slots=True)
class Media:
    """One file of one work, or of nobody's (an avatar).

    ``sentences`` is what a listener hears; ``copied``: uploaded somewhere else, out of its guard's reach.
    """

    work: Work | None
    name: str
    file: str
    copied: bool = False

    @property
    def content_type(self) -> str:
        return _TYPES[self.file.rpartition(".")[2]]

    @property
    def seconds(self) -> float:
        if self.work is None:
            return 0.0
        return float(self.work.music.get("seconds", 15)) if "music" in self.file else self.work.seconds

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        return self.work.sentences() if self.work and not _SOUNDLESS.search(self.file) else ()

    @property
    def guarded(self) -> bool:
        return self.work is not None and self.work.guarded and not self.copied

    @property
    def audible(self) -> bool:
        return self.content_type.startswith(("video/", "audio/"))

    def read(self) -> bytes:
        return _make(self.work, self.name, self.file)


def find(name: str, file: str) -> Media | None:
    """The file at ``/media/<name>/<file>``; None where there is no such work or kind of file."""
    work, extension = load().named(name), file.rpartition(".")[2]
    if extension in _PICTURES and name == "avatar":
        return Media(None, name, file)
    if work is None or extension not in _TYPES or not work.is_there:
        return None
    return Media(work, name, file)


def recognise(data: bytes) -> Media | None:
    """The film or sound that these bytes are a copy of."""
    hit = _MARK.search(data)
    return find(hit[1].decode(), hit[2].decode()) if hit else None


def _make(work: Work | None, name: str, file: str) -> bytes:
    stem, _, extension = file.rpartition(".")
    if work is None or extension in _PICTURES:
        return _picture(f"{name} {stem}", extension)
    mark = f"{{media:{name}/{file}}}".encode()
    if extension in ("srt", "vtt"):
        return _subtitles(work.sentences(stem.replace("source", "zh-CN")), extension).encode()
    if extension in ("mp4", "m4a"):
        return _mp4(mark, work.seconds)
    return _mp3(mark)


_picture = cache(pictures.card)


def _mp4(mark: bytes, seconds: float) -> bytes:
    """A file that begins like an MP4; its length grows with the film's."""
    boxes = ((b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41"), (b"free", mark), (b"mdat", bytes(int(seconds * 2048))))
    return b"".join((len(body) + 8).to_bytes(4) + kind + body for kind, body in boxes)


def _mp3(mark: bytes) -> bytes:
    """Silence: an ID3 tag and frames of MPEG-1 layer III at 128 kbit/s, 44.1 kHz."""
    frame = b"TIT2" + (len(mark) + 1).to_bytes(4) + b"\0\0\0" + mark
    return b"ID3\3\0\0\0\0\0" + bytes([len(frame)]) + frame + (b"\xff\xfb\x90\x64" + bytes(413)) * 120


def _subtitles(sentences: tuple[Sentence, ...], extension: str) -> str:
    dot = "," if extension == "srt" else "."
    cues = "\n".join(
        f"{n}\n{_clock(s.begin_ms, dot)} --> {_clock(s.end_ms, dot)}\n{s.text}\n" for n, s in enumerate(sentences, 1)
    )
    return cues if extension == "srt" else f"WEBVTT\n\n{cues}"


def _clock(ms: int, dot: str) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{dot}{ms:03}"
