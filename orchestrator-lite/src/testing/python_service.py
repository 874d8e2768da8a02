"""A service as they are deployed in Python, on the standard library alone.

It keys tasks by task_id, answers with the task_id as handle, knows no additions, fetches inputs
with a plain GET, and sends every field of a reference, the optional ones as null.
"""

import base64
import json
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

tasks = {}
payloads = {}


def reference(protocol, uri, fmt):
    return {
        "protocol": protocol, "uri": uri, "format": fmt,
        "schema_uri": None, "size_bytes": None, "checksum": None, "metadata": {"made_by": "python"},
    }


def read(ref):
    if ref["protocol"] == "inline":
        return base64.b64decode(ref["uri"], validate=True)
    with urllib.request.urlopen(ref["uri"]) as answer:
        return answer.read()


def load(request, base):
    """Sequential: publishes rows under /control/data, whatever the configuration says."""
    config = json.loads(read(request["inputs"][0])) if request["inputs"] else {}
    rows = "".join(f"{n}\n" for n in range(config.get("rows", 3)))
    payloads[request["task_id"]] = ("value\n" + rows).encode()
    return reference("http", f"{base}/control/data/{request['task_id']}", "csv")


def total(request, base):
    """Concurrent: sums the column of every input, slowly."""
    lines = [line for ref in request["inputs"] for line in read(ref).decode().split("\n")[1:] if line]
    for progress in (0, 50, 100):
        tasks[request["task_id"]]["progress"] = progress
        time.sleep(0.05)
    text = json.dumps({"sum": sum(float(line) for line in lines)})
    return reference("inline", base64.b64encode(text.encode()).decode(), "json")


def run_in_background(request, base):
    task = tasks[request["task_id"]]
    try:
        task["output"] = total(request, base)
        task["status"] = "complete"
    except Exception as error:  # as deployed handlers do
        task["error"] = str(error)
        task["status"] = "failed"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, media_type="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.send_header("content-type", media_type)
        self.end_headers()
        self.wfile.write(data)

    def base(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if request["method"] == "Load":
            self.answer(200, {"status": "complete", "output": load(request, self.base()), "task_id": None, "error": None})
        elif request["method"] == "Total":
            tasks[request["task_id"]] = {"status": "running", "progress": 0, "error": None}
            threading.Thread(target=run_in_background, args=(request, self.base())).start()
            self.answer(200, {"status": "running", "output": None, "task_id": request["task_id"], "error": None})
        else:
            self.answer(400, {"detail": f"Unknown method: {request['method']}"})

    def do_GET(self):
        kind, task_id = self.path.rsplit("/", 2)[-2:] if self.path != "/health" else ("health", "")
        task = tasks.get(task_id)
        if kind == "health":
            self.answer(200, {"status": "ok"})
        elif kind == "data" and task_id in payloads:
            self.answer(200, payloads[task_id], "text/csv")
        elif task is None:
            self.answer(404, {"detail": "Task not found"})
        elif kind == "status":
            self.answer(200, {"status": task["status"], "progress": task["progress"], "error": task["error"]})
        else:
            self.answer(200, {"output": task["output"]})

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
