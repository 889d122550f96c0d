"""Makes the pictures of a report that the READMEs show, of a made-up creator: ``python tests/cards/picture_report.py``.

Needs a Chromium, and the chart script (``npm run build``).
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
PICTURES = {"en": ROOT / "docs" / "report.png", "zh": ROOT / "docs" / "report.zh-CN.png"}
WIDTH, HEIGHT = 1280, 1900
COLOURS = 256  # what keeps a picture below 200 kB


def picture(language: str, path: Path) -> None:
    """Write the upper part of a report in ``language`` to ``path``, as a reader with 1280 pixels sees it."""
    import browser
    import made_up_creator
    from PIL import Image

    with TemporaryDirectory() as scratch:
        data = made_up_creator.data(60, language)
        page = made_up_creator.write(Path(scratch, "report.html"), data, made_up_creator.analyses(data))
        program = browser.find()
        assert program, "a Chromium is needed"
        opened = browser.Browser(program)
        try:
            shot = Path(scratch, "shot.png")
            browser.Page(opened, page, WIDTH).screenshot(shot, HEIGHT)
        finally:
            opened.close()
        with Image.open(shot) as seen:
            seen.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "lib"), str(Path(__file__).parent)]
    for language, path in PICTURES.items():
        path.parent.mkdir(exist_ok=True)
        picture(language, path)
