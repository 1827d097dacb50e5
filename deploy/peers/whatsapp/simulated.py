"""The SDK in front of the simulator: it reads every webhook that the simulator can play, and its calls are taken there."""

import base64
import hashlib
import re
import secrets

import httpx
from asking import STAND, WAIT, call, finding
from graph import VERSION, Graph
from pywa.errors import WhatsAppError
from pywa.types import Button, Section, SectionList, SectionRow
from pywa.types.others import Contact
from pywa.types.templates import TemplateLanguage
from reader import Reader, differs

NUMBER, WABA, DISPLAY = str(10**14 + secrets.randbelow(10**14)), str(10**14 + secrets.randbelow(10**14)), "15550107788"
SECRET, TOKEN = secrets.token_hex(16), secrets.token_hex(32)
PERSON, HIDDEN, GROUP = "4915112345679", "DE.13491208655302741918", "Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD"
AT, SECONDS = "2026-06-15T12:00:00Z", 1781524800
MATCH = "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA="

BSUID = re.compile(r"DE\.\d+").fullmatch
WHO = {"from_user.wa_id": PERSON, "from_user.bsuid": BSUID, "from_user.name": "Ana Müller", "from_user.username": None}
TEXT = {"type": "text", "text": "Hello", "chat.type": "PRIVATE", "forwarded": False, "reply_to_message": None, "error": None}
PRESSED = {"reply_to_message.id": MATCH, "reply_to_message.from_user_id": DISPLAY, "data": "tea", "title": "tea"}


def media(kind, mime, **more):
    return {"type": kind, f"{kind}.mime_type": mime, f"{kind}.id": str.isdigit, f"{kind}.sha256": bool} | {f"{kind}.{k}": v for k, v in more.items()}


# What people do, the update that the SDK makes of it, and the fields of that update.
DONE = [
    ({}, "Message", WHO | TEXT),
    ({"text": "日本語 🙂 </script>"}, "Message", WHO | {"text": "日本語 🙂 </script>"}),
    ({"username": "ana_m"}, "Message", WHO | TEXT | {"from_user.username": "@ana_m"}),
    ({"from": HIDDEN, "username": "ana_m"}, "Message", TEXT | {"from_user.wa_id": None, "from_user.bsuid": HIDDEN, "chat.id": HIDDEN}),
    ({"group": GROUP}, "Message", WHO | {"text": "Hello", "chat.id": GROUP, "chat.type": "GROUP"}),
    ({"reply_to": MATCH}, "Message", WHO | {"text": "Hello", "reply_to_message.id": MATCH, "reply_to_message.from_user_id": DISPLAY}),
    ({"forwarded": True}, "Message", WHO | {"text": "Hello", "forwarded": True, "forwarded_many_times": False, "reply_to_message": None}),
    ({"kind": "image", "text": "look"}, "Message", WHO | media("image", "image/jpeg", caption="look")),
    ({"kind": "image"}, "Message", WHO | media("image", "image/jpeg", caption=None)),
    ({"kind": "audio"}, "Message", WHO | media("audio", "audio/ogg", voice=False) | {"voice": None}),
    ({"kind": "audio", "voice": True}, "Message", WHO | media("audio", "audio/ogg; codecs=opus", voice=True) | {"voice.voice": True}),
    ({"kind": "video", "text": "look"}, "Message", WHO | media("video", "video/mp4", caption="look")),
    ({"kind": "document", "text": "read"}, "Message", WHO | media("document", "application/pdf", caption="read", filename="document.pdf")),
    ({"kind": "sticker"}, "Message", WHO | media("sticker", "image/webp", animated=False)),
    ({"kind": "location", "location": {"latitude": 45.8, "longitude": -15.5, "name": "Shop", "address": "Ilica 1"}}, "Message",
     WHO | {"location.latitude": 45.8, "location.longitude": -15.5, "location.name": "Shop", "location.address": "Ilica 1"}),
    ({"kind": "location", "location": {"latitude": 45.8, "longitude": 15.5}}, "Message", WHO | {"location.name": None, "location.address": None}),
    ({"kind": "contacts", "contacts": [{"name": "Ben Roth", "phone": "+4915198765432"}, {"name": "Cem", "phone": "+4915198765433"}]}, "Message",
     WHO | {"contacts.0.name.formatted_name": "Ben Roth", "contacts.0.name.first_name": "Ben", "contacts.0.name.last_name": "Roth", "contacts.0.phones.0.wa_id": "4915198765432",
            "contacts.0.phones.0.phone": "+4915198765432", "contacts.0.phones.0.type": "CELL", "contacts.1.name.formatted_name": "Cem", "contacts.origin": "other"}),
    ({"kind": "button", "button": "tea", "target": MATCH}, "CallbackButton", WHO | PRESSED | {"is_quick_reply": False}),
    ({"kind": "quick_reply", "button": "tea", "target": MATCH}, "CallbackButton", WHO | PRESSED | {"is_quick_reply": True}),
    ({"kind": "list", "button": "tea", "target": MATCH}, "CallbackSelection", WHO | PRESSED | {"description": None}),
    ({"kind": "reaction", "text": "🎉", "target": MATCH}, "Message", WHO | {"reaction.emoji": "🎉", "reaction.message_id": MATCH, "message_id_to_reply": MATCH}),
    ({"kind": "reaction", "removed": True, "target": MATCH}, "Message", WHO | {"reaction.is_removed": True, "reaction.message_id": MATCH}),
    ({"kind": "edit", "text": "Hello!", "target": MATCH}, "EditedMessage",
     WHO | {"original_message_id": MATCH, "type": "text", "message.text": "Hello!", "chat.type": "PRIVATE"}),
    ({"kind": "delete", "target": MATCH}, "DeletedMessage", WHO | {"original_message_id": MATCH, "chat.type": "PRIVATE"}),
    ({"kind": "referral", "referral": {"code": "clid", "source": "post", "source_id": "77", "url": "https://fb.example/p", "headline": "New", "body": "Write"}}, "Message",
     WHO | TEXT | {"referral.ctwa_clid": "clid", "referral.source_type": "post", "referral.source_id": "77", "referral.source_url": "https://fb.example/p",
                   "referral.headline": "New", "referral.body": "Write", "referral.media_type": "image", "referral.image_url": bool}),
    ({"kind": "unsupported"}, "Message", WHO | {"type": "unsupported", "unsupported.type": "poll", "error.code": 131051, "error.details": bool}),
    ({"kind": "echo", "text": "from the app"}, "OutgoingMessage", {"text": "from the app", "type": "text", "to_user.wa_id": PERSON, "to_user.bsuid": BSUID}),
    ({"kind": "echo", "from": HIDDEN}, "OutgoingMessage", {"to_user.wa_id": None, "to_user.bsuid": HIDDEN}),
    ({"kind": "number_changed", "target": "+4917712345678"}, "PhoneNumberChange",
     {"sys_type": "user_changed_number", "old_wa_id": PERSON, "new_wa_id": "4917712345678", "new_user_id": BSUID, "body": lambda s: PERSON in s and "4917712345678" in s}),
]


def reader():
    """The SDK as the app of the simulated number."""
    settings = {"phone_number_id": NUMBER, "waba_id": WABA, "display_phone_number": DISPLAY}
    keys = {"app_secret": SECRET, "access_token": TOKEN}
    return settings, keys, Reader(NUMBER, WABA, SECRET, TOKEN, httpx.Client(timeout=WAIT), f"{STAND['url']}/simulator/whatsapp/{VERSION}")


def told(sdk, what, answer):
    """The update of the webhook that the simulator sent for what somebody did."""
    if answer["status"] != 200:
        return finding(f"the simulator's {what} was answered {answer}")
    return sdk.read(what, *Graph.webhooks.get(timeout=WAIT))


def webhooks(sdk):
    """Returns a file of every kind: its name, type and bytes."""
    samples = {}
    for act, kind, fields in DONE:
        what = f"simulator, {act or 'text'}"
        answer = call("POST", "/simulator/inbound", {"type": "whatsapp", "account": NUMBER, "from": "+" + PERSON, "name": "Ana Müller", "at": AT} | act)
        update = told(sdk, what, answer)
        if update is None:
            continue
        common = {"waba_id": WABA, "metadata.phone_number_id": NUMBER, "metadata.display_phone_number": DISPLAY, "__class__.__name__": kind,
                  "id": answer["id"], "timestamp": lambda t: t.timestamp() == SECONDS}
        differs(what, update, common | fields)
        if getattr(update, "has_media", False):
            samples[update.type.value] = fetched(what, sdk, update.media)
    print(f"whatsapp: {len(DONE)} webhooks of the simulator read")
    return samples


def fetched(what, sdk, file):
    """The SDK fetches the file as a program would, and finds what the webhook announced."""
    data, found = file.get_bytes(), sdk.wa.get_media_url(file.id)
    digest = hashlib.sha256(data)
    differs(what, file, {"sha256": base64.b64encode(digest.digest()).decode()})
    differs(what, found, {"id": file.id, "file_size": len(data), "sha256": digest.hexdigest()})
    return file.filename or "file" + file.extension, file.mime_type.split(";")[0], data


def calls(sdk):
    """The simulator takes what the SDK sends, the SDK understands its answers, and reads the receipts."""
    wa, to, picture = sdk.wa, "+" + PERSON, b"\x89PNG\r\n\x1a\n" + bytes(64)
    uploaded = wa.upload_media(picture, "image/png", "dot.png")
    if wa.get_media_bytes(wa.get_media_url(uploaded.id).url) != picture:
        finding("the simulator gives back another file than was uploaded")
    buttons, rows = [Button("Tea", "tea"), Button("Milk", "milk")], SectionList("Open", [Section("All", [SectionRow("Tea", "tea"), SectionRow("Milk", "milk", "warm")])])
    sent = {
        "text": wa.send_message(to, "hello", tracker="t1"),
        "user id": wa.send_message(HIDDEN, "hello", tracker="t1"),
        "group": wa.send_message(GROUP, "hello", tracker="t1"),
        "image": wa.send_image(to, uploaded.id, "look", tracker="t1"),
        "location": wa.send_location(to, 45.8, 15.5, "Shop", "Ilica 1", tracker="t1"),
        "contacts": wa.send_contact(to, Contact(Contact.Name("Ben Roth", "Ben"), phones=[Contact.Phone("+4915198765432")]), tracker="t1"),
        "reaction": wa.send_reaction(to, "🎉", MATCH, tracker="t1"),
        "template": wa.send_template(to, "hello", TemplateLanguage.GERMAN, tracker="t1"),
        "location request": wa.request_location(to, "Where?", tracker="t1"),
        "buttons": wa.send_message(to, "Which?", buttons=buttons, tracker="t1"),
    }
    for signal in (wa.mark_message_as_read, wa.indicate_typing):
        if not signal(MATCH).success:
            finding(f"the simulator does not take {signal.__name__}")
    pressed(sdk, "button", sent["buttons"], "CallbackButton")
    pressed(sdk, "list", wa.send_message(to, "Which?", buttons=rows, tracker="t1"), "CallbackSelection")
    for what, message in sent.items():
        receipts(sdk, what, message)
    if not wa.delete_media(uploaded.id).success:
        finding("the simulator does not delete a file")
    print(f"whatsapp: {len(sent)} messages of the SDK taken by the simulator, and {len(RECEIPTS)} receipts of each read")


def pressed(sdk, kind, offer, update):
    """Somebody chooses from what the SDK offered, by the title that they see."""
    what = f"simulator, {kind} by its title"
    answer = call("POST", "/simulator/inbound", {"type": "whatsapp", "account": NUMBER, "from": PERSON, "kind": kind, "text": "Milk"})
    if got := told(sdk, what, answer):
        differs(what, got, {"__class__.__name__": update, "data": "milk", "title": "Milk", "reply_to_message.id": offer.id})


PRICED = {"pricing.model": "PMP", "pricing.billable": lambda v: isinstance(v, bool), "pricing.type": bool, "pricing.category": bool}
RECEIPTS = {
    "sent": PRICED, "delivered": PRICED, "read": {"pricing": None}, "played": {"pricing": None},
    "failed": {"error.code": 131047, "error.message": "Re-engagement message", "error.details": bool, "error.__class__.__name__": "ReEngagementMessage", "pricing": None},
}


def receipts(sdk, what, message):
    for status, fields in RECEIPTS.items():
        name = f"simulator, {status} of a message to a {what}"
        receipt = {"account": NUMBER, "id": message.id, "status": status} | ({"error": 131047} if status == "failed" else {})
        got = told(sdk, name, call("POST", "/simulator/receipts", receipt))
        if got is None:
            continue
        want = {"id": message.id, "status": status, "tracker": "t1", "metadata.phone_number_id": NUMBER} | fields
        if status != "failed":
            want["error"] = None
        if what == "group":
            differs(name, got, {"__class__.__name__": "GroupMessageStatuses", "group_id": GROUP, "__len__": lambda n: n() == 1})
            got = got[0]
            want["from_user.bsuid"] = bool
        elif what == "user id":
            want |= {"from_user.wa_id": None, "from_user.bsuid": HIDDEN}
        else:  # of a message that failed Meta tells the number alone that it was sent to
            want |= {"from_user.wa_id": PERSON, "from_user.bsuid": (lambda v: v is None) if status == "failed" else BSUID}
        differs(name, got, want)


def refusals(sdk):
    """What the simulator refuses is to the SDK the error that Meta documents."""
    for code, name in {130429: "RateLimitHit", 131056: "TooManyMessages", 131047: "ReEngagementMessage", 190: "ExpiredAccessToken", 132001: "TemplateNotExists"}.items():
        call("PUT", "/simulator/script", {"account": NUMBER, "fail": {"code": code, "times": 1}, "receipts": {"mode": "manual"}})
        try:
            sdk.wa.send_message("+" + PERSON, "hello")
            finding(f"the simulator took a message that it should refuse with {code}")
        except WhatsAppError as e:
            differs(f"refusal {code}", e, {"code": code, "__class__.__name__": name, "fbtrace_id": bool, "details": bool, "type": "OAuthException"})


def run(hook):
    settings, keys, sdk = reader()
    call("POST", "/simulator/accounts", {"type": "whatsapp", "settings": settings, "secrets": keys, "webhook_url": hook})
    call("PUT", "/simulator/script", {"account": NUMBER, "receipts": {"mode": "manual"}})
    samples = webhooks(sdk)
    calls(sdk)
    refusals(sdk)
    return samples
