"""A module that speaks MCP of the era before: it knows `initialize`, and no other first word."""

import json
import os
import sys

curt = "curt" in sys.argv


def answer(request, result):
    print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)


def ask():
    """Asks a person, and waits for the answer."""
    schema = {
        "type": "object",
        "properties": {"choice": {"type": "string"}},
        "required": ["choice"],
    }
    params = {"message": "Which one?", "requestedSchema": schema}
    question = {"jsonrpc": "2.0", "id": "q1", "method": "elicitation/create", "params": params}
    print(json.dumps(question), flush=True)
    while True:
        answered = json.loads(sys.stdin.readline())
        if answered.get("id") == "q1":
            return json.dumps(answered["result"], sort_keys=True)


for line in sys.stdin:
    request = json.loads(line)
    method = request.get("method")
    if "id" not in request:
        continue
    if method == "initialize":
        answer(
            request,
            {
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "old", "version": "1"},
            },
        )
    elif method == "tools/list":
        names = ("ask", "echo", "leave", "pid")
        listed = [{"name": name, "inputSchema": {"type": "object"}} for name in names]
        answer(request, {"tools": listed})
    elif method == "tools/call":
        params = request["params"]
        if params["name"] == "leave":
            os._exit(5)
        if params["name"] == "ask":
            said = ask()
        elif params["name"] == "pid":
            said = str(os.getpid())
        else:
            said = json.dumps(params["arguments"])
        answer(request, {"content": [{"type": "text", "text": said}]})
    elif method == "ping":
        answer(request, {})
    elif curt:
        sys.exit(9)
    else:
        error = {"code": -32601, "message": "Method not found"}
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}), flush=True)
