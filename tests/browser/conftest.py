"""One server and one browser for the tests of a file; no page may complain, nor ask another host."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.served import ARGUMENTS, CHROMIUM, SLOW, serve
from tests.tabs.tiny import tiny_model, tiny_translator


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The app for all tests here; gives (address, runs folder)."""
    runs = tmp_path_factory.mktemp("browser") / "runs"
    tiny_model("stylegan").save(runs / "styled" / "model")
    tiny_model("biggan", ("zero", "one", "two")).save(runs / "classy" / "model")
    tiny_translator().save(runs / "sketch" / "model")
    tiny_translator("gen_3").save(runs / "variations" / "model")
    tiny_translator("srgan").save(runs / "zoom" / "model")
    with serve(runs) as address:
        yield address, runs


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def context(browser, server):
    """What all pages share, the browser's cache of scripts above all; gives it and the list of its complaints.

    No page may complain, nor ask another host.
    """
    context = browser.new_context(base_url=server[0], viewport={"width": 1280, "height": 900})
    context.set_default_timeout(SLOW)
    complaints = []

    def on_console(message):
        # Streamlit probes for its base path on a deep link, and finds it at the second try
        probing = "404" in message.text and re.search(r"/_stcore/(health|host-config)$", message.location["url"])
        # a sheet of samples gives way to the next, perhaps before a busy browser has asked for it
        told = message.text + message.location["url"]
        replaced = "/media/" in told and ("404" in told or "Image source error" in told) and "run=" in message.page.url
        if message.type == "error" and not (probing or replaced):
            complaints.append(f"{message.text} ({message.location['url']})")

    def on_request(request):
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            complaints.append(f"a request to {request.url}")

    context.on("console", on_console)
    context.on("weberror", lambda web_error: complaints.append(str(web_error.error)))
    context.on("request", on_request)
    yield context, complaints
    context.close()


@pytest.fixture
def page(context, request):
    """A page, light unless asked for "dark".

    A test that goes on to a second address does so in a page beside the first: Gradio complains of being left.
    """
    context, complaints = context
    complaints.clear()
    page = context.new_page()
    page.emulate_media(color_scheme=getattr(request, "param", "light"))
    yield page
    heard = list(complaints)  # before they close: Gradio complains of what it then gets no answer to
    for opened in context.pages:
        opened.close()
    assert not heard
