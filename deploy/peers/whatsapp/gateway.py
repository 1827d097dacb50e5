"""Webhooks that the SDK reads, signed as the SDK checks them, and what the gateway makes of them; then what its channel sends."""

import hashlib
import hmac
import json
import secrets
import time
import typing
import urllib.error
import urllib.request

import httpx
import sending
from asking import STAND, WAIT, call, finding, until
from graph import VERSION, Graph
from pywa import utils
from reader import Reader, differs

NUMBER, WABA, DISPLAY = str(10**14 + secrets.randbelow(10**14)), str(10**14 + secrets.randbelow(10**14)), "15550107766"
SECRET, TOKEN = secrets.token_hex(16), secrets.token_hex(32)
PERSON, BSUID, HIDDEN, GROUP = "385911234567", "HR.10491208655302741918", "HR.13491208655302741918", "Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD"
CATALOG = "194836987003835"


class File(typing.NamedTuple):
    id: str
    name: str
    mime: str
    data: bytes


def wamid():
    return "wamid." + secrets.token_urlsafe(30)


def webhook(field, **value):
    """A webhook as Meta writes it: everything beyond ASCII as \\u…, and slashes escaped."""
    value = {"messaging_product": "whatsapp", "metadata": {"display_phone_number": DISPLAY, "phone_number_id": NUMBER}, **value}
    body = {"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"value": value, "field": field}]}]}
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def message(who, kind, **fields):
    """A webhook with one message. who: the fields that say whose it is, and the contact object."""
    ids, contact = who
    return webhook("messages", contacts=[contact], messages=[ids | {"id": wamid(), "timestamp": str(int(time.time())), "type": kind} | fields])


ANA = ({"from": PERSON, "from_user_id": BSUID}, {"profile": {"name": "Ana Horvat"}, "wa_id": PERSON, "user_id": BSUID})
NOBODY = ({"from_user_id": HIDDEN}, {"profile": {"name": "Ivo", "username": "@ivo_k"}, "user_id": HIDDEN})
IN_GROUP = (ANA[0] | {"group_id": GROUP}, ANA[1])


def signature(body, secret=SECRET):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post(channel, body, signed):
    """The status with which the gateway answers a webhook."""
    request = urllib.request.Request(f"{STAND['url']}/webhooks/whatsapp/{channel}", data=body, method="POST")
    request.add_header("Content-Type", "application/json")
    request.add_header("X-Hub-Signature-256", signed)
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code


def say(sdk, channel, what, body):
    """Has the SDK read a webhook, and sends it; returns the SDK's update."""
    update = sdk.read(f"webhook, {what}", body, signature(body))
    if (status := post(channel, body, signature(body))) != 200:
        finding(f"the gateway answers the webhook of {what} with {status}: {body.decode()}")
    return update


def signatures(channel):
    """The gateway takes and refuses the same signatures as the SDK."""
    body = message(ANA, "text", text={"body": "ž / 🙂"})
    for what, signed in {"right": signature(body), "of another secret": signature(body, "x" + SECRET), "of another body": signature(body + b" "), "empty": "sha256="}.items():
        taken = utils.webhook_updates_validator(SECRET, body, signed)
        if (status := post(channel, body, signed)) != (200 if taken else 401):
            finding(f"a signature that is {what}: the SDK says {taken}, the gateway {status}")


def handshake(sdk, channel, verify):
    for token in (verify, "x" + verify):
        text, status = sdk.wa.webhook_challenge_handler(token, "115820")
        try:
            said = str(call("GET", f"/webhooks/whatsapp/{channel}?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=115820", key="")), 200
        except SystemExit as e:
            said = "", 403 if ": 403 " in str(e) else e
        if said[1] != status or status == 200 and said[0] != text:
            finding(f"the handshake is answered {said}, and {(text, status)} by the SDK")


def conversations(channel):
    return call("GET", f"/v1/conversations?channel_id={channel}")["data"]


def arrived(conversation, external):
    """The message of a conversation with Meta's id."""
    def ask():
        return next((m for m in call("GET", f"/v1/conversations/{conversation}/messages?limit=100")["data"] if external in m["external_ids"]), None)
    return until(f"message {external}", ask)


# What the simulator does not play: the webhook's message, and fields of the SDK's update and of our message with what they must be.
SAID = {
    "order": (("order", {"order": {"catalog_id": CATALOG, "text": "soon", "product_items": [{"product_retailer_id": "di9ozbzfi4", "quantity": 2, "item_price": 30.5, "currency": "EUR"}]}}),
              {"order.catalog_id": CATALOG, "order.text": "soon", "order.products.0.sku": "di9ozbzfi4", "order.products.0.quantity": 2, "order.products.0.price": 30.5, "order.products.0.currency": "EUR"},
              {"type": "order", "order": {"catalog_id": CATALOG, "note": "soon", "items": [{"product_id": "di9ozbzfi4", "quantity": 2, "price": "30.5", "currency": "EUR"}]}}),
    "flow": (("interactive", {"interactive": {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": '{"flow_token":"ft-1","size":"L"}'}}}),
             {"body": "Sent", "token": "ft-1", "response": {"size": "L"}},
             {"interaction": {"kind": "form", "id": "flow", "title": "Sent", "data": {"flow_token": "ft-1", "size": "L"}}}),
    "row": (("interactive", {"context": {"from": DISPLAY, "id": "wamid.A"}, "interactive": {"type": "list_reply", "list_reply": {"id": "m", "title": "Milk", "description": "warm"}}}),
            {"data": "m", "title": "Milk", "description": "warm"}, {"interaction": {"kind": "list", "id": "m", "title": "Milk", "description": "warm"}}),
    "product": (("text", {"text": {"body": "blue?"}, "context": {"from": DISPLAY, "id": "wamid.B", "referred_product": {"catalog_id": CATALOG, "product_retailer_id": "di9ozbzfi4"}}}),
                {"text": "blue?", "reply_to_message.referred_product.sku": "di9ozbzfi4"}, {"text": "blue?", "reply_to": {"external_id": "wamid.B", "product": "di9ozbzfi4"}}),
    "own card": (("contacts", {"contacts": [{"name": {"formatted_name": "Ana Horvat", "first_name": "Ana"}, "phones": [{"phone": "+" + PERSON, "wa_id": PERSON, "type": "HOME"}],
                                             "emails": [{"email": "ana@example.com", "type": "WORK"}], "org": {"company": "Roth"}, "urls": [{"url": "https://ana.example", "type": "WORK"}]}]}),
                 {"contacts.0.name.first_name": "Ana", "contacts.0.phones.0.wa_id": PERSON, "contacts.0.emails.0.email": "ana@example.com", "contacts.0.org.company": "Roth"},
                 {"contacts": [{"name": "Ana Horvat", "first_name": "Ana", "phones": ["+" + PERSON], "emails": ["ana@example.com"], "urls": ["https://ana.example"], "org": "Roth", "peer": PERSON}]}),
    "often forwarded": (("text", {"text": {"body": "news"}, "context": {"frequently_forwarded": True}}), {"forwarded": True, "forwarded_many_times": True}, {"text": "news", "forwarded": True}),
}


def arrivals(sdk, channel, conversation):
    for what, ((kind, fields), read, kept) in SAID.items():
        update = say(sdk, channel, what, message(ANA, kind, **fields))
        if update is None:
            continue
        differs(f"webhook, {what}", update, read | {"from_user.wa_id": PERSON, "from_user.bsuid": BSUID})
        got = arrived(conversation, update.id)
        for name, value in kept.items():
            if lost := less(value, got.get(name)):
                finding(f"webhook, {what}: the gateway lost {name}{lost}: {got}")
    print(f"whatsapp: {len(SAID)} webhooks that the SDK reads have arrived")


def less(want, got, at=""):
    """Where got has not all that is wanted."""
    if isinstance(want, dict):
        return next((lost for k, v in want.items() if (lost := less(v, got.get(k) if isinstance(got, dict) else None, f"{at}.{k}"))), "")
    if isinstance(want, list):
        same = isinstance(got, list) and len(got) == len(want)
        return next((lost for n, v in enumerate(want) if (lost := less(v, got[n], f"{at}.{n}"))), "") if same else at
    return "" if want == got else f"{at} ({got!r})"


def picture(sdk, channel, conversation, file):
    """The gateway fetches a file with the calls that the SDK makes for it."""
    media = Graph.keep(file.mime, file.data)
    body = message(ANA, "image", image={"id": media, "mime_type": file.mime, "sha256": "", "caption": "look"})
    update = sdk.read("webhook, image", body, signature(body))
    if update.image.get_bytes() != file.data:
        finding("the SDK fetched another file")
    want = [Graph.fetches.get(timeout=WAIT) for _ in range(2)]
    post(channel, body, signature(body))
    got = [Graph.fetches.get(timeout=WAIT) for _ in range(2)]
    if [c.query for c in got] != [f"phone_number_id={NUMBER}", ""]:  # has Meta check whose file it is; the SDK leaves it out
        finding(f"the gateway asks for a file with {got}")
    if [c._replace(query="") for c in got] != want:
        finding(f"the gateway fetches a file with {got}, the SDK with {want}")
    kept = arrived(conversation, update.id)
    if kept["text"] != "look" or kept["attachments"][0]["mime"] != file.mime:
        finding(f"the image arrived as {kept}")


def upload(name, mime, data):
    mark = secrets.token_hex(16)
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {mime}\r\n\r\n'
    made = call("POST", "/v1/attachments", head.encode() + data + f"\r\n--{mark}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={mark}"})
    return File(made["id"], made["name"], made["mime"], data)


def run(api, samples):
    verify = "verify-" + TOKEN
    sdk = Reader(NUMBER, WABA, SECRET, TOKEN, httpx.Client(timeout=WAIT), f"{api}/{VERSION}")
    channel = call("POST", "/v1/channels", {
        "type": "whatsapp", "name": "Peer", "settings": {"provider": "cloud", "phone_number_id": NUMBER, "waba_id": WABA, "api_base_url": api},
        "secrets": {"app_secret": SECRET, "access_token": TOKEN, "verify_token": verify},
    })["id"]
    handshake(sdk, channel, verify)
    signatures(channel)
    one = until("conversation", lambda: conversations(channel))[0]["id"]
    arrivals(sdk, channel, one)
    files = {kind: upload(*sample) for kind, sample in samples.items()}
    picture(sdk, channel, one, files["image"])
    first = say(sdk, channel, "text", message(ANA, "text", text={"body": "bok 🙂"}))
    here = arrived(one, first.id)["id"]
    cases = sending.messages(sdk.wa, "+" + PERSON, (here, first.id), files)
    sending.compare(sdk.wa, NUMBER, one, cases)
    sending.signals(sdk.wa, NUMBER, one, first.id)
    for to, who in ((HIDDEN, NOBODY), (GROUP, IN_GROUP)):
        say(sdk, channel, f"text of {to}", message(who, "text", text={"body": "here"}))
        other = until(f"conversation with {to}", lambda to=to: [c for c in conversations(channel) if c["peer"] == to])[0]["id"]
        sending.compare(sdk.wa, NUMBER, other, {f"text to {to}": ({"text": "an answer"}, lambda t, to=to: sdk.wa.send_message(to, "an answer", tracker=t))})
    print(f"whatsapp: {len(cases) + 4} calls of the channel are those of the SDK")
