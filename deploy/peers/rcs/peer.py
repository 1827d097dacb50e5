"""rcs-chatbot calls the simulator as bots on a MaaP do, and google-auth checks how the channel asks Google for a token.

The SDK's client sends messages to the simulator and takes its webhooks. From the other side this program stands where a MaaP is: what the
channel sends must be what the SDK sends. Google's own client of RBM is in no package index, so its part is what Google's libraries share:
the assertion that the channel signs with the key of a service account must hold for google-auth.
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

import rcs_chatbot as sdk
from asking import STAND, WAIT, Handler, call, finding, found, serve, until
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

BOT, TOKEN, SECRET = "sip:peer@bot.example", secrets.token_hex(16), secrets.token_hex(16)
USER = "+1425555" + str(secrets.randbelow(9000) + 1000)
TO = sdk.MessageContact(USER, None)


class Platform(Handler):
    """Takes the calls of the channel and of the SDK, and webhooks of the simulator at /hook."""

    calls, hooks = queue.Queue(), queue.Queue()

    def do_POST(self):
        body = self.read()
        if self.path.startswith("/hook"):
            self.hooks.put(json.loads(body))
            return self.answer({})
        self.calls.put((self.path, dict(self.headers), body))
        if self.path == "/token":
            return self.answer({"access_token": "ya29.peer", "expires_in": 3599, "token_type": "Bearer"})
        if "agentMessages" in self.path:
            return self.answer({"name": self.path.split("?")[0].removeprefix("/v1/"), "sendTime": "2026-01-01T00:00:00Z"})
        self.answer({"RCSMessage": {"msgId": secrets.token_hex(8), "status": "pending"}})


def bare(value):
    """A value without what the SDK leaves empty."""
    if isinstance(value, dict):
        return {k: bare(v) for k, v in value.items() if v is not None}
    return [bare(v) for v in value] if isinstance(value, list) else value


def suggestions(of=""):
    s = sdk.Suggestions()
    s.addReply("Yes", "yes" + of)
    s.addUrlAction("Shop", "shop" + of, "https://shop.example/")
    s.addShowLocationMapAction("Find us", "map" + of, 37.5, -122.25, "Shop", None, None)
    return s


def choices(of=""):
    return [
        {"id": "yes" + of, "title": "Yes"},
        {"kind": "url", "id": "shop" + of, "title": "Shop", "url": "https://shop.example/"},
        {"kind": "location", "id": "map" + of, "title": "Find us", "location": {"latitude": 37.5, "longitude": -122.25, "name": "Shop"}},
    ]


def card(title, text, chips=None):
    c = sdk.Richcard()
    c.setTitle(title)
    c.setDescription(text)
    if chips:
        c.setSuggestions(chips)
    return c


def messages():
    """What an agent sends, and the same by the SDK: content and chips."""
    chips = suggestions()
    chips.addRequestLocationPushMapAction("I am here", "here")
    chips.addCalendarAction("Save", "save", "2026-06-20T09:00:00Z", "2026-06-20T09:30:00Z", "Fitting", "Bring it", None)
    calendar = {"title": "Fitting", "description": "Bring it", "start": "2026-06-20T09:00:00Z", "end": "2026-06-20T09:30:00Z"}
    more = [
        {"kind": "location_request", "id": "here", "title": "I am here"},
        {"kind": "calendar", "id": "save", "title": "Save", "event": calendar},
    ]
    many = sdk.RichcardCarousel()
    many.setCardWidth(sdk.CardWidth.MEDIUM)
    many.addRichcard(card("Red", "A red one", suggestions("1")))
    many.addRichcard(card("Blue", "A blue one", suggestions("2")))
    place = sdk.GeolocationPushMessage("37.5,-122.25")
    place.setLabel("Shop")
    return [
        ({"text": "100 % & <more> ünïcödé 🙂"}, "100 % & <more> ünïcödé 🙂", None),
        ({"location": {"latitude": 37.5, "longitude": -122.25, "name": "Shop"}}, place, None),
        ({"interactive": {"kind": "reply_keyboard", "body": "Which?", "buttons": choices() + more}}, "Which?", chips),
        ({"interactive": {"kind": "buttons", "header": "Order", "body": "It leaves", "buttons": choices()}}, card("Order", "It leaves", suggestions()), None),
        (
            {
                "interactive": {
                    "kind": "carousel",
                    "sections": [
                        {"title": "Red", "description": "A red one", "rows": choices("1")},
                        {"title": "Blue", "description": "A blue one", "rows": choices("2")},
                    ],
                }
            },
            many,
            None,
        ),
    ]


def sdk_to_simulator(hook):
    """The SDK's client is served by the simulator, and knows all its webhooks."""
    bot = sdk.Chatbot(STAND["url"] + "/simulator/rcs-maap", BOT, TOKEN)
    seen = []
    for kind in sdk.EventType:
        bot.registerEventHandler(kind)(lambda body, kind=kind: seen.append((kind.value, body)))
    who = {"type": "rcs", "settings": {"provider": "maap", "chatbot_id": BOT}, "secrets": {"access_token": TOKEN, "webhook_secret": SECRET}}
    call("POST", "/simulator/accounts", who | {"webhook_url": hook})
    person = {"type": "rcs", "account": BOT, "from": USER}
    for kind in ("text", "image", "location", "typing"):
        call("POST", "/simulator/inbound", person | {"kind": kind})
    for _, content, chips in messages():
        if not bot.sendMessage(TO, content, chips)["RCSMessage"]["msgId"]:
            finding("the SDK's message got no id")
    call("POST", "/simulator/inbound", person | {"kind": "button", "button": "yes"})
    end = time.monotonic() + WAIT
    while time.monotonic() < end and {k for k, _ in seen} < {"message", "isTyping", "response", "messageStatus"}:
        try:
            bot.processEvent(Platform.hooks.get(timeout=1))
        except queue.Empty:
            pass
    told = {k for k, _ in seen}
    if told != {"message", "isTyping", "response", "messageStatus"}:
        finding(f"the simulator told {told}")
    if any(b["messageContact"]["userContact"] != USER for _, b in seen):
        finding(f"the SDK reads another person: {seen}")
    print("rcs: the SDK's client is served by the simulator")


def conversation(channel):
    return until("conversation", lambda: [c for c in call("GET", f"/v1/conversations?channel_id={channel}")["data"] if c["peer"] == USER])[0]


def maap(api):
    """What the channel sends to a MaaP is what the SDK sends."""
    settings = {"provider": "maap", "chatbot_id": BOT, "api_base_url": api}
    made = call("POST", "/v1/channels", {"type": "rcs", "name": "Peer", "settings": settings, "secrets": {"access_token": TOKEN, "webhook_secret": SECRET}})
    said = {"msgId": secrets.token_hex(8), "textMessage": "hello", "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    event = {"RCSMessage": said, "messageContact": {"userContact": USER}, "event": "message"}
    call("POST", f"/webhooks/rcs/{made['id']}?secret={SECRET}", event, key="")
    one = conversation(made["id"])
    client = sdk.Chatbot(api, BOT, TOKEN)
    for ours, content, chips in messages():
        call("POST", f"/v1/conversations/{one['id']}/messages", ours, {"Idempotency-Key": secrets.token_hex(8)})
        path, header, sent = Platform.calls.get(timeout=WAIT)
        client.sendMessage(TO, content, chips)
        want_path, want_header, want = Platform.calls.get(timeout=WAIT)
        got, want = json.loads(sent), bare(json.loads(want))
        if (path, header["Authorization"], got) != (want_path, want_header["Authorization"], want):
            finding(f"the channel calls {path} with {got}, the SDK {want_path} with {want}")
    print("rcs: the channel's calls are those of the SDK")


def google(api):
    """The assertion by which the channel asks Google for a token holds for Google's own library, and the token is used."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    agent, account = "peer_agent@rbm.goog", "peer@rbm-peer.iam.gserviceaccount.com"
    file = json.dumps({"type": "service_account", "client_email": account, "private_key_id": "k1", "private_key": private})
    settings = {"provider": "google", "agent_id": agent, "api_base_url": api}
    made = call("POST", "/v1/channels", {"type": "rcs", "name": "Peer", "settings": settings, "secrets": {"client_token": SECRET, "service_account": file}})
    data = json.dumps({
        "senderPhoneNumber": USER, "messageId": secrets.token_hex(8), "agentId": agent, "text": "hello",
        "sendTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }).encode()
    proof = base64.b64encode(hmac.new(SECRET.encode(), data, hashlib.sha512).digest()).decode()
    push = {"message": {"attributes": {"type": "message"}, "data": base64.b64encode(data).decode(), "messageId": "1"}, "subscription": "projects/p/subscriptions/s"}
    call("POST", f"/webhooks/rcs/{made['id']}", push, {"X-Goog-Signature": proof}, key="")
    one = conversation(made["id"])
    call("POST", f"/v1/conversations/{one['id']}/messages", {"text": "Hi"}, {"Idempotency-Key": secrets.token_hex(8)})
    path, _, body = Platform.calls.get(timeout=WAIT)
    asked = urllib.parse.parse_qs(body.decode())
    if path != "/token" or asked["grant_type"] != ["urn:ietf:params:oauth:grant-type:jwt-bearer"]:
        finding(f"the channel asks {path} for a token with {asked}")
    claims = jwt.decode(asked["assertion"][0], certs=public, audience="https://oauth2.googleapis.com/token")
    if (claims["iss"], claims["scope"]) != (account, "https://www.googleapis.com/auth/rcsbusinessmessaging"):
        finding(f"the assertion says {claims}")
    path, header, body = Platform.calls.get(timeout=WAIT)
    if header["Authorization"] != "Bearer ya29.peer" or not path.startswith(f"/v1/phones/{USER}/agentMessages?"):
        finding(f"the channel calls {path} with {header}")
    if json.loads(body)["contentMessage"] != {"text": "Hi"}:
        finding(f"the channel sends {body}")
    print("rcs: the assertion holds for google-auth, and the token is used")


def main():
    at = serve(Platform)
    sdk_to_simulator(at + "/hook")
    maap(at)
    google(at)
    sys.exit(1 if found else 0)


main()
