"""The Streamlit side of the app: the list of pages, and what they share."""

import streamlit as st

STYLE = """<style>
[data-testid="stImage"] img { image-rendering: pixelated; border-radius: 0.4rem; }
.st-key-figure { max-height: 35rem; overflow-y: auto; }
.st-key-figure img { image-rendering: auto; }
[class*="st-key-options-"] [data-testid="stColumn"] { min-width: calc(50% - 1rem); }
[data-testid="stMainBlockContainer"] { padding-top: 4.5rem; }
[data-testid="stExpanderDetails"] :is(h1, h2, h3) { font-size: 1.1rem; padding: 0.5rem 0; }
.katex-display { overflow-x: auto; overflow-y: hidden; padding: 0.25rem 0; }
</style>"""

st.set_page_config(page_title="GAN Playground", page_icon="🎨", layout="wide")
st.html(STYLE)
st.navigation(
    [
        st.Page("home.py", title="Home", icon=":material/home:", default=True),
        st.Page("learn.py", title="Learn", icon=":material/school:", url_path="learn"),
        # not "playground": the Gradio app is mounted under that path
        st.Page("playground.py", title="Playground", icon=":material/palette:", url_path="play"),
        st.Page("train.py", title="Train", icon=":material/model_training:", url_path="train"),
        st.Page("evaluate.py", title="Evaluate", icon=":material/straighten:", url_path="evaluate"),
        st.Page("models.py", title="Models", icon=":material/deployed_code:", url_path="models"),
        st.Page("datasets.py", title="Datasets", icon=":material/photo_library:", url_path="datasets"),
    ],
    position="top",
).run()
