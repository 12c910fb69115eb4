"""Is what is declared wise? Rules with ids that never change; what was declared in, findings out. Looks at nothing itself."""
