"""The stage: an Azure OpenAI resource on loopback. Its summaries are real work on real text; its times and token counts are modelled."""
