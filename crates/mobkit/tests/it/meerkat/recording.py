"""What the real runtime was recorded to say, as the shapes of what its stand-in says."""

import copy
import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "recordings"


class Recording:
    """The first of each: the result of a method, an event of a stream, a row of the journal."""

    def __init__(self):
        self.results, self.payloads, self.envelopes, self.rows, self.errors = {}, {}, {}, {}, {}
        for path in sorted(FOLDER.glob("*.jsonl")):
            asked = {}
            for line in path.read_text(encoding="utf-8").splitlines():
                document = json.loads(line)
                said = document.get("line", {})
                if document.get("from") == "mobkit" and "method" in said:
                    asked[said.get("id")] = said["method"]
                elif document.get("from") == "meerkat":
                    self.learn(asked, said)

    def learn(self, asked, said):
        params = said.get("params", {})
        if said.get("method") == "mob/stream_event":
            payload = params["event"]["payload"]
            self.payloads.setdefault(payload["type"], payload)
            self.envelopes.setdefault("event", params)
        elif "method" in said:
            self.envelopes.setdefault(said["method"], params)
        elif "result" in said:
            method = asked.get(said["id"])
            self.results.setdefault(method, said["result"])
            for row in said["result"].get("events", []) if method == "mob/events" else []:
                self.rows.setdefault(row["kind"]["type"], row)
            page = said["result"].get("page", {})
            for message in page.get("messages", []):
                self.rows.setdefault(f"message {message['role']}", message)
            for member in said["result"].get("members", []):
                self.rows.setdefault("member", member)
        elif "error" in said:
            method = asked.get(said["id"])
            self.errors.setdefault((method, said["error"]["code"]), said["error"])

    def result(self, method, **changes):
        return {**copy.deepcopy(self.results[method]), **changes}

    def payload(self, kind, **changes):
        return {**copy.deepcopy(self.payloads[kind]), **changes}

    def envelope(self, name, **changes):
        return {**copy.deepcopy(self.envelopes[name]), **changes}

    def row(self, kind, **changes):
        return {**copy.deepcopy(self.rows[kind]), **changes}

    def error(self, method, code, message=None, data=None):
        error = copy.deepcopy(self.errors[(method, code)])
        if message is not None:
            error["message"] = message
        if data is not None:
            error["data"] = {**error.get("data", {}), **data}
        return error
