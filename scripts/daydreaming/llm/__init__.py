"""Calls to models: endpoints, limits, the client, and the embedded model.

Public: `client.ModelClient`, `embedded.EmbeddedServer`.
"""
