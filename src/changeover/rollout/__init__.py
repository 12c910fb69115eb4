"""What happens next? (state, event, now) becomes (state, commands). Moves no traffic itself."""
