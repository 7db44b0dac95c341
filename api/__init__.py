"""How people and programs reach the service: HTTP API and web pages. Holds no rules."""
