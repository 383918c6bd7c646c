"""Has the real runtime say what the suite does not make it say: refusals, histories, two kills.

    python3 converse.py FOLDER NAME PROGRAM

Speaks to it through recorder.py, so that all of it becomes FOLDER/NAME.jsonl.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODEL = HERE.parents[4] / "examples" / "meerkat" / "model.py"
PATIENCE = 60
MOB, MEMBER = "desk", "ada"
RULES = """
[[rules]]
tool = "*"
say = "told: $result"
[[rules]]
message = '^call (?P<what>.*)$'
call = [{ tool = "now", args = { q = "$what" } }, { tool = "then", args = { q = "$what" } }]
[[rules]]
message = '^slow'
seconds = 6
say = "slow at last"
[[rules]]
say = "$count: $message"
pieces = 3
"""
CONFIG = """
[self_hosted]
default_model = "main"
[self_hosted.servers.main]
transport = "openai_compatible"
base_url = "{url}"
api_style = "chat_completions"
[self_hosted.models.main]
server = "main"
remote_model = "rules"
display_name = "main"
family = "rules"
[realm.global]
default_binding = "main"
[realm.global.backend.main]
provider = "self_hosted"
backend_kind = "self_hosted"
server = "main"
[realm.global.auth.main]
provider = "self_hosted"
auth_method = "none"
source = {{ kind = "platform_default" }}
[realm.global.binding.main]
backend_profile = "main"
auth_profile = "main"
"""
PROFILE = {
    "model": "main",
    "provider": "self_hosted",
    "self_hosted_server_id": "main",
    "runtime_mode": "turn_driven",
    "tools": {"comms": True},
}
TOOLS = [
    {"name": f"mobkit_{name}", "description": "d", "input_schema": {"type": "object"}}
    for name in ("now", "then")
]


class Conversation:
    """One process of the runtime, behind the recorder."""

    def __init__(self, command, folder):
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "RUST_LOG": "error"}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self.next, self.answers, self.events, self.calls = 0, {}, [], []
        self.holds = False
        self.heard = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        self.ask("initialize", {})
        self.ask("tools/register", {"tools": TOOLS})
        self.ask("mob/list", {})

    def say(self, document):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **document}).encode() + b"\n")
        self.process.stdin.flush()

    def read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            with self.heard:
                if "method" in said and "id" in said:
                    self.calls.append(said)
                    if not self.holds:
                        self.say({"id": said["id"], "result": {"content": "noon", "is_error": False}})
                elif "method" in said:
                    self.events.append(said["params"].get("event", {}).get("payload", {}))
                else:
                    self.answers[said["id"]] = said
                self.heard.notify_all()

    def until(self, so):
        with self.heard:
            assert self.heard.wait_for(so, PATIENCE), "the runtime does not do what was recorded"

    def ask(self, method, params):
        self.next += 1
        id = self.next
        self.say({"id": id, "method": method, "params": params})
        self.until(lambda: id in self.answers)
        said = self.answers[id]
        return said.get("result", said.get("error"))

    def of(self, method, **params):
        return self.ask(method, {"mob_id": MOB, "agent_identity": MEMBER, **params})

    def send(self, text, key):
        return self.of(
            "mob/member_send", content=text, handling_mode="queue", idempotency_key=key
        )

    def steer(self, text, key):
        return self.of(
            "mob/member_send", content=text, handling_mode="steer", idempotency_key=key
        )

    def let_go(self):
        """Answers the calls that were held."""
        with self.heard:
            self.holds = False
            for call in self.calls[-2:]:
                self.say({"id": call["id"], "result": {"content": "noon", "is_error": False}})

    def saw(self, kind):
        return [event for event in self.events if event.get("type") == kind]

    def ended(self, count):
        self.until(lambda: len(self.saw("run_completed") + self.saw("run_failed")) >= count)

    def status_of(self, text, key):
        admitted = self.send(text, key)["continuation"]["status"]
        selector = {"by": "input_id", "value": admitted["input_id"]}
        self.ask(
            "session/input_status", {"session_id": admitted["session_id"], "selector": selector}
        )

    def kill(self):
        self.process.kill()
        self.process.wait()


def spawn(session=None):
    launch = {"mode": "fresh"}
    if session:
        launch = {"mode": "resume", "bridge_session_id": session}
    return {
        "profile": "member",
        "runtime_mode": "turn_driven",
        "launch_mode": launch,
        "labels": {"session": "s1"},
        "additional_instructions": ["Be short."],
        "override_profile": PROFILE,
        "auth_binding": {"realm": "global", "binding": "main"},
    }


def first(talk):
    """A mob with a member: turns, refusals, and a cancelled run. Returns the claim and the session."""
    create = {"definition": {"id": MOB, "profiles": {"member": PROFILE}}}
    token = talk.ask("mob/create", create)["claim_token"]
    talk.ask("mob/create", create)
    talk.of("mob/spawn", **spawn())
    talk.of("mob/spawn", **spawn())
    talk.ask("mob/members", {"mob_id": MOB})
    talk.ask("mob/members", {"mob_id": "another"})
    session = talk.of("mob/member_status")["current_session_id"]
    stream = talk.of("mob/stream_open")["stream_id"]
    talk.send("hello", "one")
    talk.ended(1)
    talk.send("hello", "one")
    talk.send("other words", "one")
    talk.send("call this", "two")
    talk.ended(2)
    talk.of("mob/member_history", from_index=0, limit=1)
    talk.of("mob/member_history", from_index=0, limit=100)
    talk.ask("mob/member_history", {"mob_id": MOB, "agent_identity": "x", "from_index": 0, "limit": 1})
    talk.send("slow work", "three")
    talk.until(lambda: len(talk.saw("turn_started")) == 5)
    run = talk.saw("run_started")[-1]["identity"]["run_id"]
    talk.of("mob/member_status")
    talk.of("mob/stop_member_run", run_id=run, reason="a recording")
    talk.ended(3)
    talk.of("mob/stop_member_run", run_id=run, reason="a recording")
    talk.of("mob/hard_cancel_member", reason="a recording")
    talk.status_of("slow work", "three")
    talk.ask("mob/events", {"mob_id": MOB, "after_cursor": 0, "limit": 100, "strict": True})
    talk.ask("mob/events", {"mob_id": MOB, "after_cursor": 99, "limit": 100, "strict": True})
    talk.holds = True
    talk.send("call it", "joined")
    talk.until(lambda: len(talk.calls) == 4)
    while talk.steer("and that", "joins")["continuation"]["status"]["state"] == "pending":
        pass
    talk.let_go()
    talk.ended(4)
    talk.ask("mob/stream_close", {"stream_id": stream})
    return token, session


def after_a_kill(talk, token):
    talk.ask("mob/claim_callback_route", {"mob_id": MOB, "claim_token": token})
    wrong = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    talk.ask("mob/claim_callback_route", {"mob_id": MOB, "claim_token": wrong})
    talk.of("mob/stream_open")


def converse(command, folder):
    talk = Conversation(command, folder)
    token, session = first(talk)
    talk.of("mob/stream_open")
    talk.holds = True
    talk.send("call that", "four")
    talk.until(lambda: len(talk.calls) == 6)
    talk.kill()
    talk = Conversation(command, folder)
    after_a_kill(talk, token)
    talk.ended(1)
    talk.status_of("call that", "four")
    talk.send("slow again", "five")
    talk.until(lambda: talk.saw("run_started"))
    talk.kill()
    talk = Conversation(command, folder)
    after_a_kill(talk, token)
    talk.send("slow again", "five")
    talk.ended(1)
    talk.of("mob/retire")
    talk.of("mob/spawn", **spawn(session))
    talk.of("mob/stream_open")
    talk.send("again", "six")
    talk.ended(2)
    talk.ask("mob/events", {"mob_id": MOB, "after_cursor": 0, "limit": 100, "strict": True})
    talk.ask("no/such_method", {})
    talk.process.stdin.close()
    talk.process.wait()


def main():
    folder, name, program = sys.argv[1:]
    (Path(folder) / f"{name}.jsonl").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "meerkat"
        for part in ("state/desk", "user/.rkat", "context"):
            (home / part).mkdir(parents=True)
        rules = home / "rules.toml"
        rules.write_text(RULES, encoding="utf-8")
        model = subprocess.Popen(
            [sys.executable, MODEL, rules, "--port", "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        config = CONFIG.format(url=model.stdout.readline().decode().strip())
        for file in ("user/.rkat/config.toml", "state/desk/config.toml"):
            (home / file).write_text(config, encoding="utf-8")
        command = [sys.executable, str(HERE / "recorder.py"), folder, name, program]
        command += ["--realm", "desk", "--instance", "converse"]
        for flag, part in (
            ("--state-root", "state"),
            ("--user-config-root", "user"),
            ("--context-root", "context"),
        ):
            command += [flag, str(home / part)]
        try:
            converse(command, home)
        finally:
            model.kill()


if __name__ == "__main__":
    main()
