"""The app, one process on one port: `streamlit run app.py` serves pages at / and the playground at /playground/."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

# Threads that wait busily stall each other when a training shares the processor; runs started here inherit this.
# OpenMP reads it once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import gradio as gr
import streamlit as st
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse

import tabs
from tabs import output

SHUTDOWN_SECONDS = 3

ui = st.App(Path(__file__).with_name("pages") / "navigation.py")
pages_lifespan = ui.lifespan()


async def send_at_once(uvicorn: Any) -> None:
    """Lets no answer wait for the receiver's word that the one before it came (Nagle's algorithm): some 40 ms each.

    asyncio does this for sockets that name their protocol; the one that Streamlit makes names none. Gradio's pages lose
    an event that is asked for while the end of the last stream waits so. What is accepted inherits it.
    """
    while not uvicorn.started:
        await asyncio.sleep(0.01)
    for listening in uvicorn.servers:
        for bound in listening.sockets:
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@asynccontextmanager
async def lifespan(server: FastAPI) -> AsyncIterator[Any]:
    """Starts and ends Streamlit with the server; open Gradio streams may not hold up the end."""
    uvicorn = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)  # there is no other way to reach its config
    async with pages_lifespan(server) as state:
        tasks = [asyncio.create_task(output.keep_bounded())]
        if (config := getattr(uvicorn, "config", None)) is not None:
            config.timeout_graceful_shutdown = SHUTDOWN_SECONDS
            tasks.append(asyncio.create_task(send_at_once(uvicorn)))
        yield state
        for task in tasks:
            task.cancel()
    output.remove()


# Streamlit finds this assignment by reading the file, so it stays literal. FastAPI's own pages would shadow ours.
app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/playground")
def playground(request: Request) -> RedirectResponse:
    """Adds the slash without which the path would be one of Streamlit's, and keeps the query."""
    return RedirectResponse(f"/playground/?{request.url.query}".rstrip("?"))  # relative: a Host header may be anyone's


gr.mount_gradio_app(
    app, tabs.build(), path="/playground", theme=tabs.THEME, css_paths=tabs.CSS, allowed_paths=[str(output.FOLDER)],
    max_file_size=output.MAX_FILE, footer_links=["api"], run_history=False, ssr_mode=False,
)  # fmt: skip
app.add_middleware(output.BoundedRequests, path="/playground/")
app.mount("/", ui)  # last: it takes every path that is left
