"""The model card: README.md of a model folder, written from its config.json."""

from __future__ import annotations

from typing import Any

from gan_core.data import DATASETS
from gan_core.report import readable

LIBRARY = "gan-playground"


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
    kind = "conditional" if described["classes"] else "unconditional"
    facts = {
        "Recipe": f"`{described['recipe']}` ({kind})",
        "Pictures": f"{image['size']}x{image['size']}, {'grey' if image['channels'] == 1 else 'colour'}",
        "Weights": f"averaged generator (EMA), {parameter_bytes / 1e6:.1f} MB",
    }
    if training:
        facts |= {
            "Trained on": f"{dataset} ({licence})",
            "Real images seen": f"{training['images_seen']:,}",
            "Steps": f"{training['steps']:,}",
            "Time in training steps": duration(training["seconds"]),
        }
    facts |= readable(described["metrics"])
    table = "\n".join(f"| {label} | {value} |" for label, value in facts.items())
    config = "\n".join(f"- `{key}`: {value}" for key, value in described["config"].items())
    command = f"\nMade by\n\n```sh\n{training['command']}\n```\n" if "command" in training else ""
    return f"""---
license: mit
library_name: {LIBRARY}
pipeline_tag: unconditional-image-generation
tags:
- {LIBRARY}
- gan
- {described["recipe"]}
---

# {name}

![64 pictures of seed 0, not selected](samples.png)

64 pictures of seed 0, not selected.

| | |
| --- | --- |
{table}
{command}
## Use

```python
import gan_core

model = gan_core.load("{name}")  # this folder, or owner/name on the Hub
images = model.sample(16, seed=0)  # [16, {image["channels"]}, {image["size"]}, {image["size"]}] in [-1, 1]
```

## Config

{config}
"""


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
