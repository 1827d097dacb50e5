"""tweepy calls the simulator as X's clients do, and oauthlib checks what the channel signs.

The SDK's client sends direct messages to the simulator. From the other side this program stands where X's API is: the channel's calls must
be those of the SDK, and their OAuth 1.0a signatures must hold for a library that we did not write.
"""

import base64
import hashlib
import hmac
import json
import queue
import secrets
import sys
import time
import urllib.parse

import tweepy
from asking import STAND, WAIT, Handler, call, finding, found, serve, until
from led import Led
from oauthlib.common import Request
from oauthlib.oauth1.rfc5849 import signature

SIMULATED, ACCOUNT, USER = (str(10**18 + secrets.randbelow(10**17)) for _ in range(3))
KEYS = {name: secrets.token_hex(16) for name in ("consumer_key", "consumer_secret", "access_token", "access_token_secret")}


class X(Handler):
    """Takes the calls of the channel, and webhooks of the simulator at /hook."""

    calls, hooks = queue.Queue(), queue.Queue()

    def do_GET(self):
        self.answer({"data": {"id": USER, "name": "Alice", "username": "alice"}})

    def do_POST(self):
        body = self.read()
        if self.path == "/hook":
            self.hooks.put(body)
            return self.answer({})
        self.calls.put((self.path, dict(self.headers), body))
        self.answer({"data": {"dm_conversation_id": f"{ACCOUNT}-{USER}", "dm_event_id": str(secrets.randbits(60))}}, 201)


def client(base):
    c = tweepy.Client(**KEYS, wait_on_rate_limit=False)
    c.session.mount("https://", Led(base))
    return c


def sdk_to_simulator(hook):
    """The SDK's client is served by the simulator."""
    call("POST", "/simulator/accounts", {"type": "x", "settings": {"user_id": SIMULATED}, "secrets": KEYS, "webhook_url": hook})
    call("POST", "/simulator/inbound", {"type": "x", "account": SIMULATED, "from": USER, "name": "Alice", "text": "hi"})
    X.hooks.get(timeout=WAIT)
    c = client(STAND["url"] + "/simulator/x")
    sent = c.create_direct_message(participant_id=USER, text="Hi Alice").data
    if not sent["dm_event_id"]:
        finding(f"the SDK reads no id: {sent}")
    if c.get_user(id=USER, user_fields=["name"], user_auth=True).data.name != "Alice":
        finding("the SDK reads another name")
    if str(c.get_me(user_auth=True).data.id) != SIMULATED:
        finding("the SDK reads another account")
    print("x: the SDK's client is served by the simulator")


def holds(base, path, headers, body):
    """Whether the signature of a call holds for oauthlib."""
    fields = dict(part.strip().split("=", 1) for part in headers["Authorization"].removeprefix("OAuth ").split(","))
    given = {k: urllib.parse.unquote(v.strip('"')) for k, v in fields.items()}
    request = Request(base + path, "POST", body, headers)
    request.signature = given.pop("oauth_signature")
    request.params = list(given.items()) + urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query)
    return signature.verify_hmac_sha1(request, KEYS["consumer_secret"], KEYS["access_token_secret"])


def gateway(api):
    """What the channel sends is what the SDK sends, signed."""
    made = call("POST", "/v1/channels", {"type": "x", "name": "Peer", "settings": {"user_id": ACCOUNT, "api_base_url": api}, "secrets": KEYS})
    body = json.dumps({"for_user_id": ACCOUNT, "direct_message_events": [{
        "type": "message_create", "id": str(secrets.randbits(60)), "created_timestamp": str(int(time.time() * 1000)),
        "message_create": {"target": {"recipient_id": ACCOUNT}, "sender_id": USER, "message_data": {"text": "hello"}},
    }]}).encode()
    proof = "sha256=" + base64.b64encode(hmac.new(KEYS["consumer_secret"].encode(), body, hashlib.sha256).digest()).decode()
    call("POST", f"/webhooks/x/{made['id']}", body, {"x-twitter-webhooks-signature": proof}, key="")
    one = until("conversation", lambda: [c for c in call("GET", f"/v1/conversations?channel_id={made['id']}")["data"] if c["peer"] == USER])[0]
    for text in ("Hi Alice", "100 % & <more> ünïcödé 🙂"):
        call("POST", f"/v1/conversations/{one['id']}/messages", {"text": text}, {"Idempotency-Key": secrets.token_hex(8)})
        path, headers, sent = X.calls.get(timeout=WAIT)
        if not holds(api, path, headers, sent):
            finding(f"the signature of {path} does not hold")
        client(api).create_direct_message(participant_id=USER, text=text)
        wanted_path, _, wanted = X.calls.get(timeout=WAIT)
        if (path, json.loads(sent)) != (wanted_path, json.loads(wanted)):
            finding(f"the channel calls {path} with {sent}, the SDK {wanted_path} with {wanted}")
    print("x: the channel's calls are those of the SDK, and their signatures hold")


def main():
    at = serve(X)
    sdk_to_simulator(at + "/hook")
    gateway(at)
    sys.exit(1 if found else 0)


main()
