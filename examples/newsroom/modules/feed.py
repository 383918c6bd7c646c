"""The reports of feed.jsonl, as tools: what came in, one by one, and the strongest of it.

Nothing is remembered between calls, so each call may be repeated.
"""

import json
from pathlib import Path

from mcp_server import Server, ToolError

FEED = Path(__file__).resolve().parent.parent / "feed.jsonl"

server = Server("newsroom-feed", "1.0.0")
reports = [json.loads(line) for line in FEED.read_text(encoding="utf-8").splitlines()]


@server.tool(
    "The report that follows the one with the id `after`; without it the first one. null at the end.",
    {"after": {"type": "string", "description": "id of a report"}},
    read_only=True,
)
def next_report(after=None):
    if after is None:
        return {"report": reports[0] if reports else None}
    for at, report in enumerate(reports):
        if report["id"] == after:
            return {"report": reports[at + 1] if at + 1 < len(reports) else None}
    raise ToolError(f"there is no report {after}")


@server.tool(
    "Reports of at least this magnitude, the strongest first, and how many there are in all.",
    {
        "min_magnitude": {"type": "number"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 50, "description": "10 if not said"},
    },
    read_only=True,
)
def search_reports(min_magnitude, limit=10):
    found = [report for report in reports if report["mag"] >= min_magnitude]
    found.sort(key=lambda report: report["mag"], reverse=True)
    return {"count": len(found), "reports": found[: max(0, min(limit, 50))]}


if __name__ == "__main__":
    server.run()
