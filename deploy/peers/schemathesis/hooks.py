"""What Schemathesis cannot know: which things exist. Loaded by it, once per caller.

Where it made up an id that would be valid, the id of something that exists takes its place, so that the operation is
reached and not only its 404. What an operation deletes is made for it beforehand. Each answer is counted by
operation; the counts are written when the run ends.
"""

import atexit
import collections
import datetime
import http
import itertools
import json
import os
import pathlib
import secrets
import sys

import schemathesis
from schemathesis.core.parameters import ParameterLocation

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from stand import API, Refused  # noqa: E402

STAND = json.loads(pathlib.Path(os.environ["STAND"]).read_text())
OWNER = API(STAND["url"], STAND["key"])
IDS, AGENT = STAND["ids"], STAND["callers"]["agent"]

KEEP_EVERY = 6  # of so many ids that were made up one is sent as it is
BODY_EVERY = 4  # of so many bodies that are valid one is of BODIES


def channel():
    return {
        "type": "telegram",
        "name": "Made by a peer",
        "settings": {"bot_username": f"b{secrets.token_hex(6)}_bot"},
        "secrets": {
            "bot_token": f"{secrets.randbelow(10**9)}:{secrets.token_hex(17)}",
            "webhook_secret": secrets.token_hex(16),
        },
    }


def key():
    return {"name": "Made by a peer", "scopes": ["audit.read"]}


def queue():
    return {"name": f"Made by a peer {secrets.token_hex(4)}"}


def user():
    return {"name": "Made by a peer", "email": f"{secrets.token_hex(6)}@peers.example", "role": "agent"}


def first_words():
    """Somebody new on the channel where the business can write first, which takes a template."""
    number = f"+491511{secrets.randbelow(10**7):07}"
    template = {"name": "hello_world", "language": "en"}
    return {"channel_id": STAND["channels"]["whatsapp"], "peer": number, "message": {"template": template}}


def tomorrow():
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    return {"until": at.strftime("%Y-%m-%dT%H:%M:%SZ")}


def simulated():
    made = channel()
    return {"type": made["type"], "settings": made["settings"], "secrets": made["secrets"]}


def customer():
    return {"type": "whatsapp", "from": f"+491511{secrets.randbelow(10**7):07}", "text": "a question"}


# What an operation deletes, as a path and a body that make one.
DELETED = {
    "deleteChannel": ("/v1/channels", channel),
    "deleteQueue": ("/v1/queues", queue),
    "revokeAPIKey": ("/v1/api-keys", key),
}

# Bodies of operations whose rules a schema cannot say, such as what an email or a phone number is.
BODIES = {
    "createAPIKey": key,
    "createChannel": channel,
    "createUser": user,
    "editMessage": lambda: {"text": "edited"},
    "login": lambda: {"email": AGENT["email"], "password": AGENT["password"]},
    "registerSimulatedAccount": simulated,
    "sendMessage": lambda: {"text": "an answer"},
    "simulateInbound": customer,
    "snoozeConversation": tomorrow,
    "startConversation": first_words,
}

# What has to be so that an operation can succeed: other callers close conversations, and give them to others.
READY = {
    "reopenConversation": ("close", {"category": "other", "summary": "done"}),  # the tenant may require both
    "sendMessage": ("reopen", None),
    "takeConversation": ("assign", {"agent_id": AGENT["agent_id"]}),
}

# The things of which a path has the id, by the word behind /v1.
THINGS = {
    "agents": "agent",
    "attachments": "attachment",
    "channels": "channel",
    "contacts": "contact",
    "conversations": "conversation",
    "messages": "message",
    "queues": "queue",
    "users": "user",
}

# Fields of bodies and parameters of queries that name a thing.
NAMED = {
    "agent_id": "agent",
    "assignee_id": "agent",
    "attachment_ids": "attachment",
    "channel_id": "channel",
    "contact_id": "contact",
    "ou_id": "unit",
    "queue_id": "queue",
    "reply_to": "message",
}

turn = itertools.count()
turns = collections.defaultdict(itertools.count)  # by kind: with one for all, an even number of looks a call skips every other thing
counts = collections.defaultdict(collections.Counter)


def existing(kind):
    return IDS[kind][next(turns[kind]) % len(IDS[kind])]


def operation_of(case):
    return case.operation.definition.raw["operationId"]


def positive(case, location):
    meta = case.meta
    return meta is None or not meta.is_negative_at(location)


def name_things(values):
    for name, kind in NAMED.items():
        if values.get(name) and next(turn) % KEEP_EVERY:
            values[name] = [existing(kind)] if isinstance(values[name], list) else existing(kind)


def make_ready(name, case):
    if name in READY and positive(case, ParameterLocation.HEADER):
        path, body = READY[name]
        conversation = case.path_parameters["id"]
        case.headers.pop("If-Match", None)
        try:
            OWNER.call("POST", f"/v1/conversations/{conversation}/{path}", body)
        except Refused as e:
            if e.status != http.HTTPStatus.CONFLICT:  # a conflict: it is so already
                raise


@schemathesis.hook
def before_call(context, case, kwargs):
    kwargs["allow_redirects"] = False  # what is redirected is described as that
    name = operation_of(case)
    if "id" in (case.path_parameters or {}) and positive(case, ParameterLocation.PATH):
        if name in DELETED:
            path, body = DELETED[name]
            case.path_parameters["id"] = OWNER.call("POST", path, body())["id"]
        elif next(turn) % KEEP_EVERY:
            case.path_parameters["id"] = existing(THINGS[case.path.split("/")[2]])
            make_ready(name, case)
    if isinstance(case.body, dict) and positive(case, ParameterLocation.BODY):
        if name in BODIES and next(turn) % BODY_EVERY == 0:
            case.body = BODIES[name]()
            if positive(case, ParameterLocation.HEADER):
                case.headers["Idempotency-Key"] = secrets.token_hex(8)
        else:
            name_things(case.body)
    if case.query and positive(case, ParameterLocation.QUERY):
        name_things(case.query)


@schemathesis.hook
def after_call(context, case, response):
    counts[operation_of(case)][response.status_code] += 1


@atexit.register
def write_counts():
    pathlib.Path(os.environ["COUNTS"]).write_text(json.dumps(counts))
