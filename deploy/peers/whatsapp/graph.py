"""Stands where Meta's Graph API is for the gateway and for the SDK, and takes the webhooks of the simulator."""

import email
import email.policy
import http.server
import json
import queue
import secrets
import typing
import urllib.parse

VERSION = "v26.0"


class Call(typing.NamedTuple):
    """A call as it came. The body is what the JSON says; of a form its parts: name, file name, type, bytes."""

    method: str
    path: str
    query: str
    authorization: str
    body: object


class Graph(http.server.BaseHTTPRequestHandler):
    """Takes webhooks at /hook; anything else is a call of the API, which is remembered and succeeds."""

    webhooks, calls, fetches = queue.Queue(), queue.Queue(), queue.Queue()
    files = {}  # type and bytes by the id that they were uploaded under

    def log_message(self, *_):
        pass

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/hook":
            self.webhooks.put((raw, self.headers.get("X-Hub-Signature-256")))
            return self.answer({})
        body = form(self.headers["Content-Type"], raw)
        call = self.remember(body)
        if call.path.endswith("/media"):
            file = next(part for part in body if part[0] == "file")
            return self.answer({"id": self.keep(file[2], file[3])})
        if body.get("status"):
            return self.answer({"success": True})
        to = body.get("to") or body["recipient"]
        who = {"input": to, "user_id": to} if "." in to else {"input": to, "wa_id": to.lstrip("+")}
        self.answer({"messaging_product": "whatsapp", "contacts": [who], "messages": [{"id": "wamid." + secrets.token_urlsafe(24)}]})

    def do_GET(self):
        call = self.remember(None)
        kind, data = self.files.get(call.path.rsplit("/", 1)[-1], (None, None))
        if kind is None:
            return self.answer({"error": {"message": "no such object", "code": 100, "error_subcode": 33}}, 400)
        if call.path.startswith("/file/"):
            return self.reply(200, kind, data)
        media = call.path.rsplit("/", 1)[-1]
        url = f"http://{self.headers['Host']}/file/{media}"
        self.answer({"messaging_product": "whatsapp", "id": media, "url": url, "mime_type": kind, "file_size": len(data), "sha256": ""})

    def remember(self, body):
        at = urllib.parse.urlsplit(self.path)
        call = Call(self.command, at.path, at.query, self.headers.get("Authorization", ""), body)
        (self.calls if self.command == "POST" else self.fetches).put(call)
        return call

    @classmethod
    def keep(cls, kind, data):
        media = str(10**15 + secrets.randbelow(10**15))
        cls.files[media] = (kind, data)
        return media

    def answer(self, value, status=200):
        self.reply(status, "application/json", json.dumps(value).encode())

    def reply(self, status, kind, data):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def form(kind, raw):
    if not kind.startswith("multipart/"):
        return json.loads(raw)
    whole = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw, policy=email.policy.HTTP)
    return sorted(
        (part.get_param("name", header="content-disposition"), part.get_filename() or "", part.get_content_type() if part.get_filename() else "",
         part.get_payload(decode=True))
        for part in whole.iter_parts()
    )
