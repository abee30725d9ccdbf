"""What the browser does by itself: the JavaScript of events that need no server."""

import json

from gan_core.latent import MAX_SEED

DICE = f"() => Math.floor(Math.random() * {MAX_SEED + 1})"
CLEAR = "() => null"


def receiving(upload: str) -> str:
    """Gives a picture that is pasted, or dropped anywhere, to an upload button, as if it had been chosen there, while
    this is to be seen.

    Args:
        upload: The button's id.
    """
    return f"""() => {{
    const button = () => document.getElementById({json.dumps(upload)});
    const take = (event, file) => {{
        if (!file || !button()?.offsetParent) return;
        event.preventDefault();
        event.stopPropagation();
        const chosen = new DataTransfer();
        chosen.items.add(file);
        const input = button().parentElement.querySelector("input[type=file]");
        input.files = chosen.files;
        input.dispatchEvent(new Event("change", {{bubbles: true}}));
    }};
    const pictures = files => [...files].filter(file => file.type.startsWith("image/"));
    document.addEventListener("paste", event => take(event, pictures(event.clipboardData.files)[0]));
    document.addEventListener("dragover", event => button()?.offsetParent && event.preventDefault());
    document.addEventListener("drop", event => take(event, event.dataTransfer.files[0]), true);
}}"""


def pressing(label: str, within: str) -> str:
    """Presses a button of Gradio's that has no event of its own.

    Args:
        label: What a screen reader calls it.
        within: The id of the component that it belongs to.
    """
    return f"""() => document.querySelector(`#{within} button[aria-label="{label}"]`)?.click()"""


def after(milliseconds: int, text: str) -> str:
    """Gives a text, later."""
    return f"() => new Promise(done => setTimeout(() => done({json.dumps(text)}), {milliseconds}))"


def opening(*own: str) -> str:
    """Says which tab is open, and which panel is shown beside it: the common one, or the tab's own.

    It looks at the page, because two selections that come together may be answered in either order.

    Args:
        *own: The tabs that have a panel of their own, in the panels' order. The element of a tab has its id and "-tab".
    """
    return f"""() => new Promise(done => setTimeout(() => {{
    const tab = document.querySelector("[role=tab][aria-selected=true]").id.replace("-tab-button", "");
    const own = {json.dumps(own)};
    const visible = shown => ({{__type__: "update", visible: shown}});
    done([tab, visible(!own.includes(tab)), ...own.map(name => visible(name === tab))]);
}}))"""


def share(*names: str) -> str:
    """Makes a link to this page out of a settings object, copies and returns it.

    Args:
        *names: Which settings go into the link; of "controls" every one by its own name.
    """
    taken = ", ".join(name for name in names if name != "controls")
    return f"""(settings) => {{
    const {{{taken}, controls}} = settings ?? {{}};
    const all = Object.entries({{{taken}, ...controls}});
    const query = new URLSearchParams(all.filter(([, value]) => value != null && value !== false));
    const link = `${{window.location.origin}}${{window.location.pathname}}?${{query}}`;
    navigator.clipboard?.writeText(link).catch(() => {{}});
    return link;
}}"""
