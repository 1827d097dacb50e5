"""Meta's own SDK for the Graph API knows every call of the channel, and its calls are taken by the simulator.

From one side the SDK is a client of the simulator: it subscribes an app, sends messages, answers, hides and deletes comments, and
understands refusals. From the other side this program stands where the Graph API is: every call of the channel must be one that the SDK
has, with parameters that it knows.
"""

import json
import secrets
import sys
import time

from asking import STAND, call, finding, found, serve
from facebook_business.adobjects.comment import Comment
from facebook_business.adobjects.page import Page
from facebook_business.api import FacebookAdsApi, FacebookSession
from facebook_business.exceptions import FacebookRequestError
from graph import COMMENTER, DOCUMENTED, PERSON, REACTIONS, SECRET, TOKEN, VERSION, Channel, Graph, said

PAGE, SIMULATED, APP = (str(10**14 + secrets.randbelow(10**14)) for _ in range(3))
POST = PAGE + "_330011224455"

# What the documentation has and the SDK has not, besides: utility messages.
WORDS = {"messaging_type": {"UTILITY"}, "sender_action": REACTIONS}


class Facebook(Graph):
    def params(self, body, query):
        if self.headers.get("Content-Type", "").startswith("application/json"):
            return json.loads(body)
        return {name: None for name in ("message", "filedata", "source") if f'name="{name}"'.encode() in body}

    def written(self):
        return {
            "messages": {"recipient_id": PERSON, "message_id": "m_" + secrets.token_hex(12)}, "message_attachments": {"attachment_id": str(secrets.randbits(50))},
            "comments": {"id": "330011224455_" + str(secrets.randbits(50))},
        }


def sdk_to_simulator(hook):
    """The simulator takes what the SDK calls, and the SDK understands what it answers."""
    FacebookSession.GRAPH = STAND["url"] + "/simulator/facebook"
    api = FacebookAdsApi(FacebookSession(APP, SECRET, TOKEN), api_version=VERSION)
    keys = {"app_secret": SECRET, "page_access_token": TOKEN, "verify_token": secrets.token_hex(8)}
    call("POST", "/simulator/accounts", {"type": "facebook", "settings": {"page_id": SIMULATED, "app_id": APP}, "secrets": keys, "webhook_url": hook})
    page = Page(SIMULATED, api=api)
    page.create_subscribed_app(params={"subscribed_fields": ["messages", "feed"]})

    said("facebook", SIMULATED, text="日本語 🙂")
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
    comment = Comment(said("facebook", SIMULATED, post="330011224455", text="¿Precio?"), api=api)
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


def request(method, node, edge):
    page = {
        "messages": Page.create_message, "message_attachments": Page.create_message_attachment, "subscribed_apps": Page.create_subscribed_app,
    }
    comment = {("POST", "comments"): Comment.create_comment, ("POST", ""): Comment.api_update, ("DELETE", ""): Comment.api_delete}
    if node == PAGE:
        return edge in page and page[edge](Page(PAGE), pending=True) or None
    return (method, edge) in comment and comment[method, edge](Comment(node), pending=True) or None


def sdk_knows_the_channel(api):
    FacebookAdsApi.init(APP, SECRET, TOKEN, api_version=VERSION)
    channel = Channel(
        "facebook", {"page_id": PAGE, "app_id": APP, "persona_id": "5520011", "api_base_url": api}, "page_access_token", request, WORDS, DOCUMENTED | {"filedata"})
    now = int(time.time())
    for entry in (
        {"messaging": [{"sender": {"id": PERSON}, "recipient": {"id": PAGE}, "timestamp": now * 1000, "message": {"mid": "m_in", "text": "¿Hola?"}}]},
        {"changes": [{"field": "feed", "value": {
            "item": "comment", "verb": "add", "comment_id": "330011224455_1", "post_id": POST, "parent_id": POST, "created_time": now,
            "from": {"id": COMMENTER, "name": "Pau"}, "message": "¿Precio?"}}]},
    ):
        channel.hears("page", {"id": PAGE, "time": now * 1000, **entry})
    talk, below = channel.conversation("messages", PERSON), channel.conversation("comments", COMMENTER)
    choices = [{"id": "y", "title": "Yes"}, {"title": "Open", "url": "https://shop.example/x"}]
    sends = [
        {"text": "an answer", "reply_to": channel.first(talk)},
        {"text": "later", "message_tag": "HUMAN_AGENT"},
        {"sticker": {"package_id": "1", "sticker_id": "369239263222822"}},
        {"interactive": {"kind": "buttons", "body": "Sure?", "buttons": choices}},
        {"interactive": {"kind": "link", "body": "See", "button": "Open", "url": "https://shop.example/x"}},
        {"interactive": {"kind": "cards", "button": "Choose", "sections": [{"rows": [{"id": "t", "title": "Tea", "description": "green"}]}]}},
        {"interactive": {"kind": "reply_keyboard", "body": "Which?", "buttons": [{"id": "1", "title": "One"}]}},
        {"template": {"name": "order_update", "language": "en", "components": [{"type": "body", "parameters": [{"type": "text", "text": "1"}]}]}},
        {"reaction": {"message_id": channel.first(talk), "emoji": "👍"}},
    ]
    for body in sends:
        channel.send(talk, 1, **body)
    channel.send(talk, 2, text="x" * 2001)
    channel.send(below, 1, text="20 €")
    for action, body in (("hide", None), ("unhide", None), ("private-reply", {"text": "Te escribo"})):
        channel.act(channel.first(below), action, body)
    print(f"facebook: {len(sends) + 7} calls of the channel are the SDK's")


def main():
    api = serve(Facebook)
    sdk_to_simulator(api + "/hook")
    sdk_knows_the_channel(api)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
