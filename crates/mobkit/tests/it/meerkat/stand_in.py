"""Stands in for the Meerkat runtime in tests: what it says has the shapes that were recorded of the
real one, and what it keeps survives SIGKILL as it was recorded to survive there.

    python3 stand_in.py [--misbehave HOW] --realm … --state-root … --user-config-root … …

It asks the model of its configuration as the real one does, so the same rules answer both.
"""

import argparse
import hashlib
import json
import os
import sqlite3
import sys
import threading
import time
import uuid
from datetime import datetime, timezone
from pathlib import Path

from member import Worker
from recording import Recording

WRITING = threading.Lock()


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.error = error


def now():
    return datetime.now(timezone.utc).isoformat()


class Store:
    """What survives: documents by kind and key, each change at once or not at all."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self.base = sqlite3.connect(
            folder / "stand-in.sqlite3", check_same_thread=False, isolation_level=None
        )
        self.base.execute("PRAGMA journal_mode = WAL")
        self.base.execute(
            "CREATE TABLE IF NOT EXISTS kept (kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key))"
        )

    def get(self, kind, key):
        with self.lock:
            row = self.base.execute(
                "SELECT body FROM kept WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, kind, prefix=""):
        with self.lock:
            rows = self.base.execute(
                "SELECT key, body FROM kept WHERE kind = ? ORDER BY key", (kind,)
            ).fetchall()
        return [(key, json.loads(body)) for key, body in rows if key.startswith(prefix)]

    def put(self, *documents):
        """Writes (kind, key, body), all or none."""
        with self.lock:
            self.base.execute("BEGIN IMMEDIATE")
            for kind, key, body in documents:
                self.base.execute(
                    "INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (kind, key, json.dumps(body))
                )
            self.base.execute("COMMIT")


class StandIn:
    """The conversation, and what it keeps between two lives."""

    def __init__(self, options):
        self.options = options
        self.how = options.misbehave
        self.said = Recording()
        self.store = Store(Path(options.state_root) / options.realm)
        self.lock = threading.RLock()
        self.tools = {}
        self.claimed = set()
        self.changed = threading.Condition(self.lock)
        self.streams, self.backlog, self.seen = {}, {}, set()
        self.workers, self.restored = {}, set()
        self.calls, self.next_call = {}, 0
        self.methods = {
            "initialize": self.initialize,
            "mob/list": self.list,
            "mob/create": self.create,
            "mob/claim_callback_route": self.claim,
            "mob/events": self.events,
            "mob/members": self.members,
            "mob/member_status": self.status,
            "mob/member_history": self.history,
            "mob/member_send": self.send,
            "mob/spawn": self.spawn,
            "mob/retire": self.retire,
            "mob/stop_member_run": self.stop_run,
            "mob/hard_cancel_member": self.hard_cancel,
            "mob/stream_open": self.open,
            "mob/stream_close": self.close,
            "session/input_status": self.input_status,
            "tools/register": self.register,
        }

    # ---- lines --------------------------------------------------------------------------------------

    def write(self, document):
        line = json.dumps({"jsonrpc": "2.0", **document}).encode() + b"\n"
        with WRITING:
            try:
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
            except (BrokenPipeError, ValueError):
                os._exit(0)

    def serve(self):
        if self.how == "flood-stderr":
            for at in range(100_000):
                print(f"line {at} of a flood, which nobody can read", file=sys.stderr)
        for line in sys.stdin.buffer:
            said = json.loads(line)
            if "method" not in said:
                self.answered(said)
            elif "id" in said and said["method"] == "tools/register":
                self.answer(said)
            elif "id" in said:
                threading.Thread(target=self.answer, args=(said,), daemon=True).start()
        # What runs goes on at the next start.
        sys.stdout.flush()
        os._exit(0)

    def answer(self, said):
        if self.how == "hang":
            return
        if self.how == "late":
            time.sleep(0.2)
        method = self.methods.get(said["method"])
        try:
            if method is None:
                message = f"Method not found: {said['method']}"
                raise Refused({"code": -32601, "message": message})
            after = []
            result = method(said.get("params") or {}, after)
        except Refused as refused:
            return self.write({"id": said["id"], "error": refused.error})
        if said["method"] == "mob/list":
            self.break_protocol()
        self.write({"id": said["id"], "result": result})
        for step in after:
            step()

    def break_protocol(self):
        with WRITING:
            if self.how == "garbage":
                sys.stdout.buffer.write(b"thread 'main' panicked at src/main.rs: this is no JSON\n")
            if self.how == "no-jsonrpc":
                sys.stdout.buffer.write(b'{"id": 1, "result": {}}\n')
            while self.how == "flood-stdout":
                # A line without an end.
                sys.stdout.buffer.write(b"x" * 1_000_000)

    def refuse(self, method, code, message=None, data=None):
        raise Refused(self.said.error(method, code, message, data))

    def call(self, params, given_up):
        """Asks the other side for a tool; None where nobody wants the answer any longer."""
        with self.changed:
            id = f"srv-{self.next_call}"
            self.next_call += 1
            self.calls[id] = None
            self.write({"id": id, "method": "tool/execute", "params": params})
            while self.calls[id] is None and not given_up():
                self.changed.wait(0.05)
            return self.calls.pop(id)

    def answered(self, said):
        with self.changed:
            if said.get("id") in self.calls:
                self.calls[said["id"]] = said
                self.changed.notify_all()

    # ---- methods ------------------------------------------------------------------------------------

    def initialize(self, _params, _after):
        result = self.said.result("initialize")
        if self.how == "version":
            result["contract_version"] = result["server_info"]["version"] = "0.10.0"
        return result

    def register(self, params, _after):
        with self.lock:
            for tool in params["tools"]:
                self.tools[tool["name"]] = tool
        return self.said.result("tools/register", registered=len(params["tools"]))

    def list(self, _params, after):
        mobs = [{"mob_id": key, "status": "Running"} for key, _ in self.store.all("mob")]
        after.append(self.restore)
        return self.said.result("mob/list", mobs=mobs)

    def restore(self):
        """Runs that were open go on, once the first method of a mob was called."""
        for key, member in self.store.all("member"):
            if member["present"]:
                if self.how == "hold":
                    self.hold(key, member)
                self.restored.add(key)
                self.worker(key).wake()

    def hold(self, key, member):
        """Holds back the session of a member that died in a run, once."""
        sent = self.worker(key).next()
        if sent and sent[2] and not self.store.all("held"):
            self.store.put(("held", key, {}), ("member", key, {**member, "held": True}))

    def refuse_held(self, method, member, identity):
        if member.get("held"):
            reason = f"member {identity} has a durable tail its recovery held or refused"
            self.refuse(method, -32602, reason)

    def create(self, params, _after):
        definition = params["definition"]
        mob = definition["id"]
        token = "mct_" + (uuid.uuid4().hex * 2)[:43]
        with self.lock:
            if self.store.get("mob", mob):
                self.refuse("mob/create", -32602, f"internal error: mob already exists: {mob}")
            self.store.put(("mob", mob, {"claim": hashlib.sha256(token.encode()).hexdigest()}))
            self.row(mob, "mob_created", definition=definition)
            self.claimed.add(mob)
        return self.said.result("mob/create", mob_id=mob, claim_token=token)

    def claim(self, params, _after):
        mob = params["mob_id"]
        claim = hashlib.sha256(params["claim_token"].encode()).hexdigest()
        if self.mob(mob)["claim"] != claim:
            message = f"mob '{mob}': the claim token is not the mob's"
            self.refuse("mob/claim_callback_route", -32002, message, {"mob_id": mob})
        with self.changed:
            self.claimed.add(mob)
            self.changed.notify_all()
        return self.said.result("mob/claim_callback_route", mob_id=mob)

    def mob(self, mob):
        found = self.store.get("mob", mob)
        if found is None:
            self.refuse("mob/members", -32602, f"mob not found: {mob}")
        return found

    def row(self, mob, kind, **changes):
        with self.lock:
            cursor = len(self.store.all("row", f"{mob}/")) + 1
            row = self.said.row(kind, cursor=cursor, mob_id=mob, timestamp=now())
            row["kind"].update(changes)
            self.store.put(("row", f"{mob}/{cursor:08}", row))

    def events(self, params, _after):
        mob, after = params["mob_id"], params.get("after_cursor", 0)
        self.mob(mob)
        rows = [row for _, row in self.store.all("row", f"{mob}/")]
        if params.get("strict") and after > len(rows):
            message = f"stale mob event cursor: requested {after}, latest {len(rows)}"
            data = {"requested": after, "watermark": len(rows)}
            self.refuse("mob/events", -32027, message, data)
        later = [row for row in rows if row["cursor"] > after]
        return self.said.result("mob/events", events=later[: params.get("limit", 100)])

    def members(self, params, _after):
        mob = params["mob_id"]
        self.mob(mob)
        rows = [
            self.said.row(
                "member",
                agent_identity=key.split("/")[1],
                member_ref=key,
                labels=member["labels"],
                status="broken" if member.get("held") else "active",
            )
            for key, member in self.store.all("member", f"{mob}/")
            if member["present"]
        ]
        return self.said.result("mob/members", mob_id=mob, members=rows)

    def member(self, params):
        key = f"{params['mob_id']}/{params['agent_identity']}"
        found = self.store.get("member", key)
        if found is None or not found["present"]:
            message = f"mob member not found: {params['agent_identity']}"
            self.refuse("mob/member_history", -32602, message)
        return key, found

    def status(self, params, _after):
        try:
            key, member = self.member(params)
        except Refused:
            unknown = self.said.result("mob/member_status", status="unknown", is_final=True)
            unknown.pop("current_session_id")
            return unknown
        result = self.said.result("mob/member_status", member_ref=key)
        result["current_session_id"] = member["session"]
        is_open = self.worker(key).run is not None
        result["progress"]["run_state"] = "run_open" if is_open else "idle"
        return result

    def history(self, params, _after):
        _, member = self.member(params)
        messages = self.store.get("session", member["session"])["messages"]
        first, limit = params.get("from_index", 0), params.get("limit", 100)
        page = {
            "from_index": first,
            "messages": messages[first : first + limit],
            "message_count": len(messages),
            "complete": first + limit >= len(messages),
        }
        if not page["complete"]:
            page["next_index"] = first + limit
        return self.said.result("mob/member_history", page=page)

    def spawn(self, params, _after):
        mob, identity = params["mob_id"], params["agent_identity"]
        self.mob(mob)
        key = f"{mob}/{identity}"
        with self.lock:
            before = self.store.get("member", key)
            if before and before["present"]:
                message = f"mob member already exists: {identity}"
                self.refuse("mob/spawn", -32602, message)
            generation = before["generation"] + 1 if before else 0
            session = params["launch_mode"].get("bridge_session_id") or str(uuid.uuid4())
            source = params["launch_mode"].get("source_member_id")
            member = {
                "present": True,
                "session": session,
                "generation": generation,
                "labels": params.get("labels", {}),
                "profile": params["override_profile"],
                "instructions": params.get("additional_instructions", []),
                "auth": params.get("auth_binding", {}).get("binding"),
            }
            kept = [("member", key, member)]
            if self.store.get("session", session) is None:
                system = self.said.row("message system", content="instructions", created_at=now())
                messages = [system] if source is None else [system, self.context(f"{mob}/{source}")]
                book = {"messages": messages, "loaded": [], "told": [], "seq": 0, "input": 0, "output": 0}
                kept.append(("session", session, book))
            self.store.put(*kept)
            runtime = {"generation": generation, "identity": identity}
            self.row(
                mob,
                "member_spawned",
                agent_identity=identity,
                agent_runtime_id=runtime,
                generation=generation,
                labels=member["labels"],
                fence_token=generation + 1,
            )
        self.worker(key).wake()
        return self.said.result("mob/spawn", mob_id=mob, agent_identity=identity, member_ref=key)

    def context(self, key):
        """What a copy of a member is told of its session."""
        messages = self.store.get("session", self.store.get("member", key)["session"])["messages"]
        told = json.dumps([row for row in messages if row["role"] in ("user", "block_assistant")])
        return self.said.row("message user", content=f"Context: {told}", created_at=now())

    def retire(self, params, _after):
        key = f"{params['mob_id']}/{params['agent_identity']}"
        member = self.store.get("member", key)
        if member:
            self.refuse_held("mob/member_history", member, params["agent_identity"])
        if member and member["present"]:
            self.workers.pop(key, Worker(self, key)).stop(None)
            with self.lock:
                self.store.put(("member", key, {**member, "present": False}))
                about = {"agent_identity": params["agent_identity"], "generation": member["generation"]}
                session = member["session"]
                self.row(
                    params["mob_id"], "member_retirement_started", session_id=session, **about
                )
                self.row(params["mob_id"], "member_retired", **about)
                ended = [id for id, stream in self.streams.items() if stream["of"] == key]
            for id in ended:
                self.end_stream(id, outcome="remote_end")
        return self.said.result("mob/retire")

    def send(self, params, after):
        key, member = self.member(params)
        sent = f"{key}/{params['idempotency_key']}"
        with self.lock:
            known = self.store.get("delivery", sent)
            if known and known["content"] != params["content"]:
                ids = {"delivery_id": known["id"], "committed_at_ms": known["at"]}
                self.refuse("mob/member_send", -32602, None, ids)
            if known is None:
                id = hashlib.sha256(sent.encode()).hexdigest()
                order = len(self.store.all("delivery"))
                known = {
                    "id": f"continuation:{id}",
                    "at": int(time.time() * 1000),
                    "content": params["content"],
                    "mode": params["handling_mode"],
                    "session": member["session"],
                    "input": None,
                    "order": order,
                }
                self.store.put(("delivery", sent, known))
                after.append(self.worker(key).wake)
        state = {"state": "stranded" if known.get("stranded") else "pending"}
        if known["input"]:
            state = {
                "state": "admitted",
                "session_id": known["session"],
                "input_id": known["input"],
            }
        continuation = {"delivery_id": known["id"], "committed_at_ms": known["at"], "status": state}
        identity = params["agent_identity"]
        return self.said.result(
            "mob/member_send",
            mob_id=params["mob_id"],
            agent_identity=identity,
            member_ref=key,
            continuation=continuation,
        )

    def input_status(self, params, _after):
        kept = self.store.get("input", params["selector"]["value"])
        if kept is None:
            raise Refused({"code": -32602, "message": "input not found"})
        return {"state": kept["state"]}

    def stop_run(self, params, _after):
        key, _ = self.member(params)
        worker, run = self.worker(key), params["run_id"]
        stopped = worker.stop(run)
        receipt = {"outcome": "not_current", "run_id": run}
        if stopped:
            by = {"input_id": stopped, "completion": "cancelled", "terminal": "cancelled"}
            receipt = {"outcome": "stopped", "run_id": run, "contributors": [by]}
        identity = params["agent_identity"]
        return self.said.result(
            "mob/stop_member_run", mob_id=params["mob_id"], agent_identity=identity, receipt=receipt
        )

    def hard_cancel(self, params, _after):
        key, _ = self.member(params)
        if not self.worker(key).stop(None):
            self.refuse("mob/hard_cancel_member", -32602)
        return {"cancelled": True}

    # ---- streams ------------------------------------------------------------------------------------

    def open(self, params, after):
        key, member = self.member(params)
        self.refuse_held("mob/member_history", member, params["agent_identity"])
        id = str(uuid.uuid4())
        with self.lock:
            self.streams[id] = {"of": key, "sequence": 0, "silent": True}

        def begin():
            with self.lock:
                self.streams[id]["silent"] = False
                for envelope in self.backlog.pop(key, []):
                    self.tell(id, envelope)
                self.restored.discard(key)

        after.append(begin)
        return self.said.result("mob/stream_open", stream_id=id)

    def close(self, params, after):
        id = params["stream_id"]
        known = id in self.streams
        if known:
            after.append(lambda: self.end_stream(id, outcome="explicit_close"))
        return self.said.result("mob/stream_close", stream_id=id, already_closed=not known)

    def end_stream(self, id, **how):
        with self.lock:
            if self.streams.pop(id, None):
                params = {"stream_id": id, "ended": True, **how}
                self.write({"method": "mob/stream_end", "params": params})

    def tell(self, id, event):
        stream = self.streams[id]
        stream["sequence"] += 1
        params = self.said.envelope(
            "event", stream_id=id, sequence=stream["sequence"], event=event
        )
        self.write({"method": "mob/stream_event", "params": params})

    def emit(self, key, session, seq, payload):
        """Tells every stream of a member; what nobody listens to after a restart is kept."""
        source = {"session_id": session, "type": "session"}
        event = {"event_id": str(uuid.uuid4()), "payload": payload, "seq": seq, "source": source}
        event["timestamp_ms"] = int(time.time() * 1000)
        with self.lock:
            streams = [id for id, stream in self.streams.items() if stream["of"] == key]
            if not streams and key in self.restored:
                self.backlog.setdefault(key, []).append(event)
            for id in streams:
                if self.streams[id]["silent"]:
                    self.backlog.setdefault(key, []).append(event)
                else:
                    self.tell(id, event)

    def overflow(self, key):
        with self.lock:
            streams = [id for id, stream in self.streams.items() if stream["of"] == key]
        error = {"code": "stream_queue_overflow", "message": "the reader is too slow"}
        for id in streams:
            self.end_stream(id, outcome="terminal_error", error=error)

    def worker(self, key):
        with self.lock:
            if key not in self.workers:
                self.workers[key] = Worker(self, key)
            return self.workers[key]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--misbehave")
    for name in ("realm", "instance", "state-root", "user-config-root", "context-root"):
        parser.add_argument(f"--{name}", required=True)
    StandIn(parser.parse_args()).serve()


if __name__ == "__main__":
    main()
