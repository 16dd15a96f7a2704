"""nautilus_trader: its BacktestEngine on daily bars, a Python strategy, market orders.

An order that is sent on a bar fills at that bar's close, so the strategy keeps a decision until the
next bar. There is no slippage in proportion to the price: slippage and fee are one taker fee on the
close (buying pays and selling saves 0.25 millionths of a fill's value), rounded to the cent. A
margin account without margins, no logging, no risk checks, no analysis. It keeps no value for every
bar, so only the final equity is compared. An engine cannot be run twice: every run makes its own.
"""

from decimal import Decimal

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import MakerTakerFeeModel
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy
from work import Answer

PACKAGE = "nautilus_trader"
VENUE = Venue("XNYS")
DECIMALS = 3


class Trader(Strategy):
    def prepare(self, work, instruments):
        self.legs = [instrument.id for instrument in instruments]
        self.bar_types = [bar_type(instrument) for instrument in instruments]
        self.rules, self.closes = work.rules(), []
        self.targets, self.due, self.fills = (0,) * len(self.legs), None, []

    def on_start(self):
        for kind in self.bar_types:
            self.subscribe_bars(kind)

    def on_order_filled(self, event):
        sign = 1 if event.order_side == OrderSide.BUY else -1
        leg = self.legs.index(event.instrument_id)
        self.fills.append((leg, sign * event.last_qty.as_double()))

    def on_bar(self, bar):
        self.closes.append(bar.close.as_double())
        if len(self.closes) < len(self.legs):
            return
        if self.due is not None:
            for leg, (new, old) in enumerate(zip(self.due, self.targets, strict=True)):
                if new != old:
                    self.send(leg, new - old)
            self.targets = self.due
        self.due = self.rules.decide(*self.closes)
        self.closes = []

    def send(self, leg, qty):
        side = OrderSide.BUY if qty > 0 else OrderSide.SELL
        shares = Quantity.from_int(abs(qty))
        self.submit_order(self.order_factory.market(self.legs[leg], side, shares))


def prepare(work):
    stamps = (work.days * 86_400_000_000_000).tolist()
    prices = []
    for symbol, closes in zip(work.symbols, work.closes, strict=True):
        instrument = stock(symbol, work)
        kind, volume = bar_type(instrument), Quantity.from_int(1_000_000_000)
        bars = []
        for stamp, close in zip(stamps, closes.tolist(), strict=True):
            price = Price(close, DECIMALS)
            bars.append(Bar(kind, price, price, price, price, volume, stamp, stamp))
        prices.append((instrument, bars))
    return prices


def run(prices, work):
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(bypass=True),
            run_analysis=False,
        )
    )
    cash = [Money(work.capital, USD)]
    fees = MakerTakerFeeModel()
    engine.add_venue(
        VENUE, OmsType.NETTING, AccountType.MARGIN, cash, base_currency=USD, fee_model=fees
    )
    for instrument, bars in prices:
        engine.add_instrument(instrument)
        engine.add_data(bars)
    trader = Trader()
    trader.prepare(work, [instrument for instrument, _ in prices])
    engine.add_strategy(trader)
    engine.run()
    equity = engine.cache.account_for_venue(VENUE).balance_total(USD).as_double()
    last = {instrument.id: bars[-1].close for instrument, bars in prices}
    for position in engine.cache.positions_open():
        equity += position.unrealized_pnl(last[position.instrument_id]).as_double()
    fills = trader.fills
    engine.dispose()
    return fills, equity


def read(result):
    fills, equity = result
    return Answer(fills, [equity])


def bar_type(instrument):
    return BarType.from_str(f"{instrument.id}-1-DAY-LAST-EXTERNAL")


def stock(symbol, work):
    zero = Decimal(0)
    return Equity(
        InstrumentId(Symbol(symbol), VENUE),
        Symbol(symbol),
        USD,
        DECIMALS,
        Price(10.0**-DECIMALS, DECIMALS),
        Quantity.from_int(1),
        0,
        0,
        margin_init=zero,
        margin_maint=zero,
        maker_fee=zero,
        taker_fee=Decimal(str(work.fee)) + Decimal(str(work.slippage)),
    )
