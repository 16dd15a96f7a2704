"""Whatever bytes come in: no crash, nothing kept, nobody else notices; the fuzz would see it."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from neural_trader.execution import ClientSession, Gateway
from neural_trader.execution import messages as m
from neural_trader.execution.framing import FrameReader
from neural_trader.execution.sessions import Session
from tests.reliability import fuzz as command
from tests.reliability.fuzzing import LIFE, Found, fuzz, live
from tests.reliability.hostile import TARGETS

LOG = logging.getLogger("neural_trader")
Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """What is said of each bad peer is kept by whoever catches logs: that is no leak."""
    before = LOG.level
    LOG.setLevel(logging.CRITICAL + 1)
    yield
    LOG.setLevel(before)


@pytest.mark.parametrize("name", TARGETS)
def test_four_thousand_bad_frames(name: str) -> None:
    found = fuzz(7, 2 * LIFE, names=[name])
    assert found.faults == []
    assert found.frames == {name: 2 * LIFE}
    assert all(found.kinds[kind] for kind in ("noise", "nested deeply", "wrong length"))
    assert found.kept_bytes[name] < 16_384
    closed = command.closings(found.counts)
    assert closed.total() > LIFE // 2
    if name == "gateway":
        assert found.counts["gateway: quiet orders"] > 50


def test_a_seed_repeats_what_it_did() -> None:
    both = []
    for _ in range(2):
        found = Found()
        live(found, "gateway", "7/gateway/0", 500)
        both.append((found.frames, found.kinds, found.counts))
    assert both[0] == both[1]


def a_decoder_that_raises(name: str) -> Patch:
    """Have a decoder raise what nobody expects of it, for one payload in many."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        decode = getattr(m, name)

        def raising(payload: bytes) -> Any:
            if len(payload) % 31 == 30:
                text = "what nobody expects"
                raise TypeError(text)
            return decode(payload)

        monkeypatch.setattr(m, name, raising)

    return patch


def sessions_that_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never forget a connection that is gone."""
    monkeypatch.setattr(Gateway, "close_session", lambda *_: None)


def sessions_that_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every session somewhere, long after it was closed."""
    held = []
    init = Session.__init__

    def keeping(session: Session, peer: str, ts: int) -> None:
        init(session, peer, ts)
        held.append(session)

    monkeypatch.setattr(Session, "__init__", keeping)


def frames_without_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for whatever length was announced."""
    init = FrameReader.__init__

    def patient(reader: FrameReader, _limit: int = 0, rest: bytes = b"") -> None:
        init(reader, 1 << 40, rest)

    monkeypatch.setattr(FrameReader, "__init__", patient)


def halts_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a bad frame of one peer halt the gateway for all."""
    take = Gateway.take

    def halting(gateway: Gateway, session: Session, payloads: list[bytes], ts: int) -> list[bytes]:
        rest = take(gateway, session, payloads, ts)
        gateway.is_halted = gateway.is_halted or session.closing == "bad_frame"
        return rest

    monkeypatch.setattr(Gateway, "take", halting)


def clients_that_stay_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take no second welcome."""
    on_welcome = ClientSession._on_welcome

    def once(client: ClientSession, welcome: m.Welcome) -> None:
        if client.welcome is None:
            on_welcome(client, welcome)

    monkeypatch.setattr(ClientSession, "_on_welcome", once)


@pytest.mark.parametrize(
    ("target", "patch", "words"),
    [
        ("gateway", a_decoder_that_raises("decode_request"), "TypeError: what nobody expects"),
        ("client", a_decoder_that_raises("decode_to_client"), "TypeError: what nobody expects"),
        ("venue link", a_decoder_that_raises("decode_from_venue"), "TypeError: what nobody"),
        ("venue", a_decoder_that_raises("decode_to_venue"), "TypeError: what nobody expects"),
        ("gateway", sessions_that_stay, "sessions"),
        ("gateway", sessions_that_are_held, "sessions are kept"),
        ("gateway", frames_without_a_limit, "bytes of an unfinished frame are kept"),
        ("gateway", halts_for_all, "halted"),
        ("client", clients_that_stay_away, "no way back"),
    ],
)
def test_the_fuzz_finds(
    monkeypatch: pytest.MonkeyPatch, target: str, patch: Patch, words: str
) -> None:
    patch(monkeypatch)
    found = Found()
    seed = f"7/{target}/0"
    live(found, target, seed, LIFE)
    (fault,) = found.faults
    assert words in fault
    assert fault.startswith(seed)


def test_the_fuzz_finds_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bytes] = []
    feed = FrameReader.feed

    def keeping(reader: FrameReader, data: bytes) -> list[bytes]:
        kept.append(data[:16])
        return feed(reader, data)

    monkeypatch.setattr(FrameReader, "feed", keeping)
    (fault,) = fuzz(7, 2 * LIFE, names=["decoders"]).faults
    assert "bytes are kept of what is over" in fault


def test_the_command_says_what_it_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--frames", "500", "--seed", "3"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("seed 3\n500 bad frames")
    assert said.endswith("every promise held\n")
    a_decoder_that_raises("decode_request")(monkeypatch)
    assert command.main(["--frames", "5000", "--seed", "3"]) == 1
    (fault,) = [line for line in capsys.readouterr().out.splitlines() if "FAULT" in line]
    assert "3/gateway/0, frame" in fault
    assert command.main(["--again", "3/gateway/0"]) == 1
    assert fault in capsys.readouterr().out.splitlines()
