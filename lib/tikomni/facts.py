"""The documents that travel between rooms: works, creators, transcripts. Data only; no I/O, no platform.

Field names are the contract of ``work-card.schema.json``: the same in JSON, in front matter and in tables.
Unknown is ``None``; ``[]`` and ``{}`` mean "there are none".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from sys import intern
from typing import Any, Literal, Self

Modality = Literal["video", "text"]
MediaKind = Literal["video", "images", "mixed", "none"]
TranscriptSource = Literal["subtitles", "insight", "asr", "relay", "local"]


def _plain(value: Any) -> Any:
    """As ``dataclasses.asdict``, without its deep copies, which take most of its time: documents do not change."""
    if isinstance(value, str | int | None):
        return value
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    return {f.name: _plain(getattr(value, f.name)) for f in fields(value)} if is_dataclass(value) else value


class Document:
    """Shared by the frozen dataclasses below: to and from plain JSON objects."""

    def as_dict(self) -> dict[str, Any]:
        return _plain(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Build from a stored document."""
        return cls(**cls._known(data))

    @classmethod
    def _known(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """The members of ``data`` that this version knows."""
        names = {f.name for f in fields(cls)}  # type: ignore[arg-type]
        return {name: value for name, value in data.items() if name in names}


@dataclass(frozen=True, slots=True)
class Segment(Document):
    """One spoken sentence; times in milliseconds from the start of the clip, ``None`` where the source has none."""

    start_ms: int | None
    end_ms: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Transcript(Document):
    """The words of a video and where they come from.

    ``raw`` is the source's text, one sentence a line; ``clean`` is ``raw`` in paragraphs, without fillers. ``origin``
    names the subtitle file's language tag or the route, ``task`` the speech job, ``model`` the local model.
    ``cost_seconds`` is what the ASR service charged. ``quality`` is judged where a source tells enough:
    ``quality_reasons`` says why it is ``degraded``.
    """

    source: TranscriptSource
    language: str | None
    raw: str
    clean: str
    segments: tuple[Segment, ...] = ()
    origin: str | None = None
    model: str | None = None
    task: str | None = None
    cost_seconds: float | None = None
    quality: Literal["good", "degraded"] | None = None
    quality_reasons: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        segments = tuple(Segment.from_dict(s) for s in data.get("segments") or ())
        reasons = tuple(data.get("quality_reasons") or ())
        return cls(**cls._known(data) | {"segments": segments, "quality_reasons": reasons})


@dataclass(frozen=True, slots=True)
class Stream(Document):
    """One way to fetch a video. ``height`` in pixels, ``bitrate`` in bits a second, ``size`` in bytes."""

    url: str
    height: int | None = None
    bitrate: int | None = None
    size: int | None = None
    codec: str | None = None
    watermark: bool = False


@dataclass(frozen=True, slots=True)
class Subtitle(Document):
    """A subtitle file of the platform's own; ``tag`` is the platform's key (``source``, ``zh-CN``, …)."""

    url: str
    tag: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Work(Document):
    """One post. Counts are integers or ``None``; times are ISO 8601 with offset; durations are milliseconds."""

    platform: str
    platform_work_id: str
    platform_author_id: str | None = None
    platform_native_ids: dict[str, str] = field(default_factory=dict)
    author_handle: str | None = None
    author_name: str | None = None
    title: str | None = None
    caption_raw: str | None = None
    work_modality: Modality = "text"
    media_kind: MediaKind = "none"
    published_at: str | None = None
    published_date: str | None = None
    duration_ms: int | None = None
    digg_count: int | None = None
    comment_count: int | None = None
    collect_count: int | None = None
    share_count: int | None = None
    play_count: int | None = None
    approximate: dict[str, str] = field(default_factory=dict)
    partial: dict[str, str] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    pinned: bool | None = None
    sponsored: bool | None = None
    cover_image: str | None = None
    image_urls: tuple[str, ...] = ()
    source_url: str | None = None
    open_url: str | None = None
    share_url: str | None = None
    video_download_url: str | None = None
    primary_text: str | None = None
    primary_text_source: str | None = None
    transcript: Transcript | None = None
    analysis_eligibility: Literal["eligible", "incomplete"] = "incomplete"
    analysis_exclusion_reason: str | None = None
    field_sources: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    snapshot_at: str | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        values = cls._known(data)
        for name in ("topics", "image_urls"):
            values[name] = tuple(values.get(name) or ())
        if values.get("transcript"):
            values["transcript"] = Transcript.from_dict(values["transcript"])
        for name in ("field_sources", "missing", "partial", "approximate"):  # thousands of works share these words
            values[name] = {intern(k): intern(v) for k, v in (values.get(name) or {}).items()}
        return cls(**values)

    @property
    def key(self) -> str:
        """The name of a work across platforms: ``<platform>:<platform_work_id>``."""
        return f"{self.platform}:{self.platform_work_id}"

    def with_words(self, transcript: Transcript | None, reason: str | None) -> Work:
        """This work with its main text decided: spoken words for a video, the caption for everything else.

        A caption never poses as the words of a video, and a partial caption is never main text.
        ``reason`` says why a video has no words.
        """
        missing = {k: v for k, v in self.missing.items() if k not in ("transcript", "primary_text")}
        if self.work_modality == "video":
            text = (transcript.clean or None) if transcript else None
            transcript = transcript if text else None
            source = "transcript_clean" if text else None
            reason = None if text else reason or "no_words"
            if reason:
                missing["transcript"] = reason
        else:
            transcript = None
            text = None if "caption_raw" in self.partial else self.caption_raw or None
            source = "caption_raw" if text else None
            reason = None if text else "caption_partial" if "caption_raw" in self.partial else "caption_missing"
        if reason:
            missing["primary_text"] = reason
        return replace(
            self,
            transcript=transcript,
            primary_text=text,
            primary_text_source=source,
            analysis_eligibility="eligible" if text else "incomplete",
            analysis_exclusion_reason=reason,
            missing=missing,
        )


@dataclass(frozen=True, slots=True)
class Creator(Document):
    """One account. Counts are integers or ``None``; times are ISO 8601 with offset.

    ``liked_count`` is the likes that the works got, ``collected_count`` how often they were collected; never one
    number for both.
    """

    platform: str
    platform_author_id: str
    platform_native_ids: dict[str, str] = field(default_factory=dict)
    author_handle: str | None = None
    author_name: str | None = None
    ip_location: str | None = None
    signature: str | None = None
    avatar_url: str | None = None
    fans_count: int | None = None
    following_count: int | None = None
    liked_count: int | None = None
    collected_count: int | None = None
    works_count: int | None = None
    verified: bool | None = None
    verified_reason: str | None = None
    profile_url: str | None = None
    approximate: dict[str, str] = field(default_factory=dict)
    field_sources: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    snapshot_at: str | None = None

    @property
    def key(self) -> str:
        """The name of a creator across platforms: ``<platform>:<platform_author_id>``."""
        return f"{self.platform}:{self.platform_author_id}"


@dataclass(frozen=True, slots=True)
class Comment(Document):
    """What somebody said below a work. ``parent_id``: the comment that it answers; ``is_author``: the work's author.

    ``author_hash`` stands for who wrote it and names nobody; who did is kept only where that was asked for.
    """

    platform: str
    platform_work_id: str | None
    comment_id: str
    platform_author_id: str | None = None
    author_name: str | None = None
    text: str | None = None
    like_count: int | None = None
    reply_count: int | None = None
    published_at: str | None = None
    ip_location: str | None = None
    is_author: bool | None = None
    parent_id: str | None = None
    author_hash: str | None = None
    approximate: dict[str, str] = field(default_factory=dict)
    snapshot_at: str | None = None

    @property
    def key(self) -> str:
        """The name of a comment across platforms: ``<platform>:<comment_id>``."""
        return f"{self.platform}:{self.comment_id}"


@dataclass(frozen=True, slots=True)
class Media(Document):
    """What a platform's answer says about fetching a work's media. Links expire: never part of the document."""

    streams: tuple[Stream, ...] = ()
    subtitles: tuple[Subtitle, ...] = ()
    referer: str | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that was asked for and could not be had, as it stands in ``result.missing``."""

    item: str
    field: str
    reason: str
