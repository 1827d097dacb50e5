"""wechatpy reads what the gateway and its simulator send.

From one side the SDK takes the pushes of the simulator: their signatures, their encryption, and every push as one that it knows. From the
other side the SDK encrypts pushes for the gateway, and its client calls the simulator; what the channel sends must be what the client sends.
"""

import json
import queue
import secrets
import sys
import time
import urllib.parse
import xml.etree.ElementTree

from asking import STAND, WAIT, Handler, call, finding, found, serve, until
from wechatpy import WeChatClient, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.messages import UnknownMessage
from wechatpy.utils import check_signature, to_text

TOKEN, KEY = secrets.token_hex(8), "K7mQ2vXc9LpZ4tRn8WbY6sHd1FgJ3kTa5UeNoiBrMqx"
APP, SECRET = "wx" + secrets.token_hex(8), secrets.token_hex(16)
SIMULATED, ACCOUNT = "gh_" + secrets.token_hex(6), "gh_" + secrets.token_hex(6)
USER = "o" + secrets.token_hex(13)


class WeChat(Handler):
    """Takes pushes of the simulator at /hook, and the calls of the channel anywhere else."""

    pushes, calls = queue.Queue(), queue.Queue()

    def do_GET(self):
        self.answer({"subscribe": 1, "openid": USER, "nickname": "", "remark": "Lin"})

    def do_POST(self):
        at = urllib.parse.urlsplit(self.path)
        body = self.read()
        if at.path == "/hook":
            self.pushes.put((dict(urllib.parse.parse_qsl(at.query)), body.decode()))
            return self.answer({})
        if at.path == "/cgi-bin/stable_token":
            return self.answer({"access_token": "70_peer", "expires_in": 7200})
        self.calls.put((at.path, dict(urllib.parse.parse_qsl(at.query)), body))
        self.answer({"errcode": 0, "errmsg": "ok", "msgid": 1, "media_id": "MEDIA"})


def simulator_to_sdk(hook):
    """Every kind of push of the simulator passes the SDK's checks, decrypts, and is one that the SDK knows."""
    crypto = WeChatCrypto(TOKEN, KEY, APP)
    call("POST", "/simulator/accounts", {
        "type": "wechat", "settings": {"app_id": APP, "original_id": SIMULATED},
        "secrets": {"app_secret": SECRET, "token": TOKEN, "encoding_aes_key": KEY}, "webhook_url": hook,
    })
    said = [{"kind": k} for k in ("text", "image", "audio", "video", "location", "button", "referral", "block", "unblock")]
    said.append({"kind": "text", "text": "你好 🙂 ]]> <b>"})
    for what in said:
        call("POST", "/simulator/inbound", {"type": "wechat", "account": SIMULATED, "from": USER, **what})
        query, body = WeChat.pushes.get(timeout=WAIT)
        try:
            check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
            push = parse_message(crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"]))
        except Exception as e:  # whatever the SDK raises is a finding
            finding(f"the SDK does not take the push of {what}: {e!r}")
            continue
        if isinstance(push, UnknownMessage) or push.source != USER or push.target != SIMULATED:
            finding(f"the SDK does not know the push of {what}: {push!r}")
        if what.get("text") and push.content != what["text"]:
            finding(f"the SDK reads {push.content!r} where {what['text']!r} was said")
    print(f"wechat: {len(said)} pushes of the simulator read")


def sdk_to_simulator():
    """The SDK's client calls the simulator."""
    class Client(WeChatClient):
        API_BASE_URL = STAND["url"] + "/simulator/wechat/cgi-bin/"

    token = call("POST", "/simulator/wechat/cgi-bin/stable_token", {"grant_type": "client_credential", "appid": APP, "secret": SECRET}, key="")["access_token"]
    client = Client(APP, SECRET, access_token=token)
    call("POST", "/simulator/inbound", {"type": "wechat", "account": SIMULATED, "from": USER, "name": "Lin", "text": "hi"})
    WeChat.pushes.get(timeout=WAIT)
    client.message.send_text(USER, "您好 <查看> & 感谢")
    media = client.media.upload("image", ("a.jpg", b"\xff\xd8\xff", "image/jpeg"))
    client.message.send_image(USER, media["media_id"])
    if client.user.get(USER).get("remark") != "Lin":
        finding("the SDK reads another remark of the follower")
    print("wechat: the SDK's client is served by the simulator")


def say(channel, crypto, body):
    """Sends a push that the SDK has encrypted."""
    nonce, at = secrets.token_hex(5), str(int(time.time()))
    sealed = xml.etree.ElementTree.fromstring(crypto.encrypt_message(body, nonce, at))
    push = f"<xml><ToUserName>{ACCOUNT}</ToUserName><Encrypt>{sealed.findtext('Encrypt')}</Encrypt></xml>"
    query = urllib.parse.urlencode({
        "signature": "x", "timestamp": at, "nonce": nonce, "encrypt_type": "aes", "msg_signature": sealed.findtext("MsgSignature"),
    })
    call("POST", f"/webhooks/wechat/{channel}?{query}", push.encode(), key="")


def sdk_to_gateway(api):
    """What the SDK encrypts arrives, and what the channel sends is what the SDK's client sends."""
    made = call("POST", "/v1/channels", {
        "type": "wechat", "name": "Peer", "settings": {"app_id": APP, "original_id": ACCOUNT, "api_base_url": api},
        "secrets": {"app_secret": SECRET, "token": TOKEN, "encoding_aes_key": KEY},
    })
    channel = made["id"]
    say(channel, WeChatCrypto(TOKEN, KEY, APP), (
        f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName><FromUserName><![CDATA[{USER}]]></FromUserName>"
        f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[你好]]></Content><MsgId>{secrets.randbits(60)}</MsgId></xml>"
    ))
    one = until("conversation", lambda: [c for c in call("GET", f"/v1/conversations?channel_id={channel}")["data"] if c["peer"] == USER])[0]

    class Wanted(WeChatClient):
        """What the SDK would send."""

        def _request(self, method, url_or_endpoint, **kwargs):
            return kwargs["data"]

    sdk = Wanted(APP, SECRET, access_token="70_peer")
    sends = [
        ({"text": "您好 <查看> & 感谢"}, sdk.message.send_text(USER, "您好 <查看> & 感谢")),
        ({"interactive": {"kind": "link", "header": "新品", "body": "今天", "button": "查看", "url": "https://shop.example/1"}},
         sdk.message.send_articles(USER, [{"title": "新品", "description": "今天", "url": "https://shop.example/1", "image": ""}])),
    ]
    for body, wanted in sends:
        call("POST", f"/v1/conversations/{one['id']}/messages", body, {"Idempotency-Key": secrets.token_hex(8)})
        path, query, sent = WeChat.calls.get(timeout=WAIT)
        while not path.endswith("/custom/send"):
            path, query, sent = WeChat.calls.get(timeout=WAIT)
        if query.get("access_token") != "70_peer":
            finding(f"the call has another token: {query}")
        if b"\\u" in sent:
            finding(f"characters are escaped, which WeChat shows as they are: {sent}")
        have = json.loads(to_text(sent))
        for article in (wanted.get("news") or {}).get("articles", []):
            article.pop("picurl", None)
        if have != wanted:
            finding(f"the channel sends {have}, the SDK {wanted}")
    print(f"wechat: {len(sends)} messages of the channel are those of the SDK")


def main():
    at = serve(WeChat)
    simulator_to_sdk(at + "/hook")
    sdk_to_simulator()
    sdk_to_gateway(at)
    sys.exit(1 if found else 0)


main()
