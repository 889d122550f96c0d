"""Pictures from nothing but a label: a sky, a sun, two hills and the label, 600 × 800 pixels.

Drawn on a grid of 75 × 100 squares of 8 pixels, which is what lets three image formats be written in a few lines
each without an imaging library: in JPEG a square is one block with no detail, in PNG and WebP it is a repetition.
"""

from __future__ import annotations

import math
import textwrap
import zlib
from collections.abc import Iterator, Sequence

Colour = tuple[int, int, int]
Grid = list[list[Colour]]

WIDE, HIGH, SQUARE = 75, 100, 8

# 5 × 7 letters, a column a byte, lowest bit on top.
_FONT = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-",
        (
            "3e5149453e 00427f4000 4261514946 2141454b31 1814127f10 2745454539 3c4a494930 0171090503 3649494936"
            " 064949291e 7e1111117e 7f49494936 3e41414122 7f4141221c 7f49494941 7f09090901 3e4149497a 7f0808087f"
            " 00417f4100 2040413f01 7f08142241 7f40404040 7f020c027f 7f0408107f 3e4141413e 7f09090906 3e4151215e"
            " 7f09192946 4649494931 01017f0101 3f4040403f 1f2040201f 3f4038403f 6314081463 0708700807 6151494543"
            " 0808080808"
        ).split(),
        strict=True,
    )
)


def card(label: str, extension: str) -> bytes:
    """The picture of this label as ``jpg``, ``png`` or ``webp``."""
    return {"jpg": jpeg, "png": png, "webp": webp}[extension](draw(label))


def draw(label: str) -> Grid:
    seed = zlib.crc32(label.encode())
    hue = seed % 360
    top, low = _hsv(hue, 0.45, 0.98), _hsv(hue + 40, 0.25, 1.0)
    far, near = _hsv(hue + 190, 0.45, 0.62), _hsv(hue + 205, 0.6, 0.38)
    sun_x, sun_y, bend = 18 + seed // 360 % 40, 24 + seed // 7 % 14, seed % 6
    grid = []
    for y in range(HIGH):
        sky = tuple(round(a + (b - a) * y / HIGH) for a, b in zip(top, low, strict=True))
        row = []
        for x in range(WIDE):
            colour = sky
            if (x - sun_x) ** 2 + (y - sun_y) ** 2 < 90:
                colour = (255, 244, 214)
            if y > 62 + 7 * math.sin(x / 11 + bend):
                colour = far
            if y > 76 + 6 * math.sin(x / 8 - bend):
                colour = near
            row.append(colour)
        grid.append(row)
    lines = textwrap.wrap(label.upper().replace("_", " "), 11)[:5]
    for n, line in enumerate(lines):
        _write(grid, line, 4, HIGH - 2 - 9 * (len(lines) - n))
    return grid


def _write(grid: Grid, text: str, x: int, y: int) -> None:
    for n, letter in enumerate(text):
        for column, bits in enumerate(bytes.fromhex(_FONT.get(letter, "0000000000"))):
            for row in range(7):
                if bits >> row & 1:
                    grid[y + row][x + 6 * n + column] = (255, 255, 255)


def _hsv(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = (
        round(255 * value * (1 - saturation * max(0, min(k, 4 - k, 1))))
        for k in ((n + hue / 60) % 6 for n in (5, 3, 1))
    )
    return red, green, blue


# --- PNG


def png(grid: Grid) -> bytes:
    rows = (b"\0" + b"".join(bytes(colour) * SQUARE for colour in row) for row in grid)
    pixels = zlib.compress(b"".join(row * SQUARE for row in rows), 6)
    size = (WIDE * SQUARE).to_bytes(4) + (HIGH * SQUARE).to_bytes(4)
    chunks = ((b"IHDR", size + bytes((8, 2, 0, 0, 0))), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4) for kind, data in chunks
    )


# --- JPEG

_DC_COUNTS = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0))
"""How many differences' sizes have a code of 1, 2, … bits: the standard's own table for luminance."""
_DC_CODES = ("00", "010", "011", "100", "101", "110", "1110", "11110", "111110", "1111110", "11111110", "111111110")
_END_OF_BLOCK = "0"
_STEP = 8
"""Of quantisation. A block's DC coefficient is eight times its level, so the step makes levels plain numbers."""


def jpeg(grid: Grid) -> bytes:
    """Baseline, three components, every block of one colour: a difference to the block before, and its end."""
    bits, before = [], [0, 0, 0]
    for row in grid:
        for colour in row:
            for n, level in enumerate(_ycc(colour)):
                bits.append(_difference(level - before[n]) + _END_OF_BLOCK)
                before[n] = level
    stream = "".join(bits)
    stream += "1" * (-len(stream) % 8)
    scan = int(stream, 2).to_bytes(len(stream) // 8).replace(b"\xff", b"\xff\0")
    size = (HIGH * SQUARE).to_bytes(2) + (WIDE * SQUARE).to_bytes(2)
    segments = (
        (0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        (0xDB, b"\0" + bytes((_STEP,)) * 64),
        (0xC0, b"\x08" + size + b"\x03\x01\x11\0\x02\x11\0\x03\x11\0"),
        (0xC4, b"\0" + _DC_COUNTS + bytes(range(12))),
        (0xC4, b"\x10" + bytes((1,)) + bytes(15) + b"\0"),
        (0xDA, b"\x03\x01\0\x02\0\x03\0\0\x3f\0"),
    )
    head = b"".join(b"\xff" + bytes((kind,)) + (len(data) + 2).to_bytes(2) + data for kind, data in segments)
    return b"\xff\xd8" + head + scan + b"\xff\xd9"


def _ycc(colour: Colour) -> Iterator[int]:
    """The block's level in Y, Cb, Cr: the colour's distance from grey."""
    red, green, blue = colour
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    for value in (y - 128, (blue - y) * 0.564, (red - y) * 0.713):
        yield round(value)


def _difference(value: int) -> str:
    size = abs(value).bit_length()
    low = value if value >= 0 else value + (1 << size) - 1
    return _DC_CODES[size] + (f"{low:0{size}b}" if size else "")


# --- WebP

_EIGHT_BIT_CODE = "0" + "0001" + "000" * 2 + "100" + "000" * 8 + "100" + "0"
"""Opens a code whose symbols are eight bits wide (each told by a 1) or absent (0)."""


def webp(grid: Grid) -> bytes:
    """Lossless, on a palette; every square is copied from the pixel to its left and from the line above.

    The green channel's alphabet holds colours below 232 and, from 256 on, 24 lengths: 256 codes of eight bits.
    """
    palette = list(dict.fromkeys(colour for row in grid for colour in row))
    index = {colour: f"{n:08b}" for n, colour in enumerate(palette)}
    square = _length(SQUARE - 1) + "1"
    line = _length(WIDE * SQUARE) + "0"
    bits = [
        _number(0x2F, 8), _number(WIDE * SQUARE - 1, 14), _number(HIGH * SQUARE - 1, 14), "1000",
        "1", _number(3, 2), _number(len(palette) - 1, 8), _palette(palette),
        "0", "00", _EIGHT_BIT_CODE, "1" * 232, "0" * 24, "1" * 24, "1000" * 3, "1100", _number(1, 8),
        *("".join(index[colour] + square for colour in row) + line * (SQUARE - 1) for row in grid),
    ]  # fmt: skip
    stream = "".join(bits)
    data = int(stream[::-1], 2).to_bytes(-(-len(stream) // 8), "little")
    chunk = b"WEBPVP8L" + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)
    return b"RIFF" + len(chunk).to_bytes(4, "little") + chunk


def _number(value: int, width: int) -> str:
    """Numbers go into the stream lowest bit first; codes, highest."""
    return f"{value:0{width}b}"[::-1]


def _palette(palette: Sequence[Colour]) -> str:
    """The colours as an image of one line, each as its difference to the one before."""
    any_byte = _EIGHT_BIT_CODE + "1" * 256
    head = "0" + any_byte + "0" * 24 + any_byte * 2 + "111" + _number(0, 8) + _number(255, 8) + "1000"
    pixels = []
    for before, colour in zip([None, *palette], palette, strict=False):
        red, green, blue = (a - b & 255 for a, b in zip(colour, before or (0, 0, 0), strict=True))
        pixels.append(f"{green:08b}{red:08b}{blue:08b}{1 if before is None else 0}")
    return head + "".join(pixels)


def _length(pixels: int) -> str:
    """The code of a copied length, and the bits that it leaves to say."""
    rest = pixels - 1
    extra = max(rest.bit_length() - 2, 0)
    prefix = rest if rest < 4 else 2 * extra + (rest >> extra)
    return f"{232 + prefix:08b}" + (_number(rest & (1 << extra) - 1, extra) if extra else "")
