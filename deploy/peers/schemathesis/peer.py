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


def callers(stand):
    yield from ((role, made["key"]) for role, made in stand["callers"].items())
    yield "agent's session", stand["callers"]["agent"]["session"]
    yield "nobody", ""


def ask(stand, folder, caller, key):
    """One run of Schemathesis; returns its status, what it said, and the answers by operation."""
    counts, (phases, examples) = folder / f"{caller}.json", ASKS[caller]
    command = [str(pathlib.Path(sys.executable).parent / "schemathesis"), "--no-color"]
    command += ["--config-file", str(HERE / "schemathesis.toml"), "run", stand["url"] + "/openapi.yaml"]
    command += ["--checks", ",".join(c for c in CHECKS if key or c != "ignored_auth")]
    command += ["--seed", str(SEED), "--phases", phases, "--max-examples", str(examples)]
    for name in LEFT_OUT:
        command += ["--exclude-operation-id", name]
    if key:
        command += ["--header", f"Authorization: Bearer {key}"]
    env = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "COUNTS": str(counts)}
    done = subprocess.run(command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout, json.loads(counts.read_text()) if counts.exists() else {}


def main():
    stand = json.loads(pathlib.Path(os.environ["STAND"]).read_text())
    total, failed = collections.defaultdict(collections.Counter), []
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = [(c, pool.submit(ask, stand, pathlib.Path(folder), c, key)) for c, key in callers(stand)]
        for caller, run in runs:
            status, text, counts = run.result()
            answers = collections.Counter()
            for name, by in counts.items():
                total[name].update(by)
                answers.update(by)
            by_status = ", ".join(f"{n} × {s}" for s, n in sorted(answers.items()))
            print(f"{caller}: {sum(answers.values())} requests, {by_status}", flush=True)
            if status != 0:
                failed.append(caller)
                print("\n".join(line[:LINE] for line in text.splitlines()), flush=True)
    reached = {name for name, by in total.items() if any(s < "400" for s in by)}
    missed = sorted(set(total) - reached - set(NO_SUCCESS))
    print(f"{len(total)} operations were asked, {len(reached)} with success; left out: {', '.join(sorted(LEFT_OUT))}")
    if missed:
        print(f"reached without any success: {', '.join(f'{name} {dict(total[name])}' for name in missed)}")
    return 1 if failed or missed or not total else 0


if __name__ == "__main__":
    sys.exit(main())
