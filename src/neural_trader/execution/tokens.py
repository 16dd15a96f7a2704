"""Tokens: 256 random bits that a client shows, of which the gateway keeps the SHA-256 alone."""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Literal

import msgspec

from neural_trader.core.errors import ConfigError

Scope = Literal["trade", "read"]
TOKEN_BYTES = 32


class Grant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the holder of a token may do.

    Parameters
    ----------
    account : str
        The name of the one account that it opens.
    scope : {"trade", "read"}
        ``read`` sees orders, fills and positions, and changes nothing.
    sha256 : str
        The hash of the token: 64 hexadecimal digits.

    Raises
    ------
    ConfigError
        The hash is none.
    """

    account: str
    sha256: str
    scope: Scope = "read"

    def __post_init__(self) -> None:
        """Refuse what is no hash."""
        try:
            digest = bytes.fromhex(self.sha256)
        except ValueError:
            digest = b""
        if len(digest) != hashlib.sha256().digest_size:
            message = (
                f"sha256 of a token of account {self.account!r} is {self.sha256!r}; expected 64 "
                "hexadecimal digits, as `neural-trader token new` prints them"
            )
            raise ConfigError(message)


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token, as the configuration holds it."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_grant(token: str, grants: Iterable[Grant]) -> Grant | None:
    """Return what a token allows, or None; takes as long for a wrong token as for a right one."""
    digest = hash_token(token)
    found = None
    for grant in grants:
        if hmac.compare_digest(digest, grant.sha256.lower()):
            found = grant
    return found
