"""azure_sim."""
