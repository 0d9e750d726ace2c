"""Draws icon.png and logo.png: a house that holds a sound. `python addon/artwork.py` needs Pillow, and nothing else of ours.

Shapes are drawn SCALE times too large and reduced, which is how their edges become smooth.
"""  # noqa: INP001 - a script

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont  # type: ignore[import-not-found,unused-ignore]  # no requirement of ours

HERE = Path(__file__).parent
SCALE = 8
TEAL, NIGHT, WHITE = "#12a594", "#0b3b46", "#ffffff"
BARS = (0.28, 0.62, 1.0, 0.62, 0.28)  # heights of the sound, relative to the tallest
ICON, LOGO = (128, 128), (250, 100)  # pixels, as Home Assistant wants them

Box = tuple[float, float, float, float]


def draw_house(draw: ImageDraw.ImageDraw, box: Box, walls: str, sound: str) -> None:
    """A house with round corners that fills the box, five bars in it."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    round_by = 0.09 * width
    eaves = top + 0.47 * height
    inset = 0.1 * width
    roof = [(left + width / 2, top + round_by), (right - round_by, eaves), (left + round_by, eaves)]
    draw.polygon(roof, fill=walls)
    draw.line([*roof, roof[0], roof[1]], fill=walls, width=round(2 * round_by), joint="curve")
    for x, y in roof:
        draw.ellipse((x - round_by, y - round_by, x + round_by, y + round_by), fill=walls)
    draw.rounded_rectangle((left + inset, eaves - round_by, right - inset, bottom), radius=round_by, fill=walls)
    _bars(draw, (left + 0.21 * width, top + 0.4 * height, right - 0.21 * width, bottom - 0.1 * height), sound)


def _bars(draw: ImageDraw.ImageDraw, box: Box, colour: str) -> None:
    left, top, right, bottom = box
    step = (right - left) / (len(BARS) - 0.45)
    thick, middle = 0.55 * step, (top + bottom) / 2
    for number, share in enumerate(BARS):
        x, half = left + number * step, share * (bottom - top) / 2
        draw.rounded_rectangle((x, middle - half, x + thick, middle + half), radius=thick / 2, fill=colour)


def icon() -> Image.Image:
    """The house alone, on nothing."""
    image, draw = _canvas(ICON)
    draw_house(draw, _scaled(6, 6, 122, 122), TEAL, WHITE)
    return image.resize(ICON, Image.Resampling.LANCZOS)


def logo() -> Image.Image:
    """House and name on a dark plate, so that the page's colour does not matter."""
    image, draw = _canvas(LOGO)
    draw.rounded_rectangle(_scaled(0, 0, LOGO[0] - 1, LOGO[1] - 1), radius=18 * SCALE, fill=NIGHT)
    draw_house(draw, _scaled(16, 18, 80, 82), TEAL, WHITE)
    draw.text((94 * SCALE, 50 * SCALE), "ds-plugin", fill=WHITE, font=ImageFont.load_default(30 * SCALE), anchor="lm")
    return image.resize(LOGO, Image.Resampling.LANCZOS)


def _canvas(size: tuple[int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGBA", (size[0] * SCALE, size[1] * SCALE))
    return image, ImageDraw.Draw(image)


def _scaled(*values: float) -> Box:
    left, top, right, bottom = (SCALE * value for value in values)
    return left, top, right, bottom


if __name__ == "__main__":
    icon().save(HERE / "icon.png", optimize=True)
    logo().save(HERE / "logo.png", optimize=True)
