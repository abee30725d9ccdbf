"""Options dataclasses as forms: one widget per documented field."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from contextlib import suppress
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import streamlit as st

from gan_core.errors import UsageError
from gan_core.fields import Field

AUTOMATIC = "automatic"
LARGEST = 2**53 - 1  # that a number field takes, since a browser's numbers end there
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Option:
    """A field in a form.

    Attributes:
        field: What it sets.
        key: Of its widget.
        placeholder: Shown where None stands for a choice made later.
    """

    field: Field
    key: str
    placeholder: str = AUTOMATIC


def edit(options: Iterable[Option], per_row: int = 4) -> dict[str, Any]:
    """Draws a widget for each option and returns the chosen values by field name."""
    options = list(options)
    values = {}
    for start in range(0, len(options), per_row):
        row = options[start : start + per_row]
        with st.container(key=f"options-{row[0].key}"):  # two in a row on a phone: see navigation.py
            columns = st.columns(per_row, vertical_alignment="bottom")
        for column, option in zip(columns, row, strict=False):
            with column:
                values[option.field.name] = widget(option)
    return values


def widget(option: Option) -> Any:
    """Draws the widget that a field's type asks for, and returns its value, None included where it is allowed."""
    field, key = option.field, option.key
    kinds = members(field.type)
    optional = NoneType in kinds
    kind, *others = (kind for kind in kinds if kind is not NoneType)
    label = field.name.replace("_", " ")
    # kept while the form is out of sight, as when a run is looked at
    common: dict[str, Any] = {"help": field.help, "persist_state": "session"}
    if kind is bool:
        return st.toggle(label, field.default, key=key, **common)
    if kind in (int, float):
        return number(label, kind, field.default, key, placeholder=option.placeholder, **common)
    if kind is str:
        return st.text_input(label, field.default or "", key=key, placeholder=option.placeholder, **common) or None
    if all(get_origin(each) is Literal for each in (kind, *others)):
        choices = [None] * optional + [word for each in (kind, *others) for word in get_args(each)]
        return st.selectbox(
            label,
            choices,
            choices.index(field.default),
            key=key,
            format_func=lambda choice: option.placeholder if choice is None else choice,
            **common,
        )
    if get_origin(kind) is tuple:
        parts = zip(st.columns(len(field.default)), field.default, strict=True)
        return tuple(
            number(f"{label} {k}", type(default), default, f"{key}.{k}", column, **common)
            for k, (column, default) in enumerate(parts, start=1)
        )
    raise TypeError(f"{field.name}: no widget is made for {field.type}")


def preset(option: Option, value: Any) -> None:
    """Gives the widget of an option a value, before it is drawn."""
    if isinstance(value, tuple):
        for k, part in enumerate(value, start=1):
            st.session_state[f"{option.key}.{k}"] = part
    else:
        st.session_state[option.key] = "" if value is None and str in members(option.field.type) else value


def from_text(field: Field, text: str) -> Any:
    """The value that a link's text gives a field.

    Raises:
        UsageError: The field takes no such value.
    """
    for kind in members(field.type):
        if kind is bool and text in ("true", "false"):
            return text == "true"
        if kind in (int, float):
            with suppress(ValueError):
                if abs(value := kind(text)) <= LARGEST:  # not for nan
                    return value
        if kind is str or text in get_args(kind):
            return text
    raise UsageError(f"{field.name} is {text[:40]!r} in this link, and takes no such value.")


def number(label: str, kind: type, default: float | None, key: str, place: Any = st, **common: Any) -> float | None:
    """A number field whose step fits the size of its default."""
    if kind is int:
        return place.number_input(label, value=default, step=1, key=key, **common)
    step = 10.0 ** math.floor(math.log10(default)) if default else 0.1
    return place.number_input(label, value=default, step=step, format="%g", key=key, **common)


def members(annotation: Any) -> tuple[Any, ...]:
    """The types of a union; of any other annotation, itself alone."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def filled(default: T, values: dict[str, Any]) -> T:
    """The dataclass instance with those of the values that are its fields; its own validation applies."""
    names = {field.name for field in dataclasses.fields(default)}  # type: ignore[arg-type]
    return dataclasses.replace(default, **{name: values[name] for name in names & set(values)})  # type: ignore[type-var]
