"""How long a search of the library takes beyond the start of the bare interpreter, at 5,000 works with words.

    python benchmarks/library.py [WORKS]

Prints the median of several runs: time on the clock, and time of the processor, which says more on a busy machine.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from tikomni.facts import Segment, Transcript, Work  # noqa: E402
from tikomni.library.store import Library  # noqa: E402

ORIGIN = "https://example.invalid"
LETTERS = "今天做一锅番茄牛腩汤先把肉切块冷水下锅加姜片料酒煮开撇去浮沫然后捞出备用另起锅烧油放葱蒜炒香"
ASKED = (
    ("牛腩",),
    ("番茄", "料酒", "不存在的词"),
    ("酒煮", "--min-likes", "5000", "--sort", "newest"),
    ("--creator", "作者7"),
    (),
)
RUNS = 9


def fill(state: Path, works: int) -> None:
    luck = Random(1)

    def made(n: int) -> Work:
        lines = ["".join(luck.choices(LETTERS, k=18)) + "。" for _ in range(40)]
        segments = tuple(Segment(i * 3000, i * 3000 + 2900, line) for i, line in enumerate(lines))
        text = "".join(lines)
        return Work(
            platform="douyin",
            platform_work_id=str(10**18 + n),
            platform_author_id=f"author{n % 20}",
            author_name=f"作者{n % 20}",
            title="".join(luck.choices(LETTERS, k=16)),
            caption_raw="".join(luck.choices(LETTERS, k=60)),
            work_modality="video",
            media_kind="video",
            published_at=f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}T08:00:00+08:00",
            published_date=f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}",
            digg_count=luck.randrange(100_000),
            topics=("美食",),
            transcript=Transcript("asr", "zh", text, text, segments),
            snapshot_at="2026-12-31T08:00:00+08:00",
        )

    library = Library(state / "library.sqlite3", ORIGIN)
    library.keep_works(made(n) for n in range(works))
    library.close()


def measured(command: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Milliseconds on the clock and of the processor, each the median of several runs."""
    clock, processor = [], []
    for _ in range(RUNS):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        clock.append(time.perf_counter() - start)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return median(clock) * 1000, median(processor) * 1000


def main() -> None:
    works = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "state")
        fill(state, works)
        own = {"TIKOMNI_STATE_DIR": str(state), "TIKOMNI_BASE_URL": ORIGIN, "PYTHONPATH": str(ROOT / "lib")}
        environ = {k: v for k, v in os.environ.items() if not k.startswith("TIKOMNI_")} | own
        bare = measured([sys.executable, "-c", "pass"], environ)
        print(f"{works} works, beyond the bare interpreter ({bare[0]:.0f} ms; processor {bare[1]:.0f} ms):")
        for words in ASKED:
            clock, processor = measured([sys.executable, "-m", "tikomni", "library", *words], environ)
            print(
                f"  {clock - bare[0]:6.0f} ms   processor {processor - bare[1]:6.0f} ms   {' '.join(words) or '(all)'}"
            )


if __name__ == "__main__":
    main()
