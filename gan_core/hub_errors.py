"""What huggingface_hub and the network below it raise, as sentences for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub import errors

from gan_core.errors import UsageError

ERRORS = (httpx2.HTTPError, OSError, RuntimeError)


def timeout() -> int:
    """Seconds that the Hub has to answer a question."""
    from huggingface_hub import constants

    return constants.HF_HUB_ETAG_TIMEOUT


@contextmanager
def explaining(repo_id: str) -> Iterator[None]:
    """Turns what goes wrong inside into a sentence."""
    try:
        yield
    except (*ERRORS, ValueError) as error:
        raise explained(error, repo_id) from error


def explained(error: Exception, repo_id: str, revision: str | None = None) -> UsageError:
    """The sentence for a person behind an error of huggingface_hub, or of what lies below it."""
    if reason := why_unreachable(error):
        return UsageError(f"The Hugging Face Hub cannot be reached ({reason}).")
    match error:
        case errors.GatedRepoError():
            return UsageError(f"{repo_id} is gated: accept its terms on its page on the Hub, then run `hf auth login`.")
        case errors.RepositoryNotFoundError():
            return UsageError(f"The Hub has no {repo_id}, or it is private: check the id, or run `hf auth login`.")
        case errors.RevisionNotFoundError():
            return UsageError(f"{repo_id} has no revision {revision!r}; name a branch, a tag or a commit of it.")
        case errors.HfHubHTTPError() if error.response.status_code == 401:
            return UsageError("The Hub does not know the token of this login: run `hf auth login`, or renew HF_TOKEN.")
        case errors.HfHubHTTPError() if error.response.status_code == 403:
            return UsageError(f"The token of this login may not do this with {repo_id}: use one that may write there.")
        case errors.HfHubHTTPError():
            said = error.server_message or "no reason given"
            return UsageError(f"The Hub refuses {repo_id} with {error.response.status_code} ({said}).")
        case ValueError():  # a card whose front matter the Hub does not take
            return UsageError(f"The Hub refuses {repo_id}: {' '.join(str(error).split())}")
        case OSError(errno=int(), strerror=str(said)):
            return UsageError(f"{repo_id} cannot be kept in the Hub cache ({said}).")
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return UsageError(f"{repo_id} did not come through whole ({said}); try again.")


def why_unreachable(error: BaseException | None) -> str | None:
    """Why the Hub cannot be used at the moment, or None where it answered."""
    match error:
        case errors.LocalEntryNotFoundError() | RuntimeError():  # so a download or an upload wraps the reason
            return why_unreachable(error.__cause__)
        case errors.OfflineModeIsEnabled():
            return "HF_HUB_OFFLINE is set"
        case httpx2.TimeoutException():
            return f"no answer in {timeout()} s"
        case httpx2.TransportError():
            return str(error) or type(error).__name__
        case errors.HfHubHTTPError() if error.response.status_code == 429 or error.response.status_code >= 500:
            return f"it answers {error.response.status_code}"
    return None
