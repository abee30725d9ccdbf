"""Sheets of pictures with their captions, as one picture to keep."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

PAPER, INK, FAINT = "#ffffff", "#0f172a", "#64748b"
TEXT, LEADING, MARGIN = 15, 21, 24  # pixels: height of letters, of lines, and around everything
COLUMNS = 3


def poster(title: str, sheets: list[tuple[Image.Image, str]]) -> Image.Image:
    """All sheets on white paper, `COLUMNS` side by side, each below its caption.

    Args:
        title: The line above them.
        sheets: Pictures of any size and mode; the first line of a caption is its heading.
    """
    font = ImageFont.load_default(TEXT)
    ruler = ImageDraw.Draw(Image.new("L", (1, 1)))

    def width_of(text: str) -> int:
        return round(ruler.multiline_textbbox((0, 0), text, font)[2])

    rows = [sheets[start : start + COLUMNS] for start in range(0, len(sheets), COLUMNS)]
    width = max(max(sheet.width, width_of(caption)) for sheet, caption in sheets)
    heights = [max(sheet.height + LEADING * (len(text.splitlines()) + 1) for sheet, text in row) for row in rows]
    columns = min(COLUMNS, len(sheets))
    inner = max(columns * (width + MARGIN) - MARGIN, width_of(title))
    paper = Image.new("RGB", (inner + 2 * MARGIN, sum(heights) + 2 * MARGIN + 2 * LEADING), PAPER)
    pen = ImageDraw.Draw(paper)
    pen.text((MARGIN, MARGIN), title, FAINT, font)
    top = MARGIN + 2 * LEADING
    for row, height in zip(rows, heights, strict=True):
        for place, (sheet, caption) in enumerate(row):
            left, below = MARGIN + place * (width + MARGIN), top
            for k, line in enumerate(caption.splitlines()):
                pen.text((left, below), line, FAINT if k else INK, font)
                below += LEADING
            paper.paste(sheet.convert("RGB"), (left, below))
        top += height
    return paper
