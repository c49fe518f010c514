"""Kinds of work for the tests of jobs; a worker process imports this by name."""

import errno
import os
import signal
import time
from pathlib import Path

from api.jobs.kinds import Product
from geo.errors import Fault, InputError


def count(task):
    """Write a line down for each time that it is really done."""
    with Path(task.inputs["file"]).open("a") as file:
        file.write("done\n")
    return Product(b'{"answer": 42}', "application/json")


def wait(task):
    """Work until a file is there, or until asked to stop; then hand over what there is."""
    while not Path(task.inputs["file"]).exists():
        task.tell("waiting", 0.5, found=7.0, bound=float("inf"))
        if task.cancel():
            if not task.inputs.get("keeps"):
                task.check()
            if not task.inputs.get("ends"):
                return Product(b'{"best": 7}', "application/json", whole=False)
        if task.cancel() and task.inputs.get("ends"):
            break
        time.sleep(0.01)
    return Product(b'{"best": 8}', "application/json", "best.json")


def ignore(task):
    """Work on, whatever is wished."""
    while True:
        task.tell("busy", 0.1)
        time.sleep(0.05)


def refuse(task):
    raise InputError("p: is 0", [Fault("p", "is 0", 0, "give 1 or more")])


def crash(task):
    raise RuntimeError("a fault with /secret/path")


def die(task):
    os.kill(os.getpid(), signal.SIGKILL)


def fill(task):
    raise OSError(errno.ENOSPC, "No space left on device")
