"""Schemathesis reads /openapi.yaml and asks what the document allows and what it forbids, as a caller of every role
and as nobody.

It fails on an answer with a 5xx, on one that the document does not describe (status, content type, schema, headers),
on forbidden data that was taken, on a method that is not there and not refused, and on an operation that was reached
with no success at all.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SEED = 20261129

# Operations that are not asked, by their operationId.
LEFT_OUT = {
    "streamEvents": "its answer has no end",
    "streamEventsWebSocket": "a socket is no HTTP answer",
    "logout": "it ends the session of the caller",
}

# Operations that cannot succeed here.
NO_SUCCESS = {
    "getPublicFile": "its tokens are signed: only the provider that is sent a file gets one",
    "resendMessage": "the simulator fails no message of the stand, and only what failed is sent again",
    "editMessage": "other callers take back what the stand has sent on the channel that can edit",
    "simulateReceipt": "it takes the provider's id of a message, which the stand does not know",
    "hideMessage": "no channel of the stand has comments",
    "unhideMessage": "no channel of the stand has comments",
    "replyPrivately": "no channel of the stand has comments",
}

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
]

LINE = 2000  # characters of a line that are shown; the requests of the coverage phase may be long

# Who asks: the phases, and how many cases of the fuzzing phase each operation has. The coverage phase goes through what
# the document forbids, one by one; it is not for those whose permissions are almost those of another.
ASKS = {
    "owner": ("coverage,fuzzing", 25),
    "admin": ("fuzzing", 15),
    "supervisor": ("coverage,fuzzing", 5),
    "agent": ("fuzzing", 15),
    "agent's session": ("coverage,fuzzing", 10),
    "nobody": ("fuzzing", 3),
}

# What chance left without a success while all callers asked at once is asked again, by one caller at a time.
AGAIN = ("fuzzing", 100)


def callers(stand):
    yield from ((role, made["key"]) for role, made in stand["callers"].items())
    yield "agent's session", stand["callers"]["agent"]["session"]
    yield "nobody", ""


def ask(stand, folder, caller, key, phases, examples, only=()):
    """One run of Schemathesis; returns its status, what it said, and the answers by operation."""
    counts = folder / f"{caller}.json"
    command = [str(pathlib.Path(sys.executable).parent / "schemathesis"), "--no-color"]
    command += ["--config-file", str(HERE / "schemathesis.toml"), "run", stand["url"] + "/openapi.yaml"]
    command += ["--checks", ",".join(c for c in CHECKS if key or c != "ignored_auth")]
    command += ["--seed", str(SEED), "--phases", phases, "--max-examples", str(examples)]
    for name in only:
        command += ["--include-operation-id", name]
    for name in () if only else LEFT_OUT:
        command += ["--exclude-operation-id", name]
    if key:
        command += ["--header", f"Authorization: Bearer {key}"]
    env = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "COUNTS": str(counts)}
    done = subprocess.run(command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout, json.loads(counts.read_text()) if counts.exists() else {}


class Answers:
    """What was answered to all callers."""

    def __init__(self):
        self.by_operation, self.failed = collections.defaultdict(collections.Counter), []

    def add(self, caller, status, text, counts):
        answers = collections.Counter()
        for name, by in counts.items():
            self.by_operation[name].update({int(status): n for status, n in by.items()})
            answers.update(by)
        by_status = ", ".join(f"{n} × {s}" for s, n in sorted(answers.items()))
        print(f"{caller}: {sum(answers.values())} requests, {by_status}", flush=True)
        if status != 0:
            self.failed.append(caller)
            print("\n".join(line[:LINE] for line in text.splitlines()), flush=True)

    def without_success(self):
        by = self.by_operation
        return sorted(name for name in by if name not in NO_SUCCESS and min(by[name]) >= 400)


def main():
    stand = json.loads(pathlib.Path(os.environ["STAND"]).read_text())
    answers = Answers()
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(2) as pool:
        folder = pathlib.Path(name)
        runs = [(caller, pool.submit(ask, stand, folder, caller, key, *ASKS[caller])) for caller, key in callers(stand)]
        for caller, run in runs:
            answers.add(caller, *run.result())
        for caller, key in callers(stand):
            if missed := answers.without_success():
                print(f"{caller} asks again for {', '.join(missed)}")
                answers.add(caller, *ask(stand, folder, caller, key, *AGAIN, only=missed))
    total, missed = answers.by_operation, answers.without_success()
    print(f"{len(total)} operations were asked; left out: {', '.join(sorted(LEFT_OUT))}")
    if missed:
        print(f"reached without any success: {', '.join(f'{name} {dict(total[name])}' for name in missed)}")
    return 1 if answers.failed or missed or not total else 0


if __name__ == "__main__":
    sys.exit(main())
