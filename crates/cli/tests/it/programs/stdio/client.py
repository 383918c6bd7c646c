"""A program that runs a mob over stdin and stdout, with nothing but the standard library.

Called with the binary, the mob and its state directory, it plays one of the parts below and ends
with `done`, or with a reason.
"""

import json
import os
import subprocess
import sys
import threading
from queue import Queue

BINARY, MOB, STATE, PART = sys.argv[1:5]


class Session:
    """`mobkit stdio` as a child."""

    def __init__(self):
        words = [BINARY, "stdio", MOB, "--state", STATE]
        self.child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.last = 0
        self.answers = {}
        self.notes = Queue()
        self.served = {}
        self.cancelled = Queue()
        self.held = {}
        self.lock = threading.Lock()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def write(self, message):
        line = json.dumps({"jsonrpc": "2.0", **message}) + "\n"
        with self.lock:
            self.child.stdin.write(line.encode())
            self.child.stdin.flush()

    def read(self):
        for line in self.child.stdout:
            message = json.loads(line)
            if "method" not in message:
                self.answers[message["id"]].put(message)
            elif message["method"] == "$/cancelRequest":
                self.cancelled.put(message["params"]["id"])
            elif "id" in message:
                serve = self.served[message["method"]]
                threading.Thread(target=self.serve, args=(serve, message), daemon=True).start()
            else:
                self.notes.put(message)
        self.notes.put(None)

    def serve(self, serve, message):
        try:
            answer = {"result": serve(message["params"], message["id"])}
        except Exception as error:
            answer = {"error": {"code": 1, "message": str(error)}}
        self.write({"id": message["id"], **answer})

    def ask(self, method, **params):
        self.last += 1
        self.answers[self.last] = Queue()
        self.write({"id": self.last, "method": method, "params": params})
        return self.last

    def answer(self, number):
        return self.answers[number].get(timeout=120)

    def call(self, method, **params):
        message = self.answer(self.ask(method, **params))
        assert "error" not in message, f"{method}: {message}"
        return message["result"]

    def event(self):
        while True:
            note = self.notes.get(timeout=120)
            if note["method"] == "event":
                return note["params"]["event"]

    def until(self, kind):
        while True:
            event = self.event()
            if event["kind"] == kind:
                return event

    def end(self):
        self.child.stdin.close()
        return self.child.wait(timeout=120)


def tools(session, hold=None):
    """Two tools: one that looks something up, one that does something."""
    calls = []

    def call(params, number):
        calls.append(params)
        if params["tool"] == "lookup":
            if params["args"]["what"] == "nothing":
                raise KeyError("nothing is known of it")
            return {"result": {"found": params["args"]["what"].upper()}}
        if hold is not None:
            hold.wait()
        return {"result": "it is out"}

    session.served["tool/call"] = call
    schema = lambda name: {
        "type": "object",
        "properties": {name: {"type": "string"}},
        "required": [name],
    }
    offered = [
        {"name": "lookup", "description": "Looks up.", "schema": schema("what"), "effect": "read"},
        {"name": "post", "description": "Posts.", "schema": schema("text"), "effect": "effect"},
    ]
    return calls, offered


def whole():
    """Serves members, edges, a model and tools; spawns, asks, follows, waits and gives up."""
    session = Session()
    calls, offered = tools(session)
    members = [{"id": "ann", "profile": "desk"}, {"id": "ben", "profile": "own"}]
    session.served["discovery/members"] = lambda params, _: {"members": members}
    session.served["discovery/edges"] = lambda params, _: {"edges": [["ann", "ben"]]}

    def model(params, number):
        text = params["request"]["items"][-1]["text"]
        piece = {"type": "text", "text": "own: "}
        session.write({"method": "host/piece", "params": {"id": number, "piece": piece}})
        end = {"type": "end", "finish": "stop", "carry": None}
        return {"events": [{"type": "text", "text": text}, end]}

    session.served["model/call"] = model
    started = session.call(
        "host/register", tools=offered, discovery=True, edges=True, models=["own"]
    )
    assert started["tools"] == ["lookup", "post"], started
    session.call("event/subscribe", after=0, deltas=True)
    assert session.until("host.registered")["data"]["host"] == started["host"]

    listed = session.call("member/list")["members"]
    assert sorted(m["id"] for m in listed) == ["ann", "ben", "desk"], listed
    edges = session.call("edge/list")["edges"]
    assert [sorted([e["a"], e["b"]]) for e in edges] == [["ann", "ben"]], edges
    assert session.call("member/ask", to="ben", content="hello")["text"] == "own: hello"

    session.call("member/spawn", id="cid", profile="desk")
    found = session.call("member/ask", to="cid", content="look up moon")
    assert found["text"] == 'found: {"found":"MOON"}', found
    assert calls[-1]["member"] == "cid" and calls[-1]["turn"] == found["turn"], calls
    assert calls[-1]["call"].startswith("call-"), calls
    failed = session.call("member/ask", to="cid", content="look up nothing")
    assert "nothing is known of it" in failed["text"], failed

    members += [{"id": "dan", "profile": "desk"}, {"id": "eve", "profile": "careful"}]
    report = session.call("mob/rediscover")
    assert report["spawned"] == ["dan", "eve"], report

    gated = session.ask("member/ask", to="eve", content="post it")
    waits = session.until("approval.requested")
    shown = session.call("approval/list")["approvals"][0]
    assert (shown["tool"], waits["data"]["args"]) == ("post", {"text": "it"}), shown
    decision = {"id": shown["id"], "digest": shown["digest"], "decision": "approve"}
    before = len(calls)
    session.call("approval/decide", **decision)
    assert session.answer(gated)["result"]["text"] == "posted: it is out"
    assert len(calls) == before + 1, calls

    late = session.ask("host/register", discovery=True)
    assert session.answer(late)["error"]["data"]["code"] == "host.start_only"
    taken = session.ask("host/register", tools=offered[:1])
    assert session.answer(taken)["error"]["data"]["code"] == "host.tool_taken"

    wait = session.ask("member/ask", to="cid", content="wait", timeout_ms=600000)
    assert session.call("member/get", member="ann")["id"] == "ann"
    assert session.call("$/cancelRequest", id=wait) == {"cancelled": True}
    assert session.answer(wait)["error"]["data"]["code"] == "request.cancelled"
    session.call("member/cancel", member="cid")
    assert session.end() == 0


def taken_back():
    """A call whose turn is cancelled is taken back."""
    session = Session()
    hold = threading.Event()
    calls, offered = tools(session, hold)
    session.call("host/register", tools=offered)
    session.call("event/subscribe", kinds="tool.started")
    session.call("member/send", to="desk", content="post this")
    session.until("tool.started")
    session.call("member/cancel", member="desk")
    session.cancelled.get(timeout=120)
    hold.set()
    assert session.end() == 0


def die():
    """Goes in the middle of a call that does something."""
    session = Session()
    called = threading.Event()

    def call(params, number):
        called.set()
        threading.Event().wait()

    _, offered = tools(session)
    session.served["tool/call"] = call
    session.call("host/register", tools=offered)
    session.call("member/send", to="desk", content="post this")
    assert called.wait(timeout=120)
    print(session.child.pid, flush=True)
    os._exit(9)


def after():
    """Finds the call of the one that died unknown, and takes its tools over."""
    session = Session()
    calls, offered = tools(session)
    session.call("host/register", tools=offered)
    session.call("event/subscribe", after=0)
    found = {}
    while not {"host.left", "tool.unknown"} <= found.keys():
        event = session.event()
        found[event["kind"]] = event["data"]
    assert found["host.left"]["reason"] == "the client went", found
    call = found["tool.unknown"]["call"]
    session.call("tool/resolve", call=call, how="happened", result="by hand")
    said = session.until("turn.completed")["data"]["text"]
    assert said == "posted: by hand", said
    again = session.call("member/ask", to="desk", content="post that")
    assert again["text"] == "posted: it is out", again
    assert session.end() == 0


{"whole": whole, "taken_back": taken_back, "die": die, "after": after}[PART]()
print("done")
