"""A server that answers chat completions with its process id, for tests of `start`. It needs no package.

`small_server.py PORT [what it does otherwise]`: `slow` says three times that it is loading; `broken` dies at start;
`mortal` dies in the middle of a completion; `silent` is never ready. It leaves a file `answered` where it runs when it
was first asked.
"""

import argparse
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ANSWERED = "answered"


class Handler(BaseHTTPRequestHandler):
    health_answers = 0

    def do_GET(self):
        Handler.health_answers += 1
        is_ready = BEHAVIOUR != "silent" and (BEHAVIOUR != "slow" or Handler.health_answers > 3)
        self.answer(200 if is_ready and self.path == "/health" else 503, {})
        Path(ANSWERED).touch()

    def do_POST(self):
        if BEHAVIOUR == "mortal":
            print("out of memory", flush=True)
            os._exit(7)
        keys = sorted(name for name in os.environ if name.endswith("TEST_KEY"))
        text = f"{os.getpid()} {Handler.health_answers} {self.path} {keys}\n<essay>\nA.\nB.\nC.\n</essay>\nSCORE: 5"
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        self.answer(200, {"object": "chat.completion", "model": "small", "choices": choices})

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("behaviour", nargs="?", default="")
    arguments = parser.parse_args()
    BEHAVIOUR = arguments.behaviour
    if BEHAVIOUR == "broken":
        sys.exit("no such model file")
    ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler).serve_forever()
