"""Asks a running engine for something, and prints the answer. Needs only pyzmq.

fetalstream run phantom:3 --headless --pub tcp://127.0.0.1:5556 --control tcp://127.0.0.1:5557
python examples/control_client.py tcp://127.0.0.1:5557 state
python examples/control_client.py tcp://127.0.0.1:5557 mark '{"stream": "stream-1", "text": "look again"}'
"""

import json
import sys
import uuid

import zmq

ANSWER_WITHIN_MS = 15_000


def ask(endpoint: str, command: str, args: dict) -> tuple[dict, bytes | None]:
    """Return the result of a command, and the bytes that come with it."""
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.linger = 0
        socket.connect(endpoint)
        socket.send_json({"id": str(uuid.uuid4()), "command": command, "args": args})
        if not socket.poll(ANSWER_WITHIN_MS):
            sys.exit(f"no engine answers on {endpoint}")
        header, *blob = socket.recv_multipart()
    reply = json.loads(header)
    if not reply["ok"]:
        sys.exit(reply["error"])
    return reply["result"], blob[0] if blob else None


if __name__ == "__main__":
    result, _ = ask(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]) if len(sys.argv) > 3 else {})
    print(json.dumps(result, indent=2))
