"""`pull`, `publish`, `deploy` and `models`: to and from the Hugging Face Hub."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import tyro

from gan_core.cli.flags import parse

HubId = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="OWNER/NAME")]


@dataclasses.dataclass(frozen=True)
class Pull:
    """Download a model from the Hub into its cache."""

    model: HubId
    """A model on the Hub."""
    revision: str | None = None
    """Branch, tag or commit."""


def pull(words: list[str]) -> None:
    """Download a model from the Hub: OWNER/NAME [--revision REVISION]"""
    from gan_core.hub import pull as pull_model

    asked = parse(Pull, words, "pull")
    print(pull_model(asked.model, asked.revision))


@dataclasses.dataclass(frozen=True)
class Publish:
    """Upload a model to the Hub."""

    folder: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
    """A model's or a run's."""
    model: HubId
    """Created if there is none."""
    private: bool = False
    """Only its owner will see it."""


def publish(words: list[str]) -> None:
    """Upload a model to the Hub: FOLDER OWNER/NAME [--private]"""
    from gan_core.hub import publish as publish_folder
    from gan_core.library import find

    asked = parse(Publish, words, "publish")
    print(publish_folder(find(asked.folder), asked.model, asked.private))


@dataclasses.dataclass(frozen=True)
class Deploy:
    """Create or update a Space that runs this playground."""

    space: HubId
    """Created if there is none."""
    private: bool = False
    """Only its owner will see it."""


def deploy(words: list[str]) -> None:
    """Run this playground as a Space on the Hub: OWNER/NAME [--private]"""
    from gan_core.deploy import deploy as deploy_space

    asked = parse(Deploy, words, "deploy")
    print(deploy_space(asked.space, asked.private))


@dataclasses.dataclass(frozen=True)
class Models:
    """List an owner's models on the Hub."""

    owner: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="OWNER")]
    """User or organization."""


def models(words: list[str]) -> None:
    """List the playground's models of a user or an organization on the Hub: OWNER"""
    from gan_core.hub import list_models

    asked = parse(Models, words, "models")
    print("\n".join(list_models(asked.owner)) or f"{asked.owner} has published no model of the playground.")
