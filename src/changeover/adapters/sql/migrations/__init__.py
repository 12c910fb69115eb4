"""How did the schema come to be? One file a step, never changed once released."""
