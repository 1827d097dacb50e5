"""The SDK as a reader of webhooks: what it says of one, and what of it is lost on it."""

import dataclasses
import datetime
import enum
import json
import logging
import warnings

import pywa
from asking import finding
from pywa import handlers
from pywa.errors import PywaUnknownEnumMemberWarning, WhatsAppError

# Fields of webhooks that the SDK has no place for, or that it turns into the class of the update.
LEFT_OUT = {"messaging_product", "type", "interactive.type", "interactive.nfm_reply.name", "interactive.nfm_reply.response_json", "recipient_type", "referral.welcome_message.text", "errors.title",
            "system.previous_user_id"}


class Log(logging.Handler):
    """Keeps what the SDK complains of: it does not fail on what it cannot read, it says so and goes on."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage() + (f": {record.exc_info[1]!r}" if record.exc_info else ""))


class Reader:
    """Reads webhooks of one number as a program on the SDK does: by handlers for every kind of update."""

    def __init__(self, number, waba, secret, token, session, base):
        self.wa = pywa.WhatsApp(phone_id=number, waba_id=waba, app_secret=secret, token=token, session=session, verify_token="verify-" + token)
        session.base_url = base
        self.log, self.updates = Log(), []
        logging.getLogger("pywa").addHandler(self.log)
        logging.getLogger("pywa").propagate = False
        for name in handlers.__all__:
            if name not in ("RawUpdateHandler", "FlowRequestHandler"):  # neither is for one kind of webhook
                self.wa.add_handlers(getattr(handlers, name)(lambda _, update: self.updates.append(update)))

    def read(self, what, body, signature):
        """The update that the SDK makes of a webhook; None, and a finding, if it makes none."""
        self.log.said.clear()
        self.updates.clear()
        if refused := self.wa.webhook_update_validator(body, signature):
            finding(f"{what}: the SDK refuses the signature: {refused}")
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", PywaUnknownEnumMemberWarning)
            self.wa.webhook_update_handler(body)
        for said in self.log.said + [str(w.message) for w in warned]:
            finding(f"{what}: the SDK says: {said}: {body.decode()}")
        if len(self.updates) != 1:
            finding(f"{what}: the SDK made {len(self.updates)} updates of {body.decode()}")
            return None
        update = self.updates[0]
        value = json.loads(body)["entry"][0]["changes"][0]["value"]
        known = leaves(update)
        for path, leaf in flat(value):
            if path not in LEFT_OUT and leaf not in known:
                finding(f"{what}: {path} = {leaf} is lost on the SDK: {update}")
        return update


def flat(value, path=""):
    """The leaves of JSON with their paths; list places have no part in a path, and neither have the lists of a webhook."""
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in flat(v, path if k in ("messages", "statuses", "message_echoes") else f"{path}.{k}".lstrip("."))]
    if isinstance(value, list):
        return [leaf for v in value for leaf in flat(v, path)]
    return [] if value in ("", None, False) else [(path, str(value))]


def leaves(value):
    """All simple values in an update, as texts."""
    if isinstance(value, WhatsAppError):
        return {str(v) for v in (value.code, value.message, value.details, value.href)}
    if dataclasses.is_dataclass(value):
        return {leaf for f in dataclasses.fields(value) if f.name not in ("_client", "raw") for leaf in leaves(getattr(value, f.name))}
    if isinstance(value, dict):
        return {leaf for v in value.values() for leaf in leaves(v)}
    if isinstance(value, (list, tuple)):
        return {leaf for v in value for leaf in leaves(v)}
    if isinstance(value, datetime.datetime):
        return {str(int(value.timestamp()))}
    return {str(value.value if isinstance(value, enum.Enum) else value)}


def differs(what, update, want):
    """Compares fields, named by their path, with what they must be; a function says so itself."""
    for path, right in want.items():
        got = update
        for name in path.split("."):
            got = got[int(name)] if name.isdigit() else getattr(got, name)
        if not (right(got) if callable(right) else got == right):
            finding(f"{what}: {path} is {got!r} to the SDK, not {right!r}: {update}")
