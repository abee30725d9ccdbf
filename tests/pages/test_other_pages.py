from urllib.parse import parse_qs, urlsplit

import pytest

from gan_core import list_recipes
from pages.cards import card_text, with_links


def links(at):
    return {link.proto.label for link in at.get("page_link")}


def test_home_without_models_says_what_to_do(open_page, nothing_bundled):
    at = open_page("home.py")
    assert "Train one on the Train page" in at.info[0].value
    assert {"**Playground**", "**Train**", "**Models**"} <= links(at)


def test_home_shows_samples_at_once_and_new_ones_when_asked(open_page, nothing_bundled, trained):
    at = open_page("home.py")
    assert not at.info
    assert "Play with tiny" in links(at)
    before = at.get("image")[0].proto.imgs[0].url
    at.button(key="new_samples").click().run()
    assert not at.exception
    assert at.get("image")[0].proto.imgs[0].url != before  # a picture's address is the hash of its content


def test_a_damaged_model_is_said_and_the_page_goes_on(open_page, nothing_bundled, trained, runs):
    (runs / "tiny" / "model" / "model.safetensors").write_bytes(b"cut")
    at = open_page("home.py")
    assert "truncated or changed" in at.warning[0].value
    assert "**Train**" in links(at)
    (runs / "tiny" / "model" / "config.json").write_text("{")
    assert "cannot be read as JSON" in open_page("models.py").warning[0].value


def test_the_playground_gets_the_query(open_page):
    at = open_page("playground.py", model="runs/a b&c", seed="7")
    (frame,) = at.get("iframe")
    address = urlsplit(frame.proto.src)
    assert address.path == "/playground/"
    assert parse_qs(address.query) == {"model": ["runs/a b&c"], "seed": ["7"], "__theme": ["light"]}


def test_models_without_models_says_what_to_do(open_page, nothing_bundled):
    assert "No model is installed yet" in open_page("models.py").info[0].value


def test_every_installed_model_has_a_card(open_page, nothing_bundled, trained):
    at = open_page("models.py")
    texts = [markdown.value for markdown in at.markdown]
    assert "**runs/tiny**" in texts
    card = next(text for text in texts if "## Use" in text)
    assert "license: mit" not in card and "samples.png" not in card
    assert any("`gan` on digits, 16x16 grey" in caption.value for caption in at.caption)


@pytest.mark.parametrize("recipe", list_recipes())
def test_every_recipe_is_explained(open_page, nothing_bundled, recipe):
    at = open_page("models.py")
    at.session_state[f"about-{recipe}"] = True
    at.run()
    assert not at.exception
    text = "\n".join(markdown.value for markdown in at.markdown)
    assert "](https://arxiv.org/abs/" in text
    assert "| `image_size` | automatic |" in text
    assert "parameters at laptop size" in text
    diagrams = [html.proto.body for html in at.get("html") if f"of {recipe}" in html.proto.body]
    assert len(diagrams) == 2


def test_an_id_that_is_none_is_refused(open_page, nothing_bundled):
    at = open_page("models.py")
    at.text_input(key="hub").set_value("nonsense")
    at.button[0].click().run()
    assert at.error[0].value == "'nonsense' is no Hub id; it takes owner/name."


def test_docstrings_become_streamlit_markdown():
    text = with_links("See arXiv:1406.2661: $$a$$ and\n$$b\n= c$$")
    assert text == "See [arXiv:1406.2661](https://arxiv.org/abs/1406.2661): \n$$\na\n$$\n and\n\n$$\nb\n= c\n$$\n"


def test_model_cards_lose_front_matter_title_and_pictures():
    assert card_text("---\na: b\n---\n\n# name\n\n![x](https://elsewhere/x.png)\ntext\n---\nmore") == "text\n---\nmore"
