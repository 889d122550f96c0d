"""Routes that the world answers: from a route's inputs to the ``data`` of its answer.

``world/routes.yaml`` says which route belongs to which maker below. Inputs have been checked before. A maker raises
a ``Refusal`` where the real upstream would answer with an HTTP error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from tikomni.sandbox import world
from tikomni.sandbox.answers import Answer, refuse
from tikomni.sandbox.spreadsheet import CONTENT_TYPE, workbook
from tikomni.sandbox.wire import file_answer
from tikomni.sandbox.world import Creator, Work, douyin, own_account, xiaohongshu

Json = dict[str, Any]
Inputs = Mapping[str, Any]

ROWS_A_PAGE = 10


def answer(route_id: str, inputs: Inputs, origin: str) -> Any:
    """The route's ``data``, or the answer of one that sends a file; KeyError where the world does not answer it."""
    maker, arguments = _makers()[route_id]
    return maker(inputs, origin, *arguments)


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


def douyin_work(inputs: Inputs, origin: str, name: str, route: douyin.Route) -> Json:
    return douyin.detail(_douyin_work(inputs[name]), route, origin)


def douyin_works(inputs: Inputs, origin: str, side: douyin.Side) -> Json:
    answers = [douyin.detail(_douyin_work(work_id), side, origin) for work_id in inputs["body"]]
    return {
        "aweme_details": [each["aweme_detail"] for each in answers if each["aweme_detail"]],
        "filter_list": [row for each in answers for row in each.get("filter_list", ())],
        "status_code": 0,
    }


def douyin_statistics(inputs: Inputs, origin: str) -> Json:
    works = (world.load().work("douyin", work_id.strip()) for work_id in inputs["aweme_ids"].split(","))
    return douyin.statistics([work for work in works if work])


def douyin_profile(inputs: Inputs, origin: str, name: str) -> Json:
    asked, people = inputs[name], world.load()
    if name == "sec_user_id":
        return douyin.profile(people.creator("douyin", asked), origin)
    if name == "uid":
        return douyin.profile(next((c for c in people.creators.values() if c.uid == asked), None), origin)
    person = people.called("douyin", asked)
    known = person is not None and asked.casefold() == getattr(person, _NAMES[name]).casefold()
    return douyin.profile(person if known else None, origin)


_NAMES = {"unique_id": "handle", "short_id": "short_id"}


def douyin_search(inputs: Inputs, origin: str) -> Json:
    cursor = inputs.get("cursor", 0)
    if cursor and (inputs.get("search_id"), inputs.get("backtrace")) != (douyin.SEARCH_ID, f"sandbox-{cursor}"):
        raise refuse(400, "cursor, search_id and backtrace do not belong together")
    return douyin.searched(world.load().about("douyin", inputs["keyword"]), cursor, origin)


def douyin_users(inputs: Inputs, origin: str) -> Json:
    return douyin.found(_searched("douyin", inputs["keyword"]), origin)


def douyin_posts(inputs: Inputs, origin: str, side: douyin.Side) -> Json:
    creator = world.load().creator("douyin", inputs["sec_user_id"])
    works = world.load().works_of(creator) if creator else []
    cursor = str(inputs.get("max_cursor", 0))
    if not cursor.isascii() or not cursor.isdigit():
        raise refuse(400, "max_cursor is not one that this route gave")
    return douyin.posts(works, int(cursor), inputs.get("count", 20), side, origin)


def douyin_comments(inputs: Inputs, origin: str) -> Json:
    work = _douyin_work(inputs["aweme_id"])
    if work is None or work.state != "public":
        return {"status_code": 0, "comments": None, "cursor": 0, "has_more": 0, "total": 0}
    rows = _comments(work.counts.get("comment", 0))
    return douyin.comments(work, rows, inputs.get("cursor", 0), inputs.get("count", 20))


def douyin_work_id(inputs: Inputs, origin: str) -> str:
    target = world.load().named_by("douyin", inputs["url"])
    if not isinstance(target, Work):
        raise refuse(400, "No work id in this link")
    return target.id


def douyin_creator_id(inputs: Inputs, origin: str) -> str:
    target = world.load().named_by("douyin", inputs["url"])
    if not isinstance(target, Creator):
        raise refuse(400, "No user in this link")
    return target.id


def douyin_own(inputs: Inputs, origin: str, view: str) -> Json:
    return {"status_code": 0, "status_msg": ""} | _for_owner(own_account.VIEWS[view], inputs)


def douyin_own_export(inputs: Inputs, origin: str) -> Answer:
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
    target = world.load().named_by("douyin", text)
    if isinstance(target, Creator | dict):
        raise refuse(400, "This link does not lead to a work")
    return target


# --- Xiaohongshu


def xhs_video_note(inputs: Inputs, origin: str) -> Json:
    work = _note(inputs)
    others = [world.load().works[name] for name in ("xhs_other", "xhs_other_too")]
    return xiaohongshu.failure(work) or xiaohongshu.video_note(_there(work), others, origin)


def xhs_image_note(inputs: Inputs, origin: str, with_video: bool) -> Json:
    work = _note(inputs)
    return xiaohongshu.failure(work) or xiaohongshu.image_note(_there(work), origin, with_video=with_video)


def xhs_bare_list(inputs: Inputs, origin: str) -> Any:
    work = _note(inputs)
    return xiaohongshu.failure(work) or xiaohongshu.note_list(_there(work), origin, with_video=True)


def xhs_feed(inputs: Inputs, origin: str, name: str) -> Json:
    work = _note({"share_text": inputs[name]})
    return xiaohongshu.failure(work) or xiaohongshu.feed(_there(work), origin)


def xhs_profile(inputs: Inputs, origin: str) -> Json:
    return xiaohongshu.profile(_person(inputs), origin)


def xhs_search(inputs: Inputs, origin: str) -> Json:
    page = inputs.get("page", 1)
    if page > 1 and inputs.get("search_id") != xiaohongshu.SEARCH_ID:
        raise refuse(400, "search_id is not the one that the first page gave")
    return xiaohongshu.searched(world.load().about("xiaohongshu", inputs["keyword"]), page, origin)


def xhs_users(inputs: Inputs, origin: str) -> Json:
    return xiaohongshu.found(_searched("xiaohongshu", inputs["keyword"]), origin)


def xhs_user_id(inputs: Inputs, origin: str) -> Json:
    target = world.load().named_by("xiaohongshu", inputs["share_link"])
    if not isinstance(target, Creator):
        raise refuse(400, "This link does not lead to a user")
    return {"user_id": target.id, "xsec_token": xiaohongshu.TOKEN}


def xhs_read_note(inputs: Inputs, origin: str) -> Json:
    """With reads, where the advertising side knows the note."""
    work = _note(inputs)
    if gone := xiaohongshu.failure(work):
        return gone
    note = _there(work)
    likes = note.counts.get("liked", 0)
    reads = likes * 21 + 3 if isinstance(likes, int) and likes >= 100 else 0
    return xiaohongshu.inner({"noteId": note.id, "title": note.title, "impNum": reads * 6, "readNum": reads})


def xhs_posted(inputs: Inputs, origin: str, shape: xiaohongshu.Shape) -> Json:
    creator = _person(inputs)
    works = world.load().works_of(creator) if creator else []
    return xiaohongshu.posted(works, inputs.get("cursor", ""), inputs.get("num", ROWS_A_PAGE), shape, origin)


def xhs_comments(inputs: Inputs, origin: str) -> Json:
    work = _note(inputs)
    if gone := xiaohongshu.failure(work):
        return gone
    note = _there(work)
    start = inputs.get("index", 0) * ROWS_A_PAGE
    if inputs.get("cursor", "") != (xiaohongshu.comment_id(note, start - 1) if start else ""):
        raise refuse(400, "cursor and index do not belong together")
    return xiaohongshu.comments(note, _comments(note.counts["comments"]), start, ROWS_A_PAGE)


def xhs_share_info(inputs: Inputs, origin: str) -> Json:
    target = world.load().named_by("xiaohongshu", inputs["share_link"])
    if not isinstance(target, Work):
        raise refuse(400, "This link does not lead to a note")
    return {"note_id": target.id, "xsec_token": xiaohongshu.TOKEN}


def _note(inputs: Inputs) -> Work | None:
    text = inputs.get("note_id") or inputs.get("share_text")
    if not text:
        raise refuse(400, "Give note_id or share_text.")
    target = world.load().named_by("xiaohongshu", text)
    if isinstance(target, Creator | dict):
        raise refuse(400, "This link does not lead to a note")
    return target


def _there(work: Work | None) -> Work:
    assert work is not None
    return work


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


def _comments(count: int | str) -> list[Json]:
    """As many of the pool as the work has; counts told as text mean the whole pool."""
    rows: list[Json] = world.read("comments")
    return rows[:count] if isinstance(count, int) else rows
