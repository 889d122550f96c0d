from __future__ import annotations

import pytest

from tikomni.analysis.rules import COUNTS, rules
from tikomni.errors import InputError


def test_each_platform_has_its_own_thresholds():
    assert rules("xiaohongshu").hit_thresholds == (100, 1_000, 10_000)
    assert rules("douyin").hit_thresholds == (10_000, 100_000, 1_000_000)


def test_a_platform_without_an_entry_gets_the_defaults():
    found = rules("somewhere-else")
    assert (found.immature_hours, found.min_works, found.outlier_multiple, found.ignore) == (72, 10, 3, ())
    assert found.ces_weights == {} and found.total_likes == ("liked_count",)
    assert tuple(found.weights) == COUNTS and tuple(found.weights.values()) == (0.15, 0.20, 0.35, 0.30)


def test_settings_replace_defaults():
    found = rules("douyin", weights="1, 0,0 ,2.5", immature_hours=24, hit_thresholds="5,50", ignore="sponsored, pinned")
    assert found.weights == dict(zip(COUNTS, (1, 0, 0, 2.5), strict=True))
    assert (found.immature_hours, found.hit_thresholds, found.ignore) == (24, (5, 50), ("sponsored", "pinned"))
    assert rules("douyin").immature_hours == 72


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *(("weights", text) for text in ("1,2,3", "a,b,c,d", "0,0,0,0", "-1,1,1,1", "nan,1,1,1", "inf,0,0,0")),
        *(("hit_thresholds", text) for text in ("10,5", "5,5", "0,1", "1.5", "many")),
        ("ignore", "boring"),
    ],
)
def test_what_no_setting_can_be_is_refused_by_name(setting, value):
    names = {"weights": "SCORE_WEIGHTS", "hit_thresholds": "HIT_THRESHOLDS", "ignore": "IGNORE_WORKS"}
    with pytest.raises(InputError, match=f"TIKOMNI_{names[setting]}={value!r}") as caught:
        rules("douyin", **{setting: value})
    assert caught.value.code == "config"
