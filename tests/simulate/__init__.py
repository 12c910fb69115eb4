"""Does a verdict stay true however often one looks? Whole rollouts at the margin, through the summaries and gates that the product runs."""
