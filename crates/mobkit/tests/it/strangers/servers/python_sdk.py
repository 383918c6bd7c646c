"""A server made with the official Python SDK, for the tests of modules.

    python_sdk.py FOLDER           over standard input and output
    python_sdk.py FOLDER PORT      over HTTP; prints its address; 0 takes a free port

What it does to the world it writes to FOLDER/deeds.txt, one line for each deed.
"""

import socket
import sys
from pathlib import Path
from typing import Annotated

import anyio
import uvicorn
from mcp.server.mcpserver import (
    AcceptedElicitation,
    Context,
    Elicit,
    ElicitationResult,
    MCPServer,
    Resolve,
)
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import BaseModel

DEEDS = Path(sys.argv[1]) / "deeds.txt"
READ_ONLY = ToolAnnotations(read_only_hint=True)

server = MCPServer("python-sdk")


class Sum(BaseModel):
    sum: int


class Consent(BaseModel):
    agreed: bool
    name: str


def done(deed: str) -> None:
    with DEEDS.open("a") as file:
        file.write(f"{deed}\n")


@server.tool(annotations=READ_ONLY)
def add(a: int, b: int) -> Sum:
    """Adds two numbers."""
    return Sum(sum=a + b)


@server.tool(annotations=READ_ONLY)
def fail(reason: str) -> str:
    """Fails for the reason that it is given."""
    raise ToolError(reason)


@server.tool()
def note(text: str) -> str:
    """Writes a note, each time that it is called."""
    done(f"note {text}")
    return f"noted {text}"


@server.tool()
async def slow(ctx: Context, steps: int = 6000) -> str:
    """Takes a tenth of a second for each step, and tells each."""
    done("slow began")
    try:
        for step in range(steps):
            await ctx.report_progress(step, steps, f"step {step}")
            await anyio.sleep(0.1)
    except anyio.get_cancelled_exc_class():
        done("slow cancelled")
        raise
    return "slow ended"


@server.tool(annotations=READ_ONLY)
async def until(deed: str) -> str:
    """Waits until a deed is done."""
    while deed not in DEEDS.read_text().splitlines():
        await anyio.sleep(0.01)
    return deed


def ask(what: str) -> Elicit[Consent]:
    return Elicit(f"May I {what}?", Consent)


@server.tool()
def confirm(what: str, answer: Annotated[ElicitationResult[Consent], Resolve(ask)]) -> str:
    """Asks a person before it does something."""
    if isinstance(answer, AcceptedElicitation):
        done(f"{what}: {answer.data.agreed}")
        return f"{answer.data.name} said {answer.data.agreed} to {what}"
    return f"nobody agreed to {what}"


async def serve(port: int) -> None:
    listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
    config = uvicorn.Config(server.streamable_http_app(), log_level="warning")
    await uvicorn.Server(config).serve(sockets=[listener])


if len(sys.argv) > 2:
    anyio.run(serve, int(sys.argv[2]))
else:
    server.run()
