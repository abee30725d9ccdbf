from dataclasses import dataclass
from typing import Literal

import pytest
from streamlit.testing.v1 import AppTest

from gan_core import UsageError, list_recipes
from gan_core.fields import fields_of
from gan_core.plan import usual
from gan_core.recipe import recipe_class
from pages.forms import Option, edit, filled


@dataclass(frozen=True)
class Everything:
    """A field of every kind."""

    whole: int = 3
    """A."""
    maybe: int | None = None
    """B."""
    part: float = 2e-4
    """C."""
    pair: tuple[float, float] = (0.5, 0.9)
    """D."""
    switch: bool = True
    """E."""
    word: str = "x"
    """F."""
    place: str | None = None
    """G."""
    kind: Literal["a", "b"] | Literal["auto"] = "auto"
    """H."""
    choice: Literal["a", "b"] | None = None
    """I."""


def form():
    import streamlit as st

    from gan_core.fields import fields_of
    from pages.forms import Option, edit
    from tests.pages.test_forms import Everything

    st.session_state["values"] = edit(Option(field, field.name) for field in fields_of(Everything))


def test_untouched_widgets_give_the_defaults():
    at = AppTest.from_function(form).run()
    assert not at.exception
    assert filled(Everything(), at.session_state["values"]) == Everything()


def test_every_kind_of_field_can_be_set_and_emptied():
    at = AppTest.from_function(form).run()
    at.number_input(key="whole").set_value(4)
    at.number_input(key="maybe").set_value(5)
    at.number_input(key="part").set_value(1e-5)
    at.number_input(key="pair.2").set_value(0.99)
    at.toggle(key="switch").set_value(False)
    at.text_input(key="place").set_value("here")
    at.selectbox(key="kind").set_value("b")
    at.selectbox(key="choice").set_value("a")
    at.run()
    expected = Everything(4, 5, 1e-5, (0.5, 0.99), False, "x", "here", "b", "a")
    assert filled(Everything(), at.session_state["values"]) == expected
    at.number_input(key="maybe").set_value(None)
    at.text_input(key="place").set_value("")
    at.selectbox(key="choice").set_value(None)
    at.run()
    values = filled(Everything(), at.session_state["values"])
    assert (values.maybe, values.place, values.choice) == (None, None, None)
    assert type(values.whole) is int


@pytest.mark.parametrize("recipe", list_recipes())
def test_every_option_of_every_recipe_has_a_widget(recipe):
    cls = recipe_class(recipe)
    for default in (cls.Config(), cls.train_options, usual(cls)):
        values = edit(Option(field, field.name) for field in fields_of(type(default), default))
        assert filled(default, values) == default


def test_the_dataclass_validates():
    with pytest.raises(UsageError, match="seed is -1"):
        filled(usual(recipe_class("dcgan")), {"seed": -1})
