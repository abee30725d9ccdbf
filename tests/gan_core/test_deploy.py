"""The playground as a Space: what is uploaded, and what never is."""

import pytest

from gan_core.cli import main
from gan_core.deploy import deploy, is_allowed
from gan_core.errors import UsageError

# huggingface_hub's upload without xet uses an argument that its HTTP client would rather have by another name
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")

ID = "lab/playground"
README = """---
title: GAN Playground
emoji: 🎛️
colorFrom: indigo
colorTo: pink
sdk: docker
app_port: 7860
license: mit
---

# GAN Playground
"""
WANTED = (
    ".streamlit/config.toml",
    "Dockerfile",
    "LICENSE",
    "NOTICE",
    "app.py",
    "gan_core/__init__.py",
    "gan_core/recipes/dcgan.py",
    "generate.py",
    "pages/home.py",
    "requirements.txt",
    "scripts/train_gan.sh",
    "tabs/latent.py",
    "train.py",
    "weights/dcgan-digits/config.json",
    "weights/dcgan-digits/model.safetensors",
)
UNWANTED = (
    ".env",
    ".git/config",
    ".streamlit/secrets.toml",
    "gan_core/.mypy_cache/x.json",
    "gan_core/__pycache__/hub.cpython-311.pyc",
    "notes/private.txt",
    "pages",  # a folder's name alone is no file of it
    "requirements-dev.txt",
    "runs/mine/model/model.safetensors",
    "samples.png",
    "tests/test_app.py",
    "weights/x.partial/model.safetensors",
)


@pytest.fixture
def project(tmp_path):
    """A project with everything that a Space needs, and much that it must not get."""
    folder = tmp_path / "project"
    for name in (*WANTED, *(name for name in UNWANTED if name != "pages")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}")
    (folder / "README.md").write_text(README)
    return folder


def space(hub):
    return hub.repos["space", ID]


def test_exactly_the_allow_list_is_uploaded_in_one_commit(hub, project):
    assert deploy(ID, project=project) == f"{hub.url}/spaces/{ID}"
    assert sorted(space(hub).files) == sorted([*WANTED, "README.md"])
    assert space(hub).files["pages/home.py"] == b"this is pages/home.py"
    assert space(hub).sdk == "docker" and not space(hub).private
    assert len(space(hub).commits) == 2


@pytest.mark.parametrize("path", UNWANTED)
def test_what_is_never_allowed(path):
    assert not is_allowed(path)


def test_a_second_deploy_updates_and_leaves_what_is_not_its_own(hub, project):
    deploy(ID, project=project)
    space(hub).commit(space(hub).files | {".gitattributes": b"*.png lfs", "notes/mine.md": b"mine"})
    (project / "app.py").write_text("changed")
    (project / "tabs/latent.py").unlink()
    (project / "tabs/walk.py").write_text("new")
    deploy(ID, project=project)
    files = space(hub).files
    assert files["app.py"] == b"changed" and files["tabs/walk.py"] == b"new"
    assert "tabs/latent.py" not in files
    assert files[".gitattributes"] and files["notes/mine.md"]


def test_a_private_space(hub, project):
    deploy(ID, private=True, project=project)
    assert space(hub).private


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("sdk: docker", "sdk: streamlit", "sdk: docker"),
        ("app_port: 7860\n", "", "app_port: 7860"),
        ("title: GAN Playground\n", "", "title: ..."),
        ("sdk: docker", "sdk: [", "no YAML"),
        (README, "# GAN Playground\n", "sdk: docker, app_port: 7860, title"),
    ],
)
def test_front_matter_that_does_not_fit_is_named_before_anything_is_uploaded(hub, project, before, after, said):
    readme = project / "README.md"
    readme.write_text(readme.read_text().replace(before, after))
    with pytest.raises(UsageError) as caught:
        deploy(ID, project=project)
    assert said in str(caught.value)
    assert hub.requests == []


def test_front_matter_that_the_hub_does_not_take_is_said(hub, project):
    readme = project / "README.md"
    readme.write_text(README.replace("license: mit", f"license: mit\nshort_description: {'long ' * 20}"))
    with pytest.raises(UsageError, match="short_description has more than 60 characters"):
        deploy(ID, project=project)
    assert space(hub).files == {}


def test_a_project_that_cannot_run_is_not_uploaded(hub, project):
    (project / "app.py").unlink()
    (project / "Dockerfile").unlink()
    with pytest.raises(UsageError, match=r"no Dockerfile, no app\.py"):
        deploy(ID, project=project)
    assert hub.requests == []


def test_nothing_is_deployed_from_a_public_space(hub, project, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "lab/other")
    with pytest.raises(UsageError, match="public Space"):
        deploy(ID, project=project)
    assert hub.requests == []


def test_this_project_deploys(hub, capsys):
    main(["deploy", ID])
    assert capsys.readouterr().out == f"{hub.url}/spaces/{ID}\n"
    assert {"app.py", "gan_core/deploy.py", "Dockerfile"} <= set(space(hub).files)
