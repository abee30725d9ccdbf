"""The app as a person meets it: a real server, a real Chromium, every page."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from gan_core.runs import LIVE, Run
from tabs.comparison import Comparison
from tests.tabs.tiny import tiny_model, tiny_translator

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
REQUIRED = os.environ.get("GAN_PLAYGROUND_REQUIRE_BROWSER") == "1"
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PAGES = {
    "/": "GAN Playground", "/learn": "Learn", "/play": "Playground", "/train": "Train", "/evaluate": "Evaluate",
    "/models": "Models", "/datasets": "Datasets",
}  # fmt: skip
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SLOW = 60_000  # milliseconds that a busy two-core machine may take
expect.set_options(timeout=SLOW)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None and not REQUIRED, reason="no Chromium is installed (apt install chromium)"),
]


@contextmanager
def serve(runs: Path) -> Iterator[str]:
    """The app on a free port, its runs in that folder; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"GAN_PLAYGROUND_RUNS": str(runs), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.time() + 120
        while True:
            assert process.poll() is None and time.time() < deadline, "the app did not start"
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The app for all tests here; gives (address, runs folder)."""
    runs = tmp_path_factory.mktemp("browser") / "runs"
    tiny_model("stylegan").save(runs / "styled" / "model")
    tiny_model("biggan", ("zero", "one", "two")).save(runs / "classy" / "model")
    tiny_translator().save(runs / "sketch" / "model")
    tiny_translator("gen_3").save(runs / "variations" / "model")
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
        replaced = "404" in message.text and "/media/" in message.location["url"] and "run=" in message.page.url
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
    for opened in context.pages:
        opened.close()
    assert not complaints


def wait_for(condition, seconds=60, otherwise="it took too long"):
    deadline = time.time() + seconds
    while not (value := condition()):
        assert time.time() < deadline, otherwise
        time.sleep(0.1)
    return value


def pixels(page: Page, selector: str) -> str:
    """The address of a picture once it is shown; Gradio names files by content."""
    picture = page.locator(f"{selector} img").first
    expect(picture).to_be_visible()
    wait_for(lambda: picture.evaluate("image => image.complete && image.naturalWidth > 0"))
    return picture.get_attribute("src")


def content(page: Page, selector: str) -> bytes:
    """The bytes of a picture."""
    return page.request.get(pixels(page, selector)).body()


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


def open_translate(page, *models):
    """Opens the tab and chooses models; gives the canvas once their example is there and translated."""
    page.goto("/playground/")
    page.get_by_role("tab", name="Translate").click()
    expect(page.locator("#translated")).to_contain_text("pixels")
    chosen = page.locator("#translators")
    chosen.get_by_title("Clear").click()
    for model in models:
        chosen.locator("input").fill(model)
        chosen.locator("input").press("Enter")
    expect(page.locator("#translated")).to_contain_text(models[-1])
    return page.locator("#canvas canvas").first


def stroke(page, canvas, *places):
    """Draws a line through places, given as shares of the canvas."""
    box = canvas.bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=5)
    page.mouse.up()


def test_a_stroke_is_translated_and_undone_and_the_pair_saved(page, tmp_path):
    from PIL import Image

    canvas = open_translate(page, "runs/sketch")
    pictures = page.locator("#before-after img")
    expect(pictures).to_have_count(2)

    def shown():
        return [pictures.nth(k).get_attribute("src") for k in (0, 1)]

    example = shown()
    stroke(page, canvas, (0.3, 0.3), (0.6, 0.6))
    wait_for(lambda: shown() != example and None not in shown())
    drawn = shown()
    assert drawn[0] != example[0] and drawn[1] != example[1]
    tools = page.locator("#canvas")
    tools.get_by_title("Undo").click()
    wait_for(lambda: shown() == example)  # files are named by content
    tools.get_by_title("Redo").click()
    wait_for(lambda: shown() == drawn)

    with page.expect_download() as download:
        page.locator("#save-pair").click()
    download.value.save_as(tmp_path / "pair.png")
    with Image.open(tmp_path / "pair.png") as pair:
        settings = json.loads(pair.text["parameters"])
        assert pair.size == (32, 16) and settings["size"] == [16, 16]
    assert settings["models"] == ["runs/sketch"] and "seed" in settings and "gan_core" in settings


def test_the_before_and_after_slider_moves(page):
    open_translate(page, "runs/sketch")
    handle = page.locator("#before-after").get_by_test_id("slider")
    before = handle.bounding_box()
    page.mouse.move(before["x"] + before["width"] / 2, before["y"] + before["height"] / 2)
    page.mouse.down()
    page.mouse.move(before["x"] + before["width"] / 2 - 80, before["y"] + before["height"] / 2, steps=4)
    page.mouse.up()
    wait_for(lambda: handle.bounding_box()["x"] < before["x"] - 40)


def test_a_photograph_is_uploaded_and_its_lines_are_seen(page, tmp_path):
    from PIL import Image, ImageDraw

    photograph = Image.new("RGB", (300, 200), "#88aacc")
    ImageDraw.Draw(photograph).ellipse((80, 40, 220, 160), fill="#334422")
    photograph.save(tmp_path / "photograph.png")
    open_translate(page, "runs/sketch")
    expect(page.locator("#given")).to_have_count(0)
    page.locator("#lines input").check()
    before = pixels(page, "#given")
    page.locator("#canvas").get_by_label("Image").click()
    page.locator("#canvas input[type=file]").set_input_files(tmp_path / "photograph.png")
    wait_for(lambda: pixels(page, "#given") != before)
    expect(page.locator("#translated")).to_contain_text("16x11 pixels")
    seen = pixels(page, "#given")
    page.locator("#flip input").check()
    wait_for(lambda: pixels(page, "#given") != seen)


def test_models_side_by_side_and_variations(page):
    open_translate(page, "runs/variations")
    expect(page.locator("#translations img")).to_have_count(6)
    expect(page.locator("#translate-seed")).to_be_visible()
    open_translate(page, "runs/sketch", "runs/variations")
    expect(page.locator("#translations img")).to_have_count(2)


def test_an_empty_canvas_says_what_to_do(page):
    open_translate(page, "runs/sketch")
    page.locator("#canvas").get_by_label("Clear canvas").click()
    page.locator("#translate").click()
    expect(page.locator("#translated")).to_contain_text("Draw something")


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
