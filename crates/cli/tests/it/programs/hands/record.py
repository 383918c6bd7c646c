"""A module that writes down what it was asked to do, before it does anything else.

The only argument is the folder: each request becomes a line of `asked.jsonl`. Where a socket with
the name `desk` is listened on, the module says there what it was asked for, answers when it is told
to, and says when the answer is written.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

folder = sys.argv[1]
writing = threading.Lock()
EFFECTS = {"look": "read", "put": "idempotent", "pay": "effect"}


def write(document):
    with writing:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()


def append(name, document):
    line = (json.dumps(document) + "\n").encode()
    file = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, line)
    os.close(file)


def desk():
    """The other end of the desk, where there is one."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(f"{folder}/desk")
    except OSError:
        return None
    return connection


def work(request):
    call = {"call": request["id"], "tool": request["tool"], "args": request["args"]}
    append("asked.jsonl", call)
    watched = desk()
    if watched:
        watched.sendall((json.dumps(call) + "\n").encode())
        watched.recv(1)
    time.sleep(int(request["args"]["work_ms"]) / 1000)
    write({"id": request["id"], "result": f"done {request['args']['what']}"})
    if watched:
        watched.sendall(b"answered\n")


def go_into_hiding():
    """A grandchild in a session of its own, deaf to kind words, and one that is another program."""
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            while True:
                signal.pause()
        os._exit(0)
    os.wait()
    subprocess.Popen(["sleep", "3600"], start_new_session=True)


go_into_hiding()
append("marks.jsonl", os.environ["MOBKIT_MODULE"])
for line in sys.stdin:
    request = json.loads(line)
    if "list" in request:
        tools = [{"name": name, "effect": effect} for name, effect in EFFECTS.items()]
        write({"id": request["id"], "result": {"tools": tools}})
    elif "ping" in request:
        write({"id": request["id"], "result": True})
    elif "tool" in request:
        threading.Thread(target=work, args=(request,), daemon=True).start()
