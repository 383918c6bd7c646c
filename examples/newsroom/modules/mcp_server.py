"""A small MCP server on standard input and output, with nothing but Python's own library.

It speaks both eras of the protocol: the revision 2026-07-28, in which every request says which
revision it speaks, and the ones before it, which begin with `initialize`. Requests are answered one
after the other, so there is never a call left that could be cancelled.
"""

import inspect
import json
import sys

MODERN = "2026-07-28"
LEGACY = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
META = "io.modelcontextprotocol/"
# A client may keep what it was told of the tools for so long; they are fixed while this runs.
FRESH = {"ttlMs": 60_000, "cacheScope": "public"}


class ToolError(Exception):
    """A tool can't do what it was asked; the text is for whoever asked."""


class Refusal(Exception):
    """A request that is not answered with a result, but with an error of JSON-RPC."""

    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.error = {"code": code, "message": message}
        if data is not None:
            self.error["data"] = data


class Server:
    def __init__(self, name, version):
        self.info = {"name": name, "version": version}
        self.tools = {}
        self.functions = {}
        self.greeted = False

    def tool(self, description, properties=None, read_only=False):
        """Offers a function as a tool. What has no default is required. It returns a dict."""

        def offer(function):
            parameters = inspect.signature(function).parameters.values()
            required = [p.name for p in parameters if p.default is inspect.Parameter.empty]
            schema = {
                "type": "object",
                "properties": properties or {},
                "required": required,
                "additionalProperties": False,
            }
            self.functions[function.__name__] = function
            self.tools[function.__name__] = {
                "name": function.__name__,
                "description": description,
                "inputSchema": schema,
                "annotations": {"readOnlyHint": read_only},
            }
            return function

        return offer

    def run(self):
        """Answers until standard input is closed."""
        for line in sys.stdin.buffer:
            answer = self.answer(line) if line.strip() else None
            if answer is not None:
                text = json.dumps({"jsonrpc": "2.0", **answer}, ensure_ascii=False)
                sys.stdout.buffer.write(text.encode() + b"\n")
                sys.stdout.buffer.flush()

    def answer(self, line):
        try:
            message = json.loads(line)
        except ValueError:
            return {"error": {"code": -32700, "message": "not JSON"}}
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            return {"error": {"code": -32600, "message": "not a request"}}
        if "id" not in message:
            return None
        params = message.get("params") or {}
        try:
            return {"id": message["id"], "result": self.result(message["method"], params)}
        except Refusal as refusal:
            return {"id": message["id"], "error": refusal.error}

    def result(self, method, params):
        meta = params.get("_meta") or {}
        if META + "protocolVersion" in meta:
            return self.modern(method, params, meta)
        if method == "initialize":
            self.greeted = True
            wanted = params.get("protocolVersion")
            return {
                "protocolVersion": wanted if wanted in LEGACY else LEGACY[0],
                "capabilities": {"tools": {}},
                "serverInfo": self.info,
            }
        if method == "ping":
            return {}
        if not self.greeted:
            raise Refusal(-32602, f"params._meta lacks {META}protocolVersion")
        if method == "tools/list":
            return {"tools": list(self.tools.values())}
        if method == "tools/call":
            return self.call(params)
        raise Refusal(-32601, f"there is no method {method}")

    def modern(self, method, params, meta):
        wanted = meta[META + "protocolVersion"]
        if wanted != MODERN:
            data = {"supported": [MODERN], "requested": wanted}
            raise Refusal(-32022, f"this server does not speak {wanted}", data)
        if META + "clientCapabilities" not in meta:
            raise Refusal(-32602, f"params._meta lacks {META}clientCapabilities")
        if method == "server/discover":
            result = {"supportedVersions": [MODERN], "capabilities": {"tools": {}}, **FRESH}
        elif method == "tools/list":
            result = {"tools": list(self.tools.values()), **FRESH}
        elif method == "tools/call":
            result = self.call(params)
        else:
            raise Refusal(-32601, f"there is no method {method}")
        return {**result, "resultType": "complete", "_meta": {META + "serverInfo": self.info}}

    def call(self, params):
        name, arguments = params.get("name"), params.get("arguments") or {}
        function = self.functions.get(name)
        if function is None:
            raise Refusal(-32602, f"there is no tool {name}")
        try:
            inspect.signature(function).bind(**arguments)
            result = function(**arguments)
        except (ToolError, TypeError, ValueError, OSError) as error:
            return {"content": [{"type": "text", "text": str(error)}], "isError": True}
        text = json.dumps(result, ensure_ascii=False)
        return {"content": [{"type": "text", "text": text}], "structuredContent": result}
