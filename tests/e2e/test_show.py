"""What a route takes, in a few words, and the command that calls it."""

from __future__ import annotations

import json
import statistics

from tikomni import catalog
from tikomni.catalog.reference import contract
from tikomni.envelope import TOKEN_BUDGET, tokens


def test_a_contract_names_inputs_price_and_the_command(run, machine):
    result = run("route", "show", "douyin.app.v3.fetch_user_post_videos").document["result"]
    for told in ("sec_user_id", "required", "max_cursor", "Next page", "at most 20"):
        assert told in result["contract"], told
    assert result["command"].endswith("douyin.app.v3.fetch_user_post_videos 'sec_user_id=…'")


def test_a_contract_is_printed_whole_however_long(run):
    longest = max(catalog.all_routes(), key=lambda route: tokens(contract(route)))
    for route in (longest, catalog.get("douyin.search.fetch_image_search")):
        ran = run("route", "show", route.id)
        assert ran.document["result"]["contract"] == contract(route)
        assert tokens(ran.stdout) <= TOKEN_BUDGET


def test_by_method_and_path_and_through_the_script_without_the_word_call(run):
    by_path = run("route", "show", "GET", "/api/u1/v1/douyin/app/v3/fetch_one_video").document["result"]
    assert by_path["route"] == "douyin.app.v3.fetch_one_video"
    implied = run("route", "douyin.app.v3.fetch_one_video", "aweme_id=1", "--dry-run").document
    assert implied["command"] == "route call" and implied["result"]["dry_run"]


def test_effects_removal_and_replacement_are_told(run):
    effect = run("route", "show", "u3.uploads").document["result"]
    assert "write" in effect["contract"] and "--allow write" in effect["command"]
    gone = run("route", "show", "xiaohongshu.app_v2.get_mixed_note_detail").document["result"]["contract"]
    assert "removed" in gone and "xiaohongshu.app_v2.get_image_note_detail" in gone


def test_unknown_routes_get_near_misses(run):
    ran = run("route", "show", "douyin.app.v3.fetch_one_vide")
    assert ran.exit_status == 2 and "douyin.app.v3.fetch_one_video" in ran.document["error"]["details"]["near"]


def test_nine_contracts_of_ten_fit_in_500_tokens_with_their_envelope():
    head = {"ok": True, "command": "route show", "status": "complete", "result": {"route": "", "command": "x" * 160}}
    sizes = [tokens(json.dumps(head) + r.id * 2 + contract(r)) for r in catalog.all_routes()]
    assert len(sizes) == 1065 and statistics.quantiles(sizes, n=10)[-1] <= 500
