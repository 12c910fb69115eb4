"""May the candidate go on? Summaries become verdicts: pass, fail or undecided, with the numbers behind them."""
