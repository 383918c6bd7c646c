"""A module that starts processes which try to outlive it, and does not want to end itself."""

import os
import signal
import sys
import time

import lines


def hide():
    """A process in a session of its own, whose parents are gone."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (0, 1, 2):
                os.close(number)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                time.sleep(3600)
        os._exit(0)
    os.wait()


def bare():
    """A child whose environment says nothing of where it comes from."""
    pid = os.fork()
    if pid == 0:
        os.execve("/bin/sleep", ["sleep", "3600"], {})
    return pid


stubborn = "stubborn" in sys.argv
deaf = stubborn or "deaf" in sys.argv
if stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
hide()
hide()
bare_pid = bare()
lines.serve(
    {
        "bare_pid": lambda args, call: bare_pid,
        "pid": lambda args, call: os.getpid(),
        "leave": lambda args, call: os._exit(0),
    },
    {"leave": "effect"},
)
if deaf:
    # The end of its input is nothing to it.
    while True:
        time.sleep(3600)
