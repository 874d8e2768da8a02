"""A service with the faults of the deployed Python kits, each of which a named case has to find.

It is written as those are: a dictionary of tasks by task_id, a thread for each task, a handler that
registers the task when the thread already runs, pydantic-like models that check little.
PORT (0: a free one), SERVICE_API_KEY, TIME_SCALE.
"""

import base64
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = os.environ.get("SERVICE_API_KEY") or None
SCALE = float(os.environ.get("TIME_SCALE", "1"))

# By the orchestrator's task_id alone.
tasks = {}


def inline(value, format_="json"):
    data = json.dumps(value).encode()
    # The format is whatever the handler says: "text" here, unchecked.
    return {"protocol": "inline", "uri": base64.b64encode(data).decode(), "format": format_, "metadata": {}}


def read(body):
    return [json.loads(base64.b64decode(ref["uri"])) for ref in body.get("inputs", [])]


def echo(body):
    return inline({"read": read(body), "parameters": body.get("parameters", {})})


def describe(body):
    return inline({"parameters": body.get("parameters", {})}, "text")


def train(body):
    parameters = body.get("parameters", {})
    task_id = body["task_id"]
    total = parameters.get("ms", 2200) / 1000 * SCALE
    for step in range(10):
        time.sleep(total / 10)
        if task_id in tasks:
            tasks[task_id]["progress"] = step * 10
    # In the background nobody catches it: the task stays "running".
    if parameters.get("fail"):
        raise RuntimeError("The training was asked to fail")
    tasks[task_id] = {"status": "complete", "progress": 100, "output": inline({"parameters": parameters})}


def sloppy(_body):
    return {"status": "completed", "output": inline({})}


# In seconds: far more than a task of Flash takes, far less than one of Train.
REGISTERED_AFTER = {"Flash": 0.1, "Train": 0}

SEQUENTIAL = {"Echo": echo, "Describe": describe}
# What these answer goes out as it is.
WHOLE = {"Sloppy": sloppy}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args):
        pass

    def answer(self, status, body):
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def is_allowed(self):
        if KEY is None or self.headers.get("Authorization") == f"Bearer {KEY}":
            return True
        # Without WWW-Authenticate.
        self.answer(401, {"detail": "Unauthorized"})
        return False

    def do_GET(self):
        if self.path == "/health":
            return self.answer(200, {"status": "ok"})
        if not self.is_allowed():
            return None
        what, _, task_id = self.path.removeprefix("/control/").partition("/")
        task = tasks.get(task_id)
        if task is None or what not in ("status", "output"):
            return self.answer(404, {"detail": "Task not found"})
        if what == "status":
            return self.answer(200, {"status": task["status"], "progress": task.get("progress", 0)})
        if task["status"] != "complete":
            return self.answer(400, {"detail": "Task not complete"})
        return self.answer(200, {"output": task["output"]})

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.is_allowed():
            return None
        try:
            body = json.loads(raw)
            method, task_id, workflow_id = body["method"], body["task_id"], body["workflow_id"]
            assert all(isinstance(one, str) and one for one in (method, task_id, workflow_id))
        except Exception:
            return self.answer(422, {"detail": "invalid"})
        try:
            if method in ("Train", "Flash"):
                threading.Thread(target=train, args=(body,), daemon=True).start()
                # A thread that is as quick as those of Flash is done by now: its result is overwritten.
                time.sleep(REGISTERED_AFTER[method])
                tasks[task_id] = {"status": "running", "progress": 0}
                return self.answer(200, {"status": "running", "task_id": task_id})
            if method in WHOLE:
                return self.answer(200, WHOLE[method](body))
            if method not in SEQUENTIAL:
                # What was asked for is told, whatever it has in it: a lone surrogate cannot be encoded.
                return self.answer(400, {"detail": f"Unknown method: {method}"})
            try:
                return self.answer(200, {"status": "complete", "output": SEQUENTIAL[method](body)})
            except (ValueError, KeyError) as error:
                return self.answer(200, {"status": "failed", "error": str(error)})
        except UnicodeEncodeError:
            return self.answer(500, {"detail": "Internal Server Error"})


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Handler)
    server.daemon_threads = True
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    server.serve_forever()
