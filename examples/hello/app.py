"""A small web service: `/` greets, `/health` says whether it is well."""

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GREETING = "Hello from homeport"


def answer(path):
    """The status and the body for a path."""
    if path == "/health":
        return 200, {"status": "ok"}
    if path == "/":
        return 200, {"message": GREETING, "version": os.environ.get("VERSION", "unknown")}
    return 404, {"message": f"nothing at {path}"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # an answer is two writes, and the second must not wait for the first one's ACK
    )

    def do_GET(self):
        status, body = answer(self.path)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *args):
        """Requests are counted by the load balancer; the log is for what matters."""


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


def main():
    port = int(os.environ.get("PORT", "80"))
    server = Server(("", port), Handler)
    # ECS drains the task before it sends SIGTERM: what is still open then is idle
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"version {os.environ.get('VERSION', 'unknown')} listens on port {port}", flush=True)
    server.serve_forever()
    print("stopped", flush=True)


if __name__ == "__main__":
    main()
