"""Stands in for the probe where a test is about the session: speaks over the channel and writes a recording.

Like the real one it undoes what led Python here. `FAKE_PROBE=silent` says nothing and records nothing.
"""

import json
import os
import sys
import threading

config_json = os.environ.pop("TAPEINSPECT_TARGET", None)
original = os.environ.pop("TAPEINSPECT_PYTHONPATH", None)
os.environ.pop("PYTHONPATH", None)
if original is not None:
    os.environ["PYTHONPATH"] = original
sys.path = [entry for entry in sys.path if entry != os.path.dirname(__file__)]


def start(text):
    from tapeinspect.link.channel import Channel
    from tapeinspect.link.messages import Answer, AskStats, Hello, Status, Stop, Tick, config_from_json
    from tapeinspect.trace.writer import TraceWriter

    config = config_from_json(text)
    channel = Channel.from_fd(config.control)
    channel.send(Hello(os.getpid(), sys.version.split()[0]))
    writer = TraceWriter(config.output)
    meta = {"format": 1, "script": config.script, "argv": config.argv, "pid": os.getpid(), "complete": False}
    writer.set_meta(
        **meta, exit_status=None, python="3", tapeinspect="0", mode="eager", values="off", started=0
    )
    writer.commit()
    channel.send(Status("running"))
    channel.send(Tick(ops=10, steps=2, loss=0.5, seconds=0.1, overhead=1.07))

    def serve():
        while (message := channel.receive()) is not None:
            if isinstance(message, AskStats) and message.tensor != 13:
                channel.send(Answer(message.request, True, {"size": message.tensor}))
            elif isinstance(message, Stop):
                channel.send(Status("paused", json.dumps("stopping")))
        os.kill(os.getpid(), 9)  # the tool is gone

    threading.Thread(target=serve, daemon=True).start()


if config_json is not None and os.environ.get("FAKE_PROBE") != "silent":
    start(config_json)
