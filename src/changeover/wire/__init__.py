"""What do these bytes say? Requests, answers, event streams and errors of the chat protocol. Sends nothing, decides nothing."""
