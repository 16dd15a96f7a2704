"""Keys are equal where results are, and a function that was edited anywhere has another."""

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core import ConfigError
from neural_trader.strategies.indicators.keys import function_key, parameter_key, settings_key


def key(value: object) -> Any:
    return parameter_key(value, "here")


def function(text: str, **names: object) -> Callable[..., Any]:
    """Return ``f`` of a module that holds this text and these names."""
    module: dict[str, Any] = {"__name__": "notebook", **names}
    exec(text, module)  # noqa: S102 - as a notebook does
    found: Callable[..., Any] = module["f"]
    return found


def test_parameters_that_are_equal_have_equal_keys() -> None:
    assert key(20) == key(20.0) == key(np.int64(20)) == key(np.float32(20))
    assert key(True) != key(1)
    assert key("20") != key(20)
    assert key(float("nan")) == key(np.nan) == key(np.longdouble("nan"))
    assert key(0.0) != key(-0.0)
    assert key([1, (2, 3)]) == key((1, [2, 3]))
    assert key({"a": 1, "b": 2}) == key({"b": 2, "a": 1})
    assert key(np.array([1.0])) != key(np.array([1]))
    assert key(np.array([1.0, 2.0])) != key(np.array([[1.0, 2.0]]))
    assert key(10**30) != key(10**30 + 1)
    assert key(2**53 + 1) != key(float(2**53))
    assert key(dt.date(2021, 1, 4)) != key(dt.datetime(2021, 1, 4))  # noqa: DTZ001 - a parameter
    assert key(np.datetime64("2021-01-04")) == key(np.datetime64("2021-01-04"))
    assert key(np.sin) != key(np.cos)
    assert key({1, 2}) == key({2, 1})


@pytest.mark.parametrize("odd", [object(), np.array([object()]), {"a": object()}, [slice(1)]])
def test_what_cannot_be_told_apart_is_an_error(odd: object) -> None:
    with pytest.raises(ConfigError, match=r"here has .* a cache tells apart"):
        key(odd)


def test_settings_of_an_indicator_are_its_parameters() -> None:
    class Own:
        def __init__(self, *settings: object) -> None:
            self.first, self.second = settings

    of = nt.indicators
    assert settings_key(of.SMA(20)) == settings_key(of.SMA(20)) != settings_key(of.SMA(21))
    assert settings_key(of.Bollinger(20, 2)) == settings_key(of.Bollinger(20, 2.0))
    assert settings_key(of.Bollinger(20, 2.0)) != settings_key(of.Bollinger(20, 2.5))
    assert settings_key(of.Std(20)) != settings_key(of.Std(20, ddof=0))
    assert settings_key(Own(20, 0.5)) == settings_key(Own(np.int32(20), np.float64(0.5)))
    assert settings_key(Own(20.0, 1)) == settings_key(Own(20, 1.0)) != settings_key(Own(20, True))
    assert settings_key(Own(0.0, 1)) != settings_key(Own(-0.0, 1))
    assert settings_key(Own(float("nan"), 1)) == settings_key(Own(float("nan"), 1))
    with pytest.raises(ConfigError, match="a cache tells apart"):
        settings_key(Own(20, object()))
    with pytest.raises(ConfigError, match="__slots__"):
        settings_key(object())


def test_a_function_defined_anew_is_the_same_and_an_edited_one_another() -> None:
    text = "def f(s, n=2):\n    return s.close ** n"
    assert function_key(function(text)) == function_key(function(text))
    assert function_key(function(text)) != function_key(function(text.replace("2", "3")))
    assert function_key(function(text)) != function_key(function(text.replace("**", "*")))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("W = 20\ndef f(s): return s.close[W:]", {}),
        ("import numpy as np\ndef g(x): return x + 20\ndef f(s): return np.abs(g(s.close))", {}),
        ("def h(x): return x + 20\ndef g(x): return h(x)\ndef f(s): return g(s.close)", {}),
        ("def f(s):\n    def g(x): return x + 20\n    return g(s.close)", {}),
        ("W = {'n': [20]}\ndef f(s): return (lambda x: x[W['n'][0]:])(s.close)", {}),
        ("def f(s, *, by=20): return s.close * by", {}),
        ("class C:\n    n = 20\ndef f(s): return s.close * C.n", {}),
    ],
)
def test_what_a_function_reads_of_its_module_is_part_of_it(
    text: str, names: dict[str, object]
) -> None:
    assert function_key(function(text, **names)) != function_key(
        function(text.replace("20", "21"), **names)
    )
    if "class" not in text:
        assert function_key(function(text, **names)) == function_key(function(text, **names))


def test_functions_that_lead_back_to_themselves_have_keys() -> None:
    text = "def g(n): return f(n - 1) if n else 20\ndef f(n): return g(n)\nT = {'f': f}"
    assert function_key(function(text)) == function_key(function(text))
    assert function_key(function(text)) != function_key(function(text.replace("20", "21")))


def test_what_a_function_is_bound_to_and_cannot_be_told_apart_is_itself_alone() -> None:
    text = "def f(s): return THING"
    one, other = object(), object()
    assert function_key(function(text, THING=one)) == function_key(function(text, THING=one))
    assert function_key(function(text, THING=one)) != function_key(function(text, THING=other))


def test_methods_are_told_apart_by_what_their_object_holds() -> None:
    class Scale:
        def __init__(self, by: float) -> None:
            self.by = by

        def run(self, series: Any) -> Any:
            return series.close * self.by

        @classmethod
        def once(cls, series: Any) -> Any:
            return series.close

        def __call__(self, series: Any) -> Any:
            return self.run(series)

    class Other(Scale):
        pass

    assert function_key(Scale(2.0).run) == function_key(Scale(2.0).run)
    assert function_key(Scale(2.0).run) != function_key(Scale(3.0).run)
    assert function_key(Scale.once) == function_key(Scale.once) != function_key(Other.once)
    scale = Scale(2.0)
    before = function_key(scale)
    assert before == function_key(scale)
    scale.by = 3.0
    assert before != function_key(scale)


def test_partials_and_functions_of_others_are_told_apart() -> None:
    assert function_key(functools.partial(max, 1)) == function_key(functools.partial(max, 1.0))
    assert function_key(functools.partial(max, 1)) != function_key(functools.partial(max, 2))
    assert function_key(functools.partial(max, 1)) != function_key(functools.partial(min, 1))
    assert function_key(np.sin) == function_key(np.sin) != function_key(np.cos)
    cached = functools.lru_cache(lambda x: x)
    assert function_key(cached) == function_key(cached) != function_key(functools.lru_cache(len))
