"""A module that breaks in a call, in the way that the call names."""

import os
import signal
import sys
import time

import lines


def kill(args, call):
    os.kill(os.getpid(), signal.SIGKILL)


def leave(args, call):
    os._exit(args["status"])


def freeze(args, call):
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(3600)


def garbage(args, call):
    while True:
        os.write(1, b"\xff\xfe no protocol\n" * 64)


def line(args, call):
    chunk = b"x" * (1 << 20)
    for _ in range(20):
        os.write(1, chunk)
    time.sleep(3600)


def flood(args, call):
    end = time.monotonic() + args["seconds"]
    while time.monotonic() < end:
        os.write(2, b"a line of a flood\n" * 256)
    return "flooded"


def close(args, call):
    os.close(1)
    time.sleep(3600)


lines.serve(
    {
        "echo": lambda args, call: args,
        "kill": kill,
        "kill_read": kill,
        "leave": leave,
        "freeze": freeze,
        "garbage": garbage,
        "line": line,
        "flood": flood,
        "close": close,
    },
    {"kill": "effect", "freeze": "effect"},
)
