from __future__ import annotations

import math
from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni.analysis.buckets import BUCKETS, ranked, standings
from tikomni.analysis.sampling import quotas, sample, size


def ids(standing):
    return [s.work.platform_work_id for s in standing]


def signals(**traits):
    """Signals of one work: a label a trait, none where nothing is given."""
    names = ("hook", "structure", "cta", "form", "style", "keywords")
    return SimpleNamespace(**{name: SimpleNamespace(label=traits.get(name)) for name in names})


@pytest.mark.parametrize(
    ("sampled", "parts"),
    [
        (0, [0, 0, 0, 0]), (1, [0, 0, 0, 1]), (4, [2, 1, 0, 1]), (5, [2, 1, 1, 1]), (10, [3, 3, 2, 2]),
        (20, [6, 6, 5, 3]), (40, [12, 12, 9, 7]), (60, [18, 18, 14, 10]), (80, [24, 24, 19, 13]),
    ],
)  # fmt: skip
def test_quotas(sampled, parts):
    assert [quotas(sampled)[name] for name in BUCKETS] == parts


@settings(deadline=None)
@given(st.integers(0, 5000))
def test_a_sample_is_no_larger_than_the_profile_and_quotas_add_up(n):
    sampled = size(n)
    assert min(n, 40) <= sampled <= min(n, 80)
    found = quotas(sampled)
    assert sum(found.values()) == sampled and min(found.values()) >= 0
    assert sampled < 3 or found["Top"] + found["Strong"] >= math.ceil(0.55 * sampled)
    assert not sampled or found["Bottom"] >= 1


def test_a_small_profile_is_its_own_sample(make):
    found = sample(standings(make.plain(range(7))))
    assert sorted(ids(found.picked)) == [str(n) for n in range(1, 8)]


def test_every_bucket_is_drawn_from_by_rank(make):
    standing = standings(make.plain(range(200)))
    found = sample(standing)
    assert Counter(s.bucket for s in found.picked) == {"Top": 18, "Strong": 18, "Mid": 14, "Bottom": 10}
    for name in BUCKETS:
        best = [s for s in ranked(standing) if s.bucket == name]
        picked = [s for s in found.picked if s.bucket == name]
        assert picked == best[: len(picked)]


def test_the_first_picks_differ_in_kind(make):
    standing = standings(make.plain(range(200)))
    order = ranked(standing)
    traits = {s.work.key: signals(form="talking_head", hook="result") for s in order}
    other_form, other_hook, structured = order[20].work, order[30].work, order[35].work
    traits[other_form.key] = signals(form="slideshow", hook="result")
    traits[other_hook.key] = signals(form="talking_head", hook="question")
    traits[structured.key] = signals(form="talking_head", hook="result", structure="problem_solution")
    picked = sample(standing, traits).picked
    assert ids(picked)[:5] == ids([order[0], order[20], order[30], order[35], order[1]])
    assert Counter(s.bucket for s in picked)["Top"] == 18


def test_a_trait_that_no_rule_found_is_no_kind(make):
    standing = standings(make.plain(range(200)))
    assert sample(standing, {s.work.key: signals() for s in standing}) == sample(standing)


def test_works_without_words_stay_outside(make):
    standing = standings(make.plain(range(200)))
    best = ranked(standing)[0].work.key
    found = sample(standing, leave_out={best})
    assert best not in {s.work.key for s in found.picked}


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 20), max_size=150),
    st.lists(st.sampled_from([None, "a", "b", "c", "d"]), min_size=150, max_size=150),
    st.randoms(),
)
def test_a_sample_is_deterministic_and_full(make, totals, forms, random):
    works = [make.work(n, total) for n, total in enumerate(totals)]
    traits = {work.key: signals(form=form) for work, form in zip(works, forms, strict=False)}
    found = sample(standings(make.cohort(works)), traits)
    assert sample(standings(make.cohort(random.sample(works, len(works)))), traits) == found
    assert len(set(ids(found.picked))) == len(found.picked) == size(len(works))


def test_immature_works_are_never_sampled(make):
    standing = standings(make.cohort([make.work(1, 10**6, days=1), make.work(2, 1)]))
    assert ids(sample(standing).picked) == ["2"]


def test_three_forms_are_enough_of_variety(make):
    standing = standings(make.plain(range(200)))
    order = ranked(standing)
    forms = {place: f"form {place}" for place in (0, 10, 20, 30)}
    traits = {order[place].work.key: signals(form=form) for place, form in forms.items()}
    assert ids(sample(standing, traits).picked)[:4] == ids([order[0], order[10], order[20], order[1]])
