"""What the channel calls at Meta's API, beside what the SDK calls for the same."""

import datetime
import json
import secrets

from asking import STAND, WAIT, call, finding
from graph import VERSION, Graph
from pywa.types import Button, FlowButton, Section, SectionList, SectionRow, URLButton
from pywa.types.flows import FlowActionType
from pywa.types.others import Contact
from pywa.types.templates import (
    BodyText,
    Carousel,
    CarouselCard,
    CopyCodeButton,
    Currency,
    DateTime,
    HeaderDocument,
    HeaderImage,
    HeaderLocation,
    HeaderText,
    HeaderVideo,
    LimitedTimeOffer,
    QuickReplyButton,
    TemplateLanguage,
)
from pywa.types.templates import FlowButton as TemplateFlow
from pywa.types.templates import URLButton as TemplateURL

# What the SDK writes and Meta takes for granted where it is missing.
GRANTED = {"mode": "published"}
BUTTONS = {"kind": "buttons", "body": "Do you?", "buttons": [{"id": "y", "title": "Yes"}, {"id": "n", "title": "No"}]}
LIST = {"kind": "list", "header": "Drinks", "body": "Which?", "footer": "All warm", "button": "Open",
        "sections": [{"title": "A", "rows": [{"id": "t", "title": "Tea"}]}, {"title": "B", "rows": [{"id": "m", "title": "Milk", "description": "warm"}]}]}
FLOW = {"kind": "flow", "body": "Fill in", "button": "Open", "flow": {"id": "777", "token": "ft-1", "action": "navigate", "screen": "SIZE", "data": {"sku": "1"}}}
CARD = {"name": "Ben Roth", "first_name": "Ben", "last_name": "Roth", "phones": ["+4915198765432"], "emails": ["ben@example.com"], "urls": ["https://ben.example"], "org": "Roth & Co"}
OFFER = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)
MEDIA, LINK = "1234567890123456", "https://cdn.example/v.mp4"
SECTIONS = [Section("A", [SectionRow("Tea", "t")]), Section("B", [SectionRow("Milk", "m", "warm")])]
CONTACT = Contact(Contact.Name("Ben Roth", "Ben", "Roth"), phones=[Contact.Phone("+4915198765432")], emails=[Contact.Email("ben@example.com")],
                  urls=[Contact.Url("https://ben.example")], org=Contact.Org("Roth & Co"))


def yes_no():
    return [Button("Yes", "y"), Button("No", "n")]


def template(*components):
    return {"template": {"name": "invoice_1", "language": "pt_BR"} | ({"components": list(components)} if components else {})}


def part(kind, *parameters, **more):
    return {"type": kind, **more, "parameters": list(parameters)}


def button(kind, index, **parameter):
    return part("button", parameter, sub_type=kind, index=str(index))


def templates(files):
    """Messages of templates, and how the SDK fills the same template; None: it has no parameters."""
    note = files["document"]
    cards = [{"card_index": n, "components": [part("header", {"type": "image", "attachment": {"media_ref": MEDIA, "type": "image"}}), button("quick_reply", 0, type="payload", payload="a")]}
             for n in range(2)]
    return {
        "template": (template(), None),
        "template, text": (template(part("header", {"type": "text", "text": "May"}), part("body", {"type": "text", "text": "Ana"})), lambda: [HeaderText.params("May"), BodyText.params("Ana")]),
        "template, names": (template(part("body", {"type": "text", "parameter_name": "who", "text": "Ana"})), lambda: [BodyText.params(who="Ana")]),
        "template, values": (
            template(part("body", {"type": "text", "text": "Ana"}, {"type": "currency", "currency": {"fallback_value": "R$ 10", "code": "BRL", "amount_1000": 10000}},
                          {"type": "date_time", "date_time": {"fallback_value": "amanhã"}})),
            lambda: [BodyText.params("Ana", Currency(fallback_value="R$ 10", code="BRL", amount_1000=10000), DateTime(fallback_value="amanhã"))]),
        "template, buttons": (
            template(button("quick_reply", 0, type="payload", payload="a"), button("url", 1, type="text", text="42"), button("copy_code", 2, type="coupon_code", coupon_code="TEN"),
                     button("flow", 3, type="action", action={"flow_token": "t", "flow_action_data": {"a": 1}})),
            lambda: [QuickReplyButton.params(callback_data="a", index=0), TemplateURL.params(url_variable="42", index=1), CopyCodeButton.params(coupon_code="TEN", index=2),
                     TemplateFlow.params(flow_token="t", flow_action_data={"a": 1}, index=3)]),
        "template, place": (
            template(part("header", {"type": "location", "location": {"latitude": -23.5, "longitude": -46.6, "name": "Loja", "address": "Rua 1"}})),
            lambda: [HeaderLocation.params(lat=-23.5, lon=-46.6, name="Loja", address="Rua 1")]),
        "template, image": (template(part("header", {"type": "image", "attachment": {"media_ref": MEDIA, "type": "image"}})), lambda: [HeaderImage.params(image=MEDIA)]),
        "template, video": (template(part("header", {"type": "video", "attachment": {"url": LINK, "type": "video"}})), lambda: [HeaderVideo.params(video=LINK)]),
        "template, document": (
            template(part("header", {"type": "document", "attachment": {"id": note.id}})),
            lambda: [HeaderDocument.params(document=note.data, filename=note.name, mime_type=note.mime)]),
        "template, carousel": (
            template({"type": "carousel", "cards": cards}),
            lambda: [Carousel.params(cards=[CarouselCard.params(params=[HeaderImage.params(image=MEDIA), QuickReplyButton.params(callback_data="a", index=0)], index=n) for n in range(2)])]),
        # The SDK writes seconds where Meta wants milliseconds, as the name of the field says.
        "template, offer": (
            template(part("limited_time_offer", {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": int(OFFER.timestamp()) * 1000}})),
            lambda: [part("limited_time_offer", {"type": "limited_time_offer", "limited_time_offer": {
                "expiration_time_ms": LimitedTimeOffer.params(expiration_time=OFFER).to_dict()["parameters"][0]["limited_time_offer"]["expiration_time_ms"] * 1000}})]),
    }


def messages(wa, to, first, files):
    """Messages as the API takes them, and the SDK's calls for the same. first is the message that is answered: its id here and at Meta."""
    here, there = first
    image, note = files["image"], files["document"]
    up = lambda file: wa.upload_media(file.data, file.mime, file.name)  # noqa: E731
    out = {
        "text": ({"text": "an answer"}, lambda t: wa.send_message(to, "an answer", tracker=t)),
        "reply": ({"text": "an answer", "reply_to": here}, lambda t: wa.send_message(to, "an answer", reply_to_message_id=there, tracker=t)),
        "URL": ({"text": "see https://shop.example/x"}, lambda t: wa.send_message(to, "see https://shop.example/x", preview_url=True, tracker=t)),
        "image": ({"text": "look", "attachment_ids": [image.id]}, lambda t: wa.send_image(to, up(image), "look", tracker=t)),
        "video": ({"attachment_ids": [files["video"].id]}, lambda t: wa.send_video(to, up(files["video"]), tracker=t)),
        "document": ({"text": "read", "attachment_ids": [note.id]}, lambda t: wa.send_document(to, up(note), note.name, "read", tracker=t)),
        "audio": ({"attachment_ids": [files["audio"].id]}, lambda t: wa.send_audio(to, up(files["audio"]), tracker=t)),
        "voice": ({"type": "voice", "attachment_ids": [files["audio"].id]}, lambda t: wa.send_voice(to, up(files["audio"]), tracker=t)),
        "sticker": ({"type": "sticker", "attachment_ids": [files["sticker"].id]}, lambda t: wa.send_sticker(to, up(files["sticker"]), tracker=t)),
        "place": ({"location": {"latitude": 45.8, "longitude": -15.9, "name": "Shop", "address": "Ilica 1"}}, lambda t: wa.send_location(to, 45.8, -15.9, "Shop", "Ilica 1", tracker=t)),
        "pin": ({"location": {"latitude": 45.8, "longitude": -15.9}}, lambda t: wa.send_location(to, 45.8, -15.9, tracker=t)),
        "contacts": ({"contacts": [CARD, CARD]}, lambda t: wa.send_contact(to, [CONTACT, CONTACT], tracker=t)),
        "buttons": ({"interactive": BUTTONS | {"header": "Sure?", "footer": "Really"}, "reply_to": here},
                    lambda t: wa.send_message(to, "Do you?", "Sure?", "Really", yes_no(), reply_to_message_id=there, tracker=t)),
        "buttons under an image": ({"interactive": BUTTONS, "attachment_ids": [image.id]}, lambda t: wa.send_image(to, up(image), "Do you?", buttons=yes_no(), tracker=t)),
        "list": ({"interactive": LIST}, lambda t: wa.send_message(to, "Which?", "Drinks", "All warm", SectionList("Open", SECTIONS), tracker=t)),
        "link": ({"interactive": {"kind": "link", "body": "See", "button": "Open", "url": "https://shop.example/x"}},
                 lambda t: wa.send_message(to, "See", buttons=URLButton("Open", "https://shop.example/x"), tracker=t)),
        "link under a document": ({"interactive": {"kind": "link", "body": "See", "footer": "Soon", "button": "Open", "url": "https://shop.example/x"}, "attachment_ids": [note.id]},
                                  lambda t: wa.send_document(to, up(note), note.name, "See", "Soon", URLButton("Open", "https://shop.example/x"), tracker=t)),
        "location request": ({"interactive": {"kind": "location_request", "body": "Where?"}}, lambda t: wa.request_location(to, "Where?", tracker=t)),
        "flow": ({"interactive": FLOW}, lambda t: wa.send_message(to, "Fill in", tracker=t, buttons=FlowButton(
            "Open", "777", "ft-1", FlowActionType.NAVIGATE, "SIZE", {"sku": "1"}))),
        "reaction": ({"reaction": {"message_id": here, "emoji": "🎉"}}, lambda t: wa.send_reaction(to, "🎉", there, tracker=t)),
        "no reaction": ({"reaction": {"message_id": here, "emoji": ""}}, lambda t: wa.remove_reaction(to, there, tracker=t)),
    }
    for what, (body, params) in templates(files).items():
        out[what] = (body, lambda t, p=params: wa.send_template(to, "invoice_1", TemplateLanguage.PORTUGUESE_BR, params=p() if p else None, tracker=t))
    return out


def compare(wa, number, conversation, cases):
    for what, (body, sdk) in cases.items():
        tracker = secrets.token_hex(8)
        sdk(tracker)
        want = [Graph.calls.get(timeout=WAIT) for _ in range(Graph.calls.qsize())]
        call("POST", f"/v1/conversations/{conversation}/messages", body, {"Idempotency-Key": secrets.token_hex(8)})
        got = [Graph.calls.get(timeout=WAIT) for _ in want]
        if not (ref := got[-1].body.get("biz_opaque_callback_data") if isinstance(got[-1].body, dict) else None):
            finding(f"channel, {what}: the call has nothing by which its receipts are known: {got[-1]}")
        same(f"channel, {what}", number, got, want, {ref: tracker})


def signals(wa, number, conversation, newest):
    """Typing and read are calls about the newest message of the customer."""
    for path, body, sdk in (("typing", {"typing": True}, wa.indicate_typing), ("read", None, wa.mark_message_as_read)):
        sdk(newest)
        want = [Graph.calls.get(timeout=WAIT)]
        call("POST", f"/v1/conversations/{conversation}/{path}", body)
        same(f"channel, {path}", number, [Graph.calls.get(timeout=WAIT)], want, {})


def same(what, number, got, want, renamed):
    """Calls of the channel are those of the SDK, but for the order of fields and what means the same."""
    for ours, theirs in zip(got, want, strict=True):
        if not ours.path.startswith(f"/{VERSION}/{number}/"):
            finding(f"{what}: {ours.path} is not the number's")
        for name in ("method", "path", "query", "authorization"):
            if getattr(ours, name) != getattr(theirs, name):
                finding(f"{what}: {name} is {getattr(ours, name)!r}, and of the SDK {getattr(theirs, name)!r}")
        left, right = plain(ours.body, renamed), plain(theirs.body, {})
        if left != right:
            finding(f"{what}: the channel sends {json.dumps(left, default=size)}, the SDK {json.dumps(right, default=size)}")


def size(data):
    return f"{len(data)} bytes"


def plain(value, renamed, at=""):
    """A body without what says nothing: empty values, the case of types, numbers as texts, ids of files that are the same file."""
    if isinstance(value, dict):
        out = {k: plain(v, renamed, k) for k, v in value.items() if v is not None and v is not False and v not in ("", [], {}) and GRANTED.get(k) != v}
        return out | ({"emoji": value["emoji"]} if "emoji" in value else {})  # an empty one takes a reaction back
    if isinstance(value, (list, tuple)):
        return [plain(v, renamed, at) for v in value]
    if at in ("type", "sub_type"):
        return value.lower()
    if at == "index":
        return str(value)
    if at == "id" and value in Graph.files:
        return Graph.files[value]
    return renamed.get(value, value) if isinstance(value, str) else value
