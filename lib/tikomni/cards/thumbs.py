"""Small pictures for the report, out of what strangers uploaded. What is hostile, huge or broken gives none."""

from __future__ import annotations

import io
import warnings
from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

COVER = (240, 320)
AVATAR = (176, 176)
MOST_BYTES = 8000  # of the data URI
MOST_INPUT = 30_000_000
MOST_PIXELS = 30_000_000  # what a decoder may be asked to unfold
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
_START = "data:image/webp;base64,"


def thumbnail(data: bytes, size: tuple[int, int] = COVER) -> str | None:
    """``data`` as a data URI of at most ``MOST_BYTES`` characters: the first frame, cropped to ``size``, WebP.

    ``None`` for what is no picture of a common format, has more than ``MOST_PIXELS``, or cannot be decoded whole.
    """
    from PIL import Image, ImageOps

    if not data or len(data) > MOST_INPUT:
        return None
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            warnings.simplefilter("ignore")
            if picture.width * picture.height > MOST_PIXELS:
                return None
            # Reduced before it is converted: memory stays what a decoder needs, and a JPEG is decoded small.
            picture.thumbnail((size[0] * 4, size[1] * 4))
            turned = ImageOps.exif_transpose(picture).convert("RGBA")
        fitted = ImageOps.fit(turned, size, Image.Resampling.LANCZOS)
        plain = Image.new("RGB", size, "white")
        plain.paste(fitted, mask=fitted.getchannel("A"))
        return _small(plain)
    except Exception:  # decoders raise whatever they like at hostile bytes
        return None


def _small(picture: Image.Image) -> str | None:
    """The best quality that fits; then half the size."""
    for part in (1, 2, 4):
        smaller = picture.resize((picture.width // part, picture.height // part))
        for quality in (78, 60, 42, 25):
            out = io.BytesIO()
            smaller.save(out, "WEBP", quality=quality, method=4)
            uri = _START + b64encode(out.getvalue()).decode()
            if len(uri) <= MOST_BYTES:
                return uri
    return None
