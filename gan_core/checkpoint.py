"""Training state on disk: tensors and plain types, read without unpickling objects."""

import pickle
import platform
import zipfile
from pathlib import Path
from typing import Any

import torch

from gan_core.atomic import replacing
from gan_core.distributed import Processes
from gan_core.errors import UsageError


def surroundings(who: Processes) -> dict[str, str]:
    """What bit-equal continuation depends on besides the state itself."""
    return {
        "processes": str(who.world),
        "torch": str(torch.__version__),
        "threads": str(torch.get_num_threads()),
        "processor": str(torch.cuda.get_device_name() if torch.cuda.is_available() else _processor()),
    }


def _processor() -> str:
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes the state atomically.

    Raises:
        UsageError: The disk is full or refuses; what was there before is intact.
    """
    try:
        with replacing(path) as file:
            torch.save(state, file)
    except (OSError, RuntimeError) as error:  # torch wraps a failing write in RuntimeError
        cause = error.__context__ if isinstance(error.__context__, OSError) else error
        raise UsageError(
            f"The checkpoint {path} could not be written ({cause}); the one before it is intact."
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a state that `save_checkpoint` wrote.

    Raises:
        UsageError: There is none, or the file is damaged or holds anything but tensors and plain types.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UsageError(f"There is no checkpoint {path} to resume from.") from None
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is no checkpoint of this project, or is damaged ({type(error).__name__}).") from error
    return state
