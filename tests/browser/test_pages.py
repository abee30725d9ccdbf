"""The app as a person meets it: a real server, a real Chromium, every page."""

import http.client
import os
import re
import signal
import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from gan_core.runs import LIVE, Run
from tabs.comparison import Comparison
from tests.browser.served import NEEDS_BROWSER, OVERFLOW, content, pixels, serve, wait_for

PAGES = {
    "/": "GAN Playground", "/learn": "Learn", "/play": "Playground", "/train": "Train", "/evaluate": "Evaluate",
    "/models": "Models", "/datasets": "Datasets",
}  # fmt: skip

pytestmark = NEEDS_BROWSER


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_with_its_title_and_pictures_on_screens_of_all_sizes(page, path):
    page.goto(path)
    expect(page.get_by_role("heading", name=PAGES[path], level=1)).to_be_visible()
    frame = page.frame_locator("iframe") if path == "/play" else page
    content = "[data-testid=stMultiSelect]" if path == "/evaluate" else "#gallery img, [data-testid=stImage] img"
    expect(frame.locator(content).first).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for each in page.frames:  # the playground is one inside another
            wait_for(lambda each=each: not each.evaluate(OVERFLOW) > 0, 10, f"{each.url} scrolls sideways at {width}")


def test_answers_on_one_connection_do_not_wait_for_each_other(server):
    connection, times = http.client.HTTPConnection(urlsplit(server[0]).netloc), []
    for _ in range(30):
        start = time.perf_counter()
        connection.request("GET", "/_stcore/health")
        assert connection.getresponse().read() == b"ok"
        times.append(time.perf_counter() - start)
    connection.close()
    assert sorted(times)[len(times) // 2] < 0.03  # Nagle's algorithm: .04


def test_generate_save_drop_back(page, tmp_path):
    page.goto("/playground/?images=5&truncation=0.5")
    first = pixels(page, "#gallery")
    page.locator("#seed input").fill("123")
    page.locator("#generate").click()
    wait_for(lambda: pixels(page, "#gallery") != first)
    made = content(page, "#gallery")
    saved = tmp_path / "picture.png"
    saved.write_bytes(made)
    shown = page.locator("#settings")
    expect(shown).to_contain_text("123")
    settings = shown.inner_text()
    assert all(word in settings for word in ("model", "seed", "images", "truncation", "0.5", "gan_core"))

    page = page.context.new_page()
    shown = page.locator("#settings")
    page.goto("/playground/?seed=7&images=3")
    wait_for(lambda: content(page, "#gallery") != made)
    assert shown.inner_text() != settings
    page.locator("#drop input[type=file]").set_input_files(saved)
    expect(page.locator("#seed input")).to_have_value("123")
    wait_for(lambda: content(page, "#gallery") == made)
    wait_for(lambda: shown.inner_text() == settings)


def test_a_picture_without_settings_is_told_and_loses_nothing(page, tmp_path):
    from PIL import Image

    page.goto("/playground/")
    before = content(page, "#gallery")  # drawn again it may be, as other panels open, but not otherwise
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    page.locator("#drop input[type=file]").set_input_files(tmp_path / "plain.png")
    expect(page.get_by_text("carries no playground settings")).to_be_visible()
    assert content(page, "#gallery") == before


def test_a_shared_link_shows_the_same_pictures(page, server):
    page.goto("/playground/?seed=41&images=4&truncation=0.5")
    pixels(page, "#gallery")
    wait_for(lambda: page.locator("#seed input").input_value() == "41")
    wait_for(lambda: page.locator("#gallery .grid-container img, #gallery button img").count() >= 4)
    shown = content(page, "#gallery")
    page.locator("#share").click()
    link = wait_for(lambda: page.locator("#share-url textarea, #share-url input").first.input_value())
    assert "seed=41" in link and link.startswith(server[0])
    page = page.context.new_page()
    page.goto(link)
    wait_for(lambda: content(page, "#gallery") == shown)


def test_the_interpolate_slider_is_live_by_mouse_and_keyboard(page):
    page.goto("/playground/")
    pixels(page, "#gallery")
    page.get_by_role("tab", name="Interpolate").click()
    first = pixels(page, "#live")
    slider = page.locator("#mix input[type=range]")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    second = wait_for(lambda: (src := pixels(page, "#live")) != first and src)
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
    wait_for(lambda: pixels(page, "#live") != second)


def open_tab(page: Page, name: str, picture: str) -> str:
    """Goes to a tab of the playground; gives the address of its picture."""
    page.get_by_role("tab", name=name).click()
    return pixels(page, picture)


def choose(page: Page, dropdown: str, option: str) -> None:
    """Chooses from one of Gradio's dropdowns by keyboard."""
    box = page.locator(f"{dropdown} input")
    box.fill(option)
    box.press("Enter")


def test_classes_and_styles_have_controls_where_a_model_has_them(page):
    page.goto("/playground/?model=runs/classy&images=1")
    pixels(page, "#gallery")
    open_tab(page, "Interpolate", "#live")
    choose(page, "#goal", "two")
    expect(page.locator("#end-b")).to_contain_text("50 % from zero to two")
    page.locator("#hold input").check()
    expect(page.locator("#end-b")).to_contain_text("Seed 3 · class two")
    page.get_by_role("tab", name="Mix").click()
    expect(page.get_by_text("A biggan model has no styles to mix. Of the models here, these have:")).to_be_visible()

    choose(page, "#model", "runs/styled")
    first = pixels(page, "#mixed")
    slider = page.locator("#first-layer input[type=range]")
    expect(slider).to_have_value("4")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    second = wait_for(lambda: (src := pixels(page, "#mixed")) != first and src)
    page.locator("#control-0 input[type=range]").focus()  # psi
    page.keyboard.press("Home")
    wait_for(lambda: pixels(page, "#mixed") != second)
    expect(page.locator("#mixed img")).to_have_attribute("alt", re.compile("5, 6, 7, 8, 9 across"))
    open_tab(page, "Interpolate", "#live")
    expect(page.locator("#goal")).to_be_hidden()
    expect(page.locator("#end-b")).to_contain_text("Seed 14")


def test_models_are_compared_saved_and_shared(page, tmp_path):
    page.goto("/playground/?images=1")
    pixels(page, "#gallery")
    open_tab(page, "Compare", "#side-by-side")
    expect(page.locator("#model")).to_be_hidden()  # the panel of one model

    page = page.context.new_page()
    page.goto("/playground/?models=weights/gan-digits,weights/dcgan-digits")
    shown, settings = page.locator("#side-by-side .caption-label"), page.locator("#compare-settings")
    expect(shown.filter(has_text=re.compile(r"dcgan.*parameters.*ms a picture.*FD .*floor", re.S))).to_have_count(1)
    choose(page, "#models", "runs/classy")
    expect(shown).to_have_count(3)
    choose(page, "#compare-label", "one")
    expect(settings).to_contain_text(re.compile(r"label\W+1\W"))
    page.locator("#compare-dice").press("Enter")
    expect(settings).not_to_contain_text(re.compile(r"seed\W+0\W"))
    seed = page.locator("#compare-seed input").input_value()
    expect(settings).to_contain_text(re.compile(rf"seed\W+{seed}\W.*label\W+1\W", re.S))
    made = content(page, "#side-by-side")
    with page.expect_download() as download:
        page.locator("#compare-save").click()
    download.value.save_as(tmp_path / "comparison.png")
    saved = Comparison.from_png(tmp_path / "comparison.png")
    assert (saved.seed, saved.label) == (int(seed), 1)
    page.locator("#compare-share").click()
    link = wait_for(lambda: page.locator("#compare-url textarea, #compare-url input").first.input_value())

    page = page.context.new_page()
    page.goto(link)
    wait_for(lambda: content(page, "#side-by-side") == made)
    expect(page.locator("#models")).to_contain_text("runs/classy")
    expect(page.locator("#compare-label input")).to_have_value("one")


def start_run(page: Page, address: str, name: str, **options: int) -> None:
    """Fills the form of a run, and starts it."""
    page.goto(f"{address}/train")
    expect(page.get_by_role("heading", name="Train", level=1)).to_be_visible()
    page.get_by_label("Name of the run", exact=True).fill(name)
    page.get_by_label("Name of the run", exact=True).press("Enter")
    for option, value in options.items():
        label = option.replace("_", " ")
        page.get_by_label(label, exact=True).fill(str(value))
        page.get_by_label(label, exact=True).press("Enter")
        expect(page.get_by_text(f"--{option} {value}")).to_be_visible()
    page.get_by_role("button", name="Start training").click()
    expect(page).to_have_url(re.compile(f"run={name}"))


@pytest.mark.slow  # .ci/run runs it nonetheless
def test_a_run_outlives_its_app_and_is_watched_stopped_and_opened_in_another(page, server):
    address, runs = server
    run = Run(runs / "browser-run")
    badge = page.locator(".stMarkdownBadge")
    try:
        with serve(runs) as short_lived:
            start_run(page, short_lived, run.name, steps=1_000_000, batch_size=100)
            expect(badge).to_contain_text("running")
            page.goto("about:blank")  # a page that loses its server complains
        process = run.state()["pid"]
        page.goto(f"{address}/train?run={run.name}")
        expect(badge).to_contain_text("running")
        assert run.state()["pid"] == process
        chart = page.get_by_test_id("stVegaLiteChart").first
        expect(chart).to_be_visible()
        early = chart.screenshot()
        wait_for(lambda: chart.screenshot() != early)
        expect(page.get_by_test_id("stImage").first).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        expect(badge).to_contain_text("stopped")
        assert run.state()["status"] == "stopped"
    finally:
        if (state := run.state())["status"] in LIVE and "pid" in state:
            os.kill(state["pid"], signal.SIGKILL)

    page.get_by_role("link", name="Open in the playground").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("#gallery img").first).to_be_visible()
    expect(frame.locator("#model input")).to_have_value("runs/browser-run")


@pytest.mark.parametrize("page", ["dark"], indirect=True)
def test_dark_mode_reaches_the_playground(page):
    page.goto("/play")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#gallery img").first).to_be_visible()
    background = frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", background)[:3]) < 80


def test_a_strangers_words_in_an_error_are_no_html(page):
    page.goto("/playground/")
    pixels(page, "#gallery")
    page.locator("#model input").fill("<img src=https://evil.example/x.png>")
    page.locator("#model input").press("Enter")
    expect(page.get_by_text("There is no model '<img src=https://evil.example/x.png>'")).to_be_visible()
