"""The first page: what a GAN is, and what the models at hand have learnt."""

import random

import streamlit as st

from gan_core import UsageError
from gan_core.card import plain
from gan_core.latent import MAX_SEED
from gan_core.library import available, load
from gan_core.noise import NoiseRecipe
from gan_core.pictures import grid

ROWS, COLUMNS = 4, 8
SIDE = 128  # pixels of one picture in the wall, at least: enlarged here, so that it stays crisp everywhere

NEXT = (
    ("playground.py", "Playground", ":material/palette:", "Sample, bend and walk through what a model knows."),
    ("train.py", "Train", ":material/model_training:", "Choose a GAN and pictures, and watch the two networks play."),
    (
        "evaluate.py",
        "Evaluate",
        ":material/straighten:",
        "How good the pictures are, how varied, how sure that is.",
    ),
    ("models.py", "Models", ":material/deployed_code:", "How each GAN works, and every model that is installed."),
    ("datasets.py", "Datasets", ":material/photo_library:", "What there is to learn from, and what is in it."),
)


def wall(name: str, seed: int) -> None:
    """Unselected pictures of one model, and the way to play with it."""
    try:
        model = load(name)
    except UsageError as error:
        st.warning(plain(error))
        return
    if not isinstance(model.recipe, NoiseRecipe):
        return
    pictures = grid(model.sample(ROWS * COLUMNS, seed), COLUMNS, scale=max(1, SIDE // model.image_size))
    st.image(pictures, width="stretch", alt=f"{ROWS * COLUMNS} pictures that {name} made from seed {seed}")
    st.page_link(
        "playground.py",
        label=f"Play with {name.split('/')[1]}",
        icon=":material/arrow_forward:",
        query_params={"model": name, "seed": str(seed)},
    )


st.title("GAN Playground")
st.markdown(
    "Two networks play a game: a *generator* turns noise into pictures, and a *discriminator* says how probably a "
    "picture is real. Each learns from the other's mistakes. In the end, if all goes well, the generator's pictures "
    "can hardly be told from real ones."
)

seed = st.session_state.setdefault("wall_seed", 0)
installed = available()
shown = [name for name in installed if name.startswith("weights/")] or installed[:2]
if shown:
    columns = st.columns(min(2, len(shown)), gap="medium")
    for k, name in enumerate(shown):
        with columns[k % len(columns)]:
            wall(name, seed)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("New samples", key="new_samples", icon=":material/casino:", type="primary"):
            st.session_state["wall_seed"] = random.randint(0, MAX_SEED)
            st.rerun()
        st.caption(f"Made a moment ago on this machine from seed {seed}; not selected.")
else:
    st.info(
        "No model is installed yet. Train one on the Train page, which takes a few minutes, or add one from the "
        "Hugging Face Hub on the Models page.",
        icon=":material/inbox:",
    )

st.subheader("Where to go", divider="gray")
for column, (page, label, icon, line) in zip(st.columns(len(NEXT)), NEXT, strict=True):
    with column, st.container(border=True, height="stretch"):
        st.page_link(page, label=f"**{label}**", icon=icon)
        st.caption(line)
