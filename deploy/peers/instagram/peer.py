"""Meta's own SDK knows the calls of the Instagram channel that is connected through a Page, and its calls are taken by the simulator.

The SDK calls graph.facebook.com alone: the login of Instagram, whose host is another one, it does not know, and so neither the renewal of
tokens. From one side it is a client of the simulator: it subscribes an app, sends messages, answers, hides and deletes comments, answers
mentions, and understands refusals. From the other side this program stands where the Graph API is: every call of the channel must be one
that the SDK has, with parameters that it knows.
"""

import json
import secrets
import sys
import time
import urllib.parse

from asking import STAND, call, finding, found, serve
from facebook_business.adobjects.igcomment import IGComment
from facebook_business.adobjects.igmedia import IGMedia
from facebook_business.adobjects.iguser import IGUser
from facebook_business.adobjects.page import Page
from facebook_business.api import FacebookAdsApi, FacebookSession
from facebook_business.exceptions import FacebookRequestError
from graph import COMMENTER, PERSON, REACTIONS, SECRET, TOKEN, VERSION, Channel, Graph, said

PAGE, APP = (str(10**14 + secrets.randbelow(10**14)) for _ in range(2))
ACCOUNT, SIMULATED = ("17841" + str(10**11 + secrets.randbelow(10**11)) for _ in range(2))
POST, COMMENT, ELSEWHERE = "17999000111222333", "18088877766655001", "17999000111222555"


class Instagram(Graph):
    no_profile = (403, {"error": {"message": "(#230) User consent is required to access user profile", "code": 230}})

    def params(self, body, query):
        return (json.loads(body) if body else {}) | {name: value == "true" for name, value in urllib.parse.parse_qsl(query)}

    def written(self):
        comment = {"id": "18" + str(secrets.randbits(48))}
        return {
            "messages": {"recipient_id": PERSON, "message_id": "aWdf" + secrets.token_hex(12)}, "replies": comment, "comments": comment, "mentions": comment,
        }


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

    said("instagram", SIMULATED, text="日本語 🙂")
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
    comment = IGComment(said("instagram", SIMULATED, post=POST, text="Price?"), api=api)
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


def request(method, node, edge):
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


def sdk_knows_the_channel(api):
    FacebookAdsApi.init(APP, SECRET, TOKEN, api_version=VERSION)
    channel = Channel(
        "instagram", {"account_id": ACCOUNT, "login": "facebook", "page_id": PAGE, "app_id": APP, "api_base_url": api}, "access_token", request,
        {"sender_action": REACTIONS})
    now = int(time.time())
    for entry in (
        {"messaging": [{"sender": {"id": PERSON}, "recipient": {"id": ACCOUNT}, "timestamp": now * 1000, "message": {"mid": "aWdfin", "text": "Hello?"}}]},
        {"changes": [{"field": "comments", "value": {
            "id": COMMENT, "text": "Price?", "from": {"id": COMMENTER, "username": "nina.sample"}, "media": {"id": POST, "media_product_type": "FEED"}}}]},
        {"changes": [{"field": "mentions", "value": {"media_id": ELSEWHERE, "comment_id": "18088877766655002"}}]},
    ):
        channel.hears("instagram", {"id": ACCOUNT, "time": now, **entry})
    talk, below = channel.conversation("messages", PERSON), channel.conversation("comments", COMMENTER)
    named = channel.conversation("comments", "mention:18088877766655002")
    choices = [{"id": "y", "title": "Yes"}, {"title": "Open", "url": "https://shop.example/x"}]
    sends = [
        {"text": "an answer", "reply_to": channel.first(talk)},
        {"text": "later", "message_tag": "HUMAN_AGENT"},
        {"sticker": {"package_id": "1", "sticker_id": "like_heart"}},
        {"interactive": {"kind": "buttons", "body": "Sure?", "buttons": choices}},
        {"interactive": {"kind": "link", "body": "See", "button": "Open", "url": "https://shop.example/x"}},
        {"interactive": {"kind": "cards", "button": "Choose", "sections": [{"rows": [{"id": "t", "title": "Tea", "description": "green"}]}]}},
        {"interactive": {"kind": "reply_keyboard", "body": "Which?", "buttons": [{"id": "1", "title": "One"}]}},
        {"reaction": {"message_id": channel.first(talk), "emoji": "❤️"}},
    ]
    for body in sends:
        channel.send(talk, 1, **body)
    channel.send(talk, 2, text="ü" * 501)
    channel.send(below, 1, text="20 €")
    channel.send(named, 1, text="Thanks")
    for action, body in (("hide", None), ("unhide", None), ("private-reply", {"text": "By message"})):
        channel.act(channel.first(below), action, body)
    print(f"instagram: {len(sends) + 8} calls of the channel are the SDK's")


def main():
    api = serve(Instagram)
    sdk_to_simulator(api + "/hook")
    sdk_knows_the_channel(api)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
