"""Where a gateway is, and whether a token may go there."""

from neural_trader.core.errors import ConfigError
from neural_trader.execution.hosts import is_this_machine


def read_address(address: str) -> tuple[str, int]:
    """Return host and port of ``host:port``.

    Raises
    ------
    ConfigError
        It is none.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        message = f"the address is {address!r}; expected host:port, such as 127.0.0.1:7701"
        raise ConfigError(message)
    return host.strip("[]"), int(port)


def check_is_private(host: str, tls: object) -> None:
    """Refuse to send a token over a network in the clear.

    Raises
    ------
    ConfigError
        The host is not this machine, and there is no TLS.
    """
    if tls is None and not is_this_machine(host):
        message = (
            f"{host} is not this machine, and there is no TLS: token and orders would go over the "
            "network in the clear; give tls=ssl.create_default_context(...)"
        )
        raise ConfigError(message)
