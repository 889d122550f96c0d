"""Pictures from nothing but a label: a sky, a sun, two hills and the label, the same every time."""

from __future__ import annotations

import io
import textwrap
import zlib

WIDE, HIGH = 600, 800
_FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}


def card(label: str, extension: str) -> bytes:
    """The picture of this label as ``jpg``, ``png`` or ``webp``."""
    from PIL import Image, ImageDraw, ImageFont

    seed = zlib.crc32(label.encode())
    hue, sun_x, bend = seed % 360, 140 + seed // 360 % 320, seed % 60
    picture = Image.new("RGB", (WIDE, HIGH), f"hsv({hue}, 45%, 98%)")
    pen = ImageDraw.Draw(picture)
    pen.circle((sun_x, 240), 76, "#fff4d6")
    pen.circle((120 + bend, HIGH), 300, f"hsv({(hue + 190) % 360}, 45%, 62%)")
    pen.circle((480 - bend, HIGH + 80), 300, f"hsv({(hue + 205) % 360}, 60%, 38%)")
    text = "\n".join(textwrap.wrap(label.replace("_", " "), 20)[:5])
    pen.text((32, HIGH - 32), text, "white", ImageFont.load_default(48), anchor="ld")
    file = io.BytesIO()
    picture.save(file, _FORMATS[extension], quality=20)  # small: there are many
    return file.getvalue()
