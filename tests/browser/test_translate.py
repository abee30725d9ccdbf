"""The translate tab in a real Chromium: draw, undo, upload, compare, save."""

import json
from io import BytesIO

from playwright.sync_api import expect

from tests.browser.served import NEEDS_BROWSER, OVERFLOW, pixels, wait_for

pytestmark = NEEDS_BROWSER


def open_translate(page, *models):
    """Opens the tab and chooses models; gives the canvas once their example is there and translated."""
    page.goto("/playground/")
    page.get_by_role("tab", name="Translate").click()
    expect(page.locator("#translated")).to_contain_text("pixels")
    canvas = page.locator("#canvas canvas").first
    wait_for(lambda: not is_blank(canvas))  # the page draws its example after it has sent it to be translated
    choose(page, *models)
    return canvas


def is_blank(canvas):
    """Whether nothing is to be seen on the canvas, beside its tools and below what it says in its middle."""
    from PIL import Image

    with Image.open(BytesIO(canvas.screenshot())) as seen:
        wide, high = seen.size
        part = seen.crop((3 * wide // 10, 6 * high // 10, 7 * wide // 10, 8 * high // 10))
        darkest, lightest = part.convert("L").getextrema()
    return darkest == lightest


def choose(page, *models):
    """Chooses the models that translate, and waits for the last one's translation."""
    chosen = page.locator("#translators")
    chosen.get_by_title("Clear").click()
    for model in models:
        chosen.locator("input").fill(model)
        chosen.locator("input").press("Enter")
    chosen.locator("input").blur()  # its list lies over what is below it
    expect(chosen.get_by_role("option")).to_have_count(0)
    expect(page.locator("#translated")).to_contain_text(models[-1])


def stroke(page, canvas, *places):
    """Draws a line through places, given as shares of the canvas."""
    box = canvas.bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()


def test_a_stroke_is_translated_its_pair_saved_and_it_undone(page, tmp_path):
    from PIL import Image

    canvas = open_translate(page, "runs/sketch")
    pictures = page.locator("#before-after img")
    expect(pictures).to_have_count(2)

    def shown():
        return [pictures.nth(k).get_attribute("src") for k in (0, 1)]

    example = shown()
    stroke(page, canvas, (0.3, 0.3), (0.6, 0.6))
    wait_for(lambda: all(now and now != before for now, before in zip(shown(), example, strict=True)))
    with page.expect_download() as download:
        page.locator("#save-pair").click()
    download.value.save_as(tmp_path / "pair.png")
    with Image.open(tmp_path / "pair.png") as pair:
        settings = json.loads(pair.text["parameters"])
        assert pair.size == (32, 16) and settings["size"] == [16, 16]
    assert settings["models"] == ["runs/sketch"] and "seed" in settings and "gan_core" in settings
    page.locator("#canvas").get_by_title("Undo").click()
    wait_for(lambda: shown() == example)  # files are named by content


def test_a_photograph_is_uploaded_and_its_lines_are_seen(page, tmp_path):
    from PIL import Image, ImageDraw

    photograph = Image.new("RGB", (300, 200), "#88aacc")
    ImageDraw.Draw(photograph).ellipse((80, 40, 220, 160), fill="#334422")
    photograph.save(tmp_path / "photograph.png")
    open_translate(page, "runs/sketch")
    expect(page.locator("#given")).to_have_count(0)
    with page.expect_file_chooser() as chooser:
        page.locator("#upload").click()
    chooser.value.set_files(tmp_path / "photograph.png")
    expect(page.locator("#translated")).to_contain_text("256x171 pixels")  # 16 are the pixels of a drawing here
    seen = pixels(page, "#given")
    page.locator("#flip input").check()
    wait_for(lambda: pixels(page, "#given") != seen)
    page.get_by_label("never").check()
    expect(page.locator("#translated")).to_contain_text("16x11 pixels")


def test_what_is_enlarged_is_an_upload_as_it_is_and_an_example_as_in_training(page, tmp_path):
    from PIL import Image

    open_translate(page, "runs/zoom")
    expect(page.locator("#translated")).to_contain_text("8x8 pixels")
    Image.effect_noise((150, 100), 90).save(tmp_path / "photograph.png")
    with page.expect_file_chooser() as chooser:
        page.locator("#upload").click()
    chooser.value.set_files(tmp_path / "photograph.png")
    expect(page.locator("#translated")).to_contain_text("150x100 pixels")
    page.locator("#another").click()
    expect(page.locator("#translated")).to_contain_text("8x8 pixels")


PICTURE = """
    const canvas = Object.assign(document.createElement("canvas"), {width: 30, height: 15});
    canvas.getContext("2d").fillRect(0, 0, 30, 15);
    const blob = await new Promise(done => canvas.toBlob(done));
"""


def test_a_picture_is_pasted(page):
    open_translate(page, "runs/sketch")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        f"async () => {{ {PICTURE} await navigator.clipboard.write([new ClipboardItem({{'image/png': blob}})]); }}"
    )
    page.keyboard.press("Control+v")
    expect(page.locator("#translated")).to_contain_text("256x128 pixels")


def test_a_picture_is_dropped(page):
    canvas = open_translate(page, "runs/sketch")
    dropped = page.evaluate_handle(
        f"""async () => {{ {PICTURE}
            const dropped = new DataTransfer();
            dropped.items.add(new File([blob], "dropped.png", {{type: "image/png"}}));
            return dropped;
        }}"""
    )
    canvas.dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.locator("#translated")).to_contain_text("256x128 pixels")


def test_models_side_by_side_and_variations(page):
    open_translate(page, "runs/variations")
    expect(page.locator("#translations img")).to_have_count(6)
    expect(page.locator("#translate-seed")).to_be_visible()
    choose(page, "runs/sketch", "runs/variations")
    expect(page.locator("#translations img")).to_have_count(2)


def test_a_link_opens_the_tab_with_its_model(page):
    page.goto("/playground/?translate=runs/variations")
    expect(page.locator("#translated")).to_contain_text("runs/variations")
    expect(page.get_by_role("tab", name="Translate")).to_have_attribute("aria-selected", "true")


def test_an_empty_canvas_says_what_to_do(page):
    canvas = open_translate(page, "runs/sketch")
    page.locator("#canvas").get_by_label("Clear canvas").click()
    wait_for(lambda: is_blank(canvas))
    page.locator("#translate").click()
    expect(page.locator("#translated")).to_contain_text("Draw something")
    stroke(page, canvas, (0.4, 0.7), (0.6, 0.7))  # the brush is at hand
    expect(page.locator("#translated")).to_contain_text("pixels")


def test_the_before_and_after_slider_moves_and_fits_a_phone(page):
    open_translate(page, "runs/sketch")
    handle = page.locator("#before-after").get_by_test_id("slider")

    def dragged():  # again where the page moved it while its pictures came
        before = handle.bounding_box()
        x, y = before["x"] + before["width"] / 2, before["y"] + before["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 80, y, steps=4)
        page.mouse.up()
        return handle.bounding_box()["x"] < before["x"] - 40

    wait_for(dragged)
    page.set_viewport_size({"width": 390, "height": 900})
    wait_for(lambda: not page.evaluate(OVERFLOW) > 0, 10, "it scrolls sideways")
