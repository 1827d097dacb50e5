"""Starts the built binary with everything it needs inside it, and makes what peers ask for by id.

A stand is one process with a data directory of its own, and a JSON file that tells a peer all it has to know: where
the process is, keys of every role, the channels with their secrets, and ids of things that exist.
"""

import base64
import json
import mimetypes
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROLES = ["owner", "admin", "supervisor", "agent"]
# A picture of one pixel: what is uploaded has a preview only if it is a picture.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
START = 30  # seconds for the process to be ready, and for what customers wrote to arrive


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, text, status):
        super().__init__(text)
        self.status = status


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(what, ask):
    """Asks again until the answer is true, and returns it."""
    end = time.monotonic() + START
    while time.monotonic() < end:
        try:
            if answer := ask():
                return answer
        except (OSError, Refused):
            pass
        time.sleep(0.05)
    raise SystemExit(f"the stand is not ready after {START} s: {what}")


class API:
    """Calls the API as one caller."""

    def __init__(self, url, key=""):
        self.url, self.key = url, key

    def call(self, method, path, body=None, **header):
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        if self.key:
            request.add_header("Authorization", "Bearer " + self.key)
        for name, value in header.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                text = answer.read()
        except urllib.error.HTTPError as e:
            raise Refused(f"{method} {path}: {e.code} {e.read().decode(errors='replace')}", e.code) from None
        return json.loads(text) if text else None

    def list(self, path):
        return self.call("GET", path)["data"]

    def upload(self, name, content):
        mark = secrets.token_hex(16)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = head.encode() + f"Content-Type: {kind}\r\n\r\n".encode() + content + f"\r\n--{mark}--\r\n".encode()
        return self.call("POST", "/v1/attachments", body, Content_Type=f"multipart/form-data; boundary={mark}")


class Stand:
    """A running process; leaving it ends the process."""

    def __init__(self, binary, folder):
        self.folder = pathlib.Path(folder)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = self.folder / "tributary.log"
        env = {k: v for k, v in os.environ.items() if not k.startswith("TRIBUTARY_")}
        env |= {
            "TRIBUTARY_HTTP_ADDR": self.url.removeprefix("http://"),
            "TRIBUTARY_ADMIN_ADDR": f"127.0.0.1:{free_port()}",
            "TRIBUTARY_DATA_DIR": str(self.folder / "data"),
            "TRIBUTARY_EGRESS_ALLOW": "127.0.0.0/8",  # peers that play a provider
            "TRIBUTARY_LOG_FORMAT": "text",
        }
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([binary], env=env, stdout=log, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def alive(self):
        return self.process.poll() is None

    def demo(self):
        """What the demo made: it writes its file when its channels are there."""
        made = json.loads((self.folder / "data" / "demo.json").read_text())
        return made if made.get("channels") else None

    def seed(self):
        """Makes one of everything, and returns the path of the file that describes the stand."""
        demo = until("no demo channels", lambda: self.alive() and self.demo())
        api = API(self.url, demo["api_key"])
        until("no answer", lambda: api.call("GET", "/v1/auth/me"))
        stand = {
            "url": self.url,
            "key": demo["api_key"],
            "channels": demo["channels"],  # by type
            "secrets": demo["secrets"],  # by type and name
            "callers": {role: caller(api, role) for role in ROLES},
            "ids": self.things(api, demo["channels"]),
        }
        path = self.folder / "stand.json"
        path.write_text(json.dumps(stand, indent=2))
        return path

    def things(self, api, channels):
        senders = {"whatsapp": "+4915112345678", "telegram": "4711"}
        for kind, sender in senders.items():
            said = {"type": kind, "from": sender, "name": "Ana", "text": "hello", "kind": "text"}
            api.call("POST", "/simulator/inbound", said)
        visit(self.url, channels["webchat"])
        conversations = until("conversations are missing", lambda: all_of(api.list("/v1/conversations"), len(senders) + 1))
        queue = api.call("POST", "/v1/queues", {"name": "Peers"})
        attachment, picture = api.upload("note.txt", b"a file"), api.upload("dot.png", PICTURE)
        at = f"/v1/conversations/{conversations[0]['id']}/messages"
        for body in (
            {"text": "an answer"},
            {"text": "a file", "attachment_ids": [attachment["id"]]},
            {"attachment_ids": [picture["id"]]},  # whoever reads the conversation can see it
        ):
            api.call("POST", at, body, Idempotency_Key=secrets.token_hex(8))
        user = api.call("POST", "/v1/users", {"name": "Ben", "email": "ben@peers.example", "role": "agent"})
        return {
            "channel": list(channels.values()),
            "conversation": [c["id"] for c in conversations],
            "contact": [c["id"] for c in api.list("/v1/contacts")],
            "message": [m["id"] for c in conversations for m in api.list(f"/v1/conversations/{c['id']}/messages")],
            "attachment": [attachment["id"], picture["id"]],
            "queue": [queue["id"]],
            "skill": [api.call("POST", "/v1/skills", {"name": "Peers"})["id"]],
            "unit": [api.call("POST", "/v1/organization-units", {"name": "Peers"})["id"]],
            "user": [user["id"]],  # whom peers may change: nobody signs in as this one
            "agent": [user["agent_id"]],
        }


def all_of(things, n):
    return things if len(things) >= n else None


def caller(api, role):
    """A user of the role, who has signed in, and an API key with the permissions of the role."""
    email, password = f"{role}@peers.example", secrets.token_hex(12)
    user = api.call("POST", "/v1/users", {"name": role.title(), "email": email, "password": password, "role": role})
    session = API(api.url).call("POST", "/v1/auth/login", {"email": email, "password": password})["token"]
    permissions = API(api.url, session).call("GET", "/v1/auth/me")["permissions"]
    key = api.call("POST", "/v1/api-keys", {"name": role, "scopes": permissions})
    known = {"email": email, "password": password, "user_id": user["id"], "agent_id": user["agent_id"]}
    return known | {"key": key["key"], "session": session}


def visit(url, channel):
    """Writes as a visitor of the web chat."""
    base = f"/chat/{channel}"
    session = API(url).call("POST", base + "/sessions", {}, Origin=url)
    said = {"clientId": secrets.token_hex(8), "text": "hello"}
    API(url, session["token"]).call("POST", base + "/messages", said, Origin=url)
