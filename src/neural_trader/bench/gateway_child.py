"""A gateway that is watched: ``python -m neural_trader.bench.gateway_child TOOL FILE serve ...``.

It is the command ``neural-trader serve`` in every respect, with the methods that its event loop
calls timed (``loop``), or its memory watched (``memray``, ``tracemalloc``). What was found is
written to the file when the gateway ends.
"""

import asyncio
import json
import runpy
import sys
import time
from array import array
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from neural_trader.bench.profile_work import track
from neural_trader.execution.connections import ClientConnection, VenueConnection
from neural_trader.execution.server import GatewayServer

TICK_S: Final = 0.002
_SLOWEST: Final = 20
_CALLED: Final = {
    ClientConnection: ("connection_made", "data_received", "connection_lost", "_read_on"),
    VenueConnection: ("connection_made", "data_received", "connection_lost"),
    GatewayServer: ("flush", "_catch_up"),
}
"""What the loop calls by itself; what these call counts as theirs."""


class LoopProbe:
    """Times what an event loop calls, and how late its timers are."""

    def __init__(self) -> None:
        self.durations: dict[str, array[int]] = {}
        self.lags = array("q")
        self._is_inside = False

    def install(self) -> None:
        """Put clocks around the gateway's methods, before there is a gateway."""
        for kind, names in _CALLED.items():
            for name in names:
                found = getattr(kind, name)
                setattr(kind, name, self.timed(f"{kind.__name__}.{name}", found))
        run = GatewayServer._run  # noqa: SLF001 - where the loop of a gateway begins to turn
        probe = self

        async def watched(server: GatewayServer, *arguments: Any) -> None:  # noqa: ANN401 - its own
            probe.watch(asyncio.get_running_loop())
            await run(server, *arguments)

        GatewayServer._run = watched  # type: ignore[method-assign, assignment]  # noqa: SLF001 - as above

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does the same and notes how long it took."""
        taken = self.durations.setdefault(name, array("q"))
        clock = time.perf_counter_ns

        def wrapper(*arguments: Any) -> Any:  # noqa: ANN401 - whatever the method takes and gives
            if self._is_inside:
                return call(*arguments)
            self._is_inside = True
            began = clock()
            try:
                return call(*arguments)
            finally:
                taken.append(clock() - began)
                self._is_inside = False

        return wrapper

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set a timer again and again, and note by how much each is late."""
        due = time.perf_counter_ns()

        def tick() -> None:
            nonlocal due
            now = time.perf_counter_ns()
            self.lags.append(max(now - due, 0))
            due = now + int(TICK_S * 1e9)
            loop.call_later(TICK_S, tick)

        due += int(TICK_S * 1e9)
        loop.call_later(TICK_S, tick)

    def told(self) -> dict[str, Any]:
        """Return what was found, in nanoseconds."""
        slowest = sorted(
            ((ns, name) for name, taken in self.durations.items() for ns in taken), reverse=True
        )
        return {
            "loop": "",
            "lags_ns": self.lags.tolist(),
            "durations_ns": {k: v.tolist() for k, v in self.durations.items() if v},
            "slowest": [{"name": name, "ns": ns} for ns, name in slowest[:_SLOWEST]],
        }


def main() -> None:
    """Run the gateway, and write what was found when it has ended."""
    tool, file, *arguments = sys.argv[1:]
    sys.argv = ["neural-trader", *arguments]

    def serve() -> None:
        # The command ends by SystemExit, with 0 where it was asked to end.
        with suppress(SystemExit):
            runpy.run_module("neural_trader", run_name="__main__", alter_sys=True)

    if tool != "loop":
        track(serve, tool, Path(file))
        return
    probe = LoopProbe()
    probe.install()
    serve()
    found = probe.told() | {"loop": "uvloop" if "uvloop" in sys.modules else "asyncio"}
    Path(file).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
