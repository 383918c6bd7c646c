"""A module that behaves."""

import os
import resource
import socket
import sys
import time

import lines


def slow(args, call):
    for _ in range(args["beats"]):
        time.sleep(args["pause_s"])
        if args.get("progress"):
            lines.write({"id": call, "progress": "still at it"})
    return "done"


def read(args, call):
    with open(args["path"], encoding="utf-8") as file:
        return file.read()


def write(args, call):
    with open(args["path"], "w", encoding="utf-8") as file:
        file.write("written")
    return "written"


def connect(args, call):
    with socket.create_connection(("127.0.0.1", args["port"]), timeout=5):
        return "connected"


def say(args, call):
    lines.write({"event": args["event"]})
    return "said"


def log(args, call):
    sys.stderr.write(args["text"])
    sys.stderr.flush()
    return "logged"


def fail(args, call):
    raise ValueError(args["why"])


def reveal(args, call):
    """Tells its secret in every way that it has."""
    secret = os.environ["TOKEN"]
    how = args["reveal"]
    if how == "say":
        lines.write({"event": {"secret": secret, secret: 1}})
        return "said " + secret
    if how == "log":
        sys.stderr.write("my secret is \x1b[1m%s\x1b[22m%s\n" % (secret[:5], secret[5:]))
        sys.stderr.flush()
        print("stray " + secret, flush=True)
        lines.write({"id": call, "progress": secret})
        return secret
    raise ValueError("not with " + secret)


def state(args, call):
    with open("/proc/self/status", encoding="utf-8") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return {
        "folder": os.getcwd(),
        "pid": os.getpid(),
        "group": os.getpgid(0),
        "no_new_privileges": status["NoNewPrivs"],
        "capabilities": int(status["CapEff"], 16),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "open": sorted(os.listdir("/proc/self/fd"), key=int),
    }


lines.serve(
    {
        "echo": lambda args, call: args,
        "long": lambda args, call: "x" * args["bytes"],
        "call": lambda args, call: call,
        "cancelled": lambda args, call: lines.cancelled,
        "environment": lambda args, call: dict(os.environ),
        "state": state,
        "slow": slow,
        "read": read,
        "write": write,
        "connect": connect,
        "say": say,
        "log": log,
        "fail": fail,
        "reveal": reveal,
    },
    {"write": "effect"},
)
