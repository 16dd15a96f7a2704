"""The other side of the gateway: where orders are filled."""
