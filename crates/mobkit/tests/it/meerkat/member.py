"""A member of the stand-in: its inputs run one after the other, each to its end, over restarts."""

import hashlib
import http.client
import json
import os
import queue
import signal
import threading
import time
import tomllib
import urllib.parse
import uuid
from datetime import datetime, timezone
from pathlib import Path

CATALOG = "tool_catalog_load"
# How many tools of the other side are shown to the model as they are.
INLINE_MAX = 1
PASSING = 0.05


def now():
    return datetime.now(timezone.utc).isoformat()


class Stopped(Exception):
    """The run was cancelled."""


class ModelFailed(Exception):
    """The model's server refused."""


class Worker:
    """Runs what is sent to one member."""

    def __init__(self, stand_in, key):
        self.at, self.key = stand_in, key
        self.store, self.said = stand_in.store, stand_in.said
        self.lock = threading.Lock()
        # Calls of a round are made side by side, and all write into one book.
        self.writing = threading.RLock()
        self.waking = threading.Event()
        self.stopping = threading.Event()
        self.ended = threading.Event()
        self.thread = None
        self.run = self.input = None
        self.retired = False

    def wake(self):
        self.waking.set()
        with self.lock:
            if self.thread is None:
                self.thread = threading.Thread(target=self.work, daemon=True)
                self.thread.start()

    def stop(self, run):
        """Cancels the run of this id, or whichever there is; its input, or None."""
        if run is None:
            self.retired = self.retired or self.run is None
        if self.run is None or (run is not None and run != self.run):
            return None
        input = self.input
        self.ended.clear()
        self.stopping.set()
        self.ended.wait(10)
        return input

    def work(self):
        while True:
            self.waking.wait()
            self.waking.clear()
            while (sent := self.next()) is not None:
                self.one(*sent)

    def next(self):
        """What was sent first of all that has no end."""
        sent = self.store.all("delivery", f"{self.key}/")
        for key, delivery in sorted(sent, key=lambda pair: pair[1]["order"]):
            if delivery.get("stranded"):
                continue
            kept = self.store.get("input", delivery["input"]) if delivery["input"] else None
            if kept is None or kept["state"].get("terminal_outcome") is None:
                return key, delivery, kept
        return None

    # ---- one input ----------------------------------------------------------------------------------

    def one(self, key, delivery, kept):
        member = self.store.get("member", self.key)
        if member.get("held"):
            threading.Event().wait()
        if not member["present"]:
            return self.end_of_retired(key, delivery)
        self.session, self.member = delivery["session"], member
        if member["session"] != self.session:
            return self.end_of_retired(key, delivery)
        if kept is None:
            kept = self.admit(key, delivery)
        self.kept, self.content = kept, delivery["content"]
        self.sent = key, delivery
        self.input = kept["state"]["input_id"]
        last = kept["state"].get("last_run_id")
        rounds = self.rounds(last) if last else []
        self.stopping.clear()
        try:
            if rounds:
                self.resume(last, rounds)
            else:
                self.begin()
            self.go_on()
        except Stopped:
            self.fail("cancelled", "Run was cancelled", "abandoned", "cancelled")
        except ModelFailed as error:
            self.fail("llm", str(error), "consumed", "completed")
        self.run = None
        self.ended.set()

    def admit(self, key, delivery):
        id = str(uuid.uuid4())
        state = {
            "attempt_count": 1,
            "created_at": now(),
            "current_state": "queued",
            "history": [],
            "input_id": id,
            "recovery_count": 0,
            "updated_at": now(),
        }
        kept = {"state": state}
        self.store.put(("delivery", key, {**delivery, "input": id}), ("input", id, kept))
        return kept

    def end_of_retired(self, key, delivery):
        kept = self.store.get("input", delivery["input"]) if delivery["input"] else None
        if kept is None:
            kept = self.admit(key, delivery)
        kept["state"].update(current_state="abandoned", terminal_outcome="cancelled")
        self.store.put(("input", kept["state"]["input_id"], kept))

    def move(self, state, **more):
        """The input is in another state; what has to change with that changes with it."""
        before = self.kept["state"]["current_state"]
        step = {"from": before, "reason": state, "timestamp": now(), "to": state}
        self.kept["state"]["history"].append(step)
        self.kept["state"].update(current_state=state, updated_at=now(), **more)
        return ("input", self.input, self.kept)

    def book(self):
        return self.store.get("session", self.session)

    def rounds(self, run):
        rows = self.book()["messages"]
        return [row for row in rows if row["role"] == "block_assistant" and row["run_id"] == run]

    def identity(self):
        return {"interaction_id": self.input, "run_id": self.run}

    def emit(self, kind, **changes):
        with self.writing:
            self.emit_in_order(kind, changes)

    def emit_in_order(self, kind, changes):
        book = self.book()
        book["seq"] += 1
        self.store.put(("session", self.session, book))
        if self.at.how == "overflow" and kind == "turn_started":
            self.at.overflow(self.key)
        if self.at.how == "lose" and kind not in ("run_started", "run_completed"):
            if kind == "turn_started":
                reason = {"kind": "stream_lagged", "dropped": 7}
                lost = {"type": "stream_truncated", "reason": reason}
                self.at.emit(self.key, self.session, book["seq"], lost)
            return
        payload = self.said.payload(kind, **changes)
        self.at.emit(self.key, self.session, book["seq"], payload)

    def begin(self):
        self.run, self.round = str(uuid.uuid4()), 0
        self.fresh = [
            self.said.row(
                "message user",
                content=self.content,
                interaction_id=self.input,
                run_id=self.run,
                created_at=now(),
            )
        ]
        self.store.put(self.move("staged", last_run_id=self.run))
        content = {"content": self.content, "kind": "content"}
        self.emit(
            "run_started", identity=self.identity(), input=content, session_id=self.session
        )

    def resume(self, run, rounds):
        self.run, self.fresh = run, []
        self.round = len(rounds)
        rows = self.book()["messages"]
        pending = rows[-1] is not None and rows[-1]["role"] == "block_assistant"
        if pending:
            self.round -= 1
        point = "tools_pending" if pending else "awaiting_model"
        self.emit(
            "run_resumed",
            resume_point=point,
            round=self.round,
            run_id=run,
            session_id=self.session,
        )
        if pending:
            calls = [b["data"] for b in rows[-1]["blocks"] if b["block_type"] == "tool_use"]
            self.finish_round(calls)

    def go_on(self):
        while True:
            message = str(uuid.uuid4())
            self.notice()
            self.emit("turn_started", assistant_message_id=message, turn_number=self.round)
            if self.round > 0:
                self.let_join()
            if self.at.how in ("die", "die-once"):
                self.die()
            if self.at.how == "hold" and self.content == "break":
                self.die()
            if self.at.how == "vanish" and self.content == "break":
                self.vanish()
            text, calls, usage = self.ask_model(message)
            self.commit(message, text, calls, usage)
            if not calls:
                return
            for call in calls:
                self.emit("tool_call_requested", **call)
            self.finish_round(calls, message, usage)

    def let_join(self):
        """At a boundary the run takes what was sent to join it."""
        sent = self.store.all("delivery", f"{self.key}/")
        for key, delivery in sorted(sent, key=lambda pair: pair[1]["order"]):
            waits = delivery["mode"] == "steer" and delivery["input"] is None
            if not waits or delivery["session"] != self.session:
                continue
            kept = self.admit(key, delivery)
            id, content = kept["state"]["input_id"], delivery["content"]
            kept["state"].update(
                current_state="consumed", last_run_id=self.run, terminal_outcome="completed"
            )
            book = self.book()
            row = self.said.row("message user", content=content, interaction_id=id, created_at=now())
            row.pop("run_id", None)
            book["messages"].append(row)
            self.store.put(("session", self.session, book), ("input", id, kept))
            self.emit("boundary_append_applied", content=content, input_id=id, run_id=self.run)

    def die(self):
        marker = Path(self.at.options.state_root) / "died"
        if self.at.how == "die" or not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def vanish(self):
        """Dies when it is let go, before another takes its place; once."""
        if self.store.all("vanished"):
            return
        self.store.put(("vanished", self.key, {}))
        mob, identity = self.key.split("/")
        about = {"agent_identity": identity, "session_id": self.session}
        self.at.row(mob, "member_retirement_started", **about)
        self.at.row(mob, "member_retired", agent_identity=identity)
        gone = ("member", self.key, {**self.member, "present": False})
        sent, delivery = self.sent
        self.store.put(gone, ("delivery", sent, {**delivery, "input": None, "stranded": True}))
        self.die()

    def fail(self, word, reason, state, outcome):
        book = self.book()
        if book["messages"][-1]["role"] == "block_assistant":
            blocks = book["messages"][-1]["blocks"]
            calls = [b["data"] for b in blocks if b["block_type"] == "tool_use"]
            results = [{"tool_use_id": c["id"], "content": reason, "is_error": True} for c in calls]
            if results:
                book["messages"].append(
                    self.said.row("message tool_results", results=results, created_at=now())
                )
        self.store.put(
            ("session", self.session, book), self.move(state, terminal_outcome=outcome)
        )
        report = {"class": word, "message": reason}
        self.emit(
            "run_failed",
            error_report=report,
            identity=self.identity(),
            session_id=self.session,
        )

    # ---- rounds -------------------------------------------------------------------------------------

    def commit(self, message, text, calls, usage):
        blocks = [{"block_type": "text", "data": {"text": text}}] if text else []
        blocks += [{"block_type": "tool_use", "data": call} for call in calls]
        row = self.said.row(
            "message block_assistant",
            blocks=blocks,
            stop_reason="tool_use" if calls else "end_turn",
            interaction_id=self.input,
            run_id=self.run,
            assistant_message_id=message,
            created_at=now(),
        )
        book = self.book()
        book["messages"] += [*self.fresh, row]
        book["input"] += usage["prompt_tokens"]
        book["output"] += usage["completion_tokens"]
        self.fresh = []
        kept = [("session", self.session, book)]
        if not calls:
            kept.append(self.move("consumed", terminal_outcome="completed"))
        self.store.put(*kept)
        if text and not calls:
            self.emit("text_complete", assistant_message_id=message, content=text)
        if not calls:
            self.turn_completed(message, "end_turn", usage)
            total = {"input_tokens": book["input"], "output_tokens": book["output"]}
            self.emit(
                "run_completed",
                assistant_message_id=message,
                identity=self.identity(),
                result=text,
                session_id=self.session,
                usage={"cache_creation_tokens": None, "cache_read_tokens": None, **total},
            )

    def turn_completed(self, message, reason, usage):
        payload = self.said.payload("turn_completed")
        told = {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
        self.emit(
            "turn_completed",
            assistant_message_id=message,
            stop_reason=reason,
            usage={**payload["usage"], **told},
        )

    def finish_round(self, calls, message=None, usage=None):
        """Makes the calls of a round side by side, and keeps what came of them."""
        results = [None] * len(calls)

        def one(at, call):
            self.emit("tool_execution_started", id=call["id"], name=call["name"])
            results[at] = self.catalog(call) if call["name"] == CATALOG else self.host(call)

        threads = [
            threading.Thread(target=one, args=pair, daemon=True) for pair in enumerate(calls)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.stopping.is_set():
            raise Stopped
        for call, (text, failed) in zip(calls, results):
            about = {"id": call["id"], "name": call["name"], "is_error": failed}
            self.emit("tool_execution_completed", duration_ms=1, **about)
            content = [{"text": text, "type": "text"}]
            self.emit("tool_result_received", content=content, **about)
        rows = [
            {"tool_use_id": call["id"], "content": text, "is_error": failed}
            for call, (text, failed) in zip(calls, results)
        ]
        book = self.book()
        book["messages"].append(
            self.said.row("message tool_results", results=rows, created_at=now())
        )
        self.store.put(("session", self.session, book))
        if message:
            self.turn_completed(message, "tool_use", usage)
        self.round += 1

    def catalog(self, call):
        names = [name for name in call["args"].get("names", []) if name in self.at.tools]
        with self.writing:
            book = self.book()
            book["loaded"] = sorted({*book["loaded"], *names})
            self.store.put(("session", self.session, book))
        resolved = [{"name": name, "accepted": True} for name in names]
        return json.dumps({"accepted_names": names, "resolutions": resolved}), False

    def host(self, call):
        mob = self.key.split("/")[0]
        with self.at.changed:
            while mob not in self.at.claimed and not self.stopping.is_set():
                self.at.changed.wait(PASSING)
        digest = hashlib.sha256(json.dumps(call, sort_keys=True).encode()).hexdigest()
        key = {"run_id": self.run, "round": self.round, "call_id": call["id"]}
        params = {
            "tool_use_id": call["id"],
            "name": call["name"],
            "arguments": call["args"],
            "dedupe_key": {**key, "call_digest": digest},
        }
        said = self.at.call(params, self.stopping.is_set)
        if said is None:
            return "cancelled", True
        if "error" in said:
            return said["error"].get("message", "failed"), True
        return said["result"]["content"], bool(said["result"].get("is_error"))

    # ---- the model ----------------------------------------------------------------------------------

    def notice(self):
        """Tells the model of tools in the catalog that it has not heard of."""
        book = self.book()
        hidden = self.hidden(book)
        new = [name for name in hidden if name not in book["told"]]
        if new:
            body = "Deferred catalog changed at turn boundary: new deferred tools available: "
            row = self.said.row("message system_notice", body=body + ", ".join(new))
            book["told"] += new
            if self.fresh:
                self.fresh.append(row)
            else:
                book["messages"].append(row)
            self.store.put(("session", self.session, book))
            self.emit("tool_config_changed")

    def hidden(self, book):
        names = sorted(self.at.tools)
        return [] if len(names) <= INLINE_MAX else [n for n in names if n not in book["loaded"]]

    def offered(self, book):
        hidden = self.hidden(book)
        shown = [tool for name, tool in sorted(self.at.tools.items()) if name not in hidden]
        tools = [(t["name"], t["description"], t["input_schema"]) for t in shown]
        if hidden:
            names = {"names": {"type": "array", "items": {"type": "string"}}}
            tools.append((CATALOG, "Loads tools.", {"type": "object", "properties": names}))
        return [
            {"type": "function", "function": {"name": n, "description": d, "parameters": p}}
            for n, d, p in tools
        ]

    def messages(self, book):
        told = [{"role": "system", "content": "\n\n".join(["instructions", *self.member["instructions"]])}]
        for row in [*book["messages"], *self.fresh]:
            if row["role"] == "user":
                told.append({"role": "user", "content": row["content"]})
            elif row["role"] == "system_notice":
                told.append({"role": "user", "content": row["body"]})
            elif row["role"] == "block_assistant":
                told.append(assistant(row))
            elif row["role"] == "tool_results":
                for result in row["results"]:
                    told.append(
                        {
                            "role": "tool",
                            "tool_call_id": result["tool_use_id"],
                            "content": result["content"],
                        }
                    )
        return told

    def ask_model(self, message):
        book = self.book()
        address, headers, model = self.server()
        request = {
            "model": model,
            "messages": self.messages(book),
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_completion_tokens": 16384,
        }
        tools = self.offered(book)
        if tools:
            request["tools"] = tools
        lines = queue.Queue()
        asking = threading.Thread(
            target=ask, args=(address, headers, request, lines), daemon=True
        )
        asking.start()
        text, calls, usage = "", {}, {"prompt_tokens": 0, "completion_tokens": 0}
        while True:
            if self.stopping.is_set():
                raise Stopped
            try:
                line = lines.get(timeout=PASSING)
            except queue.Empty:
                continue
            if line is None:
                break
            if isinstance(line, Exception):
                raise ModelFailed(str(line))
            usage = line.get("usage") or usage
            for choice in line.get("choices", []):
                delta = choice["delta"]
                if delta.get("content"):
                    text += delta["content"]
                    self.emit(
                        "text_delta", assistant_message_id=message, delta=delta["content"]
                    )
                for call in delta.get("tool_calls", []):
                    function = call["function"]
                    args = json.loads(function["arguments"])
                    calls[call["index"]] = {"id": call["id"], "name": function["name"], "args": args}
        return text, [calls[at] for at in sorted(calls)], usage

    def server(self):
        folder = Path(self.at.options.user_config_root) / ".rkat"
        config = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
        profile = self.member["profile"]
        model = config["self_hosted"]["models"][profile["model"]]
        server = config["self_hosted"]["servers"][model["server"]]
        realm = config["realm"]["global"]
        auth = realm["auth"][realm["binding"][self.member["auth"]]["auth_profile"]]
        headers = {"content-type": "application/json"}
        if auth["source"].get("env"):
            headers["authorization"] = f"Bearer {os.environ[auth['source']['env']]}"
        return server["base_url"], headers, model["remote_model"]


def assistant(row):
    text = "".join(b["data"]["text"] for b in row["blocks"] if b["block_type"] == "text")
    calls = [b["data"] for b in row["blocks"] if b["block_type"] == "tool_use"]
    message = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(call["args"])},
            }
            for call in calls
        ]
    return message


def ask(address, headers, request, lines):
    """Asks the model's server, and puts every piece of the answer into `lines`; None at its end."""
    try:
        url = urllib.parse.urlsplit(address)
        path = url.path.rstrip("/")
        path = path if path.endswith("/v1") else f"{path}/v1"
        for attempt in range(4):
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
            connection.request("POST", f"{path}/chat/completions", json.dumps(request), headers)
            response = connection.getresponse()
            if response.status < 500 or attempt == 3:
                break
            time.sleep(PASSING)
        if response.status != 200:
            raise ModelFailed(f"{response.status}: {response.read(300).decode(errors='replace')}")
        for line in response:
            if line.startswith(b"data: [DONE]"):
                break
            if line.startswith(b"data: "):
                lines.put(json.loads(line[6:]))
        lines.put(None)
    except Exception as error:  # Whatever it is, the run fails on it.
        lines.put(error)
