"""A provider that sends back everything it was sent."""

from __future__ import annotations

import html
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class Echo(ThreadingHTTPServer):
    """Answers each call with everything it received, in the form that `mode` names."""

    mode = "refusal"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), EchoHandler)
        self.calls = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class EchoHandler(BaseHTTPRequestHandler):
    server: Echo

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        pairs = [*parse_qsl(urlsplit(self.path).query), *parse_qsl(body)]
        received = f"{self.path} {dict(self.headers)} {body} {pairs}"
        self.server.calls += 1
        status, headers, answer = 200, {"Content-Type": "application/json"}, b""
        match self.server.mode:
            case "refusal":
                names = ("remarks", "msg", "MSG", "error", "message")
                fixed = {"status": "F", "result": "失败", "STATUS": "ERROR", "CODE": "400"}
                answer = json.dumps({**dict.fromkeys(names, received), **fixed}).encode()
            case "page":
                status = 502
                answer = f"<html><p>{html.escape(received)}</p></html>".encode()
            case "redirect":
                status, headers = 302, {"Location": f"/elsewhere{self.path}"}
            case "header":
                headers = {"X-Echo": received.encode("unicode_escape").decode()}
                answer = received.encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815 - as the library calls it

    def log_message(self, *_: object) -> None:
        pass
