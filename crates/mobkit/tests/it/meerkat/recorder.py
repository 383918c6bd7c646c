"""Stands between mobkit and the real runtime, and writes down what they say to each other.

    python3 recorder.py FOLDER NAME PROGRAM [ARGUMENT ...]

Each line becomes a line of FOLDER/NAME.jsonl: {"from": "mobkit" | "meerkat", "line": {...}}. A second
process under the same name writes on, after a line {"process": n}. What differs each time is
replaced: ids are numbered in the order in which they come, times stand still, claim tokens and the
runtime's own instructions are left out. What goes over the pipes stays as it is.
"""

import ctypes
import json
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
TOKEN = re.compile(r"\bmct_[A-Za-z0-9_-]{43}")
TIME = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
FOLDER = re.compile(r"/[^\s\"]*/meerkat/")


class Scrubber:
    """Replaces what differs each time, the same by the same."""

    def __init__(self):
        self.ids = {}

    def text(self, text):
        text = TOKEN.sub("mct_" + "A" * 43, text)
        text = TIME.sub("2026-01-01T00:00:00.000000000+00:00", text)
        text = UUID.sub(lambda m: f"00000000-0000-7000-8000-{self.number(m[0]):012x}", text)
        text = DIGEST.sub(lambda m: f"{self.number(m[0]):064x}", text)
        return FOLDER.sub("/meerkat/", text)

    def number(self, known):
        return self.ids.setdefault(known, len(self.ids) + 1)

    def value(self, value, key=None):
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and not isinstance(value, bool) and str(key).endswith("_ms"):
            return 0
        if isinstance(value, list):
            return [self.value(inner) for inner in value]
        if isinstance(value, dict):
            if value.get("role") == "system" and "content" in value:
                value = {**value, "content": "instructions"}
            return {inner: self.value(of, inner) for inner, of in value.items()}
        return value


def end_with_this_process():
    """Whoever kills the recorder means the runtime."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def main():
    folder, name, *command = sys.argv[1:]
    path = Path(folder) / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8").count('{"process":') if path.exists() else 0
    file = path.open("a", encoding="utf-8")
    scrubber, writing = Scrubber(), threading.Lock()
    file.write(json.dumps({"process": before + 1}) + "\n")

    def note(who, line):
        with writing:
            try:
                document = {"from": who, "line": scrubber.value(json.loads(line))}
            except ValueError:
                document = {"from": who, "text": line.decode(errors="replace")}
            file.write(json.dumps(document) + "\n")
            file.flush()

    runtime = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=end_with_this_process,
    )

    def forth():
        for line in sys.stdin.buffer:
            note("mobkit", line)
            runtime.stdin.write(line)
            runtime.stdin.flush()
        runtime.stdin.close()

    threading.Thread(target=forth, daemon=True).start()
    for line in runtime.stdout:
        note("meerkat", line)
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    sys.exit(runtime.wait())


if __name__ == "__main__":
    main()
