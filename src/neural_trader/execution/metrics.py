"""What a gateway counts and times: gathered on the order path, worked up beside it.

A histogram keeps 32 buckets for every power of two, so that any quantile is known within 3.2 % of
itself from one nanosecond to hours, in a few kilobytes (the idea of G. Tene's HdrHistogram).
"""

from typing import TYPE_CHECKING, Any, Final

from neural_trader.core.errors import ConfigError

if TYPE_CHECKING:
    from neural_trader.execution.gateway import Gateway

_SUB_BITS: Final = 5
_SUB: Final = 1 << _SUB_BITS
_TIMED_MAX: Final = 256
QUANTILES: Final = (0.5, 0.9, 0.95, 0.99, 0.999)


class Histogram:
    """Counts of whole numbers of 0 or more, in buckets that grow with them."""

    __slots__ = ("buckets", "count", "max", "total")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0
        self.max = 0

    def add(self, value: int) -> None:
        """Count a value; one below 0 (a clock that was set back) counts as 0."""
        value = max(value, 0)
        shift = max(value.bit_length() - _SUB_BITS - 1, 0)
        bucket = (shift << (_SUB_BITS + 1)) + (value >> shift)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        self.count += 1
        self.total += value
        self.max = max(self.max, value)

    def quantile(self, share: float) -> int:
        """Return the upper end of the bucket below which this share of the values lies; 0 if none.

        The largest value stands for the last bucket's end.
        """
        wanted = share * self.count
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                shift = bucket >> (_SUB_BITS + 1)
                end = (((bucket & (2 * _SUB - 1)) + 1) << shift) - 1
                return min(end, self.max)
        return 0


class Metrics:
    """Times of a gateway, in nanoseconds.

    ``commits`` and ``answers`` gather on the order path: how long a commit took, and how long the
    venue took to accept an order. ``work_up`` moves the latest of them into the histograms, some
    times a second: under load a sample, since every value worked up delays an order.
    """

    def __init__(self) -> None:
        self.commits: list[int] = []
        self.answers: list[int] = []
        self.commit_ns = Histogram()
        self.answer_ns = Histogram()

    def work_up(self) -> None:
        """Move what was gathered into the histograms."""
        for gathered, histogram in (
            (self.commits, self.commit_ns),
            (self.answers, self.answer_ns),
        ):
            for value in gathered[-_TIMED_MAX:]:
                histogram.add(value)
            gathered.clear()


class GatewayCollector:
    """Shows a gateway to Prometheus: what it counts is read when it is asked for.

    Parameters
    ----------
    gateway : Gateway
    metrics : Metrics
    """

    def __init__(self, gateway: "Gateway", metrics: Metrics) -> None:
        self._gateway = gateway
        self._metrics = metrics

    def collect(self) -> Any:  # noqa: ANN401 - families of the optional library
        """Yield the metric families."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            SummaryMetricFamily,
        )

        gateway = self._gateway
        events = CounterMetricFamily(
            "neural_trader_events", "Events recorded since the start, by kind", labels=["kind"]
        )
        for kind, count in tuple(gateway.counts.items()):
            events.add_metric([kind.__name__], count)
        yield events
        for name, text, value in (
            ("sessions", "Open client connections", len(gateway.sessions)),
            ("open_orders", "Open orders", _open_orders(gateway)),
            ("journal_seq", "Next record of the journal", gateway.journal.next_seq),
            ("venue_up", "1 while orders can go to the venue", gateway.venue.state == "up"),
            ("orphan_fills", "Fills that fit no order", gateway.core.orphans),
            ("duplicate_fills", "Fills that came twice", gateway.venue.duplicates),
            ("halted", "1 after a failed write of the journal", gateway.is_halted),
        ):
            yield GaugeMetricFamily(f"neural_trader_{name}", text, value=float(value))
        for name, text, histogram in (
            ("commit_seconds", "Commits of the journal", self._metrics.commit_ns),
            ("accept_seconds", "From order to the venue's answer", self._metrics.answer_ns),
        ):
            full = f"neural_trader_{name}"
            yield SummaryMetricFamily(full, text, histogram.count, histogram.total / 1e9)
            tail = GaugeMetricFamily(f"{full}_quantile", f"{text}, quantiles", labels=["quantile"])
            for share in QUANTILES:
                tail.add_metric([str(share)], histogram.quantile(share) / 1e9)
            yield tail


def _open_orders(gateway: "Gateway") -> int:
    # Lengths alone: what they are the lengths of changes under this thread's hands.
    return sum(len(account.open) for account in tuple(gateway.core.accounts.values()))


def serve_metrics(collector: GatewayCollector, port: int) -> Any:  # noqa: ANN401 - of the library
    """Serve metrics on this machine for Prometheus; returns what stops it.

    Raises
    ------
    ConfigError
        The extra ``metrics`` is not installed, or the port is taken.
    """
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError as error:
        message = "metrics_port needs the extra: pip install 'neural-trader[metrics]'"
        raise ConfigError(message) from error
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        server, thread = start_http_server(port, addr="127.0.0.1", registry=registry)
    except OSError as error:
        message = f"metrics_port is {port}, which cannot be used: {error.strerror}; choose another"
        raise ConfigError(message) from error

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
