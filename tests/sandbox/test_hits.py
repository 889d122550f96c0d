"""Searches, topics and charts of the world: as awkward as real ones, and strict about what travels together."""

from __future__ import annotations

import pytest

from tikomni.sandbox.world import hits

SEARCHES = [
    ("douyin/search/fetch_video_search_v1", lambda data: data["data"]),
    ("douyin/search/fetch_general_search_v1", lambda data: data["data"]),
    ("douyin/search/fetch_video_search_v2", lambda data: [row["data"] for row in data["business_data"]]),
]
WORD = "收纳"


def works(cards: list) -> list[str]:
    """The ids of what are works among the cards."""
    found = [card["aweme_info"] for card in cards if card.get("aweme_info")]
    return [item["aweme_id"] for item in found if not item["is_ads"] and item["aweme_type"] != 101]


@pytest.mark.parametrize(("route", "cards"), SEARCHES)
def test_three_values_lead_to_the_next_page_and_fewer_to_the_first(client, route, cards):
    first = client.post(route, {"keyword": WORD}).data
    config = first.get("business_config") or first
    following = config.get("next_page") or {"cursor": first["cursor"], "search_id": first["extra"]["logid"]}
    together = {"cursor": following["cursor"], "search_id": following["search_id"], "backtrace": config["backtrace"]}
    second = client.post(route, {"keyword": WORD, **together}).data
    assert len(works(cards(first))) == hits.PAGE and set(works(cards(second))).isdisjoint(works(cards(first))[:-1])
    assert works(cards(second))[0] == works(cards(first))[-1], "the last one of a page comes again"
    for left in ("search_id", "backtrace"):
        some = {name: value for name, value in together.items() if name != left}
        assert works(cards(client.post(route, {"keyword": WORD, **some}).data)) == works(cards(first))
    for wrong in ({"backtrace": "x"}, {"search_id": "x"}, {"cursor": 7}):
        assert client.post(route, {"keyword": WORD, **together, **wrong}).status == 400
    assert client.post(route, {"keyword": "跑步", **together}).status == 400, "of another search"


def test_a_search_obeys_order_dates_and_form(client):
    def ids(**wish):
        return works(client.post(SEARCHES[0][0], {"keyword": WORD, **wish}).data["data"])

    wanted = hits.matching("douyin", WORD, hits.Wish("likes", kind="video"))
    assert ids(sort_type="1", content_type="1") == [work.id for work in wanted[: hits.PAGE]]
    young = hits.matching("douyin", WORD, hits.Wish("newest", 7))
    assert ids(sort_type="2", publish_time="7") == [work.id for work in young] and young
    assert ids() != ids(sort_type="1") != ids(sort_type="2")


def test_nothing_found_is_an_empty_list(client):
    data = client.post(SEARCHES[0][0], {"keyword": "没有人写过这些字"}).data
    assert (data["data"], data["has_more"]) == ([], 0)


def test_notes_are_searched_by_two_ids_and_a_page(client):
    route = "xiaohongshu/app_v2/search_notes"
    first = client.get(route, keyword=WORD).data["data"]
    ids = {"search_id": first["search_id"], "search_session_id": first["search_session_id"]}
    second = client.get(route, keyword=WORD, page=2, **ids).data["data"]

    def notes(data):
        return [item["note"]["id"] for item in data["items"] if item["model_type"] == "note"]

    assert {item["model_type"] for item in first["items"]} == {"note", "ads", "live", "rec_query", "users"}
    assert notes(second)[0] == notes(first)[-1] and notes(second)[1] not in notes(first)
    assert max(len(item["note"]["desc"]) for item in first["items"] if "note" in item) <= 58
    assert notes(client.get(route, keyword=WORD, page=2, search_id=ids["search_id"]).data["data"]) == notes(first)
    assert client.get(route, keyword=WORD, page=2, **ids | {"search_session_id": "x"}).status == 400


def test_a_topic_of_notes_goes_on_by_five_values(client):
    route, topic = "xiaohongshu/app_v2/get_topic_feed", hits.topic_number("xiaohongshu", WORD)
    first = client.get(route, page_id=topic).data["data"]
    last = first["items"][-1]
    together = {
        "cursor_score": last["cursor_score"],
        "last_note_id": last["id"],
        "last_note_ct": str(last["create_time"]),
        "session_id": first["session_id"],
        "first_load_time": first["first_load_time"],
    }
    second = client.get(route, page_id=topic, **together).data["data"]
    assert not {item["id"] for item in second["items"]} & {item["id"] for item in first["items"]}
    fewer = {name: value for name, value in together.items() if name != "session_id"}
    assert client.get(route, page_id=topic, **fewer).data["data"]["items"] == first["items"]
    assert client.get(route, page_id=topic, **together | {"last_note_ct": "1"}).status == 400
    assert client.get(route, page_id="0" * 24).data["data"]["items"] == []


def test_topics_are_found_by_words_and_those_of_the_name_come_last(client):
    found = client.post("douyin/search/fetch_challenge_search_v1", {"keyword": WORD}).data["challenge_list"]
    assert found[-1]["challenge_info"]["cha_name"] == WORD
    number = found[-1]["challenge_info"]["cid"]
    page = client.get("douyin/app/v3/fetch_hashtag_video_list", ch_id=number).data
    listed = [work["aweme_id"] for work in page["aweme_list"] if not work["is_ads"]]
    assert listed == [work.id for work in hits.under("douyin", number)[:10]] and page["has_more"] == 1


def test_a_chart_has_names_of_its_own_and_ends_with_an_empty_page(client):
    route = "douyin/billboard/fetch_hot_total_video_list"
    first = client.post(route, {"sub_type": 1002}).data["objs"]
    assert len(first) == hits.CHART_PAGE and {"item_id", "item_title", "nick_name", "like_cnt"} <= set(first[0])
    assert first != client.post(route, {"sub_type": 1003}).data["objs"]
    assert client.post(route, {"sub_type": 1002, "page": 99}).data["objs"] == []
    assert client.post(route, {"sub_type": 7}).status == 400
