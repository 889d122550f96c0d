"""Pictures of strangers become small pictures of ours, or none."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tikomni.cards.thumbs import AVATAR, COVER, MOST_BYTES, MOST_PIXELS, thumbnail


def opened(uri: str | None) -> Image.Image:
    assert uri is not None and uri.startswith("data:image/webp;base64,")
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def saved(image: Image.Image, form: str, **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **how)
    return out.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
@pytest.mark.parametrize("size", [(1080, 1440), (1440, 1080), (90, 90)])
def test_a_picture_becomes_a_small_one(made_up: ModuleType, form: str, size: tuple[int, int]) -> None:
    uri = thumbnail(made_up.picture(3, size, form))
    assert opened(uri).size == COVER and uri and len(uri) <= MOST_BYTES
    assert opened(thumbnail(made_up.picture(3, size, form), AVATAR)).size == AVATAR


def test_even_noise_fits() -> None:
    uri = thumbnail(saved(Image.effect_noise((900, 1200), 200).convert("RGB"), "JPEG"))
    assert uri and len(uri) <= MOST_BYTES


def test_a_turned_photograph_stands_upright() -> None:
    lying = Image.new("RGB", (400, 300), "red")
    lying.paste("blue", (0, 0, 200, 300))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees: what is on the left comes to the top
    red, _, blue = opened(thumbnail(saved(lying, "JPEG", exif=exif))).convert("RGB").getpixel((120, 20))
    assert blue > 200 > 60 > red


def test_what_is_transparent_becomes_white() -> None:
    assert min(opened(thumbnail(saved(Image.new("RGBA", (300, 400)), "PNG"))).convert("RGB").getpixel((9, 9))) > 250


def test_the_first_frame_stands_for_a_moving_picture() -> None:
    frames = [Image.new("RGB", (300, 400), colour) for colour in ("lime", "red", "blue")]
    moving = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)
    assert opened(thumbnail(moving)).convert("RGB").getpixel((9, 9))[1] > 200


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='hacked()'/>",
        png_that_claims(100_000, 100_000),
        png_that_claims(600, 800),
        png_that_claims(0, 0),
    ],
)
def test_hostile_and_broken_pictures_give_none(data: bytes) -> None:
    assert thumbnail(data) is None


def test_a_picture_that_would_fill_the_memory_gives_none() -> None:
    wide = MOST_PIXELS // 5000
    assert thumbnail(saved(Image.new("1", (wide, 5000), 1), "PNG"))
    assert thumbnail(saved(Image.new("1", (wide + 1, 5000), 1), "PNG")) is None


def test_half_a_picture_gives_none(made_up: ModuleType) -> None:
    whole = made_up.picture(1)
    assert thumbnail(whole) and thumbnail(whole[: len(whole) // 2]) is None


@given(st.binary(max_size=300), st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]), st.integers(0, 400))
def test_no_bytes_are_a_crash(noise: bytes, form: str, at: int) -> None:
    start = saved(Image.new("RGB", (40, 30), "teal"), form)
    uri = thumbnail(start[:at] + noise + start[at:])
    assert uri is None or len(uri) <= MOST_BYTES
