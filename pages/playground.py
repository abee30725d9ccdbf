"""The Gradio tabs inside the Streamlit app; every query parameter reaches them."""

from urllib.parse import urlencode

import streamlit as st

HEIGHT = 1200  # pixels; an iframe cannot ask for the height of a page that grows

settings = st.query_params.to_dict()
theme = st.context.theme.type or "light"

with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Playground")
    st.link_button("Full screen", f"/playground/?{urlencode(settings)}".rstrip("?"), icon=":material/open_in_full:")
st.iframe(
    f"/playground/?{urlencode(settings | {'__theme': theme})}",
    height=HEIGHT,
    alt="Sample, interpolate and translate with a model",
)
