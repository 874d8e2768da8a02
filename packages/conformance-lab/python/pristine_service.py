"""A whole control-interface service on Python's standard library alone: what any language can do.

PORT (0: a free one, which is printed), SERVICE_API_KEY, DATA_DIR, TIME_SCALE (tasks take so much of their time).
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import threading
import time
import traceback
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = os.environ.get("SERVICE_API_KEY") or None
SHARE = os.path.realpath(os.environ.get("DATA_DIR", "."))
SCALE = float(os.environ.get("TIME_SCALE", "1"))
LONGEST_BODY = 16 * 2**20
FORMATS = {"json", "csv", "parquet", "protobuf", "binary", "xml"}
PROTOCOLS = {"inline", "file", "http", "https", "s3", "grpc", "nfs", "mqtt", "villas"}
SEQUENTIAL = {"Echo": "inline", "Load": "http", "Save": "file", "Sink": "none"}

tasks = {}
tasks_lock = threading.Lock()


class Refusal(Exception):
    def __init__(self, status, detail, headers=()):
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers)


class Task:
    def __init__(self, body):
        self.handle, self.body = uuid.uuid4().hex, body
        self.status, self.progress, self.error = "running", 0, None
        self.output = self.payload = None
        self.lock = threading.Lock()

    def end(self, status, output=None, error=None):
        # All of it at once: nobody sees complete without an output.
        with self.lock:
            if self.status == "running":
                self.output, self.error = output, error
                self.progress = 100 if status == "complete" else self.progress
                self.status = status


def objection(ref):
    if not isinstance(ref, dict):
        return "expected a reference"
    protocol, uri, format_ = (ref.get(name) for name in ("protocol", "uri", "format"))
    if not all(isinstance(value, str) for value in (protocol, uri, format_)):
        return "expected protocol, uri and format"
    if protocol not in PROTOCOLS:
        return "expected another protocol"
    if not uri.strip():
        return "expected a uri that is not blank"
    if protocol in ("http", "https", "s3") and not uri.startswith(protocol + "://"):
        return f"expected {protocol}://"
    if protocol != "grpc" and format_ not in FORMATS:
        return "expected another format"
    if protocol == "inline":
        try:
            base64.b64decode(uri, validate=True)
        except (binascii.Error, ValueError):
            return "expected base64"
    return None


def read_body(raw):
    def no_constant(name):
        raise ValueError(f"{name} is no JSON")

    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Refusal(422, "expected JSON") from None
    if not isinstance(body, dict):
        raise Refusal(422, "expected an object")
    for name in ("method", "workflow_id", "task_id"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise Refusal(422, f"expected {name} to be a text that is not empty")
    inputs, parameters = body.get("inputs", []), body.get("parameters", {})
    if not isinstance(inputs, list) or not isinstance(parameters, dict):
        raise Refusal(422, "expected inputs to be a list and parameters an object")
    for ref in inputs:
        if objection(ref):
            raise Refusal(422, objection(ref))
    return {**body, "inputs": inputs, "parameters": parameters}


def read_input(ref):
    if ref["protocol"] == "inline":
        return base64.b64decode(ref["uri"])
    if ref["protocol"] == "http":
        with urllib.request.urlopen(ref["uri"], timeout=10 * SCALE + 0.5) as response:
            data = response.read(LONGEST_BODY + 1)
            announced = response.headers.get("Content-Length")
        if len(data) > LONGEST_BODY:
            raise ValueError("The input is too large")
        if announced is not None and int(announced) != len(data):
            raise ValueError("The input was cut")
        return data
    if ref["protocol"] == "file":
        path = os.path.realpath(os.path.join(SHARE, ref["uri"].removeprefix("file://")))
        if os.path.commonpath([SHARE, path]) != SHARE:
            raise ValueError("The path lies outside the share")
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            raise ValueError("The input file cannot be read") from None
    raise ValueError("This protocol is not read here")


def signature_of(handle, expires):
    return hmac.new(KEY.encode(), f"{handle} {expires}".encode(), hashlib.sha256).hexdigest()


def publish(task, data, how, origin):
    if how == "none":
        return None
    ref = {"format": "json", "size_bytes": len(data), "metadata": {}}
    ref["checksum"] = "sha256:" + hashlib.sha256(data).hexdigest()
    if how == "inline":
        return {"protocol": "inline", "uri": base64.b64encode(data).decode(), **ref}
    if how == "file":
        path = os.path.join(SHARE, task.handle + ".json")
        with open(path, "wb") as file:
            file.write(data)
        return {"protocol": "file", "uri": path, **ref}
    task.payload = data
    query = ""
    if KEY:
        expires = int(time.time()) + 86400
        query = f"?expires={expires}&signature={signature_of(task.handle, expires)}"
    return {"protocol": "http", "uri": f"{origin}/control/data/{task.handle}{query}", **ref}


def perform(task, origin):
    try:
        body = task.body
        read = []
        for ref in body["inputs"]:
            data = read_input(ref)
            if ref["format"] != "json":
                read.append(data.decode("utf-8", "replace"))
                continue
            try:
                read.append(json.loads(data))
            except (ValueError, RecursionError):
                raise ValueError("Expected the input to be JSON") from None
        if body["method"] == "Train":
            total = float(body["parameters"].get("ms", 2200)) / 1000 * SCALE
            for step in range(1, 11):
                time.sleep(total / 10)
                task.progress = step * 10 if step < 10 else task.progress
        else:
            time.sleep(float(body["parameters"].get("ms", 0)) / 1000 * SCALE)
        if body["method"] == "Train":
            if body["parameters"].get("fail") is True:
                raise ValueError("The training was asked to fail")
        made = json.dumps({"method": body["method"], "read": read, "parameters": body["parameters"]})
        output = publish(task, made.encode(), SEQUENTIAL.get(body["method"], "inline"), origin)
        task.end("complete", output=output)
    except Exception as error:  # the work's own, whatever it is
        task.end("failed", error=str(error) or type(error).__name__)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    # Head and body in one piece, or each reply waits for the peer's acknowledgement.
    wbufsize = -1

    def log_message(self, *_args):
        pass

    def send_error(self, code, message=None, explain=None):
        self.close_connection = True
        self.answer(code, {"detail": message or "refused"}, {"Connection": "close"})

    def answer(self, status, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **dict(headers)}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def read_request(self):
        """The body, whole; with anything doubtful about its length the connection ends."""
        lengths = self.headers.get_all("Content-Length", [])
        coding = self.headers.get("Transfer-Encoding")
        if coding is not None:
            if lengths or coding.strip().lower() != "chunked":
                raise Refusal(400, "expected one length", {"Connection": "close"})
            return self.read_chunks()
        if len(lengths) > 1 or any(not re.fullmatch(r"[0-9]{1,18}", length) for length in lengths):
            raise Refusal(400, "expected one length", {"Connection": "close"})
        length = int(lengths[0]) if lengths else 0
        if length > LONGEST_BODY:
            raise Refusal(413, f"Expected at most {LONGEST_BODY} bytes", {"Connection": "close"})
        data = self.rfile.read(length)
        if len(data) < length:
            raise Refusal(400, "the body was cut", {"Connection": "close"})
        return data

    def read_chunks(self):
        data = b""
        while True:
            line = self.rfile.readline(100).strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}(;.*)?", line):
                raise Refusal(400, "expected a chunk", {"Connection": "close"})
            size = int(line.split(b";")[0], 16)
            if len(data) + size > LONGEST_BODY:
                raise Refusal(413, f"Expected at most {LONGEST_BODY} bytes", {"Connection": "close"})
            if size == 0:
                while self.rfile.readline(8192) not in (b"\r\n", b"\n", b""):
                    pass
                return data
            piece = self.rfile.read(size)
            if len(piece) < size or self.rfile.read(2) != b"\r\n":
                raise Refusal(400, "the body was cut", {"Connection": "close"})
            data += piece

    def is_allowed(self, path, query):
        if KEY is None:
            return True
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        digests = [hashlib.sha256(text.encode("latin-1", "replace")).digest() for text in (given, KEY)]
        if scheme.lower() == "bearer" and hmac.compare_digest(*digests):
            return True
        expires, signature = (query.get(name, [""])[0] for name in ("expires", "signature"))
        if not path.startswith("/control/data/") or not re.fullmatch(r"[0-9]{1,15}", expires):
            return False
        wanted = signature_of(path.rsplit("/", 1)[1], expires)
        return int(expires) > time.time() and hmac.compare_digest(wanted, signature.encode("ascii", "replace").decode())

    def route(self, raw):
        path, _, query = self.path.partition("?")
        query = urllib.parse.parse_qs(query)
        if path == "/health":
            return self.only("GET", lambda: (200, {"status": "ok"}, {}))
        match = re.fullmatch(r"/control/(?:(execute)|(status|output|data)/([^/]+))", path)
        if not path.startswith("/control/"):
            raise Refusal(404, "Not Found")
        if not self.is_allowed(path, query):
            raise Refusal(401, "Unauthorized", {"WWW-Authenticate": "Bearer"})
        if match is None:
            raise Refusal(404, "Not Found")
        if match[1]:
            return self.only("POST", lambda: self.execute(raw))
        return self.only("GET", lambda: self.tell(match[2], urllib.parse.unquote(match[3])))

    def only(self, method, answer):
        if self.command == method or (method == "GET" and self.command == "HEAD"):
            return answer()
        raise Refusal(405, "Method Not Allowed", {"Allow": method})

    def execute(self, raw):
        body = read_body(raw)
        if body["method"] not in SEQUENTIAL and body["method"] != "Train":
            raise Refusal(400, f"Unknown method. Available: {', '.join([*SEQUENTIAL, 'Train'])}")
        task = Task(body)
        with tasks_lock:
            tasks[task.handle] = task
        origin = os.environ.get("SELF_URL") or "http://%s:%d" % self.server.server_address[:2]
        if body["method"] == "Train":
            threading.Thread(target=perform, args=(task, origin), daemon=True).start()
            return 200, {"status": "running", "task_id": task.handle}, {}
        perform(task, origin)
        end = {"output": task.output} if task.status == "complete" else {"error": task.error}
        return 200, {"status": task.status, **end}, {}

    def tell(self, what, name):
        with tasks_lock:
            same = [task for task in tasks.values() if task.body["task_id"] == name]
            task = tasks.get(name) or (same[-1] if same else None)
        if task is None:
            raise Refusal(404, "Task not found")
        with task.lock:
            status, progress, error, output = task.status, task.progress, task.error, task.output
        if what == "status":
            return 200, {"status": status, "progress": progress, "error": error}, {}
        if status != "complete":
            raise Refusal(400, "Task not complete")
        if what == "output":
            empty = {"protocol": "inline", "uri": "e30=", "format": "json", "metadata": {}}
            return 200, {"output": output or empty}, {}
        if task.payload is None:
            raise Refusal(404, "This task has no payload here")
        return 200, task.payload, {}

    def handle_any(self):
        try:
            answer = self.route(self.read_request())
        except Refusal as refusal:
            answer = refusal.status, {"detail": refusal.detail}, refusal.headers
            self.close_connection |= "Connection" in refusal.headers
        except (ConnectionError, TimeoutError):
            self.close_connection = True
            return
        except Exception:
            traceback.print_exc()
            answer = 500, {"detail": "Internal error"}, {}
        self.answer(*answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        # The caller went away: nobody is there to be answered.
        pass


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Handler)
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    server.serve_forever()
