"""The command line: `python -m gan_core COMMAND`, one file for each kind of command."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Sequence

import gan_core.recipes  # noqa: F401  registers every recipe
from gan_core.cli.data import data
from gan_core.cli.evaluate import evaluate
from gan_core.cli.export import export
from gan_core.cli.generate import generate
from gan_core.cli.hub import deploy, models, publish, pull
from gan_core.cli.listing import list_command
from gan_core.cli.training import estimate, train
from gan_core.cli.translate import translate
from gan_core.errors import UsageError

COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "list": list_command,
    "train": train,
    "estimate": estimate,
    "data": data,
    "generate": generate,
    "translate": translate,
    "evaluate": evaluate,
    "export": export,
    "pull": pull,
    "publish": publish,
    "deploy": deploy,
    "models": models,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command; what does not fit is one sentence on stderr and exit status 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    for noisy in ("httpx", "httpx2", "httpcore", "filelock"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        if not words or words[0] not in COMMANDS:
            usage(words)
        COMMANDS[words[0]](words[1:])
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except FloatingPointError as error:  # a training that has blown up is no bug, and no wrong flag either
        print(f"error: {error}; lower --lr, or resume from the last checkpoint", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def usage(words: list[str]) -> None:
    """Prints the commands, and ends."""
    if words and words[0] not in ("-h", "--help"):
        from gan_core.recipe import nearest

        raise UsageError(f"There is no command {words[0]!r}{nearest(words[0], COMMANDS)}.")
    print("python -m gan_core COMMAND [--help]\n")
    for name, command in COMMANDS.items():
        print(f"  {name:10}{(inspect.getdoc(command) or '').splitlines()[0]}")
    raise SystemExit(0)
