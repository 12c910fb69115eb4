"""What may be asked of the control plane over HTTP, by whom? Decides nothing itself: it asks the office and answers."""
