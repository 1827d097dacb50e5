"""python-telegram-bot reads what the gateway and its simulator send.

From one side the SDK takes the updates of the simulator: every field of every object is one that it knows. From the other side this
program stands where the Bot API is: what the channel calls must be methods of the SDK, with parameters that its methods and types have.
"""

import email
import email.policy
import inspect
import json
import queue
import secrets
import sys
import time
import urllib.parse

import telegram
from asking import STAND, WAIT, Handler, call, finding, found, serve, until

SECRET = secrets.token_hex(16)
NUMBER, SIMULATED = str(10_000_000 + secrets.randbelow(40_000_000)), str(50_000_000 + secrets.randbelow(40_000_000))
TOKENS = {n: f"{n}:{secrets.token_hex(17)}" for n in (NUMBER, SIMULATED)}
PERSON, GROUP = 6120045577, -1001234567890
class BotAPI(Handler):
    """Takes updates of the simulator at /hook, and the calls of the channel anywhere else."""

    updates, calls = queue.Queue(), queue.Queue()

    def do_POST(self):
        body = self.read()
        if self.path == "/hook":
            self.updates.put((body.decode(), self.headers.get("X-Telegram-Bot-Api-Secret-Token")))
            return self.answer({})
        method = urllib.parse.urlparse(self.path).path.rsplit("/", 1)[-1]
        values = form(self.headers["Content-Type"], body)
        self.calls.put((self.path, method, values))
        self.answer({"ok": True, "result": result(method, values)})


def form(kind, body):
    """The parameters of a call. Those of a form are texts; objects and lists in them are read, and a file is its name."""
    if not kind.startswith("multipart/"):
        return json.loads(body)
    whole = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP)
    values = {}
    for part in whole.iter_parts():
        name, file = part.get_param("name", header="content-disposition"), part.get_filename()
        text = part.get_payload(decode=True).decode(errors="replace")
        values[name] = file or (json.loads(text) if text[:1] in "[{" else text)
    return values


def result(method, values):
    if method in ("setMessageReaction", "sendChatAction", "answerCallbackQuery", "setWebhook", "deleteMessage"):
        return True
    one = {"message_id": secrets.randbelow(1 << 30) + 1, "date": int(time.time()), "chat": {"id": PERSON, "type": "private"}}
    return [one | {"message_id": one["message_id"] + n} for n in range(len(values["media"]))] if method == "sendMediaGroup" else one


def unknown(value, at):
    """The fields of an object, and of those in it, that the SDK does not know: it keeps them in api_kwargs."""
    if isinstance(value, (list, tuple)):
        return [u for n, v in enumerate(value) for u in unknown(v, f"{at}[{n}]")]
    if not isinstance(value, telegram.TelegramObject):
        return []
    names = {name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ()) if not name.startswith("_") and name != "api_kwargs"}
    return [f"{at}.{name}" for name in value.api_kwargs] + [u for n in sorted(names) for u in unknown(getattr(value, n, None), f"{at}.{n}")]


def simulator_to_sdk(hook):
    """Every kind of update of the simulator has the secret, and nothing that the SDK does not know."""
    call("POST", "/simulator/accounts", {
        "type": "telegram", "settings": {"bot_username": f"peer{SIMULATED}_bot"}, "webhook_url": hook,
        "secrets": {"bot_token": TOKENS[SIMULATED], "webhook_secret": SECRET},
    })
    kinds = ("text", "image", "audio", "video", "document", "sticker", "location", "contacts", "button", "reaction", "edit", "block", "unblock")
    said = [{"kind": kind} for kind in kinds]
    said += [{"kind": "audio", "voice": True}, {"kind": "reaction", "removed": True}, {"kind": "text", "group": str(GROUP)}, {"kind": "text", "forwarded": True},
             {"kind": "text", "reply_to": "7"}, {"kind": "text", "text": "日本語 🙂 </script>", "username": "ivo_k"}, {"kind": "unsupported"}]
    said += [{"kind": kind, "business": "bc1"} for kind in ("text", "edit", "delete", "echo")]
    for what in said:
        told = call("POST", "/simulator/inbound", {"type": "telegram", "account": SIMULATED, "from": str(PERSON), **what})
        if told["status"] != 200:
            finding(f"the simulator's {what} was answered {told}")
            continue
        body, secret = BotAPI.updates.get(timeout=WAIT)
        try:
            update = telegram.Update.de_json(json.loads(body), None)
        except (TypeError, ValueError, KeyError) as e:
            finding(f"{what}: {e!r}: {body}")
            continue
        if lost := unknown(update, "update"):
            finding(f"the SDK does not know {lost} of {what}: {body}")
        if not any(getattr(update, kind, None) for kind in telegram.Update.ALL_TYPES):
            finding(f"the SDK knows no kind of update in {what}: {body}")
        if secret != SECRET:
            finding(f"{what} has not the secret of the webhook")
    print(f"telegram: {len(said)} updates of the simulator parsed")


def keyboard(value):
    for kind, cls in (("inline_keyboard", telegram.InlineKeyboardMarkup), ("keyboard", telegram.ReplyKeyboardMarkup),
                      ("remove_keyboard", telegram.ReplyKeyboardRemove), ("force_reply", telegram.ForceReply)):
        if kind in value:
            # the SDK writes these two by itself, and does not read them
            return cls.de_json({k: v for k, v in value.items() if k not in ("remove_keyboard", "force_reply")}, None)
    raise ValueError(f"no keyboard: {value}")


def album(value):
    """The SDK makes the files of an album and reads none: they are made of what the channel sent."""
    kinds = {"photo": telegram.InputMediaPhoto, "video": telegram.InputMediaVideo, "audio": telegram.InputMediaAudio, "document": telegram.InputMediaDocument}
    return [kinds[one["type"]](**{k: v for k, v in one.items() if k != "type"}) for one in value]


# How the SDK reads parameters that are objects.
OBJECTS = {
    "reply_markup": keyboard,
    "reply_parameters": lambda v: telegram.ReplyParameters.de_json(v, None),
    "link_preview_options": lambda v: telegram.LinkPreviewOptions.de_json(v, None),
    "reaction": lambda v: telegram.ReactionType.de_list(v, None),
    "media": album,
}
# Parameters of the SDK's methods that are not the Bot API's.
ITS_OWN = {"self", "read_timeout", "write_timeout", "connect_timeout", "pool_timeout", "api_kwargs", "filename", "allow_sending_without_reply",
           "reply_to_message_id", "disable_web_page_preview"}
# Methods whose parameters the SDK also takes as one object, so that none of them is required by its signature.
REQUIRED = {"sendLocation": {"latitude", "longitude"}, "sendVenue": {"latitude", "longitude", "title", "address"}, "sendContact": {"phone_number", "first_name"}}


def check(path, method, values):
    """A call is a method of the SDK, and its parameters are those of that method."""
    if not path.startswith(f"/bot{TOKENS[NUMBER]}/"):
        finding(f"{method}: the call has not the channel's token")
    if not hasattr(telegram.Bot, method):
        return finding(f"the SDK has no method {method}")
    takes = {n: p for n, p in inspect.signature(getattr(telegram.Bot, method)).parameters.items() if n not in ITS_OWN}
    needs = {n for n, p in takes.items() if p.default is inspect.Parameter.empty} | REQUIRED.get(method, set())
    files = {one["media"].removeprefix("attach://") for one in values["media"]} if method == "sendMediaGroup" else set()
    if more := set(values) - set(takes) - files:
        finding(f"{method} has no parameters {sorted(more)}: {values}")
    if less := needs - set(values):
        finding(f"{method} needs {sorted(less)}: {values}")
    for name in set(values) & set(OBJECTS):
        try:
            if lost := unknown(OBJECTS[name](values[name]), name):
                finding(f"{method}: the SDK does not know {lost} of {values[name]}")
        except (TypeError, ValueError, KeyError) as e:
            finding(f"{method}: {name}: {e!r}: {values[name]}")


def say(channel, **update):
    """Sends an update as the SDK writes it."""
    body = telegram.Update.de_json({"update_id": secrets.randbelow(1 << 30), **update}, None).to_json()
    call("POST", f"/webhooks/telegram/{channel}", body.encode(), {"X-Telegram-Bot-Api-Secret-Token": SECRET}, key="")


def sdk_to_gateway(api):
    """What the SDK writes arrives, and the channel's calls are those of the SDK's methods."""
    channel = call("POST", "/v1/channels", {
        "type": "telegram", "name": "Peer", "settings": {"bot_username": f"peer{NUMBER}_bot", "api_base_url": api},
        "secrets": {"bot_token": TOKENS[NUMBER], "webhook_secret": SECRET},
    })["id"]
    sender = {"id": PERSON, "is_bot": False, "first_name": "Ivo"}
    message = {"message_id": 7, "date": int(time.time()), "chat": {"id": PERSON, "type": "private", "first_name": "Ivo"}, "from": sender}
    say(channel, message=message | {"text": "bok 🙂"})
    one = until("conversation", lambda: call("GET", f"/v1/conversations?channel_id={channel}")["data"])[0]
    first = until("message", lambda: call("GET", f"/v1/conversations/{one['id']}/messages")["data"])[0]
    say(channel, edited_message=message | {"text": "bok!", "edit_date": int(time.time())})
    until("edit", lambda: call("GET", f"/v1/messages/{first['id']}").get("text") == "bok!")
    note, picture = STAND["ids"]["attachment"]
    sends = [
        {"text": "an answer", "reply_to": first["id"]},
        {"location": {"latitude": 45.8, "longitude": 15.9, "name": "Shop", "address": "Ilica 1"}},
        {"location": {"latitude": 45.8, "longitude": 15.9}},
        {"attachment_ids": [picture]},
        {"text": "a note", "attachment_ids": [note]},
        {"text": "two", "attachment_ids": [picture, picture]},
        {"interactive": {"kind": "buttons", "header": "Sure?", "body": "Do you?", "buttons": [{"id": "y", "title": "Yes"}]}},
        {"interactive": {"kind": "list", "body": "Which?", "button": "Open", "sections": [{"title": "A", "rows": [{"id": "t", "title": "Tea"}]}]}},
        {"interactive": {"kind": "link", "body": "See", "button": "Open", "url": "https://shop.example/x"}},
        {"interactive": {"kind": "reply_keyboard", "body": "Which?", "buttons": [{"id": "1", "title": "One"}]}},
        {"interactive": {"kind": "location_request", "body": "Where?", "button": "Send"}},
        {"interactive": {"kind": "contact_request", "body": "Your number?", "button": "Send"}},
        {"interactive": {"kind": "force_reply", "body": "Your name?"}},
    ]
    for body in sends:
        call("POST", f"/v1/conversations/{one['id']}/messages", body, {"Idempotency-Key": secrets.token_hex(8)})
        check(*BotAPI.calls.get(timeout=WAIT))
    print(f"telegram: {len(sends)} messages of the channel are calls of the SDK's methods")


def main():
    api = serve(BotAPI)
    simulator_to_sdk(api + "/hook")
    sdk_to_gateway(api)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
