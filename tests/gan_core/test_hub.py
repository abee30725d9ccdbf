"""Models travel through the Hub: the real client against a Hub in memory."""

import json
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import huggingface_hub
import pytest
import torch
from torch import nn

import gan_core
from gan_core import hub as gan_core_hub
from gan_core.cli import main
from gan_core.errors import UsageError
from gan_core.hub import cached_models, is_offline, is_repo_id, list_models, publish, pull
from gan_core.model import Model
from gan_core.model_folder import MODEL_FILES
from gan_core.recipe import recipe_class

FILES = set(MODEL_FILES) - {"examples.png"}  # of a model that draws from noise
# huggingface_hub's upload without xet uses an argument that its HTTP client would rather have by another name
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")

ID = "lab/tiny"
TRAINING = {"command": "python train.py", "dataset": "digits", "images_seen": 0, "steps": 0, "seconds": 0.0}


def save_model(folder, seed=0):
    """A model folder of the smallest DCGAN, untrained."""
    cls = recipe_class("dcgan")
    recipe = cls(cls.Config.tiny())
    torch.manual_seed(seed)
    nets = recipe.build()
    Model(recipe, nn.ModuleDict({"G": nets["G"]}), nn.ModuleDict({"D": nets["D"]}), training=TRAINING).save(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def files(folder):
    """The content of a model folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused(*words):
    """Expects a sentence with these words."""
    return pytest.raises(UsageError, match=r"(?s)^(?=.*" + r")(?=.*".join(words) + r").*\.$")


def port_of_nobody():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


# ----------------------------------------------------------------------------------------------------- there and back


def test_published_and_pulled_it_makes_equal_pictures(hub, folder):
    assert publish(folder, ID) == f"{hub.url}/{ID}"
    repo = hub.repos["model", ID]
    assert set(repo.files) == FILES
    assert len(repo.commits) == 2  # the Hub's own first one, and ours
    pulled = gan_core.load(ID)
    assert torch.equal(pulled.sample(3, seed=5), gan_core.load(folder).sample(3, seed=5))
    assert pulled.has_critic
    assert not is_offline()


def test_the_published_card_names_the_model_as_it_is_loaded_from_there(hub, folder):
    publish(folder, ID)
    card = hub.repos["model", ID].files["README.md"].decode()
    assert f"# {ID}\n" in card and f'load("{ID}")' in card


def test_a_second_publish_replaces_the_first_and_leaves_other_files(hub, folder, files, tmp_path):
    repo = hub.add(ID, files | {"notes.txt": b"mine"})
    other = save_model(tmp_path / "other", seed=1)
    described = json.loads((other / "config.json").read_text())
    del described["discriminator_sha256"]
    (other / "config.json").write_text(json.dumps(described))
    (other / "discriminator.safetensors").unlink()
    publish(other, ID)
    assert set(repo.files) == FILES - {"discriminator.safetensors"} | {"notes.txt"}
    assert torch.equal(gan_core.load(ID).sample(1), gan_core.load(other).sample(1))


def test_the_folder_is_named_by_the_commit_and_revisions_are_tags_and_commits(hub, folder, files, tmp_path):
    first = hub.add(ID, files).commits[-1].sha
    huggingface_hub.HfApi().create_tag(ID, tag="v1")
    publish(save_model(tmp_path / "new", seed=1), ID)
    old, new = gan_core.load(folder).sample(1), gan_core.load(tmp_path / "new").sample(1)
    assert pull(ID, "v1") == pull(ID, first) != pull(ID)
    assert pull(ID, "v1").name == first
    assert torch.equal(gan_core.load(ID, "v1").sample(1), old)
    assert torch.equal(gan_core.load(ID).sample(1), new)


def test_only_the_files_of_a_model_folder_are_fetched(hub, files):
    extra = ("pytorch_model.bin", "evil.py", "sub/config.json", ".gitattributes")
    hub.add(ID, files | dict.fromkeys(extra, b"import os"))
    assert {path.name for path in pull(ID).iterdir()} == FILES
    fetched = [request.split("/", 5)[-1] for request in hub.requests if "/resolve/" in request]
    assert fetched and set(fetched) == FILES


def test_an_unchanged_model_costs_one_request_and_a_cached_commit_none(hub, files):
    hub.add(ID, files)
    commit = pull(ID).name
    hub.requests.clear()
    pull(ID)
    assert len(hub.requests) == 1
    pull(ID, commit)
    assert len(hub.requests) == 1


def test_threads_may_pull_the_same_model_at_once(hub, files):
    hub.add(ID, files)
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(pull, [ID] * 8))
    assert len(folders) == 1 and cached_models() == [ID]
    assert {path.name: path.read_bytes() for path in folders.pop().iterdir()} == files


def test_progress_rises_with_the_bytes_to_one_in_the_thread_that_asked(hub, files):
    hub.add(ID, files | {"model.safetensors": bytes(30_000_000)}, fault="dropped")  # after 15 MB: a second's pause
    seen, threads = [], set()

    def progress(fraction, text):
        seen.append((fraction, text))
        threads.add(threading.current_thread())

    pull(ID, progress=progress)
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions) and fractions[0] < 0.01 and fractions[-1] == 1
    assert any(text == "model.safetensors, 10.5 of 30.0 MB" for fraction, text in seen if 0.3 < fraction < 0.4)
    assert threads == {threading.current_thread()}


# --------------------------------------------------------------------------------------------------------- what refuses


@pytest.mark.parametrize(
    "repo_id",
    ["tiny", "a/b/c", "../etc", "lab/..", "lab/a--b", "lab/x.git", "lab/-x", "lab/ä", "lab/", f"lab/{'x' * 97}", ""],
)
def test_malformed_ids_are_refused_before_any_request(hub, repo_id):
    assert not is_repo_id(repo_id)
    with refused("no Hub id", "owner/name"):
        pull(repo_id)
    assert hub.requests == []


@pytest.mark.parametrize("repo_id", ["lab/tiny", "A-1/b.c_d", "x/y"])
def test_ids_that_the_hub_takes_are_taken(repo_id):
    huggingface_hub.utils.validate_repo_id(repo_id)
    assert is_repo_id(repo_id)


@pytest.mark.parametrize("revision", ["../main", "a b", "", "/main"])
def test_malformed_revisions_are_refused_before_any_request(hub, revision):
    with refused("no revision"):
        pull(ID, revision)
    assert hub.requests == []


def test_unknown_id(hub):
    with refused("has no lab/tiny", "private", "hf auth login"):
        pull(ID)
    assert not is_offline()


def test_unknown_revision(hub, files):
    hub.add(ID, files)
    with refused("no revision 'v9'", "tag"):
        pull(ID, "v9")


def test_gated(hub, files):
    hub.add(ID, files, gated=True)
    with refused("gated", "terms"):
        pull(ID)


def test_private_is_for_its_owner_and_never_lent_to_strangers_of_a_space(hub, files, monkeypatch):
    hub.add(ID, files, private=True)
    pull(ID)
    shutil.rmtree(pull(ID).parents[1])
    monkeypatch.setenv("GAN_PLAYGROUND_PUBLIC", "1")
    with refused("private"):
        pull(ID)


def test_no_model_of_ours(hub, files):
    hub.add("lab/empty", {"README.md": b"hello"})
    with refused("no model of the playground", "config.json"):
        pull("lab/empty")
    hub.add("lab/bert", {"config.json": b'{"model_type": "bert"}', "model.safetensors": b"x" * 1000})
    with refused("config", "format"):
        pull("lab/bert")
    assert not any("model.safetensors" in request for request in hub.requests)  # refused before the weights


def test_too_big_is_refused_before_the_download(hub, files, monkeypatch):
    hub.add(ID, files)
    monkeypatch.setattr(gan_core_hub, "MAX_BYTES", 10_000)
    with refused("MB"):
        pull(ID)
    monkeypatch.undo()
    assert not any("/resolve/" in request for request in hub.requests)


def test_a_full_disk_is_refused_before_the_download(hub, files, monkeypatch):
    hub.add(ID, files)
    monkeypatch.setattr(gan_core_hub, "SPARE_BYTES", 10**18)
    with refused("no room"):
        pull(ID)
    assert not any("/resolve/" in request for request in hub.requests)


# ----------------------------------------------------------------------------------------------- when the network fails


def test_truncated_bodies_are_refused_and_not_kept(hub, files):
    repo = hub.add(ID, files, fault="truncated")
    with refused("whole", "again"):
        pull(ID)
    assert cached_models() == []
    repo.fault = ""
    gan_core.load(ID).sample(1)


def test_a_dropped_connection_is_taken_up_again(hub, files):
    repo = hub.add(ID, files, fault="dropped")
    assert (pull(ID) / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert repo.fault == ""


def test_a_hub_that_is_unavailable_for_a_moment_is_waited_for(hub, files):
    repo = hub.add(ID, files, unavailable=1)
    pull(ID)
    assert repo.unavailable == 0


def test_a_hub_that_stays_unavailable_is_a_sentence(hub, files):
    hub.add(ID, files, unavailable=99)
    with refused("cannot be reached", "503", "not in the cache"):
        pull(ID)
    assert is_offline()


def test_a_server_that_never_answers(connect):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        connect(f"http://127.0.0.1:{silent.getsockname()[1]}", HF_HUB_ETAG_TIMEOUT="1")
        start = time.monotonic()
        with refused("cannot be reached", "no answer in 1 s"):
            pull(ID)
        assert time.monotonic() - start < 5


def test_nobody_there(connect):
    connect(f"http://127.0.0.1:{port_of_nobody()}")
    with refused("cannot be reached", "refused", "not in the cache"):
        pull(ID)
    assert is_offline()


@pytest.mark.parametrize("how", ["nobody", "switch"])
def test_without_a_connection_the_cache_serves_branch_tag_and_commit(hub, files, connect, how, caplog):
    repo = hub.add(ID, files)
    repo.tags["v1"] = repo.commits[-1].sha
    online = pull(ID)
    assert pull(ID, "v1") == online
    assert not is_offline()
    if how == "nobody":
        connect(f"http://127.0.0.1:{port_of_nobody()}")
    else:
        connect(hub.url, HF_HUB_OFFLINE="1")
        assert is_offline()  # known before anything is asked
    for revision in (None, "main", "v1", online.name):
        assert pull(ID, revision) == online
    assert is_offline()
    assert "taken from the cache" in caplog.text
    assert cached_models() == [ID]
    with refused("cannot be reached", "v2 of lab/tiny", "not in the cache"):
        pull(ID, "v2")


def test_back_online_is_noticed(hub, files, connect):
    hub.add(ID, files)
    connect(f"http://127.0.0.1:{port_of_nobody()}")
    with refused("cannot be reached"):
        pull(ID)
    connect(hub.url)
    pull(ID)
    assert not is_offline()


def test_an_update_that_breaks_off_leaves_the_old_model_in_the_cache(hub, files, connect, tmp_path):
    repo = hub.add(ID, files)
    old = pull(ID)
    publish(save_model(tmp_path / "new", seed=1), ID)
    repo.fault = "truncated"
    with refused("whole"):
        pull(ID)
    connect(hub.url, HF_HUB_OFFLINE="1")
    assert pull(ID) == old
    gan_core.load(ID).sample(1)


# ----------------------------------------------------------------------------------------------------------- the lists


def test_cached_models_are_ours_and_complete(hub, files):
    assert cached_models() == []
    hub.add("lab/b", files)
    hub.add("lab/a", files)
    hub.add("lab/bert", {"config.json": b"{}", "model.safetensors": b"x"})
    pull("lab/b")
    pull("lab/a")
    huggingface_hub.snapshot_download("lab/bert")
    hub.requests.clear()
    assert cached_models() == ["lab/a", "lab/b"]
    (pull("lab/a") / "model.safetensors").unlink()
    assert cached_models() == ["lab/b"]
    assert len(hub.requests) == 1  # that pull's


def test_list_models_has_the_owners_models_of_the_playground(hub, folder):
    publish(folder, "lab/b")
    publish(folder, "lab/a")
    hub.add("lab/bert", {"README.md": b"---\nlibrary_name: transformers\n---\n"})
    hub.add("other/c", hub.repos["model", "lab/a"].files)
    assert list_models("lab") == ["lab/a", "lab/b"]
    assert list_models("nobody") == []
    with refused("cannot be a user"):
        list_models("lab/a")


# ----------------------------------------------------------------------------------------------------- who may publish


def test_nothing_is_published_from_a_public_space(hub, folder, monkeypatch):
    monkeypatch.setenv("GAN_PLAYGROUND_PUBLIC", "1")
    with pytest.raises(UsageError, match="publishing are off on a public Space"):
        publish(folder, ID)
    assert hub.requests == []


def test_a_broken_folder_is_not_published(hub, folder, tmp_path):
    broken = shutil.copytree(folder, tmp_path / "broken")
    with (broken / "model.safetensors").open("r+b") as file:
        file.truncate(1000)
    with refused("truncated or changed"):
        publish(broken, ID)
    assert hub.requests == []


def test_without_a_login_a_sentence_says_how(hub, folder, connect):
    connect(hub.url, HF_TOKEN="")
    with refused("logged in", "hf auth login", "HF_TOKEN"):
        publish(folder, ID)
    assert hub.requests == []


def test_a_login_that_may_not(hub, folder, connect):
    with refused("may not", "other/tiny"):
        publish(folder, "other/tiny")
    connect(hub.url, HF_TOKEN="hf_old")
    with refused("does not know the token"):
        publish(folder, ID)
    assert hub.repos == {}


def test_private_is_private(hub, folder):
    publish(folder, ID, private=True)
    assert hub.repos["model", ID].private
    publish(folder, "lab/open")
    before = hub.repos["model", "lab/open"].commits[-1]
    with refused("exists and is public"):
        publish(folder, "lab/open", private=True)
    assert hub.repos["model", "lab/open"].commits[-1] == before


# ------------------------------------------------------------------------------------------------------------- people


def test_the_commands(hub, folder, capsys):
    main(["publish", str(folder), ID, "--private"])
    assert hub.repos["model", ID].private
    main(["publish", str(folder), "lab/open"])
    main(["models", "lab"])
    main(["pull", "lab/open"])
    commit = hub.repos["model", "lab/open"].commits[-1].sha
    private, public, *listed, pulled = capsys.readouterr().out.splitlines()
    assert (private, public) == (f"{hub.url}/{ID}", f"{hub.url}/lab/open")
    assert listed == ["lab/open", ID] and pulled.endswith(commit)
    with pytest.raises(SystemExit, match="2"):
        main(["pull", "lab/nothing"])
    assert capsys.readouterr().err.startswith("error: The Hub has no lab/nothing")
