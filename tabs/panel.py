"""The model panel beside all tabs: which model, and what that model lets one turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from gan_core import Model, UsageError, library
from gan_core.card import plain
from gan_core.hub import is_offline
from gan_core.noise import NoiseRecipe
from gan_core.progress import Progress
from tabs.browser import after
from tabs.settings import Settings, check_raw, check_text

FAVOURITE = "weights/dcgan-digits"
NO_CLASS = -1  # a class dropdown's value for None, which Gradio keeps for "nothing chosen"
SLIDERS = 8  # no fewer than any model has controls
NO_MODEL = (
    "**There is no model here yet.** Train one on the training page or with `python train.py`, "
    "or type the id of one on the Hugging Face Hub (`owner/name`) above and press Enter."
)

# All pictures and films take turns, whatever the tab; loading has turns of its own, for a download takes long.
TAKES_TURNS: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
# For an event of the page: no endpoint for others, and nothing laid over what is shown, not even by an error.
QUIETLY: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
PROGRESS = gr.Progress()  # as a default argument it makes Gradio hand the event's own to a function


class Loaded(NamedTuple):
    """A model and what to call it: its name, and on the Hub the commit, which costs no request the next time."""

    model: Model
    name: str
    revision: str | None


@contextmanager
def told() -> Iterator[None]:
    """Shows a `UsageError` as one sentence on the page, or to the caller of an endpoint; the rest is a bug."""
    try:
        yield
    except UsageError as error:
        # the page shows it as HTML, and it may quote a stranger's file
        raise gr.Error(escape(str(error), quote=False), print_exception=False) from None


def elsewhere(status: gr.Markdown) -> dict[str, Any]:
    """As `QUIETLY`, for an event that gives a canvas, or what holds one: the page keeps its state at another component.

    At every sign of a state the page would ask the canvas for its picture, uploads included: a hundred times a stroke.
    """
    return {**QUIETLY, "show_progress_on": status}


def stops(button: gr.Button, work: list[Any], status: gr.Markdown) -> None:
    """Makes a button end events that are under way, and say so."""
    clicked = button.click(None, None, status, js=after(0, "Stopped."), cancels=work, **QUIETLY)
    # a step that had begun reports once more
    clicked.then(None, None, status, js=after(1500, "Stopped."), **QUIETLY)


def default_model() -> str | None:
    """The model that a first visit shows."""
    names = library.available(NoiseRecipe)
    return FAVOURITE if FAVOURITE in names else next(iter(names), None)


def load(
    name: str | None, revision: str | None = None, progress: Progress | None = None, *, raw: bool = False
) -> Loaded:
    """The model of that name, for a stranger; None is the default one.

    Args:
        name: One of the app's list, or "owner/name" on the Hub.
        revision: Branch, tag or commit on the Hub.
        progress: See `library.find_listed`.
        raw: With a run's weights as the optimizer left them; see `library.load`.

    Raises:
        UsageError: There is none, or it cannot be had.
    """
    for what, text in (("model", name), ("revision", revision)):
        check_text(what, text or "")
    name = (name or "").strip() or default_model()
    if name is None:
        raise UsageError("There is no model here yet: train one first, or give the id of one on the Hub (owner/name).")
    if raw:
        check_raw(name)
    folder = library.find_listed(name, (revision or "").strip() or None, progress)
    return Loaded(library.load(folder, raw=raw), name, None if name in library.local_models() else folder.name)


def parameters(model: Model) -> int:
    """How many numbers its generator has learned."""
    return sum(parameter.numel() for parameter in model.generators.parameters())


def rounded(count: int) -> str:
    """453 k, 12.7 M."""
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def about(model: Model, from_hub: bool = False) -> str:
    """One line on a model, and on the Hub where it could not be asked for a newer one."""
    colour = "grey" if model.channels == 1 else "colour"
    size = f"{rounded(parameters(model))} parameters"
    facts = [f"**{model.recipe.name}**", f"{model.image_size} px {colour}", size]
    if "dataset" in model.training:
        facts.append(f"trained on {plain(str(model.training['dataset']).rsplit('/', 1)[-1])}")
    if from_hub and is_offline():
        facts.append("from the cache, for the Hub cannot be reached")
    return " · ".join(facts)


def class_choices(classes: Sequence[str], none: str = "each in turn") -> list[tuple[str, int]]:
    """What a class dropdown offers, `none` first."""
    return [(none, NO_CLASS), *((name, k) for k, name in enumerate(classes))]


def class_picker(classes: Sequence[str], label: int | None) -> gr.Dropdown:
    """The choice of a class, hidden where there are none."""
    return gr.Dropdown(class_choices(classes), value=NO_CLASS if label is None else label, visible=len(classes) > 0)


class ModelPanel:
    """The panel's components, made where it is constructed.

    Attributes:
        inputs: What `read` takes the values of, in order.
        shown: What `show` updates, in order.
        chosen: Events after which the panel says something else, and perhaps another model; chain with their `success`.
        open: The id of the tab that is open.
    """

    def __init__(self) -> None:
        self.model = gr.Dropdown(
            library.available(NoiseRecipe), value=default_model(), label="Model", elem_id="model",
            allow_custom_value=True, info="Pick one, or type a Hub id: owner/name",
        )  # fmt: skip
        self.revision = gr.Textbox(
            label="Revision",
            placeholder="main",
            info="Branch, tag or commit on the Hub",
            max_lines=1,
            elem_id="revision",
        )
        self.about = gr.Markdown("" if default_model() else NO_MODEL, elem_id="about", elem_classes="said")
        self.raw = gr.Checkbox(
            label="Raw weights", info="As the optimizer left them; else their average over the training, the model.",
            visible=False, elem_id="raw",
        )  # fmt: skip
        self.label = gr.Dropdown(class_choices(()), value=NO_CLASS, label="Class", visible=False, elem_id="label")
        self.sliders = [gr.Slider(visible=False, elem_id=f"control-{k}") for k in range(SLIDERS)]
        self.open = gr.Textbox("sample", visible=False)
        # the first tab opens before the panel says anything; a State would be true before the page has the rest
        self.ready = gr.Checkbox(False, visible=False)
        self.inputs = [self.model, self.revision, self.raw, self.label, *self.sliders]
        self.shown = [self.model, self.revision, self.about, self.raw, self.label, *self.sliders, self.ready]
        loading: dict[str, Any] = {
            "fn": self._choose, "outputs": self.shown, "show_progress_on": self.about, "api_visibility": "private",
            "concurrency_id": "loading", "concurrency_limit": 2,
        }  # fmt: skip
        self.chosen = [
            self.model.input(inputs=self.model, **loading),  # at its newest: the revision shown is the last model's
            self.revision.submit(inputs=[self.model, self.revision], **loading),
        ]

    @property
    def turned(self) -> list[Any]:
        """The events of a person turning something."""
        return [self.raw.input, self.label.input, *(slider.input for slider in self.sliders)]

    def keep_drawn(self, tab: gr.Tab, draw: dict[str, Any]) -> None:
        """Has a tab drawn when it is opened and, while it is, whenever the panel says something else.

        Args:
            tab: With an id.
            draw: The event: fn, inputs, outputs and so on.
        """

        def if_ready(ready: bool, *values: Any) -> Any:
            return draw["fn"](*values) if ready else gr.skip()

        def if_open(opened: str, *values: Any) -> Any:
            return draw["fn"](*values) if opened == tab.id else gr.skip()

        tab.select(**draw | {"fn": if_ready, "inputs": [self.ready, *draw["inputs"]]})
        meanwhile = draw | {"fn": if_open, "inputs": [self.open, *draw["inputs"]]}
        gr.on(self.turned, **meanwhile)
        for event in self.chosen:
            event.success(**meanwhile)

    def read(self, values: Sequence[Any], **changes: Any) -> tuple[Model, Settings]:
        """The model and the settings that the values of `inputs` say; what the model does not declare is left out.

        Raises:
            UsageError: The model cannot be had, or one of the changes does not fit.
        """
        name, revision, raw, label, *turned = values
        raw = raw and library.raw_weights(name)
        model, name, revision = load(name, revision, raw=raw)
        controls = {control.name: value for control, value in zip(model.controls, turned, strict=False)}
        chosen = None if model.classes is None or label == NO_CLASS else label
        return model, Settings(name, revision, label=chosen, raw=raw, controls=controls, **changes)

    def show(self, model: Model, settings: Settings) -> list[Any]:
        """Updates of `shown` that make the panel say these settings.

        Raises:
            UsageError: They do not fit the model.
        """
        settings.check(model)
        raw = gr.Checkbox(settings.raw, visible=library.raw_weights(settings.model))
        sliders = [
            gr.Slider(
                control.low, control.high, settings.controls.get(control.name, control.default),
                step=1 if control.whole else 0.01,
                label=control.name.replace("_", " ").capitalize(), info=control.help, visible=True,
            )
            for control in model.controls
        ]  # fmt: skip
        unused = [gr.Slider(visible=False)] * (SLIDERS - len(sliders))
        name = gr.Dropdown(library.available(NoiseRecipe), value=settings.model)
        line = about(model, from_hub=settings.revision is not None)
        label = class_picker(model.classes or (), settings.label)
        return [name, settings.revision or "", line, raw, label, *sliders, *unused, True]

    @told()
    def _choose(self, name: str | None, revision: str | None = None, progress: gr.Progress = PROGRESS) -> list[Any]:
        model, name, revision = load(name, revision, progress)
        return self.show(model, Settings(name, revision))
