"""LINE's own SDK reads what the gateway and its simulator send.

From one side the SDK takes the webhooks of the simulator: their signature, and every event as one that it knows. From the
other side the SDK's models make webhooks for the gateway, and this program stands where LINE's API is: what the channel sends
must satisfy the SDK's models.
"""

import base64
import hashlib
import hmac
import json
import queue
import secrets
import sys
import time

from asking import STAND, WAIT, Handler, call, finding, found, serve, until
from linebot.v3 import SignatureValidator, WebhookParser
from linebot.v3.messaging import (
    MarkMessagesAsReadByTokenRequest,
    Message,
    PushMessageRequest,
    ReplyMessageRequest,
    ShowLoadingAnimationRequest,
)
from linebot.v3.webhook import UnknownEvent
from linebot.v3.webhooks import (
    CallbackRequest,
    DeliveryContext,
    GroupSource,
    MessageEvent,
    PostbackContent,
    PostbackEvent,
    TextMessageContent,
    UnsendDetail,
    UnsendEvent,
    UserSource,
)

SECRET, TOKEN = secrets.token_hex(16), secrets.token_hex(32)
USER, GROUP = "U" + secrets.token_hex(16), "C" + secrets.token_hex(16)
BOT, SIMULATED = "U" + secrets.token_hex(16), "U" + secrets.token_hex(16)
class Line(Handler):
    """Takes webhooks of the simulator at /hook, and the calls of the channel anywhere else."""

    webhooks, calls = queue.Queue(), queue.Queue()

    def do_GET(self):
        self.answer({"message": "Not found"}, 404)

    def do_POST(self):
        body = self.read().decode()
        if self.path == "/hook":
            self.webhooks.put((body, self.headers.get("X-Line-Signature")))
            return self.answer({})
        self.calls.put((self.path, body, dict(self.headers)))
        count = len(json.loads(body).get("messages", []))
        self.answer({"sentMessages": [{"id": str(secrets.randbits(60)), "quoteToken": secrets.token_hex(8)} for _ in range(count)]})


def simulator_to_sdk(hook):
    """Every kind of event of the simulator passes the SDK's check of the signature and is one that the SDK knows."""
    parser = WebhookParser(SECRET)
    settings = {"destination": SIMULATED}
    key = {"channel_secret": SECRET, "channel_access_token": secrets.token_hex(32)}
    call("POST", "/simulator/accounts", {"type": "line", "settings": settings, "secrets": key, "webhook_url": hook})
    said = [{"kind": kind} for kind in ("text", "image", "audio", "video", "document", "sticker", "location", "delete", "block", "unblock", "button")]
    said += [{"kind": "text", "group": GROUP}, {"kind": "edit", "group": GROUP}, {"kind": "text", "text": "日本語 🙂 </script>"}]
    for what in said:
        told = call("POST", "/simulator/inbound", {"type": "line", "account": SIMULATED, "from": USER, **what})
        if told["status"] != 200:
            finding(f"the simulator's {what} was answered {told}")
            continue
        body, signature = Line.webhooks.get(timeout=WAIT)
        for event in parser.parse(body, signature):
            if isinstance(event, UnknownEvent):
                finding(f"the SDK does not know the event of {what}: {body}")
    print(f"line: {len(said)} webhooks of the simulator parsed")


def event(kind, source=None, **parts):
    return kind(
        source=source or UserSource(userId=USER), timestamp=int(time.time() * 1000), mode="active",
        webhookEventId=secrets.token_hex(13).upper(), deliveryContext=DeliveryContext(isRedelivery=False), **parts,
    )


def say(channel, *events):
    """Sends a webhook as LINE does, and has the SDK's own check agree with the signature first."""
    body = json.dumps(CallbackRequest(destination=BOT, events=list(events)).to_dict(), ensure_ascii=False)
    signature = base64.b64encode(hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).digest()).decode()
    if not SignatureValidator(SECRET).validate(body, signature):
        raise SystemExit("the SDK does not take our signature")
    call("POST", f"/webhooks/line/{channel}", body.encode(), {"X-Line-Signature": signature}, key="")


MODELS = {
    "/v2/bot/message/reply": ReplyMessageRequest,
    "/v2/bot/message/push": PushMessageRequest,
    "/v2/bot/chat/loading/start": ShowLoadingAnimationRequest,
    "/v2/bot/chat/markAsRead": MarkMessagesAsReadByTokenRequest,
}


def sdk_to_gateway(api):
    """What the SDK's models say arrives, and what the channel sends satisfies the SDK's models."""
    made = call("POST", "/v1/channels", {
        "type": "line", "name": "Peer", "settings": {"destination": BOT, "api_base_url": api},
        "secrets": {"channel_secret": SECRET, "channel_access_token": TOKEN},
    })
    channel = made["id"]
    text = TextMessageContent(id="1001", text="こんにちは", quoteToken="q1", markAsReadToken="r1")
    say(channel, event(MessageEvent, message=text, replyToken=secrets.token_hex(16)),
        event(PostbackEvent, postback=PostbackContent(data="a=1"), replyToken=secrets.token_hex(16)),
        event(MessageEvent, GroupSource(groupId=GROUP, userId=USER), message=TextMessageContent(id="1002", text="all", quoteToken="q2")))
    one = until("conversation", lambda: [c for c in call("GET", f"/v1/conversations?channel_id={channel}")["data"] if c["peer"] == USER])[0]
    seen = until("messages", lambda: two(call("GET", f"/v1/conversations/{one['id']}/messages")["data"]))
    first = next(m for m in seen if m.get("text") == "こんにちは")
    sends = [
        {"text": "an answer", "reply_to": first["id"]},
        {"text": "x" * 5001},
        {"location": {"latitude": 35.65, "longitude": 139.7, "name": "Shop"}},
        {"sticker": {"package_id": "446", "sticker_id": "1988"}},
        {"interactive": {"kind": "buttons", "header": "Sure?", "body": "Do you?", "buttons": [{"id": "y", "title": "Yes"}]}},
        {"interactive": {"kind": "list", "body": "Which?", "button": "Open", "sections": [{"title": "A", "rows": [{"id": "t", "title": "Tea"}]}]}},
        {"interactive": {"kind": "link", "body": "See", "button": "Open", "url": "https://shop.example/x"}},
        {"interactive": {"kind": "reply_keyboard", "body": "Which?", "buttons": [{"id": "1", "title": "One"}]}},
        {"interactive": {"kind": "location_request", "body": "Where?", "button": "Send"}},
    ]
    for body in sends:
        call("POST", f"/v1/conversations/{one['id']}/messages", body, {"Idempotency-Key": secrets.token_hex(8)})
        check(*Line.calls.get(timeout=WAIT))
    say(channel, event(UnsendEvent, unsend=UnsendDetail(messageId="1001")))
    until("deleted message", lambda: call("GET", f"/v1/messages/{first['id']}").get("deleted_at"))
    print(f"line: {len(sends)} messages of the channel satisfied the SDK's models")


def two(messages):
    return messages if len(messages) >= 2 else None


def check(path, body, header):
    """The SDK's model takes a call, and gives it back as it was: it leaves out what it does not know."""
    value = json.loads(body)
    try:
        for message in value.get("messages", []):
            back = Message.from_dict(message).to_dict()
            if lost := missing(message, back):
                finding(f"{path}: the SDK does not know {lost} of {message}")
        if missing({k: v for k, v in value.items() if k != "messages"}, json.loads(MODELS[path].from_json(body).to_json())):
            finding(f"{path}: the SDK does not know all of {body}")
    except (ValueError, KeyError) as e:
        finding(f"{path}: {e}: {body}")
    if header.get("Authorization") != "Bearer " + TOKEN:
        finding(f"{path}: the call has not the channel's token")


def missing(sent, kept, at=""):
    """What of sent is not in kept."""
    if isinstance(sent, dict):
        return [m for k, v in sent.items() for m in (missing(v, kept[k], f"{at}/{k}") if isinstance(kept, dict) and k in kept else [f"{at}/{k}"])]
    if isinstance(sent, list):
        if not isinstance(kept, list) or len(kept) != len(sent):
            return [at]
        return [m for n, v in enumerate(sent) for m in missing(v, kept[n], f"{at}/{n}")]
    return [] if sent == kept else [at]


def main():
    api = serve(Line)
    simulator_to_sdk(api + "/hook")
    sdk_to_gateway(api)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
