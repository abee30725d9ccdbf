"""The playground itself as a docker Space on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import huggingface_hub
import yaml  # type: ignore[import-untyped]

from gan_core.errors import UsageError
from gan_core.hub import check_may_upload, upload
from gan_core.library import project_folder

NEEDED = ("Dockerfile", "README.md", "app.py", "requirements.txt")
FILES = (*NEEDED, "LICENSE", "NOTICE", "train.py", "generate.py", ".streamlit/config.toml")
FOLDERS = ("gan_core", "pages", "scripts", "tabs", "weights")

DOCKER = {"sdk": "docker", "app_port": 7860}
SHOWN = ("title", "emoji", "colorFrom", "colorTo", "license")


def deploy(repo_id: str, private: bool = False, project: Path | None = None) -> str:
    """Creates or updates a docker Space with the project's files, in one commit; returns its page's address.

    An allow list says what goes: runs, secrets, tests and whatever else lies there stay here. Files of the list that
    the project no longer has are removed from the Space.

    Args:
        repo_id: `owner/name` of the Space.
        private: Only its owner will see it.
        project: The folder of the project; by default the one this package lies in.

    Raises:
        UsageError: This is a public Space, something that a Space needs is missing, nobody is logged in, or the Hub
            refuses.
    """
    check_may_upload(repo_id)
    project = project or project_folder()
    files = project_files(project)
    check_front_matter(project / "README.md")
    return upload(repo_id, files, "space", private, may_remove=is_allowed)


def is_allowed(path: str) -> bool:
    """Whether a path, relative to the project and with slashes, belongs to a Space."""
    parts = PurePosixPath(path).parts
    leftover = any(part.startswith((".", "__pycache__")) or part.endswith(".partial") for part in parts)
    return path in FILES or (len(parts) > 1 and parts[0] in FOLDERS and not leftover)


def project_files(project: Path) -> dict[str, Path]:
    """The files of a Space by their path there.

    Raises:
        UsageError: One that a Space cannot do without is missing.
    """
    if missing := [name for name in NEEDED if not (project / name).is_file()]:
        raise UsageError(f"{project} cannot become a Space: it has no {', no '.join(missing)}.")
    inside = (path for folder in FOLDERS for path in sorted((project / folder).rglob("*")))
    found = {path.relative_to(project).as_posix(): path for path in (*(project / name for name in FILES), *inside)}
    return {name: path for name, path in found.items() if path.is_file() and is_allowed(name)}


def check_front_matter(readme: Path) -> None:
    """Raises `UsageError`, with what is missing, unless the README tells the Hub how to run and show the Space."""
    try:
        stated = huggingface_hub.metadata_load(readme) or {}
    except (ValueError, yaml.YAMLError) as error:
        raise UsageError(f"The front matter of {readme} is no YAML: {' '.join(str(error).split())}") from error
    wrong = [f"{key}: {value}" for key, value in DOCKER.items() if stated.get(key) != value]
    wrong += [f"{key}: ..." for key in SHOWN if not stated.get(key)]
    if wrong:
        raise UsageError(f"The front matter of {readme} (between two --- at its top) lacks {', '.join(wrong)}.")
