"""The client of the official Python SDK, on the servers of the newsroom example.

    client.py ASKED...

Each ASKED is a JSON object: `mode` (`legacy` or a revision of the protocol), `server`, `tool`,
`arguments`. Prints what the server answered to each, as one JSON object a line.
"""

import json
import sys

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client


async def ask(mode: str, server: str, tool: str, arguments: dict) -> dict:
    process = stdio_client(StdioServerParameters(command=sys.executable, args=[server]))
    async with Client(process, mode=mode) as client:
        tools = (await client.list_tools()).tools
        good = await client.call_tool(tool, arguments)
        bad = await client.call_tool(tool, {"there_is_no_such_argument": 1})
        return {
            "protocol": client.session.protocol_version,
            "tools": [item.name for item in tools],
            "result": good.structured_content,
            "text": good.content[0].text,
            "failed": [good.is_error, bad.is_error],
        }


async def main() -> None:
    for asked in sys.argv[1:]:
        print(json.dumps(await ask(**json.loads(asked))))


anyio.run(main)
