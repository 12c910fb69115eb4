"""What happens next to this request, and what will have been seen of it? Sends nothing itself."""
