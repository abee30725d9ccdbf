"""How far work is, told to whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]  # the share done in [0, 1], and a text for people


def share_of(progress: Progress | None, part: tuple[float, float]) -> Progress:
    """The progress of one part of the work, as that of the whole."""

    def tell(done: float, text: str) -> None:
        if progress is not None:
            progress(part[0] + done * (part[1] - part[0]), text)

    return tell
