"""What the programs on Meta's SDK share: who stands where the Graph API is, and how a call of a channel is compared with the SDK's own."""

import hashlib
import hmac
import json
import queue
import secrets
import urllib.parse

from asking import WAIT, Handler, call, finding, until

VERSION = "v26.0"
SECRET, TOKEN = secrets.token_hex(16), "EAAG" + secrets.token_hex(32)
PERSON, COMMENTER = str(10**15 + secrets.randbelow(10**15)), str(10**15 + secrets.randbelow(10**15))

# What the documentation has and the SDK has not: answers that quote (Send API, reply_to), and reactions (sender actions).
DOCUMENTED = {"reply_to", "payload"}
REACTIONS = {"REACT", "UNREACT"}


class Graph(Handler):
    """Takes webhooks of the simulator at /hook, and the calls of a channel anywhere else. A product says what they are answered with."""

    webhooks, calls = queue.Queue(), queue.Queue()
    no_profile = (400, {"error": {"message": "(#100) No profile available for this user.", "code": 100, "error_subcode": 2018218}})

    def do_GET(self):
        status, value = self.no_profile
        self.answer(value, status)

    def do_DELETE(self):
        Graph.calls.put(("DELETE", self.path, {}, dict(self.headers)))
        self.answer({"success": True})

    def do_POST(self):
        body = self.read()
        if self.path == "/hook":
            Graph.webhooks.put((body, self.headers.get("X-Hub-Signature-256")))
            return self.answer({})
        parts = urllib.parse.urlsplit(self.path)
        Graph.calls.put(("POST", parts.path, self.params(body, parts.query), dict(self.headers)))
        self.answer(self.written().get(parts.path.rsplit("/", 1)[-1], {"success": True}))

    def params(self, body, query):
        """The parameters of a call; of a file None."""
        raise NotImplementedError

    def written(self):
        """The answers of the edges at which something is made."""
        raise NotImplementedError


def signed(body):
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def said(type_, account, **what):
    """Has a person do something at the simulator, which must sign the webhook; returns the id of the message."""
    told = call("POST", "/simulator/inbound", {"type": type_, "account": account, "from": PERSON, **what})
    body, signature = Graph.webhooks.get(timeout=WAIT)
    if told["status"] != 200 or signature != signed(body):
        finding(f"the webhook of {what}: {told}, signed {signature}")
    return told["id"]


class Channel:
    """A channel whose provider this program is; request gives the SDK's own request for a call, without parameters, or None.

    words and documented are what the documentation has and the SDK has not: values of parameters, and parameters."""

    def __init__(self, type_, settings, secret, request, words, documented=frozenset(DOCUMENTED)):
        keys = {"app_secret": SECRET, secret: TOKEN, "verify_token": secrets.token_hex(8)}
        self.type, self.request, self.words, self.documented = type_, request, words, documented
        self.id = call("POST", "/v1/channels", {"type": type_, "name": "Peer", "settings": settings, "secrets": keys})["id"]
        call("POST", f"/webhooks/{type_}/{self.id}/~test")
        self.check()

    def check(self):
        """The SDK has the next call of the channel, and knows its parameters and their types."""
        method, path, params, header = Graph.calls.get(timeout=WAIT)
        if header.get("Authorization") != "Bearer " + TOKEN or TOKEN in path:
            finding(f"{path}: the token of the call is not in its header")
        parts = urllib.parse.urlsplit(path).path.strip("/").split("/")
        own = parts[0] == VERSION and self.request(method, parts[1], "/".join(parts[2:])) or None
        if own is None:
            return finding(f"the SDK has no {method} {path}")
        checker = own._param_checker
        for name, value in params.items():
            kind = checker.get_type(name)
            if name in self.documented:
                continue
            if kind is None:
                finding(f"{method} {path}: the SDK has no parameter {name}")
            elif kind in checker._enum_data:
                known = {word.upper() for word in checker._enum_data[kind] if isinstance(word, str)} | self.words.get(name, set())
                if value.upper() not in known:
                    finding(f"{method} {path}: the SDK has no {name} {value}")
            elif kind not in ("file", "Object") and not checker.is_valid_pair(name, value):
                finding(f"{method} {path}: {name} is {value!r}, the SDK wants {kind}")

    def hears(self, object_, entry):
        body = json.dumps({"object": object_, "entry": [entry]}).encode()
        call("POST", f"/webhooks/{self.type}/{self.id}", body, {"X-Hub-Signature-256": signed(body)}, key="")

    def conversation(self, kind, peer):
        path = f"/v1/conversations?channel_id={self.id}&kind={kind}"
        return until(f"conversation of {kind}", lambda: [c for c in call("GET", path)["data"] if c["peer"] == peer])[0]["id"]

    def first(self, conversation):
        return until("message", lambda: call("GET", f"/v1/conversations/{conversation}/messages")["data"])[0]["id"]

    def send(self, conversation, calls, **body):
        call("POST", f"/v1/conversations/{conversation}/messages", body, {"Idempotency-Key": secrets.token_hex(8)})
        for _ in range(calls):
            self.check()

    def act(self, message, action, body=None):
        call("POST", f"/v1/messages/{message}/{action}", body, {"Idempotency-Key": secrets.token_hex(8)})
        self.check()
