"""Messages as JSON and back."""

from __future__ import annotations

import json

import pytest

from tapeinspect.link.messages import (
    Answer,
    AskStats,
    AskValue,
    Config,
    Go,
    Hello,
    Message,
    Pause,
    Status,
    Stop,
    Tick,
    Trouble,
    config_from_json,
    config_to_json,
    decode,
    encode,
)

EACH: list[Message] = [
    Hello(12, "3.11.7"),
    Status("paused", "after batch 3", 3, 1200, "train.py", 17),
    Tick(1200, 3, 0.25, 1.5, 1.08, 4096, 1 << 20),
    Tick(0, 0, None, 0.0, None),
    Trouble('the disk is full: "ü\n"', "free some space", fatal=True),
    Answer(7, False, {"message": "no such tensor"}),
    Go("batch"),
    Pause(),
    Stop(),
    AskStats(1, 99),
    AskValue(2, 99, (0, [0, 3])),
]


@pytest.mark.parametrize("message", EACH, ids=lambda message: type(message).__name__)
def test_there_and_back(message: Message) -> None:
    assert decode(encode(message)) == message


def test_fields_of_a_newer_version_are_left_out() -> None:
    body = json.loads(encode(Pause())) | {"added_later": 1}
    assert decode(json.dumps(body).encode()) == Pause()


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"[]", b"{}", b'{"kind": "Nonsense"}', b'{"kind": "Hello"}', b'{"kind": ["Hello"]}'],
)
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(ValueError):
        decode(data)


def test_config_there_and_back() -> None:
    config = Config(
        "/tmp/ü.tape", 7, "train.py", ("train.py", "--lr", "0.1"), steps=3, pause_at=1, source=False
    )
    assert config_from_json(config_to_json(config)) == config
