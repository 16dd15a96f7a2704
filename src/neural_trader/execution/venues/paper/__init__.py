"""The paper venue: fills without money, by the rules of the backtests."""
