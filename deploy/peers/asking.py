"""What the programs on providers' SDKs share: calls of the API, waiting, and what they find."""

import http.server
import json
import os
import pathlib
import sys
import threading
import time
import urllib.error
import urllib.request

STAND = json.loads(pathlib.Path(os.environ["STAND"]).read_text())
WAIT = 30  # seconds for what must come

found = []


def finding(text):
    print("FOUND", text, file=sys.stderr)
    found.append(text)


def call(method, path, body=None, header=None, key=STAND["key"]):
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    request = urllib.request.Request(STAND["url"] + path, data=data, method=method)
    request.add_header("Content-Type", "application/json")
    if key:
        request.add_header("Authorization", "Bearer " + key)
    for name, value in (header or {}).items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            text, json_comes = answer.read(), answer.headers.get_content_type().endswith("json")
    except urllib.error.HTTPError as e:
        raise SystemExit(f"{method} {path}: {e.code} {e.read().decode(errors='replace')}") from None
    if not text:
        return None
    return json.loads(text) if json_comes else text.decode()


class Handler(http.server.BaseHTTPRequestHandler):
    """Takes calls as a provider, and answers in JSON."""

    def log_message(self, *_):
        pass

    def read(self):
        """The body of the call."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, value, status=200):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def serve(handler):
    """Stands where the provider is; returns its URL."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def until(what, ask):
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if answer := ask():
            return answer
        time.sleep(0.1)
    raise SystemExit(f"after {WAIT} s there is no {what}")
