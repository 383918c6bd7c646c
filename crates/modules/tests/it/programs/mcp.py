"""A module that speaks MCP of the era before: it knows `initialize`, and no other first word."""

import json
import os
import sys

curt = "curt" in sys.argv


def answer(request, result):
    print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)


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
        names = ("echo", "leave", "pid")
        listed = [{"name": name, "inputSchema": {"type": "object"}} for name in names]
        answer(request, {"tools": listed})
    elif method == "tools/call":
        params = request["params"]
        if params["name"] == "leave":
            os._exit(5)
        said = str(os.getpid()) if params["name"] == "pid" else json.dumps(params["arguments"])
        answer(request, {"content": [{"type": "text", "text": said}]})
    elif method == "ping":
        answer(request, {})
    elif curt:
        sys.exit(9)
    else:
        error = {"code": -32601, "message": "Method not found"}
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}), flush=True)
