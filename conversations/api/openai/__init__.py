"""OpenAI's own wire at `/v1/`: its SDKs, and whatever speaks like them, work by changing a base URL."""
