"""A gateway with a setting: ``python -m neural_trader.bench.tuning_child JSON serve ...``.

It is ``neural-trader serve`` in every respect but those that the JSON object names: ``env`` is in
the process's environment from its beginning, ``gc`` is what the collector of garbage does, and
``socket_bytes`` the size of the buffers of every connection.
"""

import gc
import json
import os
import runpy
import socket
import sys
from typing import Any, Final

GC_MODES: Final = ("frozen", "python", "off")


def main() -> None:
    """Take the settings on, and become the gateway."""
    wanted = json.loads(sys.argv[1])
    missing = {
        name: value for name, value in wanted["env"].items() if os.environ.get(name) != value
    }
    if missing:
        # An allocator reads its environment before the first line of Python runs.
        command = [sys.executable, "-m", "neural_trader.bench.tuning_child", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | missing)  # noqa: S606 - no shell is meant
    set_collector(wanted["gc"])
    if wanted["socket_bytes"]:
        set_buffers(wanted["socket_bytes"])
    sys.argv = ["neural-trader", *sys.argv[2:]]
    runpy.run_module("neural_trader", run_name="__main__", alter_sys=True)


def set_collector(mode: str) -> None:
    """Leave the collector as the product sets it, as Python does, or off for good."""
    if mode == "frozen":
        return
    if mode not in GC_MODES:
        message = f"gc is {mode!r}; expected one of {', '.join(GC_MODES)}"
        raise ValueError(message)

    def ignore(*_: int) -> None:
        """Take no notice: the product's own settings are what is left out."""

    gc.freeze = gc.set_threshold = ignore
    if mode == "off":
        gc.disable()


def set_buffers(size: int) -> None:
    """Give every TCP socket that is made from now on buffers of so many bytes.

    What a listener accepts has the buffers of the listener. Import uvloop afterwards: it keeps the
    class that it finds.
    """

    class Socket(socket.socket):
        """A socket with buffers of a fixed size."""

        def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as its base
            super().__init__(*arguments, **options)
            if self.family in (socket.AF_INET, socket.AF_INET6):
                self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
                self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)

    socket.socket = Socket  # type: ignore[misc]


if __name__ == "__main__":
    main()
