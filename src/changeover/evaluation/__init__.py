"""Asks the questions on purpose: texts with known good answers, and scorers that hold an answer against them."""
