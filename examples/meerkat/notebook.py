"""A notebook on birds, as a module: look_up reads it, keep puts a note beside it."""

import json
import re
import sys
from pathlib import Path

BIRDS = {
    "kestrel": "Kestrel (Falco tinnunculus): voles and large insects; hovering over open grassland.",
    "dipper": "Dipper (Cinclus cinclus): the larvae of caddisflies; walking under fast streams.",
    "nightjar": "Nightjar (Caprimulgus europaeus): moths; over heath, from dusk on.",
}
NOTES = Path("notes")
TOOLS = [
    {
        "name": "look_up",
        "description": "What stands in the notebook of a bird.",
        "schema": {
            "type": "object",
            "properties": {"bird": {"type": "string"}},
            "required": ["bird"],
        },
        "effect": "read",
    },
    {
        "name": "keep",
        "description": "Keeps a note under a title; one that is there is replaced.",
        "schema": {
            "type": "object",
            "properties": {"title": {"type": "string"}, "text": {"type": "string"}},
            "required": ["title", "text"],
        },
        "effect": "idempotent",
    },
]


def look_up(bird):
    return BIRDS.get(bird.strip().lower(), f"nothing stands here of {bird}")


def keep(title, text):
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "untitled"
    path = NOTES / f"{name}.md"
    path.write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
    return f"kept as {path}"


for line in sys.stdin:
    request = json.loads(line)
    answer = {"id": request["id"]}
    try:
        if request.get("list") == "tools":
            answer["result"] = {"tools": TOOLS}
        elif "tool" in request:
            answer["result"] = {"look_up": look_up, "keep": keep}[request["tool"]](**request["args"])
        else:
            answer["result"] = True
    except (KeyError, TypeError, OSError) as error:
        answer["error"] = repr(error)
    print(json.dumps(answer), flush=True)
