"""Creators side by side: windows, ratios and shared labels, whatever the numbers are."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from tikomni.analysis.comparison import Window, common, comparison, ratios, shared, side
from tikomni.analysis.passages import clip, passage
from tikomni.analysis.rules import rules
from tikomni.facts import Creator, Segment, Transcript, Work

ZONE = timezone(timedelta(hours=8))
START = datetime(2026, 3, 1, tzinfo=ZONE)
moments = st.integers(0, 400).map(lambda n: START + timedelta(hours=n))
numbers = st.one_of(st.none(), st.floats(0, 1e12))
labels = st.lists(st.lists(st.sampled_from(["a", "A", "b", "c", "猫"]), max_size=4), max_size=5)


@given(st.lists(st.tuples(moments, moments), min_size=1, max_size=5))
def test_the_common_window_lies_in_every_span_and_none_longer_does(spans):
    found = common(spans)
    if found is None:
        assert max(a for a, _ in spans) >= min(b for _, b in spans)
    else:
        assert all(a <= found.since < found.until <= b for a, b in spans)
        assert found.since in [a for a, _ in spans] and found.until in [b for _, b in spans]


@given(st.lists(numbers, max_size=5))
def test_a_ratio_comes_from_two_known_numbers(values):
    found = ratios(values)
    assert len(found) == len(values)
    for value, ratio in zip(values, found, strict=True):
        assert (ratio is None) or (values[0] and value is not None)
    if values and values[0]:
        assert found[0] == 1


@given(st.lists(labels, min_size=2, max_size=5))
def test_shared_labels_are_of_two_creators_and_no_work_counts_twice(of_creators):
    for row in shared(of_creators):
        assert sum(map(bool, row.counts)) > 1
        for n, works in zip(row.counts, of_creators, strict=True):
            assert n == sum(row.label.casefold() in {label.casefold() for label in work} for work in works)


def works(letter: str, n: int) -> list[Work]:
    return [
        Work(
            "douyin",
            f"{letter}{k}",
            media_kind="video",
            published_at=(START + timedelta(days=k)).isoformat(),
            digg_count=10 * k,
            comment_count=k,
            collect_count=k,
            share_count=k,
            snapshot_at=(START + timedelta(days=90)).isoformat(),
        )
        for k in range(n)
    ]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 30), st.integers(1, 60))
def test_every_figure_rests_on_works_of_the_window_alone(many, few, begin, length):
    window = Window(START + timedelta(days=begin), START + timedelta(days=begin + length))
    sides = [
        side(letter, Creator("douyin", letter, fans_count=fans), works(letter, n), window, rules("douyin"), ZONE)
        for letter, n, fans in (("A", many, 1000), ("B", few, None))
    ]
    made = comparison(sides, window)
    for one, n in zip(made.sides, (many, few), strict=True):
        assert len(one.works) == sum(begin <= k < begin + length for k in range(n))
        assert one.works == () or all(window.holds(work) for work in one.works)
    for row in made.rows:
        assert all(
            figure.n <= len(one.works) or row.name.endswith("_count")
            for figure, one in zip(row.figures, sides, strict=True)
        )
        assert all(figure.value is not None or figure.reason for figure in row.figures)


@given(st.text(max_size=80), st.text(max_size=6), st.integers(4, 40))
def test_a_clipped_text_is_as_long_as_asked_and_part_of_the_whole(text, word, most):
    short = clip(text, [word], most)
    assert len(short) <= max(most, 1) or short == text
    assert short.strip("…") in text or short == text


@given(st.text("一二三四五六七八九十ABCd", min_size=20, max_size=200), st.data())
def test_a_word_that_fits_stays_in_view(text, data):
    start = data.draw(st.integers(0, len(text) - 4))
    word = text[start : start + 4]
    assert word.casefold() in clip(text, [word], 12).casefold()


@given(st.lists(st.text("一二三四五六七八九十", min_size=1, max_size=8), min_size=1, max_size=6), st.data())
def test_words_are_found_across_segments_with_the_time_of_their_beginning(texts, data):
    segments = tuple(Segment(n * 1000, n * 1000 + 900, text) for n, text in enumerate(texts))
    whole = "".join(texts)
    start = data.draw(st.integers(0, len(whole) - 1))
    word = whole[start : start + data.draw(st.integers(1, 9))]
    found = passage(Work("douyin", "1", transcript=Transcript("asr", "zh", whole, whole, segments)), [word])
    assert found is not None and word in found.text and found.start_ms is not None
    assert word in whole[sum(map(len, texts[: found.start_ms // 1000])) :]
