"""A sheet of A4 to draw on, as PDF: text that can be selected and searched, shapes and pictures, in millimetres.

The font is DejaVu Sans, which has Latin, Greek, Cyrillic, Arabic, Persian and Hebrew letters; what it has no sign for
is written in Latin letters, so that nothing prints as a box. What draws the PDF comes with the extra `page`.
"""

import io
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from PIL import Image

from deepfake_detect.report.names import shown

FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 14.0
INNER = WIDTH - 2 * MARGIN
POINT = 25.4 / 72  # millimetres
LEADING = 1.3  # height of a line against the size of its letters
BOLDER = 0.03  # a stroke around letters against their size
JPEG_QUALITY = 88
INK, PALE, RULE = "#111111", "#555555", "#cccccc"
MARKS = ("Cf", "Mn", "Me")  # joiners, and marks on letters
_FROM_THE_RIGHT = ("R", "AL", "AN")  # kinds of letters, Unicode UAX #9


class Paper:
    """One page; `y` is how far down it is written."""

    def __init__(self, title: str, subject: str, creator: str, when: datetime):
        """
        Args:
            title, subject, creator: of the document, for people.
            when: its date; with the same date, the same drawing makes the same bytes.
        """
        from anyascii import anyascii  # here, because to load them takes time that the start of the page does not need
        from fpdf import FPDF
        from fpdf.enums import TextMode

        self._in_latin, self._modes = anyascii, TextMode
        pdf = self.pdf = FPDF(format="A4")
        pdf.add_font("text", fname=FONT)
        pdf.set_auto_page_break(False)
        pdf.set_margin(0)
        pdf.c_margin = 0
        pdf.set_lang("en")
        pdf.set_creation_date(when)
        self._signs = cast(Any, pdf.fonts["text"]).cmap
        pdf.set_title(self.writable(title))
        pdf.set_subject(subject)
        pdf.set_creator(creator)
        pdf.add_page()
        self.y = MARGIN

    def writable(self, text: str) -> str:
        """A text on one line in signs that the font has: others in Latin letters, or as "?"."""
        text = unicodedata.normalize("NFC", shown(text))
        return "".join(self._replaced(sign) if self._lacks(sign) else sign for sign in text)

    def lacks(self, text: str) -> bool:
        """Whether the font lacks letters of a text, so that `writable` tells others in their place."""
        return any(map(self._lacks, unicodedata.normalize("NFC", shown(text))))

    def _lacks(self, sign: str) -> bool:
        return ord(sign) not in self._signs

    def _replaced(self, sign: str) -> str:
        if unicodedata.category(sign) in MARKS:  # says nothing without the sign that it belongs to
            return ""
        return self._in_latin(sign) or "?"

    def write(
        self, text: str, size: float, *, x: float = MARGIN, width: float = INNER, colour: str = INK, bold: bool = False
    ) -> float:
        """Write a text, wrapped, from x on below what is written; returns its height in millimetres.

        Args:
            size: of the letters, in points.
        """
        begin = self.y
        self._prepare(text, size, colour)
        # In a context of its own: FPDF does not go back to plain letters where their colour is that of the last shape.
        stroke = {"text_mode": self._modes.FILL_STROKE, "draw_color": colour, "line_width": size * POINT * BOLDER}
        with self.pdf.local_context(**(stroke if bold else {})):
            self.pdf.set_xy(x, self.y)
            self.pdf.multi_cell(
                width, size * POINT * LEADING, self.writable(text), align="L", new_x="LEFT", new_y="NEXT"
            )
        self.y = self.pdf.get_y()
        return self.y - begin

    def height(self, text: str, size: float, width: float = INNER) -> float:
        """Of a text as `write` would write it."""
        self._prepare(text, size, INK)
        lines = self.pdf.multi_cell(width, size, self.writable(text), align="L", dry_run=True, output="LINES")
        return len(cast(list[str], lines)) * size * POINT * LEADING

    def width(self, text: str, size: float) -> float:
        """Of a text on one line."""
        self._prepare(text, size, INK)
        return self.pdf.get_string_width(self.writable(text))

    def label(self, text: str, size: float, x: float, y: float, *, colour: str = INK, align: str = "L") -> None:
        """Write one line at a place, which is its upper left corner, with align "C" its middle, with "R" its right."""
        shift = {"L": 0.0, "C": 0.5, "R": 1.0}[align] * self.width(text, size)
        self._prepare(text, size, colour)
        self.pdf.set_xy(x - shift, y)
        self.pdf.cell(h=size * POINT * LEADING, text=self.writable(text))

    def bar(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """A filled rectangle."""
        self.pdf.set_fill_color(colour)
        self.pdf.rect(x, y, width, height, style="F")

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        """A filled circle around a place, with a dark edge."""
        self.pdf.set_fill_color(colour)
        self.pdf.set_draw_color(INK)
        self.pdf.set_line_width(0.2)
        self.pdf.circle(x, y, radius, style="DF")

    def mark(self, x: float, y: float, height: float) -> None:
        """A mark on a scale: a line across it and an arrow above."""
        self.line(x, y, x, y + height, INK, 0.7)
        self.pdf.set_fill_color(INK)
        self.pdf.polygon(((x - 1.6, y - 2.6), (x + 1.6, y - 2.6), (x, y)), style="F")

    def line(self, x: float, y: float, to_x: float, to_y: float, colour: str = INK, width: float = 0.3) -> None:
        self.pdf.set_draw_color(colour)
        self.pdf.set_line_width(width)
        self.pdf.line(x, y, to_x, to_y)

    def path(self, points: Sequence[tuple[float, float]], dash: tuple[float, float] | None, width: float = 0.4) -> None:
        """A line through several places; `dash`: millimetres of a dash and of the gap behind it, None for a whole
        line."""
        self.pdf.set_draw_color(INK)
        self.pdf.set_line_width(width)
        self.pdf.set_dash_pattern(*(dash or ()))
        self.pdf.polyline(points)
        self.pdf.set_dash_pattern()

    def picture(self, picture: Image.Image, x: float, y: float, width: float, height: float, alt: str) -> None:
        """A picture, with a text for those who do not see it."""
        file = io.BytesIO()
        picture.convert("RGB").save(file, "JPEG", quality=JPEG_QUALITY)
        self.pdf.image(file, x, y, width, height, alt_text=alt)

    def encoded(self) -> bytes:
        """The document as the bytes of a PDF file."""
        return bytes(self.pdf.output())

    def _prepare(self, text: str, size: float, colour: str) -> None:
        pdf = self.pdf
        pdf.set_font("text", size=size)
        pdf.set_text_color(colour)
        # Letters are joined and ordered, and marks put on them, only where there are such, for that costs time.
        kinds = {unicodedata.bidirectional(sign) for sign in text} | {unicodedata.category(sign) for sign in text}
        pdf.set_text_shaping(not kinds.isdisjoint((*_FROM_THE_RIGHT, *MARKS)))
