"""A server on 127.0.0.1 that answers as the Hugging Face hub does, as far as downloads and uploads of a network ask."""

import base64
import contextlib
import hashlib
import http.server
import json
import re
import threading

REPOSITORY = "me/fronts"
COMMIT = "a" * 40


class Hub(http.server.ThreadingHTTPServer):
    """`files`: of the repository at `COMMIT`; `spoil`: what becomes of the content of a download."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answers)
        self.files: dict[str, bytes] = {}
        self.large: dict[str, bytes] = {}  # by hash, until they are committed
        self.spoil = lambda name, content: content
        self.asked: list[str] = []
        self.created: dict = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(http.server.BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _send(self, content, status=200, **headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_GET(self):
        hub = self.server
        path = self.path.partition("?")[0]
        hub.asked.append(f"{self.command} {path}")
        if f"/{REPOSITORY}" not in path:
            return self._send({"error": "Repository not found"}, 404, X_Error_Code="RepoNotFound")
        if found := re.fullmatch(rf"/api/models/{REPOSITORY}(?:/revision/(\w+))?", path):
            if found[1] not in (None, "main", COMMIT):
                return self._send({"error": "Revision not found"}, 404, X_Error_Code="RevisionNotFound")
            return self._send({"id": REPOSITORY, "sha": COMMIT, "siblings": [{"rfilename": n} for n in hub.files]})
        if path.startswith(f"/api/models/{REPOSITORY}/tree/"):
            return self._send([_entry(name, content) for name, content in hub.files.items()])
        if found := re.fullmatch(rf"/{REPOSITORY}/resolve/\w+/(.+)", path):
            if found[1] not in hub.files:
                return self._send({"error": "Entry not found"}, 404, X_Error_Code="EntryNotFound")
            content = hub.files[found[1]]
            told = {"ETag": f'"{_hash(found[1], content)}"', "X-Repo-Commit": COMMIT}
            if self.command == "HEAD":
                return self._send(b"", **{**told, "Content-Length": str(len(content))})
            start = int((re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) or "00")[1])
            part = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
            return self._send(hub.spoil(found[1], content)[start:], 206 if start else 200, **told, **part)
        return self._send({"error": "Not found"}, 404)

    do_HEAD = do_GET

    def do_PUT(self):
        body = self._body()
        self.server.large[hashlib.sha256(body).hexdigest()] = body
        self._send(b"")

    def do_POST(self):
        hub, body = self.server, self._body()
        hub.asked.append(f"POST {self.path}")
        if "Authorization" not in self.headers:
            return self._send({"error": "Invalid credentials"}, 401)
        if self.path == "/api/repos/create":
            hub.created = json.loads(body)
            return self._send({"url": f"{hub.url}/{REPOSITORY}"})
        if "/preupload/" in self.path:
            files = [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if _is_large(one["path"]) else "regular",
                    "shouldIgnore": False,
                }
                for one in json.loads(body)["files"]
            ]
            return self._send({"files": files})
        if self.path.endswith("/info/lfs/objects/batch"):
            objects = [
                {**one, "actions": {"upload": {"href": f"{hub.url}/upload/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            return self._send({"transfer": "basic", "objects": objects}, Content_Type="application/vnd.git-lfs+json")
        if "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    hub.files[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    hub.files[value["path"]] = hub.large[value["oid"]]
            return self._send({"commitUrl": f"{hub.url}/{REPOSITORY}/commit/{COMMIT}", "commitOid": COMMIT})
        return self._send({"errors": [], "warnings": []})  # the check of the card's header


def _is_large(name):
    return name.endswith(".safetensors")


def _hash(name, content):
    """As git names a small file, and the hub a large one."""
    if _is_large(name):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _entry(name, content):
    entry = {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
    return (
        {**entry, "lfs": {"oid": _hash(name, content), "size": len(content), "pointerSize": 130}}
        if _is_large(name)
        else entry
    )


@contextlib.contextmanager
def running_hub():
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()
