"""Markdown that cards show, made from docstrings, options and the configs of models."""

from __future__ import annotations

import re
from typing import Any

from gan_core.card import plain
from gan_core.fields import fields_of
from gan_core.readable import readable

LONGEST = 300  # characters of a value


def with_links(text: str) -> str:
    """A recipe's docstring for Streamlit: displayed equations on lines of their own, arXiv ids as links."""
    text = re.sub(r"\$\$(.+?)\$\$", r"\n$$\n\1\n$$\n", text, flags=re.DOTALL)
    return re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", text)


def facts(described: dict[str, Any]) -> str:
    """Markdown of what a model's config says; not its README, which may be a stranger's and hold anything."""
    groups = (described["training"], readable(described["metrics"]), described["config"])
    rows = [(key, value) for group in groups for key, value in group.items() if key != "command"]
    lines = [f"| {plain(key)} | {plain(str(value)[:LONGEST])} |" for key, value in rows]
    return "\n".join(["| | |", "| --- | --- |", *lines])


def option_table(default: Any, paper: Any = None) -> str:
    """Markdown of every option with its default, the paper's value and its help."""
    head = ["option", "default", *(["paper"] if paper else []), "what it does"]
    rows = [head, ["---"] * len(head)]
    for field in fields_of(type(default), default):
        published = [shown(getattr(paper, field.name))] if paper else []
        choices = f" One of {', '.join(f'`{choice}`' for choice in field.choices)}." if field.choices else ""
        rows.append([f"`{field.name}`", shown(field.default), *published, field.help + choices])
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)


def shown(value: Any) -> str:
    """An option's value; None is what is left to the data or to the run."""
    return "automatic" if value is None else f"`{value}`"
