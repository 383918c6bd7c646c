"""A module that does not come to answer, in the way that its first argument names."""

import os
import sys
import time

how, note = sys.argv[1], sys.argv[2]
with open(note, "a", encoding="utf-8") as file:
    file.write("started\n")
print("starting in the way " + how, file=sys.stderr, flush=True)
if how.startswith("exit-"):
    sys.exit(int(how.removeprefix("exit-")))
if how == "hang":
    time.sleep(3600)
if how == "garbage":
    sys.stdin.readline()
    while True:
        print("this is no part of any protocol", flush=True)
if how == "list":
    sys.stdin.readline()
    print('{"id":"tools","result":{"tools":[{"name":"not a name"}]}}', flush=True)
    time.sleep(3600)
if how == "leave":
    # A grandchild in a session of its own holds the standard error open.
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(3600)
        os._exit(0)
    os.wait()
    sys.exit(4)
