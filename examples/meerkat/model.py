"""A model that follows rules: a server of the OpenAI API in which nothing is left to chance.

    python3 model.py rules.toml [--port 7391] [--key KEY] [--log FILE]

The first rule of the file whose conditions all hold decides what is answered. Conditions are
regular expressions: `message`, the last message of the user; `system`, what stands before the
conversation; `tool`, whose result came last since that message, and `result`, what it says. A rule
without `tool` is for a message of which no call has been made. `offered` names a tool that must be
there to call. `tool = "*"` is any tool. Then:

    say = "text"                                    the answer
    call = [{ tool = "name", args = { … } }]        calls, side by side
    pieces = 500                                    the text comes in so many pieces
    seconds = 3.0                                   so long nothing comes
    status = 400                                    the request is refused

`$name` in texts stands for a named group of the expressions, for `$message`, `$result`, for `$count`,
the number of messages of the user so far, and for `$result_<tool>`, the last result of a tool.

Nothing is remembered between requests: the same conversation always gets the same answer. Runtimes
that keep tools in a catalog, to be loaded before they can be called, have them loaded first. The
first line on standard output is the address. The server ends with its standard input.
"""

import argparse
import json
import os
import re
import string
import sys
import threading
import time
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Tools by which a runtime hands out others.
CATALOG = "tool_catalog_load"
CATALOG_TOOLS = {CATALOG, "tool_catalog_search"}
# What names may begin with that mobkit gives tools in another runtime.
PREFIX = "mobkit_"
# What stands before the name of a tool of such a runtime itself.
OWN = "engine:"
# How words of a runtime to its model begin that stand where those of the user do.
NOTICES = ("Deferred catalog changed", "Tool configuration changed")


def plain(name):
    """A tool's name in the letters that every provider takes."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def text_of(content):
    """The text of a message, whose content may come in parts."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def is_notice(message):
    """Whether a runtime says it, and not the user."""
    return message["role"] == "user" and text_of(message.get("content")).startswith(NOTICES)


class Conversation:
    """What a request says: the last message, and what was called since."""

    def __init__(self, request):
        messages = request.get("messages", [])
        self.offered = {tool["function"]["name"] for tool in request.get("tools", [])}
        self.system = "\n".join(
            text_of(m.get("content")) for m in messages if m["role"] in ("system", "developer")
        )
        messages = [m for m in messages if not is_notice(m)]
        users = [at for at, m in enumerate(messages) if m["role"] == "user"]
        self.count = len(users)
        self.message = text_of(messages[users[-1]].get("content")) if users else ""
        # The same conversation gets the same ids, and no two calls of one share theirs.
        self.answers = sum(m["role"] == "assistant" for m in messages)
        names = {
            call["id"]: call["function"]["name"]
            for m in messages
            for call in m.get("tool_calls") or []
        }
        since = messages[users[-1] + 1 :] if users else []
        results = [
            (names.get(m.get("tool_call_id"), ""), text_of(m.get("content")))
            for m in since
            if m["role"] == "tool"
        ]
        self.results = [
            (name.removeprefix(PREFIX), text) for name, text in results if name not in CATALOG_TOOLS
        ]

    def name_of(self, tool):
        """Under which name the tool is called here; None where it has to be loaded first."""
        if tool.startswith(OWN):
            return tool.removeprefix(OWN)
        name = PREFIX + plain(tool)
        if name in self.offered:
            return name
        return None if CATALOG in self.offered else plain(tool)


class Rule:
    """One rule of the file."""

    KEYS = {"message", "system", "tool", "result", "offered"}
    KEYS |= {"say", "call", "pieces", "seconds", "status"}

    def __init__(self, table):
        unknown = set(table) - self.KEYS
        if unknown:
            raise ValueError(f"a rule has unknown keys: {', '.join(sorted(unknown))}")
        self.table = table
        self.patterns = {
            key: re.compile(table[key]) for key in ("message", "system", "result") if key in table
        }

    def matches(self, talk):
        """The words that the texts of the rule may use; None where a condition does not hold."""
        tool, result = talk.results[-1] if talk.results else (None, "")
        wanted = self.table.get("tool")
        if wanted == "*":
            fits = tool is not None
        else:
            fits = tool == (wanted and plain(wanted))
        if not fits:
            return None
        if "offered" in self.table and talk.name_of(self.table["offered"]) is None:
            return None
        texts = {"message": talk.message, "system": talk.system, "result": result}
        words = {f"result_{plain(name)}": text for name, text in talk.results}
        words |= {"message": talk.message, "result": result, "count": str(talk.count)}
        for key, pattern in self.patterns.items():
            found = pattern.search(texts[key])
            if not found:
                return None
            words |= {name: text or "" for name, text in found.groupdict().items()}
        return words


def filled(value, words):
    """A text, or a table of texts, with its words filled in."""
    if isinstance(value, str):
        return string.Template(value).safe_substitute(words)
    if isinstance(value, dict):
        return {key: filled(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, words) for inner in value]
    return value


class Answer:
    """What is answered to a request."""

    def __init__(self, rules, talk):
        self.text, self.calls, self.table = "", [], {}
        for rule in rules:
            words = rule.matches(talk)
            if words is not None:
                self.table = rule.table
                self.text = filled(rule.table.get("say", ""), words)
                self.ask(talk, filled(rule.table.get("call", []), words))
                return
        self.text = f"No rule of mine fits: {talk.message}"

    def ask(self, talk, calls):
        missing = [PREFIX + plain(c["tool"]) for c in calls if talk.name_of(c["tool"]) is None]
        if missing:
            self.text = ""
            self.calls = [(CATALOG, {"names": missing})]
        else:
            self.calls = [(talk.name_of(c["tool"]), c.get("args", {})) for c in calls]

    def deltas(self, talk):
        count = max(1, min(self.table.get("pieces", 1), len(self.text)))
        size = -(-len(self.text) // count)
        for at in range(0, len(self.text), size or 1):
            yield {"content": self.text[at : at + size]}
        for at, (name, args) in enumerate(self.calls):
            function = {"name": name, "arguments": json.dumps(args, sort_keys=True)}
            call = {"index": at, "id": f"call_{talk.answers}_{at}", "type": "function"}
            yield {"tool_calls": [{**call, "function": function}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Pieces of an answer go out one by one.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path.rstrip("/").endswith("/models"):
            models = [{"id": "rules", "object": "model", "owned_by": "examples"}]
            self.whole(200, {"object": "list", "data": models})
        else:
            self.refuse(404, "there is nothing here")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not self.path.endswith("/chat/completions"):
            return self.refuse(404, "only /v1/chat/completions is here")
        if self.server.key and self.headers.get("authorization") != f"Bearer {self.server.key}":
            return self.refuse(401, "the key is not the one that this server wants")
        try:
            request = json.loads(body)
            talk = Conversation(request)
        except (ValueError, KeyError, TypeError) as error:
            return self.refuse(400, f"not a request of this API: {error!r}")
        self.server.note(request)
        answer = Answer(self.server.rules, talk)
        if "status" in answer.table:
            return self.refuse(answer.table["status"], "this is how the rule wants it")
        # Whoever asked may have gone meanwhile; there is nobody left to tell.
        try:
            time.sleep(answer.table.get("seconds", 0))
            if request.get("stream"):
                self.stream(request, talk, answer)
            else:
                self.at_once(request, talk, answer)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def stream(self, request, talk, answer):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        head = self.head(request, talk, "chat.completion.chunk")

        def chunk(delta, finish=None, **more):
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            self.event({**head, "choices": [choice], **more})

        chunk({"role": "assistant", "content": ""})
        for delta in answer.deltas(talk):
            chunk(delta)
        chunk({}, "tool_calls" if answer.calls else "stop")
        if (request.get("stream_options") or {}).get("include_usage"):
            self.event({**head, "choices": [], "usage": usage(request, answer)})
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def event(self, document):
        self.wfile.write(b"data: " + json.dumps(document).encode() + b"\n\n")

    def at_once(self, request, talk, answer):
        calls = [call for delta in answer.deltas(talk) for call in delta.get("tool_calls", [])]
        message = {"role": "assistant", "content": answer.text or None}
        if calls:
            message["tool_calls"] = [{k: v for k, v in c.items() if k != "index"} for c in calls]
        finish = "tool_calls" if calls else "stop"
        choice = {"index": 0, "message": message, "finish_reason": finish}
        head = self.head(request, talk, "chat.completion")
        self.whole(200, {**head, "choices": [choice], "usage": usage(request, answer)})

    def head(self, request, talk, kind):
        model = request.get("model", "rules")
        return {"id": f"chat-{talk.answers}", "object": kind, "created": 0, "model": model}

    def whole(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, reason):
        self.whole(status, {"error": {"message": reason, "type": "rules", "code": status}})


def usage(request, answer):
    """A word counts as a token."""
    told = sum(len(text_of(m.get("content")).split()) for m in request.get("messages", []))
    said = len(answer.text.split()) + 5 * len(answer.calls)
    return {"prompt_tokens": told, "completion_tokens": said, "total_tokens": told + said}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, options):
        super().__init__(("127.0.0.1", options.port), Handler)
        with open(options.rules, "rb") as file:
            self.rules = [Rule(table) for table in tomllib.load(file).get("rules", [])]
        self.key = options.key
        self.log = open(options.log, "a", encoding="utf-8") if options.log else None
        self.writing = threading.Lock()

    def note(self, request):
        """Writes down what was asked, for whoever wants to look."""
        if self.log:
            with self.writing:
                self.log.write(json.dumps(request) + "\n")
                self.log.flush()


def main():
    parser = argparse.ArgumentParser(description="A model that follows rules.")
    parser.add_argument("rules", help="the file with the rules")
    parser.add_argument("--port", type=int, default=7391, help="0: any that is free")
    parser.add_argument("--key", help="what clients must bring as their key")
    parser.add_argument("--log", help="a file that gets every request, one per line")
    server = Server(parser.parse_args())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    try:
        while os.read(sys.stdin.fileno(), 4096):
            pass
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
