"""Markdown that cards show, made from docstrings, options and model cards."""

from __future__ import annotations

import re
from typing import Any

from gan_core.fields import fields_of


def with_links(text: str) -> str:
    """A recipe's docstring for Streamlit: displayed equations on lines of their own, arXiv ids as links."""
    text = re.sub(r"\$\$(.+?)\$\$", r"\n$$\n\1\n$$\n", text, flags=re.DOTALL)
    return re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", text)


def card_text(markdown: str) -> str:
    """A model card's text: without the Hub's front matter, its title, and pictures, which might lie elsewhere."""
    markdown = re.sub(r"\A---\n.*?\n---\n", "", markdown, flags=re.DOTALL)
    markdown = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", markdown)
    return re.sub(r"\A\s*# .*\n", "", markdown).strip()


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
