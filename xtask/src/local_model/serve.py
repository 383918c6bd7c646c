"""Serves a GGUF file as an OpenAI-compatible API on a free loopback port.

Arguments: the file, its SHA-256, the name under which it is served. Prints the address as one line
once the model is loaded, and ends when its standard input does: whoever started it may die in
whatever way, and the server goes with it.
"""

import hashlib
import os
import sys

import xllamacpp

path, digest, name = sys.argv[1:]
with open(path, "rb") as file:
    found = hashlib.file_digest(file, "sha256").hexdigest()
if found != digest:
    sys.exit(f"{path} is another file than the one that is expected: {found}, not {digest}")

params = xllamacpp.CommonParams()
params.model.path = path
params.model_alias = {name}
params.hostnames = ["127.0.0.1"]
params.port = 0
params.n_ctx = 8192
params.n_parallel = 1
# The model repeats itself; a few sentences show all there is to see.
params.n_predict = 96

server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.buffer.read()
# The threads of the server would outlive the interpreter's own way out.
os._exit(0)
