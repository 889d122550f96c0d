"""The made-up world: whole, and told in the shapes that the platforms use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest

from tikomni import catalog
from tikomni.sandbox import links, mapped, world
from tikomni.sandbox.world import load, media, read

WORKS = load().works
APP, WEB = "douyin/app/v3/fetch_one_video", "douyin/web/fetch_one_video"
NOTES = "xiaohongshu/app_v2/"


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)


@pytest.fixture
def tell(client):
    """A Douyin work as a route tells it."""

    def told(name: str, route: str = APP) -> dict[str, Any]:
        return client.get(route, aweme_id=WORKS[name].id).data

    return told


@pytest.fixture
def note(client):
    """A Xiaohongshu note as a route of app_v2 tells it."""
    return lambda name, route: client.get(f"{NOTES}{route}", note_id=WORKS[name].id).data


# --- the data


def test_ids_are_unique_and_of_the_right_form():
    ids = [work.id for work in WORKS.values()] + [creator.id for creator in load().creators.values()]
    assert len(set(ids)) == len(ids)
    forms = {"douyin": r"7\d{18}", "xiaohongshu": r"6[0-9a-f]{7}0{8}[0-9a-f]{8}"}
    assert all(re.fullmatch(forms[work.platform], work.id) for work in WORKS.values())
    assert len({target.short for target in links.values() if target.short}) == len(load().codes)


def test_an_id_tells_when_it_was_made():
    for work in WORKS.values():
        made = int(work.id) >> 32 if work.platform == "douyin" else int(work.id[:8], 16)
        assert 0 < work.timestamp - made < 600, work.name


def test_no_two_works_of_a_person_are_of_the_same_second():
    moments = [(work.author.name, work.timestamp) for work in WORKS.values()]
    assert len(set(moments)) == len(moments)


def test_people_have_as_many_works_as_they_say():
    for creator in load().creators.values():
        assert creator.counts["works"] == len(load().works_of(creator)), creator.name


def test_every_mapped_route_is_catalogued_and_has_a_maker():
    for maker, routes in read("routes").items():
        assert callable(getattr(mapped, maker))
        for route_id in routes:
            assert catalog.get(route_id) and mapped.answers(route_id)


def test_every_address_in_every_answer_leads_to_a_file(sandbox, client):
    told = [client.get(APP + version, aweme_id=work.id).body for work in WORKS.values() for version in ("", "_v3")]
    told += [client.get(WEB, aweme_id=work.id).body for work in WORKS.values()]
    told += [client.get(f"{NOTES}get_{kind}_note_detail", note_id=w.id).body
             for w in WORKS.values() for kind in ("image", "video")]  # fmt: skip
    told += [client.get("xiaohongshu/web_v2/fetch_feed_notes_v2", note_id=work.id).body for work in WORKS.values()]
    told += [client.get("douyin/app/v3/handler_user_profile", sec_user_id=links["cats"].id).body]
    told += [client.get(f"{NOTES}get_user_info", user_id=links["kitchen"].id).body]
    pattern = re.escape(sandbox.base_url).encode() + rb"/media/[^\"?\\\\]+"
    addresses = {address.decode() for body in told for address in re.findall(pattern, body)}
    assert len(addresses) > 500
    for address in addresses:
        _, _, name, file = urlsplit(address).path.split("/")
        assert media.find(name, file), address


def test_links_name_what_they_are_for():
    for name, link in links.items():
        for text in filter(None, (link.url, link.short, link.text)):
            target = load().named_by(link.platform, text)
            assert (target["id"] if isinstance(target, dict) else target.id) == link.id, (name, text)


@pytest.mark.parametrize("text", ["", "https://v.douyin.com/unknown/", "v.douyin.com/kR3vQd8TzLwX/", "12"])
def test_what_names_nothing(text):
    assert load().named_by("douyin", text) is None


# --- Douyin


def test_an_ordinary_film(tell):
    item = tell("dy_video")["aweme_detail"]
    video = item["video"]
    assert (item["aweme_type"], item["media_type"], item["duration"], video["duration"]) == (0, 4, 42180, 42180)
    assert item["statistics"]["play_count"] == 0
    assert "watermark" in video["download_addr"]["url_list"][0]
    assert {gear["format"] for gear in video["bit_rate"]} == {"mp4"}
    assert item["music"]["title"] != item["desc"] and item["music"]["play_url"]["url_list"][0].endswith(
        "music.mp3?ies=1"
    )
    assert item["author"]["short_id"] == "0" and item["author"]["unique_id"] == "chenshifu_weixiu"
    assert item["author"]["follower_count"] == 0
    assert [t["hashtag_name"] for t in item["text_extra"] if t["type"] == 1] == ["空调维修", "家电清洗", "老陈修家电"]
    assert {t["type"] for t in item["text_extra"]} == {1, 5}


def test_the_same_film_on_the_web(tell):
    video = tell("dy_video", WEB)["aweme_detail"]["video"]
    assert {gear["format"] for gear in video["bit_rate"]} == {"mp4", "dash"}
    assert video["bit_rate_audio"][0]["audio_meta"]["url_list"]["main_url"].endswith(".m4a")


def test_a_picture_post(tell):
    item = tell("dy_pictures")["aweme_detail"]
    assert (item["aweme_type"], item["media_type"], item["duration"], item["video"]["bit_rate"]) == (68, 2, 0, [])
    assert item["video"]["play_addr"]["url_list"][0].endswith(".mp3")
    assert len(item["images"]) == 3
    for image in item["images"]:
        assert "water" not in image["url_list"][0] and "water" in image["download_url_list"][0]
    assert item["author"]["unique_id"] == "" and item["author"]["short_id"] == "80231746"
    assert "/share/note/" in item["share_url"]


def test_other_kinds(tell):
    live = tell("dy_live_photos")["aweme_detail"]
    assert [bool(image.get("video")) for image in live["images"]] == [True, True, False]
    assert tell("dy_long")["aweme_detail"]["aweme_type"] == 4
    assert tell("dy_article")["aweme_detail"] is None
    article = tell("dy_article", APP + "_v3")["aweme_detail"]
    assert article["aweme_type"] == 163 and "# 冰箱结冰" in article["article_info"]["article_content"]
    assert tell("dy_text_mode")["aweme_detail"]["is_new_text_mode"] == 1
    assert tell("dy_clip")["aweme_detail"]["duration"] == 9500


def test_odd_counts(tell):
    statistics = tell("dy_text_counts")["aweme_detail"]["statistics"]
    assert (statistics["digg_count"], statistics["comment_count"], statistics["collect_count"]) == (
        "10w+",
        "1,234",
        "1.2万",
    )
    assert list(tell("dy_no_counts")["aweme_detail"]["statistics"]) == ["aweme_id"]


@pytest.mark.parametrize(
    ("name", "reason"), [("dy_deleted", 8), ("dy_blocked", 8), ("dy_private", 5), ("dy_partly_visible", 10)]
)
def test_works_that_are_not_shown(sandbox, tell, name, reason):
    data = tell(name)
    assert data["aweme_detail"] is None and data["filter_list"][0]["reason"] == reason
    assert sandbox.bill.billed_calls == 1
    assert bool(tell(name, APP + "_v3")["aweme_detail"]) == (name == "dy_blocked")


def test_the_web_answers_where_the_app_does_not(tell):
    assert tell("dy_app_empty") == {"aweme_detail": None, "filter_list": [], "status_code": 0}
    assert tell("dy_app_empty", WEB)["aweme_detail"]["aweme_id"] == WORKS["dy_app_empty"].id


def test_share_links(client):
    route = "douyin/app/v3/fetch_one_video_by_share_url"
    for text in (links["dy_video"].short, links["dy_video"].url, links["dy_video"].text):
        assert client.get(route, share_url=text).data["aweme_detail"]["aweme_id"] == links["dy_video"].id
    for name in ("repair", "dy_collection", "dy_live_room"):
        assert client.get(route, share_url=links[name].short).status == 400
    assert client.get(route, share_url="https://v.douyin.com/unknown/").data["aweme_detail"] is None


def test_ids_of_links(client):
    assert client.get("douyin/web/get_aweme_id", url=links["dy_video"].short).data == links["dy_video"].id
    assert client.get("douyin/web/get_aweme_id", url=links["repair"].short).status == 400
    assert client.get("douyin/web/get_sec_user_id", url=links["repair"].text).data == links["repair"].id


def test_many_works_at_once(client):
    names = ["dy_video", "dy_deleted", "dy_clip"]
    data = client.post("douyin/app/v3/fetch_multi_video", [WORKS[name].id for name in names]).data
    assert [item["aweme_id"] for item in data["aweme_details"]] == [WORKS["dy_video"].id, WORKS["dy_clip"].id]
    assert data["filter_list"][0]["aweme_id"] == WORKS["dy_deleted"].id


def test_plays_have_a_route_of_their_own(client):
    ids = f"{WORKS['dy_video'].id},{WORKS['dy_text_counts'].id}"
    rows = client.get("douyin/app/v3/fetch_video_statistics", aweme_ids=ids).data["statistics_list"]
    assert all(row["play_count"] > row["digg_count"] for row in rows)


def test_a_profile(client):
    route = "douyin/app/v3/handler_user_profile"
    user = client.get(route, sec_user_id=links["repair"].id).data["user"]
    assert (user["aweme_count"], user["follower_count"], user["ip_location"]) == (27, 268413, "IP属地：山东")
    locked = client.get(route, sec_user_id=links["locked"].id).data["user"]
    assert locked["secret"] == 1 and "ip_location" not in locked
    assert client.get(route, sec_user_id="nobody").data["user"] is None


@pytest.mark.parametrize("side", ["app/v3", "web"])
@pytest.mark.parametrize("count", [1, 7, 20])
def test_a_profile_is_walked_to_its_end(client, side, count):
    works, cursor, pages = [], 0, []
    while True:
        page = client.get(
            f"douyin/{side}/fetch_user_post_videos", sec_user_id=links["repair"].id, max_cursor=cursor, count=count
        ).data
        works += page["aweme_list"]
        pages.append(len(page["aweme_list"]))
        cursor = page["max_cursor"]
        if not page["has_more"]:
            break
    assert len({item["aweme_id"] for item in works}) == len(works) == 27
    assert max(pages) <= max(count, 2)
    assert works[0]["is_top"] == 1 and works[0]["aweme_id"] == WORKS["dy_old"].id
    assert all(a["create_time"] > b["create_time"] for a, b in pairwise(works[1:]))
    assert "unique_id" not in works[0]["author"] and "short_id" not in works[0]["author"]


def test_nobodys_works(client):
    page = client.get("douyin/app/v3/fetch_user_post_videos", sec_user_id=links["locked"].id).data
    assert (page["aweme_list"], page["has_more"]) == ([], 0)


def test_comments_of_a_film(client):
    route = "douyin/app/v3/fetch_video_comments"
    first = client.get(route, aweme_id=WORKS["dy_video"].id).data
    second = client.get(route, aweme_id=WORKS["dy_video"].id, cursor=first["cursor"]).data
    assert (len(first["comments"]), first["has_more"], second["has_more"]) == (20, 1, 0)
    assert len({row["cid"] for row in first["comments"] + second["comments"]}) == 23
    assert client.get(route, aweme_id=WORKS["dy_deleted"].id).data["comments"] is None


def test_a_lively_film_repeats_comments_lacks_some_and_marks_the_author(client):
    route, work = "douyin/app/v3/fetch_video_comments", WORKS["dy_text_mode"]
    pages, cursor = [], 0
    while not pages or pages[-1]["has_more"]:
        pages.append(client.get(route, aweme_id=work.id, cursor=cursor).data)
        cursor = pages[-1]["cursor"]
    found = [row["cid"] for page in pages for row in page["comments"]]
    assert len(pages[0]["comments"]) == 19 and pages[0]["total"] == 134
    assert pages[1]["comments"][0]["cid"] == pages[0]["comments"][-1]["cid"] and len(set(found)) == 133
    first, rest = pages[0]["comments"][0], pages[0]["comments"][1:]
    assert first["stick_position"] == 1 and first["label_text"] == "作者"
    assert first["user"]["sec_uid"] == work.author.id
    assert any(row["text"] == "" and row["image_list"] for row in rest)


def test_replies_to_a_comment(client):
    work, route = WORKS["dy_text_mode"], "douyin/app/v3/fetch_video_comment_replies"
    root = client.get("douyin/app/v3/fetch_video_comments", aweme_id=work.id).data["comments"][0]
    first = client.get(route, item_id=work.id, comment_id=root["cid"]).data
    second = client.get(route, item_id=work.id, comment_id=root["cid"], cursor=first["cursor"]).data
    assert (first["has_more"], second["has_more"], first["total"]) == (1, 0, root["reply_comment_total"])
    replies = {row["cid"]: row for row in first["comments"] + second["comments"]}
    assert len(replies) == 27 and {row["reply_id"] for row in replies.values()} == {root["cid"]}
    assert any(row["label_type"] == 1 for row in replies.values())
    assert client.get(route, item_id=work.id, comment_id="1").data["comments"] is None


# --- Xiaohongshu


def test_a_film_with_subtitles(note):
    data = note("xhs_subtitled", "get_video_note_detail")
    mine, *others = data["data"]
    info = mine["video_info_v2"]
    assert (data["code"], mine["id"], mine["type"]) == (0, WORKS["xhs_subtitled"].id, "video")
    assert {other["user"]["nickname"] for other in others} == {"路过的推荐"} and len(others) == 2
    tracks = info["media"]["video"]["subtitles"]
    assert {name: rows[0]["language"] for name, rows in tracks.items()} == {
        "source": "zh-CN", "zh-CN": "zh-CN", "en-US": "en-US",
    }  # fmt: skip
    assert all(rows[0]["url"].endswith(".srt") for rows in tracks.values())
    assert (info["capa"]["duration"], info["media"]["video"]["duration"]) == (36, 37)
    assert info["media"]["stream"]["h264"][0]["duration"] == 36400
    assert info["media"]["stream"]["av1"] == []
    assert mine["images_list"][0]["url_size_large"] == ""
    assert "xsec_token=" in mine["share_info"]["link"]
    assert "#家常菜[话题]#" in mine["desc"]


def test_a_film_without_subtitles(note):
    info = note("xhs_video", "get_video_note_detail")["data"][0]["video_info_v2"]
    assert info["media"]["video"]["subtitles"] == {}
    assert info["media"]["video"]["opaque1"]["hasHumanVoice"] == "true"
    silent = note("xhs_plain_counts", "get_video_note_detail")["data"][0]["video_info_v2"]
    assert silent["media"]["video"]["opaque1"]["hasHumanVoice"] == "false"


def test_a_film_on_the_picture_route_has_no_film(note):
    entry = note("xhs_video", "get_image_note_detail")["data"][0]["note_list"][0]
    assert entry["type"] == "video" and "video_info_v2" not in entry


def test_picture_notes(note):
    entry = note("xhs_pictures", "get_image_note_detail")["data"][0]["note_list"][0]
    assert (entry["type"], len(entry["images_list"]), entry["liked_count"]) == ("normal", 4, 318)
    assert set(entry["images_list"][0]["url_multi_level"]) == {"high", "medium", "low"}
    live = note("xhs_live_photos", "get_image_note_detail")["data"][0]["note_list"][0]["images_list"][0]
    assert live["live_photo"]["media"]["stream"]["h265"][0]["master_url"].endswith("live-1.mp4")


def test_the_web_feed(client):
    [item] = client.get("xiaohongshu/web_v2/fetch_feed_notes_v2", note_id=WORKS["xhs_subtitled"].id).data["items"]
    card = item["note_card"]
    assert card["time"] == WORKS["xhs_subtitled"].timestamp * 1000
    assert card["interact_info"]["liked_count"] == "1.2万" and card["interact_info"]["share_count"] == "1k+"
    streams = card["video"]["media"]["stream"]
    assert set(streams) == {"EF4", "EF5", "EF6", "EF7"} and streams["EF4"] and not streams["EF6"]
    live = client.get("xiaohongshu/web_v3/fetch_note_detail", note_id=WORKS["xhs_live_photos"].id).data["items"][0]
    assert live["note_card"]["image_list"][0]["live_photo"] is True


@pytest.mark.parametrize("route", ["app/get_note_info", "web/get_note_info_v7"])
def test_other_routes_of_a_note(client, route):
    data = client.get(f"xiaohongshu/{route}", share_text=links["xhs_video"].text).data
    notes = data["data"] if isinstance(data, dict) else data
    assert notes[0]["note_list"][0]["video_info_v2"]["media"]["stream"]["h264"]


def test_notes_that_are_gone_or_never_were(sandbox, client, note):
    gone = note("xhs_deleted", "get_video_note_detail")
    assert (gone["code"], gone["success"], gone["data"]) == (-510001, False, {})
    unknown = client.get(f"{NOTES}get_image_note_detail", note_id="6" + "0" * 23).data
    assert unknown["code"] == -510000
    assert sandbox.bill.billed_calls == 2


def test_links_of_notes(client):
    route = f"{NOTES}get_image_note_detail"
    for name in ("xhs_subtitled", "xhs_pictures", "xhs_deleted"):
        assert client.get(route, share_text=links[name].short).status == 200
    assert client.get(route, share_text=links["kitchen"].short).status == 400
    short = links["xhs_pictures"].short
    assert client.get("xiaohongshu/web_v2/fetch_feed_notes_v3", short_url=short).data["items"]
    info = client.get("xiaohongshu/app/extract_share_info", share_link=short).data
    assert info["note_id"] == links["xhs_pictures"].id and info["xsec_token"]
    both = client.get(route, note_id=links["xhs_pictures"].id, share_text=links["kitchen"].short).data
    assert both["data"][0]["note_list"][0]["id"] == links["xhs_pictures"].id


def test_a_person(client):
    route = f"{NOTES}get_user_info"
    for query in ({"user_id": links["kitchen"].id}, {"share_text": links["kitchen"].text}):
        person = client.get(route, **query).data["data"]
        assert (person["red_id"], person["fans"], person["note_num_stat"]["posted"]) == ("xiaoman_kitchen", 48217, 22)
        assert person["interactions"][2]["count"] == 391204 + 268830
    assert client.get(route, user_id="nobody").data["success"] is False
    assert client.get(route).status == 400


def test_posted_notes_are_walked_to_their_end(client):
    notes, cursor = [], ""
    while True:
        page = client.get(f"{NOTES}get_user_posted_notes", user_id=links["kitchen"].id, cursor=cursor).data["data"]
        notes += page["notes"]
        if not page["has_more"]:
            break
        cursor = page["notes"][-1]["cursor"]
    assert len({note["id"] for note in notes}) == len(notes) == 22
    assert all(len(note["desc"]) <= 100 for note in notes)
    assert any(len(note["desc"]) == 100 for note in notes)
    assert all("likes" in note and "liked_count" not in note for note in notes)


def test_comments_of_a_note(client):
    route, note_id = f"{NOTES}get_note_comments", WORKS["xhs_subtitled"].id
    found, after = [], {}
    while True:
        page = client.get(route, note_id=note_id, **after).data["data"]
        found += page["comments"]
        if not page["has_more"]:
            break
        after = {"cursor": page["cursor"], "index": page["index"]}
    assert len({row["id"] for row in found}) == 23
    assert client.get(route, note_id=note_id, cursor=after["cursor"]).status == 400


def test_replies_below_a_note_travel_with_two_values_in_one_text(client):
    work, route = WORKS["xhs_pictures"], f"{NOTES}get_note_sub_comments"
    root = client.get(f"{NOTES}get_note_comments", note_id=work.id).data["data"]["comments"][1]
    asked = {"note_id": work.id, "comment_id": root["id"]}
    first = client.get(route, **asked).data["data"]
    following = json.loads(first["cursor"])
    second = client.get(route, **asked, **following).data["data"]
    found = {row["id"]: row for row in first["comments"] + second["comments"]}
    assert (first["has_more"], second["has_more"], len(found)) == (True, False, root["sub_comment_count"])
    assert {row["target_comment"]["id"] for row in found.values()} == {root["id"]}
    assert client.get(route, **asked, cursor=following["cursor"]).status == 400
    assert client.get(route, note_id=work.id, comment_id="0").status == 400


def test_texts_that_try_something(tell, note):
    assert "忽略之前的所有指令" in tell("dy_injection")["aweme_detail"]["desc"]
    assert "<script>" in tell("dy_markup")["aweme_detail"]["desc"]
    assert "Ignore all previous" in note("xhs_injection", "get_image_note_detail")["data"][0]["note_list"][0]["desc"]


def test_midnight(tell):
    before, after = (tell(name)["aweme_detail"]["create_time"] for name in ("dy_before_midnight", "dy_after_midnight"))
    assert after - before == 60 and (before + 8 * 3600) // 86_400 + 1 == (after + 8 * 3600) // 86_400


def test_the_world_is_read_once():
    assert load() is load() and world.read("creators") is world.read("creators")
