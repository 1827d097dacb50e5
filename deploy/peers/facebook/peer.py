"""Meta's own SDK for the Graph API knows every call of the channel, and its calls are taken by the simulator.

From one side the SDK is a client of the simulator: it subscribes an app, sends messages, answers, hides and deletes comments, and
understands refusals. From the other side this program stands where the Graph API is: every call of the channel must be one that the SDK
has, with parameters that it knows.
"""

import hashlib
import hmac
import http.server
import json
import queue
import secrets
import sys
import time
import urllib.parse

from asking import STAND, WAIT, call, finding, found, serve, until
from facebook_business.adobjects.comment import Comment
from facebook_business.adobjects.page import Page
from facebook_business.api import FacebookAdsApi, FacebookSession
from facebook_business.exceptions import FacebookRequestError

VERSION = "v26.0"
SECRET, TOKEN = secrets.token_hex(16), "EAAG" + secrets.token_hex(32)
PAGE, SIMULATED, APP = (str(10**14 + secrets.randbelow(10**14)) for _ in range(3))
PERSON, COMMENTER = str(10**15 + secrets.randbelow(10**15)), str(10**15 + secrets.randbelow(10**15))
POST = PAGE + "_330011224455"

# What the documentation has and the SDK has not: answers that quote (Send API, reply_to), reactions (sender actions), and utility messages.
DOCUMENTED = {"reply_to", "payload"}
WORDS = {"messaging_type": {"UTILITY"}, "sender_action": {"REACT", "UNREACT"}}


class Graph(http.server.BaseHTTPRequestHandler):
    """Takes webhooks of the simulator at /hook, and the calls of the channel anywhere else."""

    webhooks, calls = queue.Queue(), queue.Queue()

    def log_message(self, *_):
        pass

    def answer(self, value, status=200):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer({"error": {"message": "(#100) No profile available for this user.", "code": 100, "error_subcode": 2018218}}, 400)

    def do_DELETE(self):
        Graph.calls.put(("DELETE", self.path, {}, dict(self.headers)))
        self.answer({"success": True})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/hook":
            Graph.webhooks.put((body, self.headers.get("X-Hub-Signature-256")))
            return self.answer({})
        if self.headers.get("Content-Type", "").startswith("application/json"):
            params = json.loads(body)
        else:
            params = {name: None for name in ("message", "filedata", "source") if f'name="{name}"'.encode() in body}
        Graph.calls.put(("POST", self.path, params, dict(self.headers)))
        edge = self.path.rsplit("/", 1)[-1]
        identity = secrets.token_hex(12)
        self.answer({
            "messages": {"recipient_id": PERSON, "message_id": "m_" + identity}, "message_attachments": {"attachment_id": str(secrets.randbits(50))},
            "comments": {"id": "330011224455_" + str(secrets.randbits(50))},
        }.get(edge, {"success": True}))


def signed(body):
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def sdk_to_simulator(hook):
    """The simulator takes what the SDK calls, and the SDK understands what it answers."""
    FacebookSession.GRAPH = STAND["url"] + "/simulator/facebook"
    api = FacebookAdsApi(FacebookSession(APP, SECRET, TOKEN), api_version=VERSION)
    keys = {"app_secret": SECRET, "page_access_token": TOKEN, "verify_token": secrets.token_hex(8)}
    call("POST", "/simulator/accounts", {"type": "facebook", "settings": {"page_id": SIMULATED, "app_id": APP}, "secrets": keys, "webhook_url": hook})
    page = Page(SIMULATED, api=api)
    page.create_subscribed_app(params={"subscribed_fields": ["messages", "feed"]})

    def said(**what):
        told = call("POST", "/simulator/inbound", {"type": "facebook", "account": SIMULATED, "from": PERSON, **what})
        body, signature = Graph.webhooks.get(timeout=WAIT)
        if told["status"] != 200 or signature != signed(body):
            finding(f"the webhook of {what}: {told}, signed {signature}")
        return told["id"]

    said(text="日本語 🙂")
    call("PUT", "/simulator/script", {"type": "facebook", "account": SIMULATED, "receipts": {"mode": "off"}})
    to = {"id": PERSON}
    button = {"type": "postback", "title": "Yes", "payload": "yes"}
    sends = [
        {"messaging_type": "RESPONSE", "message": {"text": "hello", "quick_replies": [{"content_type": "text", "title": "Yes", "payload": "yes"}]}},
        {"messaging_type": "UPDATE", "message": {"attachment": {"type": "template", "payload": {"template_type": "button", "text": "Yes?", "buttons": [button]}}}},
        {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT", "message": {"text": "hello"}},
    ]
    for params in sends:
        answer = page.create_message(params=params | {"recipient": to})
        if answer.get("recipient_id") != PERSON or not str(answer.get("message_id", "")).startswith("m_"):
            finding(f"{params}: the simulator answered {answer}")
    for action in ("TYPING_ON", "MARK_SEEN"):
        page.create_message(params={"recipient": to, "sender_action": action})
    comment = Comment(said(post="330011224455", text="¿Precio?"), api=api)
    answer = comment.create_comment(params={"message": "20 €"})
    comment.api_update(params={"is_hidden": True})
    comment.api_update(params={"is_hidden": False})
    Comment(answer["id"], api=api).api_delete()
    call("PUT", "/simulator/script", {"type": "facebook", "account": SIMULATED, "fail": {"code": 2018278}})
    try:
        page.create_message(params=sends[0] | {"recipient": to})
        finding("a refusal of the simulator was no error for the SDK")
    except FacebookRequestError as e:
        if (e.api_error_code(), e.api_error_subcode()) != (10, 2018278):
            finding(f"the SDK reads a closed window as {e.api_error_code()}/{e.api_error_subcode()}")
    print(f"facebook: {len(sends) + 7} calls of the SDK taken by the simulator")


def say(channel, entry):
    body = json.dumps({"object": "page", "entry": [{"id": PAGE, "time": int(time.time() * 1000), **entry}]}).encode()
    call("POST", f"/webhooks/facebook/{channel}", body, {"X-Hub-Signature-256": signed(body)}, key="")


def request(method, path):
    """The SDK's own request for a call of the channel, without parameters; None if it has none."""
    parts = urllib.parse.urlsplit(path).path.strip("/").split("/")
    if parts[0] != VERSION:
        return None
    node, edge = parts[1], "/".join(parts[2:])
    page = {
        "messages": Page.create_message, "message_attachments": Page.create_message_attachment, "subscribed_apps": Page.create_subscribed_app,
    }
    comment = {("POST", "comments"): Comment.create_comment, ("POST", ""): Comment.api_update, ("DELETE", ""): Comment.api_delete}
    if node == PAGE:
        return edge in page and page[edge](Page(PAGE), pending=True) or None
    return (method, edge) in comment and comment[method, edge](Comment(node), pending=True) or None


def check(method, path, params, header):
    """The SDK has the call, and knows its parameters and their types."""
    if header.get("Authorization") != "Bearer " + TOKEN or TOKEN in path:
        finding(f"{path}: the token of the call is not in its header")
    own = request(method, path)
    if own is None:
        return finding(f"the SDK has no {method} {path}")
    checker = own._param_checker
    for name, value in params.items():
        kind = checker.get_type(name)
        if name in DOCUMENTED or name == "filedata":
            continue
        if kind is None:
            finding(f"{method} {path}: the SDK has no parameter {name}")
        elif kind in checker._enum_data:
            known = {word.upper() for word in checker._enum_data[kind] if isinstance(word, str)} | WORDS.get(name, set())
            if value.upper() not in known:
                finding(f"{method} {path}: the SDK has no {name} {value}")
        elif kind not in ("file", "Object") and not checker.is_valid_pair(name, value):
            finding(f"{method} {path}: {name} is {value!r}, the SDK wants {kind}")


def sdk_knows_the_channel(api):
    FacebookAdsApi.init(APP, SECRET, TOKEN, api_version=VERSION)
    made = call("POST", "/v1/channels", {
        "type": "facebook", "name": "Peer", "settings": {"page_id": PAGE, "app_id": APP, "persona_id": "5520011", "api_base_url": api},
        "secrets": {"app_secret": SECRET, "page_access_token": TOKEN, "verify_token": secrets.token_hex(8)},
    })
    channel, now = made["id"], int(time.time())
    call("POST", f"/webhooks/facebook/{channel}/~test")
    check(*Graph.calls.get(timeout=WAIT))
    say(channel, {"messaging": [{"sender": {"id": PERSON}, "recipient": {"id": PAGE}, "timestamp": now * 1000, "message": {"mid": "m_in", "text": "¿Hola?"}}]})
    say(channel, {"changes": [{"field": "feed", "value": {
        "item": "comment", "verb": "add", "comment_id": "330011224455_1", "post_id": POST, "parent_id": POST, "created_time": now,
        "from": {"id": COMMENTER, "name": "Pau"}, "message": "¿Precio?"}}]})

    def conversation(kind, peer):
        path = f"/v1/conversations?channel_id={channel}&kind={kind}"
        return until(f"conversation of {kind}", lambda: [c for c in call("GET", path)["data"] if c["peer"] == peer])[0]["id"]

    def first(conversation):
        return until("message", lambda: call("GET", f"/v1/conversations/{conversation}/messages")["data"])[0]["id"]

    def send(conversation, calls, **body):
        call("POST", f"/v1/conversations/{conversation}/messages", body, {"Idempotency-Key": secrets.token_hex(8)})
        for _ in range(calls):
            check(*Graph.calls.get(timeout=WAIT))

    talk, below = conversation("messages", PERSON), conversation("comments", COMMENTER)
    choices = [{"id": "y", "title": "Yes"}, {"title": "Open", "url": "https://shop.example/x"}]
    sends = [
        {"text": "an answer", "reply_to": first(talk)},
        {"text": "later", "message_tag": "HUMAN_AGENT"},
        {"sticker": {"package_id": "1", "sticker_id": "369239263222822"}},
        {"interactive": {"kind": "buttons", "body": "Sure?", "buttons": choices}},
        {"interactive": {"kind": "link", "body": "See", "button": "Open", "url": "https://shop.example/x"}},
        {"interactive": {"kind": "cards", "button": "Choose", "sections": [{"rows": [{"id": "t", "title": "Tea", "description": "green"}]}]}},
        {"interactive": {"kind": "reply_keyboard", "body": "Which?", "buttons": [{"id": "1", "title": "One"}]}},
        {"template": {"name": "order_update", "language": "en", "components": [{"type": "body", "parameters": [{"type": "text", "text": "1"}]}]}},
        {"reaction": {"message_id": first(talk), "emoji": "👍"}},
    ]
    for body in sends:
        send(talk, 1, **body)
    send(talk, 2, text="x" * 2001)
    send(below, 1, text="20 €")
    for action, body in (("hide", None), ("unhide", None), ("private-reply", {"text": "Te escribo"})):
        call("POST", f"/v1/messages/{first(below)}/{action}", body, {"Idempotency-Key": secrets.token_hex(8)})
        check(*Graph.calls.get(timeout=WAIT))
    print(f"facebook: {len(sends) + 7} calls of the channel are the SDK's")


def main():
    api = serve(Graph)
    sdk_to_simulator(api + "/hook")
    sdk_knows_the_channel(api)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
