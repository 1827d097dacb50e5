"""Meta's own SDK knows the calls of the Instagram channel that is connected through a Page, and its calls are taken by the simulator.

The SDK calls graph.facebook.com alone: the login of Instagram, whose host is another one, it does not know, and so neither the renewal of
tokens. From one side it is a client of the simulator: it subscribes an app, sends messages, answers, hides and deletes comments, answers
mentions, and understands refusals. From the other side this program stands where the Graph API is: every call of the channel must be one
that the SDK has, with parameters that it knows.
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
from facebook_business.adobjects.igcomment import IGComment
from facebook_business.adobjects.igmedia import IGMedia
from facebook_business.adobjects.iguser import IGUser
from facebook_business.adobjects.page import Page
from facebook_business.api import FacebookAdsApi, FacebookSession
from facebook_business.exceptions import FacebookRequestError

VERSION = "v26.0"
SECRET, TOKEN = secrets.token_hex(16), "EAAG" + secrets.token_hex(32)
PAGE, APP = (str(10**14 + secrets.randbelow(10**14)) for _ in range(2))
ACCOUNT, SIMULATED = ("17841" + str(10**11 + secrets.randbelow(10**11)) for _ in range(2))
PERSON, COMMENTER = str(10**15 + secrets.randbelow(10**15)), str(10**15 + secrets.randbelow(10**15))
POST, COMMENT, ELSEWHERE = "17999000111222333", "18088877766655001", "17999000111222555"

# What the documentation has and the SDK has not: answers that quote (Send API, reply_to), and reactions (sender actions).
DOCUMENTED = {"reply_to", "payload"}
WORDS = {"sender_action": {"REACT", "UNREACT"}}


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
        self.answer({"error": {"message": "(#230) User consent is required to access user profile", "code": 230}}, 403)

    def do_DELETE(self):
        Graph.calls.put(("DELETE", self.path, {}, dict(self.headers)))
        self.answer({"success": True})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/hook":
            Graph.webhooks.put((body, self.headers.get("X-Hub-Signature-256")))
            return self.answer({})
        parts = urllib.parse.urlsplit(self.path)
        params = json.loads(body) if body else {}
        params |= {name: value == "true" for name, value in urllib.parse.parse_qsl(parts.query)}
        Graph.calls.put(("POST", parts.path, params, dict(self.headers)))
        identity = secrets.token_hex(12)
        edge = parts.path.rsplit("/", 1)[-1]
        written = {"id": "18" + str(secrets.randbits(48))}
        self.answer({
            "messages": {"recipient_id": PERSON, "message_id": "aWdf" + identity}, "replies": written, "comments": written, "mentions": written,
        }.get(edge, {"success": True}))


def signed(body):
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def sdk_to_simulator(hook):
    """The simulator takes what the SDK calls, and the SDK understands what it answers."""
    FacebookSession.GRAPH = STAND["url"] + "/simulator/instagram"
    api = FacebookAdsApi(FacebookSession(APP, SECRET, TOKEN), api_version=VERSION)
    page = str(int(PAGE) + 1)
    call("POST", "/simulator/accounts", {
        "type": "instagram", "settings": {"account_id": SIMULATED, "login": "facebook", "page_id": page, "app_id": APP},
        "secrets": {"app_secret": SECRET, "access_token": TOKEN, "verify_token": secrets.token_hex(8)}, "webhook_url": hook,
    })
    page = Page(page, api=api)
    page.create_subscribed_app(params={"subscribed_fields": ["messages", "feed"]})

    def said(**what):
        told = call("POST", "/simulator/inbound", {"type": "instagram", "account": SIMULATED, "from": PERSON, **what})
        body, signature = Graph.webhooks.get(timeout=WAIT)
        if told["status"] != 200 or signature != signed(body):
            finding(f"the webhook of {what}: {told}, signed {signature}")
        return told["id"]

    said(text="日本語 🙂")
    call("PUT", "/simulator/script", {"type": "instagram", "account": SIMULATED, "receipts": {"mode": "off"}})
    to = {"id": PERSON}
    sends = [
        {"message": {"text": "hello", "quick_replies": [{"content_type": "text", "title": "Yes", "payload": "yes"}]}},
        {"message": {"attachment": {"type": "image", "payload": {"url": "https://cdn.example/p.png"}}}},
        {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT", "message": {"text": "hello"}},
    ]
    for params in sends:
        answer = page.create_message(params=params | {"recipient": to})
        if answer.get("recipient_id") != PERSON or not str(answer.get("message_id", "")).startswith("aWdf"):
            finding(f"{params}: the simulator answered {answer}")
    for action in ("TYPING_ON", "MARK_SEEN"):
        page.create_message(params={"recipient": to, "sender_action": action})
    comment = IGComment(said(post=POST, text="Price?"), api=api)
    answer = comment.create_reply(params={"message": "20 €"})
    IGMedia(POST, api=api).create_comment(params={"message": "On sale"})
    IGComment(answer["id"], api=api).api_delete()
    IGUser(SIMULATED, api=api).create_mention(params={"media_id": ELSEWHERE, "comment_id": COMMENT, "message": "Thanks"})
    call("PUT", "/simulator/script", {"type": "instagram", "account": SIMULATED, "fail": {"code": 2534022}})
    try:
        page.create_message(params=sends[0] | {"recipient": to})
        finding("a refusal of the simulator was no error for the SDK")
    except FacebookRequestError as e:
        if (e.api_error_code(), e.api_error_subcode()) != (10, 2534022):
            finding(f"the SDK reads a closed window as {e.api_error_code()}/{e.api_error_subcode()}")
    print(f"instagram: {len(sends) + 8} calls of the SDK taken by the simulator")


def say(channel, entry):
    body = json.dumps({"object": "instagram", "entry": [{"id": ACCOUNT, "time": int(time.time()), **entry}]}).encode()
    call("POST", f"/webhooks/instagram/{channel}", body, {"X-Hub-Signature-256": signed(body)}, key="")


def request(method, path):
    """The SDK's own request for a call of the channel, without parameters; None if it has none."""
    parts = urllib.parse.urlsplit(path).path.strip("/").split("/")
    if parts[0] != VERSION:
        return None
    node, edge = parts[1], "/".join(parts[2:])
    known = {
        (PAGE, "POST", "messages"): lambda: Page(PAGE).create_message(pending=True),
        (PAGE, "POST", "subscribed_apps"): lambda: Page(PAGE).create_subscribed_app(pending=True),
        (ACCOUNT, "POST", "mentions"): lambda: IGUser(ACCOUNT).create_mention(pending=True),
        ("", "POST", "replies"): lambda: IGComment(node).create_reply(pending=True),
        ("", "POST", "comments"): lambda: IGMedia(node).create_comment(pending=True),
        ("", "POST", ""): lambda: IGComment(node).api_update(pending=True),
        ("", "DELETE", ""): lambda: IGComment(node).api_delete(pending=True),
    }
    made = known.get((node if node in (PAGE, ACCOUNT) else "", method, edge))
    return made and made()


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
        if name in DOCUMENTED:
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
        "type": "instagram", "name": "Peer", "settings": {"account_id": ACCOUNT, "login": "facebook", "page_id": PAGE, "app_id": APP, "api_base_url": api},
        "secrets": {"app_secret": SECRET, "access_token": TOKEN, "verify_token": secrets.token_hex(8)},
    })
    channel, now = made["id"], int(time.time())
    call("POST", f"/webhooks/instagram/{channel}/~test")
    check(*Graph.calls.get(timeout=WAIT))
    say(channel, {"messaging": [{"sender": {"id": PERSON}, "recipient": {"id": ACCOUNT}, "timestamp": now * 1000, "message": {"mid": "aWdfin", "text": "Hello?"}}]})
    say(channel, {"changes": [{"field": "comments", "value": {
        "id": COMMENT, "text": "Price?", "from": {"id": COMMENTER, "username": "nina.sample"}, "media": {"id": POST, "media_product_type": "FEED"}}}]})
    say(channel, {"changes": [{"field": "mentions", "value": {"media_id": ELSEWHERE, "comment_id": "18088877766655002"}}]})

    def conversation(kind, peer):
        path = f"/v1/conversations?channel_id={channel}&kind={kind}"
        return until(f"conversation of {kind}", lambda: [c for c in call("GET", path)["data"] if c["peer"] == peer])[0]["id"]

    def first(conversation):
        return until("message", lambda: call("GET", f"/v1/conversations/{conversation}/messages")["data"])[0]["id"]

    def send(conversation, calls, **body):
        call("POST", f"/v1/conversations/{conversation}/messages", body, {"Idempotency-Key": secrets.token_hex(8)})
        for _ in range(calls):
            check(*Graph.calls.get(timeout=WAIT))

    talk, below, named = conversation("messages", PERSON), conversation("comments", COMMENTER), conversation("comments", "mention:18088877766655002")
    choices = [{"id": "y", "title": "Yes"}, {"title": "Open", "url": "https://shop.example/x"}]
    sends = [
        {"text": "an answer", "reply_to": first(talk)},
        {"text": "later", "message_tag": "HUMAN_AGENT"},
        {"sticker": {"package_id": "1", "sticker_id": "like_heart"}},
        {"interactive": {"kind": "buttons", "body": "Sure?", "buttons": choices}},
        {"interactive": {"kind": "link", "body": "See", "button": "Open", "url": "https://shop.example/x"}},
        {"interactive": {"kind": "cards", "button": "Choose", "sections": [{"rows": [{"id": "t", "title": "Tea", "description": "green"}]}]}},
        {"interactive": {"kind": "reply_keyboard", "body": "Which?", "buttons": [{"id": "1", "title": "One"}]}},
        {"reaction": {"message_id": first(talk), "emoji": "❤️"}},
    ]
    for body in sends:
        send(talk, 1, **body)
    send(talk, 2, text="ü" * 501)
    send(below, 1, text="20 €")
    send(named, 1, text="Thanks")
    for action, body in (("hide", None), ("unhide", None), ("private-reply", {"text": "By message"})):
        call("POST", f"/v1/messages/{first(below)}/{action}", body, {"Idempotency-Key": secrets.token_hex(8)})
        check(*Graph.calls.get(timeout=WAIT))
    print(f"instagram: {len(sends) + 8} calls of the channel are the SDK's")


def main():
    api = serve(Graph)
    sdk_to_simulator(api + "/hook")
    sdk_knows_the_channel(api)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
