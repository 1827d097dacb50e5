"""Runs peers: programs that others wrote and keep, against the built binary.

    run.py BINARY [PEER…]      all peers, or those that are named

A peer is a folder beside this file with a program: peer.py with requirements.txt, or peer.mjs with package.json and
package-lock.json. What it needs is installed once into .cache, pinned with hashes. It is started with STAND, the path
of the file that stand.py writes, and ends with 0 if it has found nothing. Each peer has a stand of its own.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import venv

import stand

HERE = pathlib.Path(__file__).resolve().parent
CACHE = HERE / ".cache"


class Unreached(Exception):
    """The index of packages cannot be reached."""


class Python:
    """A peer in Python, in a virtual environment of its own."""

    program, pins = "peer.py", ["requirements.txt"]

    @staticmethod
    def install(peer, into):
        venv.create(into, with_pip=True)
        pip = [str(into / "bin" / "pip"), "--disable-pip-version-check", "--retries", "2"]
        if quietly([*pip, "install", "--require-hashes", "-r", str(peer / "requirements.txt")]):
            return
        # Not the peer's pins are at fault if the index does not even have pip.
        with tempfile.TemporaryDirectory() as folder:
            if not quietly([*pip, "download", "--no-deps", "-d", folder, "pip"]):
                raise Unreached("the Python package index")
        raise SystemExit(f"{peer.name}: requirements.txt cannot be installed; see above")

    @staticmethod
    def command(peer, env):
        return [str(env / "bin" / "python"), str(peer / "peer.py")]


class Node:
    """A peer in JavaScript, with its packages beside a copy of it: Node looks for them from where the program is."""

    program, pins = "peer.mjs", ["package.json", "package-lock.json"]

    @staticmethod
    def install(peer, into):
        if not shutil.which("npm"):
            raise SystemExit(f"{peer.name}: npm is missing: https://nodejs.org, or apt-get install npm")
        into.mkdir(parents=True)
        for name in Node.pins:
            shutil.copy(peer / name, into)
        if quietly(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=into):
            return
        if not quietly(["npm", "ping"], cwd=into):
            raise Unreached("the npm registry")
        raise SystemExit(f"{peer.name}: package-lock.json cannot be installed; see above")

    @staticmethod
    def command(peer, env):
        for path in peer.glob("*.mjs"):
            shutil.copy(path, env)
        return ["node", str(env / "peer.mjs")]


def quietly(command, **options):
    """Runs a command and shows what it said if it failed; reports whether it succeeded."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
    return done.returncode == 0


def kind_of(peer):
    return next((kind for kind in (Python, Node) if (peer / kind.program).exists()), None)


def environment(kind, peer):
    """The folder with what the peer needs, installed anew when its pins have changed."""
    pins = b"".join((peer / name).read_bytes() for name in kind.pins) + sys.version.encode()
    into = CACHE / f"{peer.name}-{hashlib.sha256(pins).hexdigest()[:16]}"
    done = into / ".installed"
    if not done.exists():
        shutil.rmtree(into, ignore_errors=True)
        kind.install(peer, into)
        done.touch()
    return into


def run(binary, peer, kind, env):
    """Runs one peer on a stand of its own; the stand's folder is kept if the peer has found something."""
    folder = tempfile.mkdtemp(prefix="peer-")
    with stand.Stand(binary, folder) as s:
        try:
            description = s.seed()
        except stand.Refused as e:
            print(f"{peer.name}: the stand could not be made: {e}; the log is {s.log}", file=sys.stderr)
            return False
        status = subprocess.run(kind.command(peer, env), env=os.environ | {"STAND": str(description), "PYTHONPATH": str(HERE)}).returncode
        if not s.alive():
            print(f"{peer.name}: the process has ended under it; the log is {s.log}", file=sys.stderr)
            return False
    if status == 0:
        shutil.rmtree(folder)
    else:
        print(f"{peer.name}: FAILED; the log of the process is {s.log}", file=sys.stderr)
    return status == 0


def main(binary, *names):
    every = sorted(p for p in HERE.iterdir() if p.is_dir() and kind_of(p))
    if unknown := set(names) - {p.name for p in every}:
        raise SystemExit(f"there is no peer {', '.join(sorted(unknown))}; there are {', '.join(p.name for p in every)}")
    failed = []
    for peer in every:
        if names and peer.name not in names:
            continue
        began, kind = time.monotonic(), kind_of(peer)
        print(f"== {peer.name}", flush=True)
        try:
            env = environment(kind, peer)
        except Unreached as e:
            print(f"{peer.name}: SKIPPED, {e} cannot be reached")
            continue
        if not run(os.path.abspath(binary), peer, kind, env):
            failed.append(peer.name)
        print(f"{peer.name}: {time.monotonic() - began:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
