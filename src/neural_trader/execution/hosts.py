"""Which addresses are this machine's own, where others cannot listen in."""

from ipaddress import ip_address


def is_this_machine(host: str) -> bool:
    """Whether a host is a loopback address; a name other than ``localhost`` may be anything."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
