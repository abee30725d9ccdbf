"""The one-process server over HTTP: the real app, no browser."""

import concurrent.futures
import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from starlette.testclient import TestClient

import gan_core
from gan_core.latent import latents
from gan_core.pictures import to_uint8
from tabs import MAX_WAITING, output
from tests.tabs.tiny import tiny_model, tiny_translator

API = "/playground/gradio_api"


@pytest.fixture(scope="module")
def runs_folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("server") / "runs"
        patch.setenv("GAN_PLAYGROUND_RUNS", str(folder))
        tiny_model().save(folder / "tiny" / "model")
        tiny_model("stylegan").save(folder / "styled" / "model")
        tiny_model("biggan", ("one", "two", "three")).save(folder / "classy" / "model")
        tiny_translator("cyclegan", "faces_masked").save(folder / "masks" / "model")
        yield folder


@pytest.fixture(scope="module")
def client(runs_folder):
    from app import app

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "PRUNE_EVERY", 0.2)  # nobody wants to wait for it here
        with TestClient(app) as client:
            yield client


def call(client, endpoint, *data):
    """What an endpoint answers: ("complete", values) or ("error", what was said)."""
    posted = client.post(f"{API}/call/{endpoint}", json={"data": list(data)})
    assert posted.status_code == 200, posted.text
    lines = client.get(f"{API}/call/{endpoint}/{posted.json()['event_id']}").text.strip().splitlines()
    return lines[-2].removeprefix("event: "), json.loads(lines[-1].removeprefix("data: "))


def fetch(client, file, to: Path) -> Path:
    answer = client.get(file["url"])
    assert answer.status_code == 200
    to.write_bytes(answer.content)
    return to


def test_both_front_ends_answer_on_one_port(client):
    assert client.get("/_stcore/health").text == "ok"
    assert "<title>Streamlit</title>" in client.get("/").text
    assert "gradio" in client.get("/playground/").text


@pytest.mark.parametrize("query", ["", "?seed=3&model=weights%2Fa+b"])
def test_the_missing_slash_is_added_and_the_query_kept(client, query):
    answer = client.get(f"/playground{query}", headers={"host": "evil.example"}, follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"] == f"/playground/{query}"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_fastapi_has_no_pages_of_its_own(client, path):
    assert client.get(path).text == client.get("/").text  # Streamlit's page, as for every path that it may know


def test_the_pages_websocket_opens(client):
    headers = {"origin": "http://testserver", "host": "testserver"}
    with client.websocket_connect("/_stcore/stream", headers=headers, subprotocols=["streamlit"]) as socket:
        assert socket.accepted_subprotocol == "streamlit"


def test_links_are_https_behind_a_proxy(client):
    headers = {"x-forwarded-proto": "https", "x-forwarded-host": "me-space.hf.space"}
    assert client.get("/playground/config", headers=headers).json()["root"] == "https://me-space.hf.space/playground"


def test_only_the_stable_endpoints_are_named(client):
    assert set(client.get(f"{API}/info").json()["named_endpoints"]) == {
        "/sample", "/interpolate", "/mix", "/compare", "/translate",
    }  # fmt: skip


def test_sample_answers_without_arguments(client):
    kind, (files, settings) = call(client, "sample")
    assert kind == "complete"
    assert len(files) == settings["images"] == 16


def test_sampled_pngs_carry_their_settings_and_can_be_made_again(client, tmp_path):
    _, (files, settings) = call(client, "sample", "runs/tiny", None, 7, 3, None, {"truncation": 0.5})
    model = gan_core.load("runs/tiny")
    again = to_uint8(model.sample(3, seed=7, truncation=0.5)).squeeze(1).numpy()
    for k, file in enumerate(files):
        with Image.open(fetch(client, file, tmp_path / f"{k}.png")) as picture:
            carried = json.loads(picture.text["parameters"])
            assert np.array_equal(np.asarray(picture), again[k])
        assert carried == settings | {"index": k}
    _, (repeated, _) = call(
        client, "sample", *(carried[key] for key in ("model", "revision", "seed", "images", "label", "controls"))
    )
    assert fetch(client, repeated[2], tmp_path / "again.png").read_bytes() == (tmp_path / "2.png").read_bytes()


def test_interpolate_answers_without_arguments(client, tmp_path):
    kind, (file,) = call(client, "interpolate")
    assert kind == "complete"
    with Image.open(fetch(client, file, tmp_path / "walk.gif")) as film:
        assert (film.format, film.n_frames) == ("GIF", 60)


def test_interpolate_makes_an_mp4(client, tmp_path):
    _, (file,) = call(client, "interpolate", "runs/tiny", None, "1, 2", "lerp", False, 12, 24, "mp4")
    assert b"ftyp" in fetch(client, file, tmp_path / "walk.mp4").read_bytes()[:16]


def test_interpolate_goes_from_class_to_class(client, tmp_path):
    morph = "runs/classy", None, "1, 2", "slerp", False, 5, 10, "gif", 0, {}, 2, True
    kind, (file,) = call(client, "interpolate", *morph)
    assert kind == "complete"
    with Image.open(fetch(client, file, tmp_path / "morph.gif")) as film:
        shown = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(film)]
    z = latents(1, 1, 8).expand(2, -1)
    ends = to_uint8(gan_core.load("runs/classy").decode(z, [0, 2])).squeeze(1).numpy()
    assert np.array_equal(shown[0][::16, ::16], ends[0])
    assert np.array_equal(shown[-1][::16, ::16], ends[1])


def test_mix_answers_without_arguments(client, tmp_path):
    kind, (file,) = call(client, "mix")
    assert kind == "complete"
    with Image.open(fetch(client, file, tmp_path / "mix.png")) as table:
        assert (table.format, table.mode) == ("PNG", "RGBA")


def test_compare_answers_without_arguments(client, tmp_path):
    kind, (file, settings) = call(client, "compare")
    assert kind == "complete"
    assert 2 <= len(settings["models"]) == len(settings["measured"]) <= 6
    assert all(min(row["fd"], row["fd_floor"], row["milliseconds"]) > 0 for row in settings["measured"])
    with Image.open(fetch(client, file, tmp_path / "comparison.png")) as poster:
        assert json.loads(poster.text["parameters"]) == settings


def test_comparing_takes_any_models(client):
    kind, (_, settings) = call(client, "compare", ["runs/tiny", "runs/styled", "runs/classy"], 5, 6, 1)
    assert kind == "complete"
    assert [row["recipe"] for row in settings["measured"]] == ["dcgan", "stylegan", "biggan"]


def test_translate_answers_without_arguments(client, tmp_path):
    kind, (file, settings) = call(client, "translate")
    assert kind == "complete"
    with Image.open(fetch(client, file, tmp_path / "translated.png")) as picture:
        assert list(picture.size) == settings["size"] and json.loads(picture.text["parameters"]) == settings


def test_an_uploaded_picture_is_translated_at_any_size(client, tmp_path):
    sent = tmp_path / "sent.png"
    Image.effect_noise((53, 37), 90).save(sent)
    path = client.post(f"{API}/upload", files={"files": ("sent.png", sent.read_bytes())}).json()[0]
    kind, (file, _) = call(client, "translate", {"path": path}, "runs/masks", None, 5, 0, {"backwards": 1})
    assert kind == "complete"
    with Image.open(sent) as given, Image.open(fetch(client, file, tmp_path / "drawn.png")) as drawn:
        expected = gan_core.load("runs/masks").translate(given, 5, backwards=1)
        assert np.array_equal(drawn, expected)


def test_a_photographs_lines_are_translated_and_a_saved_pair_can_be_made_again(client, tmp_path):
    from gan_core.edges import line_art

    sent = tmp_path / "sent.png"
    Image.effect_noise((40, 30), 90).save(sent)
    path = client.post(f"{API}/upload", files={"files": ("sent.png", sent.read_bytes())}).json()[0]
    asked = {"path": path}, "runs/masks", None, 0, 32, {}, {"detail": 0.7, "flip": True}
    _, (file, settings) = call(client, "translate", *asked)
    assert settings["lines"] == asked[-1]
    with Image.open(sent) as given, Image.open(fetch(client, file, tmp_path / "drawn.png")) as drawn:
        assert np.array_equal(drawn, gan_core.load("runs/masks").translate(line_art(given, 32, 0.7, flip=True)))


def test_a_text_and_a_bomb_are_refused_in_a_sentence(client, tmp_path):
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    for content, said in (
        (b"no picture", "cannot be read as a picture"),
        ((tmp_path / "bomb.png").read_bytes(), "unpacks to more than"),
    ):
        path = client.post(f"{API}/upload", files={"files": ("x.png", content)}).json()[0]
        kind, answer = call(client, "translate", {"path": path}, "runs/masks")
        assert kind == "error" and said in answer["error"]


@pytest.mark.parametrize(
    ("endpoint", "data", "sentence"),
    [
        ("sample", ["runs/tiny", None, 0, 1, None, {}, True], "no run that still has its checkpoint"),
        ("interpolate", ["runs/tiny", None, "1, 2", "slerp", True, 9, 9, "gif", None, {}, 1], "unconditional"),
        ("interpolate", ["runs/classy", None, "1, 2", "slerp", True, 9, 9, "gif", 0, {}, 3], "from 0 to 2"),
        ("interpolate", ["runs/classy", None, "1, 2", "slerp", True, 9, 9, "gif", 0, {}, None, True], "goes nowhere"),
        ("mix", ["runs/tiny"], "A dcgan model has no styles to mix. Of the models here, these have: "),
        ("mix", ["runs/styled", None, "1", "x"], "'x' is no seed"),
        ("mix", ["runs/styled", None, "1", "2", 3, 99], "Styles of layers 3 to 99"),
        ("mix", ["runs/styled", None, "1", "2", 3, 4, {"truncation": 3}], "truncation is 3"),
        ("compare", [["runs/tiny"]], "takes 2 to 6 models; there are 1"),
        ("compare", ["runs/tiny,runs/styled"], "The models are"),
        ("compare", [["runs/tiny", "/etc"]], "There is no model '/etc'"),
        ("compare", [["runs/tiny", ["runs/styled"]]], "The model is"),
        ("compare", [["runs/tiny", "runs/styled"], 0, 17], "from 4 to 16"),
        ("compare", [["runs/tiny", "runs/styled"], 0, 4, 0], "share no classes"),
        ("translate", [None, "runs/tiny"], "draws from noise; it cannot translate a picture"),
        ("translate", [{"path": "/etc/passwd"}, "runs/masks"], "none that was uploaded here"),
        ("translate", [{"url": "http://127.0.0.1/"}, "runs/masks"], "none that was uploaded here"),
        ("translate", ["/etc/passwd", "runs/masks"], "none that was uploaded here"),
        ("translate", [None, "runs/masks", None, -1], "The seed is '-1'"),
        ("translate", [None, "runs/masks", None, 0, 5000], "The side is '5000'"),
        ("translate", [None, "runs/masks", None, 0, 0, {"backward": 1}], "has a control 'backward'"),
        ("translate", [None, "runs/masks", None, 0, 0, {"backwards": 2}], "backwards is 2"),
        ("translate", [None, "runs/masks", None, 0, 0, "x"], "The controls are 'x'"),
        ("sample", ["/etc"], "There is no model '/etc'"),
        ("sample", ["tests/tabs"], "tests/tabs"),
        ("sample", [["runs/tiny"]], "The model is"),
        ("sample", ["runs/tiny", 5], "The revision is '5'"),
        ("interpolate", ["runs/tiny", None, 5], "The list of key seeds is '5'"),
        ("sample", ["runs/tiny", None, -1], "The seed is '-1'"),
        ("sample", ["runs/tiny", None, 0, 65], "from 1 to 64"),
        ("sample", ["runs/tiny", None, 0, 1, 3], "takes no labels"),
        ("sample", ["runs/tiny", None, 0, 1, None, {"truncation": 99}], "truncation is 99"),
        ("sample", ["runs/tiny", None, 0, 1, None, "0.5"], "The controls are '0.5'"),
        ("interpolate", ["runs/tiny", None, "1"], "2 to 12"),
        ("interpolate", ["runs/tiny", None, "1, 2", "slerp", True, 10**6], "from 2 to 240"),
    ],
)
def test_what_does_not_fit_is_one_sentence(client, monkeypatch, endpoint, data, sentence):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    kind, said = call(client, endpoint, *data)
    assert kind == "error"
    assert sentence in said["error"]
    assert "Traceback" not in said["error"]


def test_files_outside_the_output_folder_are_refused(client, runs_folder):
    root = Path(gan_core.__file__).parent.parent
    secrets = [
        Path("/etc/passwd"),
        runs_folder / "tiny/model/config.json",
        root / "app.py",
        root / "pages/navigation.py",
    ]
    for path in [*secrets, *root.glob("weights/*/model.safetensors")]:
        assert path.exists()
        for route in (f"{API}/file={path}", f"{API}/file=../../../../../../{path}", f"{API}/file%3D{path}"):
            answer = client.get(route)
            assert path.read_bytes()[:40] not in answer.content, route
        assert client.get(f"{API}/file={path}").status_code == 403


def test_what_is_called_an_upload_is_no_file_of_the_servers(client):
    """A stranger may send an event whatever a page would: here that a file was chosen, of any path."""
    config = client.get("/playground/config").json()
    (button,) = (part["id"] for part in config["components"] if part["props"].get("elem_id") == "upload")
    (event,) = (event["id"] for event in config["dependencies"] if [button, "upload"] in event["targets"])
    here = Path(gan_core.__file__).parent.parent / "docs" / "translations.png"
    uploaded = client.post(f"{API}/upload", files={"files": ("a.png", here.read_bytes())}).json()[0]
    for path, taken in ((uploaded, True), (str(here), False)):
        sent = {"path": path, "meta": {"_type": "gradio.FileData"}}
        asked = {"data": [sent], "fn_index": event, "session_hash": f"stranger{taken}"}
        assert client.post(f"{API}/queue/join", json=asked).status_code == 200
        told = client.get(f"{API}/queue/data", params={"session_hash": f"stranger{taken}"}).text
        (last,) = (line for line in told.splitlines() if "process_completed" in line)
        assert json.loads(last.removeprefix("data: "))["success"] is taken


def upload(client, *contents):
    return client.post(f"{API}/upload", files=[("files", ("a.png", content)) for content in contents]).status_code


def test_an_upload_is_bounded(client):
    assert upload(client, bytes(output.MAX_FILE)) == 200
    assert upload(client, bytes(output.MAX_FILE + 1)) == 413
    assert upload(client, *[bytes([k]) * (output.MAX_FILE // 10) for k in range(12)]) == 413


def test_files_are_taken_by_the_upload_route_alone(client):
    for route in ("process_recording", "call/sample"):
        assert client.post(f"{API}/{route}", files={"files": ("a.png", b"x")}).status_code == 415


@pytest.mark.parametrize(("limit", "value"), [("KEEP", 5), ("KEEP_BYTES", 5000)])
@pytest.mark.parametrize("at_once", [1, 10])
def test_uploads_are_bounded_without_an_answer(client, monkeypatch, limit, value, at_once):
    monkeypatch.setattr(output, limit, value)
    contents = [limit.encode() + bytes([at_once, k]) + bytes(1000) for k in range(30)]
    for start in range(0, len(contents), at_once):
        assert upload(client, *contents[start : start + at_once]) == 200
    deadline = time.monotonic() + 10
    while len(list(output.FOLDER.iterdir())) > 5:
        assert time.monotonic() < deadline, "nothing was pruned"
        time.sleep(0.05)
    assert any(output.FOLDER.iterdir())


def test_a_full_queue_refuses_and_the_server_stays_well(client):
    def ask(endpoint, *data):
        return endpoint, client.post(f"{API}/call/{endpoint}", json={"data": ["runs/tiny", None, *data]})

    asked = [ask("interpolate", "1, 2", "slerp", True, 240)]  # keeps the model busy while the others come
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked += pool.map(lambda seed: ask("sample", seed, 1), range(MAX_WAITING + 10))
    accepted = [(endpoint, answer.json()["event_id"]) for endpoint, answer in asked if answer.status_code == 200]
    refused = [answer.text for _, answer in asked if answer.status_code == 503]
    assert len(accepted) + len(refused) == len(asked)
    assert len(accepted) >= MAX_WAITING
    assert "Queue is full" in refused[0]
    assert client.get("/_stcore/health").text == "ok"
    for endpoint, event in accepted:
        assert "event: complete" in client.get(f"{API}/call/{endpoint}/{event}").text
