"""What did the user mean, and how does the answer look? Commands and their rendering; holds no rules."""
