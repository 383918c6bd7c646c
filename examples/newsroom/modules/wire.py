"""The way out: a bulletin that is published can't be taken back.

Here that means one more line in published/bulletins.jsonl.
"""

import json
import os
from datetime import datetime, timezone
from pathlib import Path

from mcp_server import Server, ToolError

BULLETINS = Path(__file__).resolve().parent.parent / "published" / "bulletins.jsonl"

server = Server("newsroom-wire", "1.0.0")


@server.tool(
    "Publishes a bulletin to all readers. It can't be taken back.",
    {"bulletin": {"type": "string", "minLength": 1, "description": "the whole text"}},
)
def publish(bulletin):
    if not bulletin.strip():
        raise ToolError("an empty bulletin is not published")
    time = datetime.now(timezone.utc).isoformat(timespec="seconds")
    line = json.dumps({"time": time, "bulletin": bulletin}, ensure_ascii=False)
    with BULLETINS.open("ab+") as file:
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        number = sum(1 for _ in file)
    return {"published": number, "bulletin": bulletin}


if __name__ == "__main__":
    server.run()
