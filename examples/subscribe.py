"""Prints what a running engine says. Needs only pyzmq.

fetalstream run phantom:3 --headless --pub tcp://127.0.0.1:5556
python examples/subscribe.py tcp://127.0.0.1:5556
"""

import json
import sys

import zmq

socket = zmq.Context().socket(zmq.SUB)
socket.connect(sys.argv[1])
socket.subscribe(b"reading/")  # or b"" for everything
while True:
    topic, header, *blob = socket.recv_multipart()
    reading = json.loads(header)
    age = reading["gestation"]
    days = f"{age['days']:.0f} days" if age else reading["gestation_missing"]
    print(f"{topic.decode()} #{reading['seq']}: {reading['plane'] or 'no plane'}, {days}. {reading['notice']}")
