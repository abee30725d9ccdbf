"""A small Hugging Face Hub in memory, on 127.0.0.1, for the real huggingface_hub client.

It knows what the client asks for while it creates repositories, commits (also LFS files), tags, lists and downloads,
and it can misbehave on demand: see `Repo`. The client needs HF_ENDPOINT set to the address, and HF_HUB_DISABLE_XET=1.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

TOKEN = "hf_of_lab"
USER = "lab"
LFS = (".safetensors", ".bin", ".png")
KINDS = {"models": "model", "spaces": "space"}


@dataclass
class Commit:
    """One state of a repository: file contents by path."""

    sha: str
    files: dict[str, bytes]
    title: str


@dataclass
class Repo:
    """A repository, and how it misbehaves.

    Attributes:
        private: Seen only with `TOKEN`.
        gated: Everyone sees what is there, nobody may download it.
        unavailable: So many requests are answered 503 before it works.
        fault: "truncated": bodies end early, and claim that this is all. "dropped": the connection is cut
            once, in the middle of model.safetensors.
    """

    id: str
    kind: str
    private: bool = False
    gated: bool = False
    unavailable: int = 0
    fault: Literal["", "truncated", "dropped"] = ""
    sdk: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    commits: list[Commit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.commit({}, "initial commit")

    def commit(self, files: dict[str, bytes], title: str = "by hand") -> str:
        """Adds a commit that has exactly these files; returns its sha."""
        sha = hashlib.sha1(f"{self.id} {len(self.commits)} {sorted(files.items())}".encode()).hexdigest()
        self.commits.append(Commit(sha, files, title))
        return sha

    @property
    def files(self) -> dict[str, bytes]:
        """What the newest commit has."""
        return self.commits[-1].files

    def find(self, revision: str) -> Commit | None:
        """The commit behind a branch (there is one), a tag or a sha."""
        if revision == "main":
            return self.commits[-1]
        sha = self.tags.get(revision, revision)
        return next((commit for commit in self.commits if commit.sha == sha), None)


class Refusal(Exception):
    """An answer that is an error; the client reads its kind in a header."""

    def __init__(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message}
        self.response = JSONResponse({"error": message}, status, headers=headers)


class Hub:
    """All repositories, by (kind, id), and the requests that came, as "METHOD /path"."""

    def __init__(self) -> None:
        self.url = ""
        self.repos: dict[tuple[str, str], Repo] = {}
        self.uploads: dict[str, bytes] = {}  # LFS objects by sha256
        self.requests: list[str] = []
        api, git = "/api/{kind}/{owner}/{name}", "{owner}/{name}.git/info/lfs/objects/batch"
        self.app = Starlette(
            routes=[
                self.route("POST", "/api/repos/create", self.create),
                self.route("POST", "/api/validate-yaml", self.validate_card),
                self.route("GET", "/api/{kind}", self.list),
                self.route("GET", api, self.info),
                self.route("GET", api + "/revision/{revision:path}", self.info),
                self.route("GET", api + "/tree/{revision}", self.tree),
                self.route("POST", api + "/tag/{revision:path}", self.tag),
                self.route("POST", api + "/preupload/{revision:path}", self.preupload),
                self.route("POST", api + "/commit/{revision:path}", self.commit),
                self.route("POST", f"/{git}", self.lfs_batch),
                self.route("POST", f"/{{kind}}/{git}", self.lfs_batch),
                self.route("PUT", "/lfs/{sha256}", self.lfs_put),
                self.route("GET", "/{owner}/{name}/resolve/{revision}/{path:path}", self.resolve),
            ]
        )

    def route(self, method: str, path: str, answer: Any) -> Route:
        async def logged(request: Request) -> Response:
            self.requests.append(f"{request.method} {request.url.path}")
            try:
                return await answer(request)
            except Refusal as refusal:
                return refusal.response

        return Route(path, logged, methods=[method])  # starlette lets HEAD go with GET

    def add(self, repo_id: str, files: dict[str, bytes], kind: str = "model", **how: Any) -> Repo:
        """A repository with these files, as if somebody had uploaded them; `how` is as in `Repo`."""
        repo = self.repos[kind, repo_id] = Repo(repo_id, kind, **how)
        repo.commit(files)
        return repo

    def repo(self, request: Request) -> Repo:
        """The repository that a request is about, if this client may see it now."""
        path = request.path_params
        repo = self.repos.get((KINDS[path.get("kind", "models")], f"{path['owner']}/{path['name']}"))
        if repo is None or (repo.private and not logged_in(request)):
            raise Refusal(404 if logged_in(request) else 401, "RepoNotFound", "Repository not found")
        if repo.unavailable:
            repo.unavailable -= 1
            raise Refusal(503, "", "Try again later")
        return repo

    def at(self, request: Request) -> tuple[Repo, Commit]:
        """The repository and the commit that a request is about."""
        repo, revision = self.repo(request), request.path_params.get("revision", "main")
        commit = repo.find(revision)
        if commit is None:
            raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return repo, commit

    # ------------------------------------------------------------------------------------------------------- questions

    async def info(self, request: Request) -> Response:
        repo, commit = self.at(request)
        return JSONResponse(described(repo, commit))

    async def list(self, request: Request) -> Response:
        asked, kind = request.query_params, KINDS.get(request.path_params["kind"])
        if kind is None:
            raise Refusal(404, "", "There is no such page")
        found = []
        for repo in self.repos.values():
            about = described(repo, repo.commits[-1])
            seen = repo.kind == kind and (not repo.private or logged_in(request))
            of_author = asked.get("author") in (None, about["author"])
            tagged = asked.get("filter") in (None, *about["tags"])
            if seen and of_author and tagged:
                found.append(about)
        return JSONResponse(found)

    async def tree(self, request: Request) -> Response:
        _, commit = self.at(request)
        return JSONResponse(
            [
                {"type": "file", "path": path, "size": len(content), "oid": etag(path, content)}
                for path, content in commit.files.items()
            ]
        )

    async def resolve(self, request: Request) -> Response:
        repo, commit = self.at(request)
        path = request.path_params["path"]
        if repo.gated:
            raise Refusal(403, "GatedRepo", f"Access to {repo.id} is restricted.")
        if path not in commit.files:
            raise Refusal(404, "EntryNotFound", "Entry not found")
        content = commit.files[path]
        headers = {"X-Repo-Commit": commit.sha, "ETag": f'"{etag(path, content)}"', "Accept-Ranges": "bytes"}
        if request.method == "HEAD":
            return Response(headers=headers | {"Content-Length": str(len(content))})

        status, start = 200, 0
        if wanted := request.headers.get("range"):  # "bytes=100-": the client goes on after a cut
            status, start = 206, int(wanted.removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start:]
        if repo.fault == "truncated":
            return Response(body[: len(body) // 2], status, headers)
        cut = repo.fault == "dropped" and path == "model.safetensors"
        if cut:
            repo.fault = ""
        headers["Content-Length"] = str(len(body))
        return StreamingResponse(halves(body, cut), status, headers)

    # --------------------------------------------------------------------------------------------------------- changes

    async def create(self, request: Request) -> Response:
        asked = await request.json()
        if not logged_in(request):
            raise Refusal(401, "", "Invalid credentials in Authorization header")
        owner, kind = asked["organization"] or USER, asked.get("type", "model")
        if owner != USER:
            raise Refusal(403, "", f"You don't have the rights to create a repo under {owner}")
        repo_id = f"{owner}/{asked['name']}"
        url = f"{self.url}/{'spaces/' if kind == 'space' else ''}{repo_id}"
        if (kind, repo_id) in self.repos:
            return JSONResponse({"error": "You already created this repo", "url": url}, 409)
        private = asked.get("visibility") == "private"
        self.repos[kind, repo_id] = Repo(repo_id, kind, private=private, sdk=asked.get("sdk"))
        return JSONResponse({"url": url})

    async def validate_card(self, request: Request) -> Response:
        said = front_matter((await request.json())["content"]).get("short_description", "")
        wrong = [{"message": "short_description has more than 60 characters"}] if len(said) > 60 else []
        return JSONResponse({"errors": wrong, "warnings": []}, 400 if wrong else 200)

    async def tag(self, request: Request) -> Response:
        repo, commit = self.at(request)
        repo.tags[(await request.json())["tag"]] = commit.sha
        return JSONResponse({})

    async def preupload(self, request: Request) -> Response:
        _, commit = self.at(request)
        answers = []
        for file in (await request.json())["files"]:
            path = file["path"]
            known = etag(path, commit.files[path]) if path in commit.files else None
            mode = "lfs" if path.endswith(LFS) else "regular"
            answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": known})
        return JSONResponse({"files": answers, "commitOid": commit.sha})

    async def lfs_batch(self, request: Request) -> Response:
        self.repo(request)
        objects = []
        for wanted in (await request.json())["objects"]:
            objects.append({"oid": wanted["oid"], "size": wanted["size"]})
            if wanted["oid"] not in self.uploads:
                objects[-1]["actions"] = {"upload": {"href": f"{self.url}/lfs/{wanted['oid']}"}}
        return JSONResponse({"transfer": "basic", "objects": objects}, media_type="application/vnd.git-lfs+json")

    async def lfs_put(self, request: Request) -> Response:
        content = await request.body()
        if sha256(content) != request.path_params["sha256"]:
            raise Refusal(400, "", "sha256 mismatch")
        self.uploads[sha256(content)] = content
        return Response()

    async def commit(self, request: Request) -> Response:
        repo, before = self.at(request)
        if not logged_in(request):
            raise Refusal(401, "", "Invalid credentials in Authorization header")
        files, title = dict(before.files), ""
        for line in (await request.body()).splitlines():
            step = json.loads(line)
            value = step["value"]
            match step["key"]:
                case "header":
                    title = value["summary"]
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    files[value["path"]] = self.uploads[value["oid"]]
                case "deletedFile":
                    del files[value["path"]]
        sha = repo.commit(files, title)
        return JSONResponse({"success": True, "commitOid": sha, "commitUrl": f"{self.url}/{repo.id}/commit/{sha}"})


def logged_in(request: Request) -> bool:
    return request.headers.get("authorization") == f"Bearer {TOKEN}"


def described(repo: Repo, commit: Commit) -> dict[str, Any]:
    """What the Hub tells about a repository."""
    card = front_matter(commit.files.get("README.md", b"").decode())
    siblings = [{"rfilename": path, "size": len(content)} for path, content in commit.files.items()]
    return {
        "id": repo.id,
        "author": repo.id.split("/")[0],
        "sha": commit.sha,
        "private": repo.private,
        "gated": "auto" if repo.gated else False,
        "tags": [*card.get("tags", []), *([card["library_name"]] if "library_name" in card else [])],
        "siblings": siblings,
    }


def front_matter(readme: str) -> dict[str, Any]:
    parts = readme.split("---\n")
    return yaml.safe_load(parts[1]) if len(parts) > 2 and not parts[0] else {}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def etag(path: str, content: bytes) -> str:
    """A large file is known by its sha256, a small one as git knows it."""
    return sha256(content) if path.endswith(LFS) else hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


async def halves(body: bytes, cut: bool) -> AsyncIterator[bytes]:
    """A body in two parts, or the connection cut between them."""
    yield body[: len(body) // 2]
    if cut:
        raise ConnectionResetError("cut in the middle, as asked")
    yield body[len(body) // 2 :]


@contextlib.contextmanager
def serve() -> Iterator[Hub]:
    """An empty Hub, served on a free port while the block runs."""
    hub = Hub()
    config = uvicorn.Config(
        hub.app, port=0, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > end or not thread.is_alive():
            raise RuntimeError("the mini hub did not start")
        time.sleep(0.01)
    hub.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield hub
    finally:
        server.should_exit = True
        thread.join(5)
