"""The story: real text, real (small) models, one version promoted and one rolled back, on this machine, in about a minute."""
