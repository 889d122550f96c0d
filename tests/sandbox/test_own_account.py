"""The account that can be looked into: figures that agree with each other and with what everyone sees."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

import pytest

from tikomni import catalog
from tikomni.sandbox import COOKIE, links, mapped
from tikomni.sandbox.spreadsheet import CONTENT_TYPE, workbook
from tikomni.sandbox.world import load, own_account, read

ROUTES = "douyin/creator_v2/"
SPAN = {"start_date": "20260824", "end_date": "20261122"}
FILM, ARTICLE = links["dy_video"].id, links["dy_article"].id
ALL = {"primary_verticals": ["家居", "科普", "汽车", "生活"]}


def ms(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T00:00:00+08:00").timestamp() * 1000)


WINDOW = {"start_time": ms("2025-01-01"), "end_time": ms("2026-11-23")}


@pytest.fixture
def own(client):
    """What a route tells the owner."""

    def told(route: str, **inputs):
        reply = client.post(ROUTES + route, {"cookie": COOKIE, **inputs})
        assert reply.status == 200, reply.body
        return reply.data

    return told


@pytest.fixture
def works(own):
    """Every work, as the list tells it."""
    return own("fetch_item_list", **WINDOW, count=100)["items"]


def test_another_cookie_is_refused_unbilled_and_told_back(sandbox, client):
    reply = client.post(ROUTES + "fetch_author_diagnosis", {"cookie": "sessionid=of-nobody"})
    assert (reply.status, reply.json["detail"]["params"]) == (400, {"cookie": "sessionid=of-nobody"})
    assert sandbox.bill.billed_calls == 0


def test_an_answer_tells_the_cookie_back(client):
    reply = client.post(ROUTES + "fetch_author_diagnosis", {"cookie": COOKIE})
    assert reply.json["params"] == {"cookie": COOKIE}


def test_the_works_are_those_that_everyone_sees(works):
    public = {work.id: work for work in load().works_of(load().creators["repair"])}
    assert {item["item_id"] for item in works} == public.keys()
    for item in works:
        shown, metrics = public[item["item_id"]].counts, item["metrics"]
        names = ("like_count", "comment_count", "share_count", "favorite_count")
        assert [metrics[name] for name in names] == [shown[name] for name in ("digg", "comment", "share", "collect")]
        assert metrics["play_count"] > metrics["like_count"] > 0


def test_plays_are_those_that_the_statistics_route_tells(client, works):
    for item in works[:3]:
        [row] = client.get("douyin/app/v3/fetch_multi_video_statistics", aweme_ids=item["item_id"]).data[
            "statistics_list"
        ]
        assert row["play_count"] == item["metrics"]["play_count"]


def test_rates_agree_with_each_other(own, works):
    for item in works:
        metrics = item["metrics"]
        if not item["duration"]:
            assert metrics["completion_rate"] is None and metrics["avg_view_second"] is None
            continue
        assert 0 < metrics["completion_rate"] < metrics["completion_rate_5s"] < 1 - metrics["bounce_rate_2s"] < 1
        assert 2 < metrics["avg_view_second"] < item["duration"] / 1000


def test_totals_are_the_sums_of_their_works(own, works):
    told = own("fetch_item_analysis_overview", **SPAN, **ALL)
    posted = [item for item in works if ms("2026-08-24") <= item["create_time"] * 1000 < ms("2026-11-23")]
    assert told["total"]["item_count"] == len(posted) > 10
    for name in ("play_count", "like_count", "comment_count", "share_count", "favorite_count", "new_fans_count"):
        expected = sum(item["metrics"][name] for item in posted)
        for group in ("genres", "verticals", "trend"):
            assert sum(row[name] for row in told[group]) == told["total"][name] == expected
    plays = own("fetch_item_analysis_item_performance", **SPAN, **ALL, metric_type=1)
    assert sum(row["value"] for row in plays["genres"]) == told["total"]["play_count"]
    named = own("fetch_item_analysis_involved_vertical", **SPAN)["verticals"]
    assert {row["name"] for row in named} == {row["name"] for row in told["verticals"]}


def test_filters_of_the_analysis(own):
    told = own("fetch_item_analysis_overview", **SPAN, primary_verticals=["科普"], genres=[1])
    assert [row["name"] for row in told["verticals"]] == ["科普"] and [row["genre"] for row in told["genres"]] == [1]
    nothing = own("fetch_item_analysis_overview", **SPAN, primary_verticals=["动物"])
    assert (nothing["total"]["item_count"], nothing["genres"], nothing["trend"]) == (0, [], [])


def test_plays_of_a_work_by_source_and_by_day_add_up(own):
    [told] = own("fetch_item_overview_data", ids=f"{FILM},{links['dy_pictures'].id}")["items"]
    plays = told["metrics"]["play_count"]
    assert set(told) == {"item_id", *own_account.BLOCKS}
    assert 0 <= plays - sum(day["play_count"] for day in told["play_info"]["trend"]) < 10
    by_source = own("fetch_item_play_source", item_id=FILM)["source"]
    assert sum(row["count"] for row in by_source) == plays
    assert sum(row["percent"] for row in by_source) == pytest.approx(100, abs=0.1)
    words = own("fetch_item_search_keyword", item_id=FILM)["search_words"]
    assert sum(row["count"] for row in words) == next(row["count"] for row in by_source if row["key"] == "search")
    assert sum(row["count"] for row in own("fetch_item_audience_others", item_id=FILM)["fan_list"]) == plays


def test_blocks_are_left_out_unless_asked_for(own):
    [told] = own("fetch_item_overview_data", ids=FILM, fields="metrics,review,unknown")["items"]
    assert set(told) == {"item_id", "metrics", "review"}


def test_the_curve_of_a_film(own, works):
    metrics = next(item["metrics"] for item in works if item["item_id"] == FILM)
    kept = own("fetch_item_watch_trend", item_id=FILM)["trend"]
    values = {point["key"]: point["value"] for point in kept}
    assert values["00:00"] == 1 and values["00:05"] == metrics["completion_rate_5s"]
    assert values["00:02"] == pytest.approx(1 - metrics["bounce_rate_2s"])
    assert list(values.values()) == sorted(values.values(), reverse=True)
    assert min(values.values()) == pytest.approx(metrics["completion_rate"], abs=0.01)
    likes = own("fetch_item_watch_trend", item_id=FILM, analysis_type=2)["trend"]
    assert sum(point["value"] for point in likes) == metrics["like_count"]
    left = own("fetch_item_watch_trend", item_id=FILM, analysis_type=7)["trend"]
    assert sum(point["value"] for point in left) == pytest.approx(1 - metrics["completion_rate"], abs=0.01)
    assert len(own("fetch_item_watch_trend", item_id=links["dy_long"].id)["trend"]) <= own_account.CURVE_POINTS + 1


def test_an_article_has_neither_curve_nor_bullet_comments(own):
    assert own("fetch_item_watch_trend", item_id=ARTICLE)["trend"] == []
    told = own("fetch_item_danmaku_analysis", item_id=ARTICLE)
    assert (told["total"], told["trend"], told["hot_words"]) == (0, [], [])
    film = own("fetch_item_danmaku_analysis", item_id=FILM)
    assert film["total"] == sum(point["count"] for point in film["trend"]) == sum(film["sentiment"].values()) > 0


def test_shares_of_the_audience_are_whole(own):
    groups = own("fetch_item_audience_portrait", item_id=FILM)["portrait"]
    assert groups["city_level"] == [] and {row["key"] for row in groups["active"]} == {"2", "3", "4", "-1"}
    for rows in filter(None, groups.values()):
        assert sum(row["percent"] for row in rows) == pytest.approx(100)


def test_the_diagnosis_is_of_the_last_seven_days(own):
    told = own("fetch_author_diagnosis")
    assert (told["start_date"], told["end_date"]) == ("20261115", "20261121")
    assert set(told["diagnosis"]) == {"Interact", "NewFans", "PlayCnt", "PlayFinishRatio", "PublishActivation"}
    assert all(0 <= block["rank"] <= 1 and len(block["trend"]) == 7 for block in told["diagnosis"].values())
    assert told["diagnosis"]["PublishActivation"]["value"] == 1


def test_live_sessions(own):
    span = {"start_date": "2026-10-01", "end_date": "2026-11-22"}
    series = own("fetch_live_room_history_list", **span)["data"]["series"]
    assert len(series) == len(read("own_account")["lives"]) and {room["playStatus"] for room in series} == {4}
    assert len(own("fetch_live_room_history_list", **span, limit=1)["data"]["series"]) == 1


def test_the_list_is_walked_to_its_end(own, works):
    found, cursor = [], {}
    while True:
        page = own("fetch_item_list", **WINDOW, **cursor)
        found += page["items"]
        if not page["has_more"]:
            break
        cursor = {"cursor": page["cursor"]}
    assert found == works and len(found) == page["total"] == 27


@pytest.mark.parametrize("code", range(1, 27))
def test_sort_orders(own, code):
    name = read("own_account")["order"][(code - 1) // 2]
    items = own("fetch_item_list", **WINDOW, count=100, order_by=code)["items"]
    values = [item["create_time"] if name == "create_time" else item["metrics"][name] for item in items]
    told = [value for value in values if value is not None]
    assert told == sorted(told, reverse=code % 2 == 1) and values[: len(told)] == told


def test_what_the_list_leaves_out(own):
    assert ARTICLE not in {
        i["item_id"] for i in own("fetch_item_list", **WINDOW, count=100, need_long_article=False)["items"]
    }
    [item] = own("fetch_item_list", **WINDOW, count=1, fields="review")["items"]
    assert "metrics" not in item and item["review"]["status"] == 1
    assert own("fetch_item_list", start_time=ms("2024-01-01"), end_time=ms("2024-02-01"))["items"] == []


def test_the_spreadsheet_holds_what_the_list_holds(client, works):
    window = {"min_cursor": WINDOW["start_time"], "max_cursor": WINDOW["end_time"]}
    reply = client.post(ROUTES + "fetch_item_list_download", {"cookie": COOKIE, **window})
    assert reply.headers["content-type"] == CONTENT_TYPE
    assert "filename*=UTF-8''%E4%BD%9C%E5%93%81" in reply.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(reply.body)) as file:
        sheet = file.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<row ") == len(works) + 1
    assert all(f"<v>{item['metrics']['play_count']}</v>" in sheet for item in works)
    films = client.post(ROUTES + "fetch_item_list_download", {"cookie": COOKIE, **window, "type_filters": [8]})
    with zipfile.ZipFile(io.BytesIO(films.body)) as file:
        assert file.read("xl/worksheets/sheet1.xml").decode().count("<row ") == 2


def test_the_same_rows_make_the_same_bytes():
    rows = [["a", 1, None, "<&>"]]
    assert workbook(rows) == workbook(rows)


@pytest.mark.parametrize(
    ("route", "inputs"),
    [
        ("fetch_item_watch_trend", {"item_id": links["dy_pictures"].id}),
        ("fetch_item_watch_trend", {"item_id": FILM, "analysis_type": 3}),
        ("fetch_item_play_source", {"item_id": ""}),
        ("fetch_item_analysis_involved_vertical", {"start_date": "20260101", "end_date": "20261122"}),
        ("fetch_item_analysis_involved_vertical", {"start_date": "20261122", "end_date": "20261101"}),
        ("fetch_item_analysis_involved_vertical", {"start_date": "2026-11-01", "end_date": "20261122"}),
        ("fetch_item_analysis_item_performance", {**SPAN, **ALL, "metric_type": 9}),
        ("fetch_live_room_history_list", {"start_date": "20261101", "end_date": "20261122"}),
        ("fetch_item_list", {**WINDOW, "order_by": 27}),
        ("fetch_item_list", {**WINDOW, "cursor": -1}),
        ("fetch_item_list", {"start_time": -1, "end_time": 10**30}),
        ("fetch_item_list_download", {"min_cursor": 10**30, "max_cursor": 0}),
    ],
)
def test_what_the_account_has_no_answer_for(sandbox, client, route, inputs):
    reply = client.post(ROUTES + route, {"cookie": COOKIE, **inputs})
    assert reply.status == 400 and reply.json["detail"]["message"]
    assert sandbox.bill.billed_calls == 0


def test_every_route_of_the_group_is_answered():
    group = [route for route in catalog.ids() if route.startswith("douyin.creator_v2.")]
    assert len(group) == 14 and all(map(mapped.answers, group))
