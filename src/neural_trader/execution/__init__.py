"""The order path: limits, gateway, journal, wire, client and recovery; ``venues`` beside them."""
