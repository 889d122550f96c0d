"""Routes that the world answers: from a route's inputs to the ``data`` of its answer.

``world/routes.yaml`` says which route belongs to which maker below. Inputs have been checked before. A maker raises
a ``Refusal`` where the real upstream would answer with an HTTP error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from zlib import crc32

from tikomni.sandbox import world
from tikomni.sandbox.answers import Answer, refuse
from tikomni.sandbox.spreadsheet import CONTENT_TYPE, workbook
from tikomni.sandbox.wire import file_answer
from tikomni.sandbox.world import Creator, Work, discussion, douyin, hits, own_account, xiaohongshu

Json = dict[str, Any]
Inputs = Mapping[str, Any]

ROWS_A_PAGE = 10


def answer(route_id: str, inputs: Inputs) -> Any:
    """The route's ``data``, or the answer of one that sends a file; KeyError where the world does not answer it."""
    maker, arguments = _makers()[route_id]
    return maker(inputs, *arguments)


def answers(route_id: str) -> bool:
    return route_id in _makers()


@cache
def _makers() -> dict[str, tuple[Callable[..., Any], list[Any]]]:
    return {
        route_id: (globals()[name], arguments)
        for name, routes in world.read("routes").items()
        for route_id, arguments in routes.items()
    }


# --- Douyin


def douyin_work(inputs: Inputs, name: str, route: douyin.Route) -> Json:
    return douyin.detail(_douyin_work(inputs[name]), route)


def douyin_works(inputs: Inputs, side: douyin.Side) -> Json:
    answers = [douyin.detail(_douyin_work(work_id), side) for work_id in inputs["body"]]
    return {
        "aweme_details": [each["aweme_detail"] for each in answers if each["aweme_detail"]],
        "filter_list": [row for each in answers for row in each.get("filter_list", ())],
        "status_code": 0,
    }


def douyin_statistics(inputs: Inputs) -> Json:
    works = (world.load().work("douyin", work_id.strip()) for work_id in inputs["aweme_ids"].split(","))
    return douyin.statistics([work for work in works if work])


def douyin_profile(inputs: Inputs, name: str, told: str) -> Json:
    form = str.casefold if name == "unique_id" else str
    asked, people = form(inputs[name]), world.load().creators.values()
    found = (c for c in people if c.platform == "douyin" and form(getattr(c, told)) == asked not in ("", "0"))
    return douyin.profile(next(found, None))


def douyin_search(inputs: Inputs, shape: str) -> Json:
    """Who leaves out one of the values that travel together is shown the first page again."""
    search_id = _search_id(inputs, "keyword", "sort_type", "publish_time", "content_type")
    cursor, sent = inputs.get("cursor", 0), (inputs.get("search_id"), inputs.get("backtrace"))
    if cursor and not all(sent):
        cursor = 0
    elif cursor and sent != (search_id, hits.backtrace(search_id, cursor)):
        raise refuse(400, "cursor, search_id and backtrace do not belong together")
    span = str(inputs.get("publish_time", 0))
    days = int(span) if span.isascii() and span.isdigit() else 0
    kind = _KINDS.get(inputs.get("content_type", "0"), "")
    wish = hits.Wish(_SORTS.get(str(inputs.get("sort_type", 0)), ""), days, kind)
    return hits.douyin_search(hits.matching("douyin", inputs["keyword"], wish), cursor, search_id, shape)


_SORTS = {"0": "", "1": "likes", "2": "newest"}
_KINDS = {"1": "video", "2": "images"}


def douyin_topic(inputs: Inputs, name: str, size: int) -> Json:
    wish = hits.Wish(_SORTS.get(str(inputs.get("sort_type", 0)), ""))
    works = hits.under("douyin", inputs[name], wish)
    return hits.douyin_topic(works, inputs.get("cursor", 0), inputs.get("count", size))


def douyin_topics(inputs: Inputs) -> Json:
    return hits.douyin_topics(inputs["keyword"])


def douyin_chart(inputs: Inputs) -> Json:
    board = inputs.get("sub_type", hits.CHARTS[0])
    if board not in hits.CHARTS:
        raise refuse(400, "sub_type is no board")
    return hits.douyin_chart(board, inputs.get("page", 1), inputs.get("page_size", hits.CHART_PAGE))


def douyin_users(inputs: Inputs) -> Json:
    return douyin.found(_searched("douyin", inputs["keyword"]))


def douyin_posts(inputs: Inputs, side: douyin.Side) -> Json:
    creator = world.load().creator("douyin", inputs["sec_user_id"])
    works = world.load().works_of(creator) if creator else []
    cursor = str(inputs.get("max_cursor", 0))
    if not cursor.isascii() or not cursor.isdigit():
        raise refuse(400, "max_cursor is not one that this route gave")
    return douyin.posts(works, int(cursor), inputs.get("count", 20), side)


def douyin_comments(inputs: Inputs) -> Json:
    work = _douyin_work(inputs["aweme_id"])
    if work is None or work.state != "public":
        return _nothing_said()
    part = discussion.comments(work, work.counts.get("comment", 0), inputs.get("cursor", 0), inputs.get("count", 20))
    return douyin.comments(work, part)


def douyin_replies(inputs: Inputs) -> Json:
    work = _douyin_work(inputs["item_id"])
    rows = discussion.everything(work, work.counts.get("comment", 0)) if work and work.state == "public" else ()
    found = next((row for row in rows if work and douyin.comment_id(work, row) == inputs["comment_id"]), None)
    if work is None or found is None:
        return _nothing_said()
    return douyin.comments(work, discussion.replies(work, found, inputs.get("cursor", 0), inputs.get("count", 20)))


def _nothing_said() -> Json:
    return {"status_code": 0, "comments": None, "cursor": 0, "has_more": 0, "total": 0}


def douyin_work_id(inputs: Inputs) -> str:
    return _named("douyin", inputs["url"], Work, "No work id in this link").id


def douyin_creator_id(inputs: Inputs) -> str:
    return _named("douyin", inputs["url"], Creator, "No user in this link").id


def douyin_own(inputs: Inputs, view: str) -> Json:
    return {"status_code": 0, "status_msg": ""} | _for_owner(own_account.VIEWS[view], inputs)


def douyin_own_export(inputs: Inputs) -> Answer:
    name, rows = _for_owner(own_account.exported, inputs)
    return file_answer(CONTENT_TYPE, workbook(rows), file_name=name)


def _for_owner(make: Callable[[Inputs], Any], inputs: Inputs) -> Any:
    """Another cookie gets what a login that has run out gets: HTTP 400, unbilled, the request told back in full."""
    if inputs["cookie"] != own_account.COOKIE:
        raise refuse(400, "Cookie 无效或已过期，请重新登录创作者中心后再试", params=inputs)
    try:
        return make(inputs)
    except ValueError as error:
        raise refuse(400, str(error)) from None


def _douyin_work(text: str) -> Work | None:
    """The work; None for an id that nobody has; a refusal for a link that names something else."""
    return _named("douyin", text, Work | None, "This link does not lead to a work")


def _named(platform: str, text: str, kind: Any, otherwise: str) -> Any:
    """What a link or an id names, if it is of this kind."""
    target = world.load().named_by(platform, text)
    if not isinstance(target, kind):
        raise refuse(400, otherwise)
    return target


# --- Xiaohongshu


def _of_note(make: Callable[..., Any]) -> Callable[..., Any]:
    """A maker that is given the note, where it is there; else every route says the same."""

    def maker(inputs: Inputs, *arguments: Any) -> Any:
        note = _note(inputs)
        return xiaohongshu.failure(note) or make(note, inputs, *arguments)

    return maker


@_of_note
def xhs_video_note(note: Work, inputs: Inputs) -> Json:
    others = [world.load().works[name] for name in ("xhs_other", "xhs_other_too")]
    return xiaohongshu.video_note(note, others)


@_of_note
def xhs_image_note(note: Work, inputs: Inputs, with_video: bool) -> Json:
    return xiaohongshu.inner(xiaohongshu.note_list(note, with_video=with_video))


@_of_note
def xhs_bare_list(note: Work, inputs: Inputs) -> Any:
    return xiaohongshu.note_list(note)


@_of_note
def xhs_feed(note: Work, inputs: Inputs) -> Json:
    return xiaohongshu.feed(note)


def xhs_profile(inputs: Inputs) -> Json:
    return xiaohongshu.profile(_person(inputs))


def xhs_search(inputs: Inputs, shape: str) -> Json:
    """The app's routes know a search by two ids; who leaves one out is shown the first page again."""
    search_id = _search_id(inputs, "keyword", "sort_type", "note_type", "time_filter")
    page, names = inputs.get("page", 1), _SEARCH_IDS.get(shape, ())
    sent = tuple(inputs.get(name) for name in names)
    if page > 1 and not all(sent):
        page = 1
    elif page > 1 and sent != (search_id, f"{search_id}s")[: len(names)]:
        raise refuse(400, "page and the ids of the search do not belong together")
    kind = inputs.get("note_type") or inputs.get("filter_note_type")
    days = inputs.get("time_filter") or inputs.get("filter_note_time") or inputs.get("noteTime")
    sort = inputs.get("sort_type") or inputs.get("sort")
    wish = hits.Wish(_XHS_SORTS.get(sort, ""), _XHS_DAYS.get(days, 0), _XHS_KINDS.get(kind, ""))
    works = hits.matching("xiaohongshu", inputs["keyword"], wish)
    return hits.xhs_search(works, page, search_id, shape)


_SEARCH_IDS = {"app": ("search_id", "search_session_id"), "old": ("search_id", "session_id")}
_XHS_KINDS = {"视频笔记": "video", "普通笔记": "images"}
_XHS_DAYS = {"一天内": 1, "一周内": 7, "半年内": 180}
_XHS_SORTS = {
    "popularity_descending": "likes",
    "collect_descending": "collects",
    "comment_descending": "comments",
    "time_descending": "newest",
}


def xhs_topic(inputs: Inputs) -> Json:
    """Five values travel together; who leaves one out is shown the first page again."""
    works = hits.under("xiaohongshu", inputs["page_id"], hits.Wish("newest" if inputs.get("sort") == "time" else ""))
    session = _search_id(inputs, "page_id", "sort")
    sent = tuple(inputs.get(name) for name in _TOPIC_PAGE)
    last = next((work for work in works if work.id == inputs.get("last_note_id")), None)
    belongs = last and (f"s{last.id}", last.id, str(last.timestamp), session, f"1{session}")
    if any(sent) and (last is None or (all(sent) and sent != belongs)):
        raise refuse(400, "the values of the page do not belong together")
    return hits.xhs_topic(works, works.index(last) + 1 if last and all(sent) else 0, session)


_TOPIC_PAGE = ("cursor_score", "last_note_id", "last_note_ct", "session_id", "first_load_time")


def xhs_users(inputs: Inputs) -> Json:
    return xiaohongshu.found(_searched("xiaohongshu", inputs["keyword"]))


def xhs_user_id(inputs: Inputs) -> Json:
    person = _named("xiaohongshu", inputs["share_link"], Creator, "This link does not lead to a user")
    return {"user_id": person.id, "xsec_token": xiaohongshu.TOKEN}


@_of_note
def xhs_read_note(note: Work, inputs: Inputs) -> Json:
    """With reads, where the advertising side knows the note."""
    likes = note.counts.get("liked", 0)
    reads = likes * 21 + 3 if isinstance(likes, int) and likes >= 100 else 0
    return xiaohongshu.inner({"noteId": note.id, "title": note.title, "impNum": reads * 6, "readNum": reads})


def xhs_posted(inputs: Inputs, shape: xiaohongshu.Shape) -> Json:
    creator = _person(inputs)
    works = world.load().works_of(creator) if creator else []
    return xiaohongshu.posted(works, inputs.get("cursor", ""), inputs.get("num", ROWS_A_PAGE), shape)


@_of_note
def xhs_comments(note: Work, inputs: Inputs) -> Json:
    start = inputs.get("index", 0) * ROWS_A_PAGE
    if inputs.get("cursor", "") != (xiaohongshu.comment_id(note, str(start - 1)) if start else ""):
        raise refuse(400, "cursor and index do not belong together")
    part = discussion.comments(note, note.counts.get("comments", 0), start, ROWS_A_PAGE)
    return xiaohongshu.comments(note, part, ROWS_A_PAGE)


@_of_note
def xhs_replies(note: Work, inputs: Inputs) -> Json:
    rows = discussion.everything(note, note.counts.get("comments", 0))
    found = next((row for row in rows if xiaohongshu.comment_id(note, row.seed) == inputs["comment_id"]), None)
    if found is None:
        raise refuse(400, "No such comment below this note")
    start = (inputs.get("index", 1) - 1) * ROWS_A_PAGE
    if inputs.get("cursor", "") != (xiaohongshu.comment_id(note, f"{found.place} {start - 1}") if start else ""):
        raise refuse(400, "cursor and index do not belong together")
    part = discussion.replies(note, found, start, ROWS_A_PAGE)
    return xiaohongshu.replies(note, found, part, ROWS_A_PAGE)


def xhs_share_info(inputs: Inputs) -> Json:
    note = _named("xiaohongshu", inputs["share_link"], Work, "This link does not lead to a note")
    return {"note_id": note.id, "xsec_token": xiaohongshu.TOKEN}


def _note(inputs: Inputs) -> Work | None:
    text = inputs.get("note_id") or inputs.get("share_text") or inputs.get("short_url")
    if not text:
        raise refuse(400, "Give note_id or share_text.")
    return _named("xiaohongshu", text, Work | None, "This link does not lead to a note")


def _person(inputs: Inputs) -> Creator | None:
    if user_id := inputs.get("user_id"):
        return world.load().creator("xiaohongshu", user_id)
    if not inputs.get("share_text"):
        raise refuse(400, "Give user_id or share_text.")
    target = world.load().named_by("xiaohongshu", inputs["share_text"])
    return target if isinstance(target, Creator) else None


def _searched(platform: str, keyword: str) -> list[Creator]:
    """Everybody whose handle or name holds the words, whose handle they are first."""
    people = [c for c in world.load().creators.values() if c.platform == platform]
    word = keyword.casefold()
    found = [c for c in people if word in c.handle.casefold() or word in c.nickname.casefold()]
    return sorted(found, key=lambda c: c.handle.casefold() != word)[:20]


def _search_id(inputs: Inputs, *names: str) -> str:
    """The id of a search: another one for other words, another order or other filters."""
    return f"{crc32(repr([inputs.get(name) for name in names]).encode()):012x}"
