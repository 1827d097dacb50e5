"""The SDKs of Twilio and Vonage against the simulator and the channel.

What checks webhooks in them checks those of the simulator and signs those for the channel; their clients send to the simulator. From the
other side this program stands where the providers' APIs are: the channel's calls must be those of the SDKs.
"""

import hashlib
import json
import queue
import secrets
import sys
import time
import urllib.parse

import jwt
from asking import STAND, WAIT, Handler, call, finding, found, serve, until
from led import Led
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from vonage import Auth, Vonage
from vonage_jwt import verify_signature
from vonage_messages import Sms as MessagesSms
from vonage_sms import SmsMessage

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PERSON = "+447700900" + str(100 + secrets.randbelow(900))


class Provider(Handler):
    """Takes the calls of the channel, and webhooks of the simulator at /hook."""

    calls, hooks = queue.Queue(), queue.Queue()

    def do_POST(self):
        body = self.read()
        if self.path.startswith("/hook"):
            self.hooks.put((f"http://{self.headers['Host']}{self.path}", dict(self.headers), body))
            return self.answer({})
        self.calls.put((self.path, dict(self.headers), body))
        if "/Messages.json" in self.path:
            return self.answer({"sid": "SM" + secrets.token_hex(16), "status": "queued"}, 201)
        if self.path == "/sms/json":
            sent = {"to": "1", "message-id": secrets.token_hex(8), "status": "0", "remaining-balance": "1", "message-price": "1", "network": "1"}
            return self.answer({"message-count": "1", "messages": [sent]})
        self.answer({"message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-" + secrets.token_hex(6)}, 202)


def form(body):
    return dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))


class AtTwilio:
    """Twilio's account, with the SDK's client and validator."""

    name = "twilio"

    def __init__(self):
        self.sid, self.token, self.sender = "AC" + secrets.token_hex(16), secrets.token_hex(16), "+1555010" + str(1000 + secrets.randbelow(9000))
        self.settings = {"provider": "twilio", "account_sid": self.sid, "sender": self.sender}
        self.secrets = {"auth_token": self.token}
        self.base, self.account = "/simulator/twilio", self.sender

    def send(self, base, text, extra):
        session = TwilioHttpClient()
        session.session.mount("https://", Led(base))
        more = {"status_callback": extra["StatusCallback"]} if "StatusCallback" in extra else {}
        return Client(self.sid, self.token, http_client=session).messages.create(to=PERSON, from_=self.sender, body=text, **more).sid

    def holds(self, url, headers, body):
        return RequestValidator(self.token).validate(url, form(body), headers["X-Twilio-Signature"])

    def hook(self, url, text):
        values = {"MessageSid": "SM" + secrets.token_hex(16), "AccountSid": self.sid, "From": PERSON, "To": self.sender, "Body": text, "NumMedia": "0"}
        return urllib.parse.urlencode(values).encode(), FORM | {"X-Twilio-Signature": RequestValidator(self.token).compute_signature(url, values)}


class AtVonage:
    """Vonage's account, with the SDK's client and the check of its signatures."""

    name = "vonage"

    def __init__(self, api="sms"):
        self.key, self.secret, self.signing, self.sender = secrets.token_hex(4), secrets.token_hex(8), secrets.token_hex(24), "+1555020" + str(1000 + secrets.randbelow(9000))
        self.settings = {"provider": "vonage", "sender": self.sender, "api": api}
        self.secrets = {"api_key": self.key, "api_secret": self.secret, "signature_secret": self.signing}
        self.base, self.account = "/simulator/vonage", self.sender

    def client(self, base):
        client = Vonage(Auth(api_key=self.key, api_secret=self.secret))
        client.http_client._session.mount("https://", Led(base))
        return client

    def text(self, text):
        return {"to": PERSON.lstrip("+"), "from_": self.sender.lstrip("+"), "text": text}

    def signs(self):
        return Auth(signature_secret=self.signing, api_key=self.key, signature_method="sha256")

    def send(self, base, text, extra):
        more = {"callback": extra.get("callback"), "client_ref": extra.get("client-ref"), "status_report_req": True if extra else None}
        kind = {"type": extra["type"]} if "type" in extra else {}
        return self.client(base).sms.send(SmsMessage(**self.text(text), **kind, **{k: v for k, v in more.items() if v})).messages[0].message_id

    def holds(self, url, headers, body):
        return self.signs().check_signature(form(body))

    def hook(self, url, text):
        values = {"msisdn": PERSON.lstrip("+"), "to": self.sender.lstrip("+"), "messageId": secrets.token_hex(8), "text": text, "type": "text", "timestamp": str(int(time.time()))}
        values["sig"] = self.signs().sign_params(values)
        return urllib.parse.urlencode(values).encode(), FORM


class AtMessages(AtVonage):
    """Vonage's account that uses the Messages API, whose webhooks carry a token."""

    name = "vonage's Messages API"

    def __init__(self):
        super().__init__("messages")

    def send(self, base, text, extra):
        more = {k: extra[k] for k in ("client_ref", "webhook_url", "webhook_version") if k in extra}
        return self.client(base).messages.send(MessagesSms(**self.text(text), **more)).message_uuid

    def holds(self, url, headers, body):
        token = headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})
        return verify_signature(token, self.signing) and claims["payload_hash"] == hashlib.sha256(body).hexdigest()

    def hook(self, url, text):
        body = json.dumps({
            "channel": "sms", "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-" + secrets.token_hex(6), "to": self.sender.lstrip("+"), "from": PERSON.lstrip("+"),
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "message_type": "text", "text": text,
        }).encode()
        claims = {"iat": int(time.time()), "jti": secrets.token_hex(8), "iss": "Vonage", "payload_hash": hashlib.sha256(body).hexdigest(), "api_key": self.key}
        return body, {"Authorization": "Bearer " + jwt.encode(claims, self.signing, "HS256")}


def sdk_to_simulator(at, hook):
    """The SDK's client is served by the simulator, whose webhooks hold for it."""
    url = f"{hook}/hook/{at.account.lstrip('+')}"
    call("POST", "/simulator/accounts", {"type": "sms", "settings": at.settings, "secrets": at.secrets, "webhook_url": url})
    call("POST", "/simulator/inbound", {"type": "sms", "account": at.account, "from": PERSON, "text": "100 % & <more> = ünïcödé 🙂"})
    wrote = Provider.hooks.get(timeout=WAIT)
    while wrote[0] != url:  # a receipt of the account before
        wrote = Provider.hooks.get(timeout=WAIT)
    if not at.holds(*wrote):
        finding(f"{at.name}: the signature of the simulator's webhook does not hold")
    if not at.send(STAND["url"] + at.base, "Hi Alice", {}):
        finding(f"{at.name}: the SDK reads no id")
    print(f"sms: {at.name}'s client is served by the simulator, and its webhooks hold")


def gateway(at, api):
    """What the SDK signs arrives, and what the channel sends is what the SDK sends."""
    made = call("POST", "/v1/channels", {"type": "sms", "name": "Peer", "settings": at.settings | {"api_base_url": api}, "secrets": at.secrets})
    text = "hello & <more> = ünïcödé 🙂"
    body, header = at.hook(made["webhook_url"], text)
    call("POST", f"/webhooks/sms/{made['id']}", body, header, key="")
    one = until("conversation", lambda: [c for c in call("GET", f"/v1/conversations?channel_id={made['id']}")["data"] if c["peer"] == PERSON])[0]
    if not [m for m in call("GET", f"/v1/conversations/{one['id']}/messages")["data"] if m["text"] == text]:
        finding(f"{at.name}: the message reads otherwise")
    for text in ("Hi Alice", "100 % & <more> ünïcödé 🙂"):
        call("POST", f"/v1/conversations/{one['id']}/messages", {"text": text}, {"Idempotency-Key": secrets.token_hex(8)})
        path, headers, sent = Provider.calls.get(timeout=WAIT)
        ours = json.loads(sent) if headers["Content-Type"].startswith("application/json") else form(sent)
        at.send(api, text, ours)
        wanted_path, wanted_headers, wanted = Provider.calls.get(timeout=WAIT)
        theirs = json.loads(wanted) if wanted_headers["Content-Type"].startswith("application/json") else form(wanted)
        if path != wanted_path or headers.get("Authorization") != wanted_headers.get("Authorization"):
            finding(f"{at.name}: the channel calls {path}, the SDK {wanted_path}, or as somebody else")
        if theirs.get("status-report-req") == "True":
            theirs["status-report-req"] = "1"  # the documents' word for it
        differ = {k for k in ours.keys() | theirs.keys() if str(ours.get(k)) != str(theirs.get(k))}
        if differ:
            finding(f"{at.name}: the channel's call differs from the SDK's in {sorted(differ)}: {[(ours.get(k), theirs.get(k)) for k in sorted(differ)]}")
    print(f"sms: the channel's calls are those of {at.name}'s SDK")


def main():
    hook = serve(Provider)
    for at in (AtTwilio(), AtVonage(), AtMessages()):
        sdk_to_simulator(at, hook)
        gateway(at, hook)
    sys.exit(1 if found else 0)


main()
