import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from the api")


HTTPServer(("", int(os.environ.get("PORT", "8000"))), Api).serve_forever()
