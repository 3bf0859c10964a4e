#!/usr/bin/env python3
"""Reads the events of a grabber and writes one line for each, durably: what comes while this program is away is there when it is
back. Needs nothing but Python: it speaks NATS's text protocol (https://docs.nats.io/reference/reference-protocols/nats-protocol).

    python3 subscriber.py nats://127.0.0.1:4222 my-program

The address is in data/run.json (natsUrl). JetStream delivers at least once: an event that was seen before is known by its id.
"""
import json
import socket
import sys
import time
import uuid
from collections import OrderedDict
from urllib.parse import unquote, urlsplit

STREAM = "GRABBER_EVENTS"
REMEMBERED_IDS = 10_000
BATCH = 100
EXPIRES_SECONDS = 5


class Nats:
    def __init__(self, url, name):
        self.socket = socket.create_connection((url.hostname, url.port or 4222), timeout=3 * EXPIRES_SECONDS)
        self.reader = self.socket.makefile("rb")
        self.reader.readline()  # INFO {...}
        options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True, "name": name}
        if url.username:
            options.update(user=unquote(url.username), **{"pass": unquote(url.password or "")})
        self.send(f"CONNECT {json.dumps(options)}")
        self.inbox = f"_INBOX.{uuid.uuid4().hex}"
        self.send(f"SUB {self.inbox} 1")

    def send(self, line, payload=None):
        self.socket.sendall(line.encode() + b"\r\n" + (b"" if payload is None else payload + b"\r\n"))

    def publish(self, subject, payload, reply=""):
        self.send(f"PUB {subject} {reply} {len(payload)}", payload)

    def receive(self):
        """The next message: reply subject, status or None, headers, payload."""
        while True:
            line = self.reader.readline()
            words = line.decode().split()
            if not words:
                raise ConnectionError("the server closed the connection")
            if words[0] == "PING":
                self.send("PONG")
            elif words[0] == "-ERR":
                raise ConnectionError(line.decode().strip())
            elif words[0] in ("MSG", "HMSG"):
                head_bytes = int(words[-2]) if words[0] == "HMSG" else 0
                body = self.reader.read(int(words[-1]) + 2)[:-2]
                first, *lines = body[:head_bytes].decode().split("\r\n")
                headers = dict(line.split(": ", 1) if ": " in line else line.split(":", 1) for line in lines if line)
                reply = words[3] if len(words) == (6 if head_bytes else 5) else ""
                return reply, (first.split() + [None])[1] if head_bytes else None, headers, body[head_bytes:]


def events(url, name):
    """Yields (event, acknowledge) for ever; the durable consumer `name` keeps the position on the server."""
    nats = Nats(url, name)
    config = {"durable_name": name, "ack_policy": "explicit", "deliver_policy": "all", "filter_subject": "grabber.*.events.>"}
    request = json.dumps({"stream_name": STREAM, "config": config}).encode()
    nats.publish(f"$JS.API.CONSUMER.DURABLE.CREATE.{STREAM}.{name}", request, nats.inbox)
    answer = json.loads(nats.receive()[3] or b'{"error": "no JetStream"}')
    if "error" in answer:
        raise ConnectionError(answer["error"])
    while True:
        pull = json.dumps({"batch": BATCH, "expires": EXPIRES_SECONDS * 1_000_000_000}).encode()
        nats.publish(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{name}", pull, nats.inbox)
        for _ in range(BATCH):
            reply, status, headers, payload = nats.receive()
            if status:
                break  # 408: nothing more within the time
            event = {key[3:]: value for key, value in headers.items() if key.startswith("ce-")}
            yield {**event, "data": json.loads(payload)}, lambda: nats.publish(reply, b"+ACK")


def main():
    address, name = (sys.argv[1:] + ["nats://127.0.0.1:4222", "example-py"][len(sys.argv) - 1 :])[:2]
    url = urlsplit(address)
    seen = OrderedDict()
    while True:
        try:
            for event, acknowledge in events(url, name):
                if event["id"] not in seen:
                    print(json.dumps(event), flush=True)  # Your work goes here.
                acknowledge()
                seen[event["id"]] = True
                while len(seen) > REMEMBERED_IDS:
                    seen.popitem(last=False)
        except (OSError, ConnectionError) as error:
            print(f"{error}; trying again", file=sys.stderr)
            time.sleep(1)


try:
    main()
except KeyboardInterrupt:
    pass
