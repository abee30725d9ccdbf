"""Options as a person sees them: the fields of a config dataclass, each with the sentence below it in the source."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from gan_core.errors import UsageError


@dataclass(frozen=True)
class Field:
    """One option as a form shows it.

    Attributes:
        name: Field name; with `--` before it, the command-line flag.
        default: Its default value.
        help: The sentence written below it in the source.
        choices: The allowed words, where the type is a Literal.
        type: The annotation, resolved.
    """

    name: str
    default: Any
    help: str
    choices: tuple[str, ...]
    type: Any


def fields_of(cls: type, default: Any = None) -> list[Field]:
    """The documented fields of a config or options dataclass, inherited ones first.

    Args:
        cls: A dataclass whose fields each carry a string literal below them.
        default: An instance whose values count as the defaults; `cls()` if None.
    """
    default = cls() if default is None else default
    helps: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if dataclasses.is_dataclass(base):
            body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
            assert isinstance(body, ast.ClassDef)
            for field, below in zip(body.body, body.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                    helps[ast.unparse(field.target)] = ast.literal_eval(below.value)
    hints = get_type_hints(cls)
    return [
        Field(
            name=field.name,
            default=getattr(default, field.name),
            help=helps[field.name],
            choices=get_args(hints[field.name]) if get_origin(hints[field.name]) is Literal else (),
            type=hints[field.name],
        )
        for field in dataclasses.fields(cls)
    ]


def check_words(options: Any) -> None:
    """Raises `UsageError` for a field of a dataclass that takes certain words and holds another."""
    hints = get_type_hints(type(options))
    for field in dataclasses.fields(options):
        value, words = getattr(options, field.name), get_args(hints[field.name])
        if get_origin(hints[field.name]) is Literal and value not in words:
            raise UsageError(f"{field.name} is {value!r}; it takes {', '.join(words)}.")
