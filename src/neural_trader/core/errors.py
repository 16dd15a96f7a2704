"""Every error that neural-trader raises on purpose.

::

    NeuralTraderError
    |-- ConfigError    an option, argument or combination of them cannot be used
    |-- DataError      data are missing, unreadable or not what they must be
    |   `-- NoPortfolio           no weights within the bounds are expected to earn anything
    |-- RunRefused     a run broke a limit that protects its user (leverage)
    |-- StrategyError  the code of a user's own strategy failed
    |-- SawTheFuture   a strategy decided with bars that came later
    |-- BenchError     a measurement could not be trusted, so no figure is printed
    |-- JournalError   the journal cannot be written, or what stands in it is damaged
    |   `-- RecordsGone           records are asked for that are no longer kept
    `-- GatewayError   a gateway or venue cannot be reached, or refused what it was asked
        `-- OrderOutcomeUnknown   a request was sent and not answered: look before you repeat it

Apart from it stands ``InvariantViolation``: a bug of ours was noticed, and all stops there.
Missing kernels are an ``ImportError`` of their own, ``neural_trader._kernels.KernelsMissing``.

A message says what went wrong, the value found, what was expected and what to do.
"""


class NeuralTraderError(Exception):
    """Base of every error that a user can cause and mend."""


class ConfigError(NeuralTraderError):
    """An option, argument or combination of them cannot be used."""


class DataError(NeuralTraderError):
    """Data are missing, unreadable or not what they must be."""


class NoPortfolio(DataError):  # noqa: N818 - it names what is missing
    """No weights within the bounds are expected to earn more than the risk-free rate."""


class RunRefused(NeuralTraderError):  # noqa: N818 - it names what happened
    """A run broke a limit that protects its user."""


class StrategyError(NeuralTraderError):
    """The code of a user's own strategy failed."""


class SawTheFuture(NeuralTraderError):  # noqa: N818 - it names what happened
    """A strategy decided with bars that came later."""


class BenchError(NeuralTraderError):
    """A measurement could not be trusted."""


class JournalError(NeuralTraderError):
    """The journal cannot be written, or what stands in it is damaged."""


class RecordsGone(JournalError):  # noqa: N818 - it names what happened
    """Records are asked for that a journal no longer keeps: a checkpoint stands for them."""


class GatewayError(NeuralTraderError):
    """A gateway or venue cannot be reached, or refused what it was asked.

    Attributes
    ----------
    code : str
        The gateway's own word for a refusal, as ``docs/wire.md`` lists them, or empty.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class OrderOutcomeUnknown(GatewayError):  # noqa: N818 - it names what happened
    """A request was sent and not answered: look at the order before you repeat it."""


class InvariantViolation(Exception):  # noqa: N818 - it names what happened
    """A bug of ours was noticed: never caught, so that nothing goes on from a wrong state."""
