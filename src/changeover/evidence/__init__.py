"""What have we seen, and how sure are we? Observations and scores become mergeable summaries and anytime-valid tests.

The specification, with its sources and measured error rates, is ``docs/explanation/statistics.md``. Decides nothing.
"""
