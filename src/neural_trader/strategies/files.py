"""Strategies that stand in a file of their user's."""

import functools
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from neural_trader.core import ConfigError, StrategyError


class StrategyFile:
    """A Python file that holds a strategy: a class with ``on_bar``, or with ``plan``.

    Called with parameters it makes one, so that it can be swept; it can be sent to another process,
    which runs the file anew.

    Parameters
    ----------
    name : str
        ``FILE.py``, or ``FILE.py:NAME`` where the file holds several.
    **fixed
        Parameters of every strategy that it makes.

    Raises
    ------
    ConfigError
        No such file, no strategy in it, or several and none is named.
    StrategyError
        The file cannot be run.
    """

    def __init__(self, name: str, **fixed: Any) -> None:  # noqa: ANN401 - whatever it takes
        self.name, self.fixed = name, fixed
        path, _, wanted = name.partition(".py:")
        self.path = Path(f"{path}.py" if wanted else name)
        self.wanted = wanted
        if not self.path.is_file():
            message = (
                f"no file {self.path}; expected a strategy such as neural-trader new strategy makes"
            )
            raise ConfigError(message)
        self.kind = self._find(self._run())

    def __call__(self, **parameters: Any) -> Any:  # noqa: ANN401 - any class that fits
        """Return a strategy made with the fixed parameters and these; see ``make``."""
        return self.make(self.fixed | parameters)

    @property
    def __signature__(self) -> inspect.Signature:
        """What it takes, beside the fixed parameters."""
        return inspect.signature(functools.partial(self.kind, **self.fixed))

    def __reduce__(self) -> tuple[Any, ...]:
        """Be sent as the name of the file and the fixed parameters."""
        return functools.partial(StrategyFile, self.name, **self.fixed), ()

    def reload(self) -> None:
        """Run the file anew, so that nothing of an earlier run is left in it."""
        self.kind = self._find(self._run())

    def make(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any class that fits
        """Return a strategy made with these parameters.

        Raises
        ------
        ConfigError
            The class takes no such parameter, or needs one that is missing.
        StrategyError
            Its own code failed.
        """
        check_parameters(self.kind, parameters)
        try:
            return self.kind(**parameters)
        except Exception as error:
            raise self.blame(error) from error

    def blame(self, error: Exception) -> Exception:
        """Return the error of the strategy's own code, or the error itself if it is not of it."""
        if isinstance(error, (ConfigError, StrategyError)):
            return error
        line = 0
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename == str(self.path.resolve()):
                line = step.tb_lineno
            step = step.tb_next
        if not line:
            return error
        notes = "".join(f", {note}" for note in getattr(error, "__notes__", ()))
        message = (
            f"{self.path}:{line}: {type(error).__name__}: {error}{notes}. See the traceback with "
            "neural-trader --debug ..."
        )
        return StrategyError(message)

    def _run(self) -> ModuleType:
        name = f"neural_trader_strategy_{self.path.stem}"
        spec = importlib.util.spec_from_file_location(name, self.path.resolve())
        if spec is None or spec.loader is None:
            message = f"{self.path} is not a Python file"
            raise ConfigError(message)
        module = importlib.util.module_from_spec(spec)
        # Its source is looked up by its module's name, for the hash that a result keeps.
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except SyntaxError as error:
            message = f"{self.path}:{error.lineno}: SyntaxError: {error.msg}"
            raise StrategyError(message) from error
        except Exception as error:
            raise self.blame(error) from error
        return module

    def _find(self, module: ModuleType) -> type:
        """Return the class of the strategy: the one that is defined here and can decide."""
        found = {
            name: value
            for name, value in vars(module).items()
            if inspect.isclass(value)
            and value.__module__ == module.__name__
            and (callable(getattr(value, "on_bar", None)) or callable(getattr(value, "plan", None)))
        }
        if self.wanted:
            if self.wanted not in found:
                message = (
                    f"{self.path} has no strategy {self.wanted!r}; it has "
                    f"{', '.join(found) or 'none'}"
                )
                raise ConfigError(message)
            return found[self.wanted]
        if len(found) != 1:
            names = list(found)
            message = (
                f"{self.path} holds {', '.join(names)}; name one, as in {self.path}:{names[0]}"
                if names
                else f"{self.path} holds no strategy; expected a class that derives from "
                "nt.Strategy and has on_bar, or one that has plan"
            )
            raise ConfigError(message)
        return next(iter(found.values()))


def check_parameters(kind: type, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that a strategy's class does not take, and missing ones it needs."""
    signature = inspect.signature(kind)
    try:
        signature.bind(**parameters)
    except TypeError as error:
        taken = ", ".join(signature.parameters) or "none"
        message = f"{kind.__name__}: {error}; it takes {taken}"
        raise ConfigError(message) from None
