# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Run items in a worker process that may hang or crash, without losing the others.

A kernel that hangs never returns and a kernel that faults ends its process's CUDA
context, so items run in a worker that is killed or replaced. The worker is a command
that gets the path of a JSON list of items; it writes, on lines of its own,
    @@{"ready": ...}              once, when its start-up is done
    @@{"begin": ID}               before an item
    @@{"doing": NAME}             within an item, what could hang or crash next
    @@{"end": ID, ...}            after it, with its result
Everything else it writes goes through.
"""

import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

MARK = "@@"
PR_SET_PDEATHSIG = 1
TAIL_LINES = 12
# After so many crashes in a group its other items are not tried: each costs a new start.
CRASHES_OF_A_GROUP = 2


def say(**message):
    """The worker's side."""
    print(MARK + json.dumps(message), flush=True)


def work(path, ready, run):
    """The worker's main: `run(item)` gives a result for each item of the list at `path`.

    An exception ends the process, its first line said last: after a CUDA error the context
    is lost, and the supervisor starts another worker. No destructor runs: it could wait
    for a device that is gone.
    """
    say(ready=ready)
    try:
        for item in json.loads(Path(path).read_text()):
            say(begin=item["id"])
            say(end=item["id"], **run(item))
    except Exception as error:
        traceback.print_exc(file=sys.stdout)
        print(f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}", flush=True)
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)


def _pump(stream, lines):
    for line in stream:
        lines.put(line)
    lines.put(None)


def _die_with_parent():
    """In the worker: a supervisor that is killed leaves nobody on the GPU (Linux: prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process, hung):
    if not hung:
        try:  # its output is closed: it is about to exit, with a status worth knowing
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


class _Run:
    """One worker's life: what it reported before it ended, hung or failed."""

    def __init__(self, command, items, echo):
        self.ready, self.current, self.doing, self.tail, self.echo = None, None, None, [], echo
        self.file = tempfile.NamedTemporaryFile("w", suffix=".json", delete=False)
        json.dump(items, self.file)
        self.file.close()
        self.process = subprocess.Popen([*command, self.file.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, errors="replace", start_new_session=True,
                                        preexec_fn=_die_with_parent)
        self.lines = queue.Queue()
        threading.Thread(target=_pump, args=(self.process.stdout, self.lines), daemon=True).start()

    def take(self, line):
        """Digest a line; the result of an item that it ends, or None."""
        if not line.startswith(MARK):
            self.tail = (self.tail + [line.rstrip()])[-TAIL_LINES:]
            self.echo(line)
            return None
        try:
            message = json.loads(line[len(MARK):])
        except ValueError:  # a line torn by a crash
            return None
        if "ready" in message:
            self.ready = message["ready"]
        elif "begin" in message:
            self.current, self.doing = message["begin"], None
        elif "doing" in message:
            self.doing = message["doing"]
        elif "end" in message:
            self.current = None
            return message
        return None


def supervise(command, items, *, item_seconds, start_seconds, deadline=None, on_result=lambda result: None,
              echo=lambda line: sys.stderr.write(line)):
    """Results by id, in the items' order. An item has an `id` and a `group`.

    A result has a `status`: what the worker says, else `hang`, `crash`, or `not run` (the
    worker does not start, the deadline passed, or items of the same group hung or crashed).
    Of a hang or crash, `during` is what the worker said it was doing.
    """
    results, ready, crashes = {}, None, {}
    remaining = list(items)

    def finish(item, status, note, **more):
        results[item["id"]] = {"end": item["id"], "status": status, "note": note, **more}
        on_result(results[item["id"]])

    while remaining:
        if deadline is not None and time.monotonic() >= deadline:
            for item in remaining:
                finish(item, "not run", "the time given to this run was used up")
            break
        run = _Run(command, remaining, echo)
        hung = False
        while True:
            limit = time.monotonic() + (item_seconds if run.ready is not None else start_seconds)
            stop = limit if deadline is None else min(limit, deadline)
            try:
                line = run.lines.get(timeout=max(0.0, stop - time.monotonic()))
            except queue.Empty:
                hung = True
                break
            if line is None:
                break
            ended = run.take(line)
            if ended:
                results[ended["end"]] = ended
                on_result(ended)
        late = hung and deadline is not None and time.monotonic() >= deadline
        _end(run.process, hung)
        os.unlink(run.file.name)
        ready = run.ready if run.ready is not None else ready
        remaining = [item for item in remaining if item["id"] not in results]
        current = next((item for item in remaining if item["id"] == run.current), None)
        said = " | ".join(run.tail[-2:])
        if late:
            continue
        if current is None and remaining:
            why = f"no sign of life in {start_seconds if run.ready is None else item_seconds} s" if hung \
                else f"exit status {run.process.returncode}"
            for item in remaining:
                finish(item, "not run", f"the worker ended between items ({why}): {said}")
            break
        if current is not None:
            if hung:
                finish(current, "hang", f"no result in {item_seconds} s; killed. {said}", during=run.doing)
            else:
                finish(current, "crash", f"exit status {run.process.returncode}: {said}", during=run.doing)
                crashes[current["group"]] = crashes.get(current["group"], 0) + 1
            remaining.remove(current)
            if hung or crashes[current["group"]] == CRASHES_OF_A_GROUP:
                for item in [i for i in remaining if i["group"] == current["group"]]:
                    finish(item, "not run", f"'{current['id']}' ended in a {results[current['id']]['status']}")
                    remaining.remove(item)
    return [results[item["id"]] for item in items], ready
