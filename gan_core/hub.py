"""Model folders on the Hugging Face Hub."""
import re
from pathlib import Path
from gan_core.errors import UsageError
def is_repo_id(text: str) -> bool:
    return bool(re.fullmatch(r"[\w.-]+/[\w.-]+", text))
def pull(repo_id, revision=None, progress=None) -> Path:
    raise UsageError("not yet")
