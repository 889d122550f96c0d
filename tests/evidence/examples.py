"""Makes ``examples/``: three finished cards about made-up people. ``python tests/evidence/examples.py`` writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def finished(made_up: ModuleType, folder: Path) -> dict[str, str]:
    """The cards by their names, made below ``folder`` by the code that makes a user's."""
    from tikomni.analysis import tasks
    from tikomni.cards.creator_card import Collection, CreatorSummary
    from tikomni.cards.paths import CardIndex
    from tikomni.cards.render import creator_path, render_creator, render_work
    from tikomni.cards.standing import WorkFigures
    from tikomni.pipelines import benchmark
    from tikomni.settings import Settings

    settings = Settings(output_root=folder, state_dir=folder / "state")
    works, creator, index = [made_up.work(n, open_url=None) for n in range(7)], made_up.creator(), CardIndex(settings)
    picture = made_up.picture(works)
    made = benchmark.write_tasks(
        settings, [*tasks.for_creator(creator, picture, "zh"), *tasks.for_work(works[0], "zh")]
    )
    creator_path(settings, creator, index)
    picked = {standing.work.key for standing in picture.sample.picked}
    cards = {}
    for standing in picture.standings:
        key = standing.work.key
        figures = WorkFigures(standing, key in picked, picture.signals.get(key), creator.snapshot_at)
        cards[key] = render_work(settings, standing.work, (), [], "author_sample_work", figures, index)
    summary = CreatorSummary(
        figures=picture.figures,
        rules=picture.cohort.rules,
        standings=picture.standings,
        collection=Collection(requested=200, fetched=7, pages=1, stop_reason="no_more", complete=True),
        sample=picture.sample,
        aggregates=picture.aggregates,
        changes=None,
    )
    whole = render_creator(settings, creator, summary, index, [])
    (english,) = benchmark.from_facts(json.dumps(made_up.WORLD["english"]["facts"]), settings, [])
    answers = [(made_up.answer(kind), place) for kind, place in made if kind != "transcript.clean"]
    answers.append((made_up.WORLD["english"]["answer"], dict(english.tasks)["work.breakdown"]))
    for answer, place in answers:
        done = benchmark.hand_in(benchmark.task_of(place), json.dumps(answer), "example-model", False, settings)
        assert not done.problems, done.problems
    return {
        "creator-card.zh.md": whole.read_text(encoding="utf-8"),
        "work-card.zh.md": cards[works[0].key].read_text(encoding="utf-8"),
        "work-card.en.md": english.card.read_text(encoding="utf-8"),
    }


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "lib"), str(Path(__file__).parent)]
    import made_up

    (ROOT / "examples").mkdir(exist_ok=True)
    with TemporaryDirectory() as scratch:
        for name, text in finished(made_up, Path(scratch)).items():
            (ROOT / "examples" / name).write_text(text, encoding="utf-8")
