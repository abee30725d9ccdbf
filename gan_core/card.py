"""The model card: README.md of a model folder, written from its config.json."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gan_core.data import DATASETS
from gan_core.readable import readable
from gan_core.recipe import recipe_class
from gan_core.translation import TranslationRecipe

LIBRARY = "gan-playground"
SHEET_COUNT, SHEET_COLUMNS, MOST_COLUMNS = 64, 8, 16


def sheet_layout(classes: Sequence[str] | None) -> tuple[int, int]:
    """How many pictures the card's sheet shows, and in how many columns.

    Classes are drawn in turn; where they are few, the number of columns is a multiple of theirs: each shows one class.
    """
    columns = SHEET_COLUMNS
    if classes and len(classes) <= MOST_COLUMNS:
        columns = len(classes) * max(1, SHEET_COLUMNS // len(classes))
    return SHEET_COUNT // columns * columns, columns


def write_card(name: str, described: dict[str, Any], parameter_bytes: int) -> str:
    """Markdown with the Hub's front matter.

    Args:
        name: The folder's name.
        described: The content of config.json.
        parameter_bytes: Size of the generator's file.
    """
    training, image = described["training"], described["image"]
    dataset = training.get("dataset", "unknown")
    licence = DATASETS[dataset].licence if dataset in DATASETS else "the pictures' own"
    classes = described["classes"]
    recipe = recipe_class(described["recipe"])
    translates = issubclass(recipe, TranslationRecipe)
    kind = "" if translates else f" ({'conditional' if classes else 'unconditional'})"
    facts = {
        "Recipe": f"`{described['recipe']}`{kind}",
        "Pictures": f"{image['size']}x{image['size']}, {'grey' if image['channels'] == 1 else 'colour'}",
        "Weights": f"averaged generator (EMA), {parameter_bytes / 1e6:.1f} MB",
    }
    if classes:
        facts["Classes"] = listed(classes)
    if training:
        facts |= {
            "Trained on": f"{dataset} ({licence})",
            "Real images seen": f"{training['images_seen']:,}",
            "Steps": f"{training['steps']:,}",
            "Time in training steps": duration(training["seconds"]) + with_threads(training.get("threads")),
        }
    facts |= readable(described["metrics"])
    table = "\n".join(f"| {label} | {value} |" for label, value in facts.items())
    config = "\n".join(f"- `{key}`: {value}" for key, value in described["config"].items())
    command = f"\nMade by\n\n```sh\n{training['command']}\n```\n" if "command" in training else ""
    note = f"\n**{DATASETS[dataset].note}**\n" if dataset in DATASETS and DATASETS[dataset].note else ""
    count, columns = sheet_layout(classes)
    order = ", each column of one class" if classes and columns % len(classes) == 0 else ""
    shown = f"{count} pictures of seed 0, not selected{order}"
    one = "\nof_one_class = model.sample(16, seed=0, labels=0)" if classes else ""
    imports = "import gan_core"
    shape = f"[16, {image['channels']}, {image['size']}, {image['size']}]"
    use = f"images = model.sample(16, seed=0)  # {shape} in [-1, 1]{one}"
    if translates:
        shown = "Held-out inputs, not selected; below each its translation, and where it is known the true picture"
        imports = "import gan_core\nfrom PIL import Image"
        factor = described["config"].get("factor", 1)
        size = "of the same size" if factor == 1 else f"{factor} times as wide and as high"
        use = f'picture = model.translate(Image.open("picture.png"))  # {size}, whatever that is'
    return f"""---
license: mit
library_name: {LIBRARY}
pipeline_tag: {"image-to-image" if translates else "unconditional-image-generation"}
tags:
- {LIBRARY}
- gan
- {described["recipe"]}
---

# {name}

![{shown}](samples.png)

{shown}.
{note}
| | |
| --- | --- |
{table}
{command}
## Use

```python
{imports}

model = gan_core.load("{name}")  # this folder, or owner/name on the Hub
{use}
```

## What {described["recipe"]} is

{recipe.about()}

## Config

{config}
"""


def listed(classes: Sequence[str]) -> str:
    """The names of the classes; of very many, the first."""
    more = len(classes) - MOST_COLUMNS
    return ", ".join(map(plain, classes[:MOST_COLUMNS])) + (f" and {more:,} more" if more > 0 else "")


def with_threads(threads: object) -> str:
    """ " with 2 threads", where it is known."""
    if not isinstance(threads, int):
        return ""
    return f" with {threads} thread{'' if threads == 1 else 's'}"


def duration(seconds: float) -> str:
    """Seconds for people: 41 s, 3 min 5 s, 2 h 10 min."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def plain(value: object) -> str:
    """A stranger's text, such as a model's config says, as Markdown and HTML that read as it does.

    No link, picture or tag comes of it: all but letters, digits and spaces become numeric entities.
    """
    return "".join(char if char.isalnum() or char == " " else f"&#{ord(char)};" for char in str(value))
