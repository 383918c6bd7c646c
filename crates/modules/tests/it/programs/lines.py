"""The json-lines protocol, for the modules of these tests."""

import json
import sys
import threading

_writing = threading.Lock()
cancelled = []


def write(document):
    with _writing:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()


def _run(tools, request):
    try:
        call = tools[request["tool"]]
        write({"id": request["id"], "result": call(request["args"], request["id"])})
    except Exception as error:
        write({"id": request["id"], "error": str(error)})


def serve(tools, effects):
    """Answers calls side by side until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        if "list" in request:
            listed = [
                {"name": name, "description": name, "effect": effects.get(name, "read")}
                for name in sorted(tools)
            ]
            write({"id": request["id"], "result": {"tools": listed}})
        elif "ping" in request:
            write({"id": request["id"], "result": True})
        elif "cancel" in request:
            cancelled.append(request["id"])
        else:
            threading.Thread(target=_run, args=(tools, request), daemon=True).start()
