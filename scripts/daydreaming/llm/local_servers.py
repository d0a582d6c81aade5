"""The local servers of a process, one for each endpoint that has `start`, asked from one event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from daydreaming.base.errors import GenerationError
from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.inputs.settings import Settings
from daydreaming.llm.local_server import LocalServer, server_folder


class LocalServers:
    """Starts nothing, and makes no thread, before the first call that needs one."""

    def __init__(self, settings: Settings):
        self._settings = settings
        # A thread for each: a model may take minutes to load, in which the replies of others are stored.
        self._servers: dict[str, tuple[LocalServer, ThreadPoolExecutor]] = {}

    async def base_url(self, endpoint: Endpoint) -> str:
        """The address of an endpoint's server, when it is ready. Raises GenerationError as `LocalServer.base_url`."""
        if endpoint.name not in self._servers:
            server = LocalServer(endpoint, server_folder(self._settings, endpoint), self._keys_of_others(endpoint))
            self._servers[endpoint.name] = (server, ThreadPoolExecutor(1, thread_name_prefix="server"))
        server, thread = self._servers[endpoint.name]
        if server.is_running():
            return server.base_url()
        return await asyncio.get_running_loop().run_in_executor(thread, server.base_url)

    async def why_ended(self, endpoint: Endpoint) -> GenerationError | None:
        """How the server of an endpoint ended; None where it runs, or nothing was started."""
        if endpoint.name not in self._servers:
            return None
        server, thread = self._servers[endpoint.name]
        return await asyncio.get_running_loop().run_in_executor(thread, server.has_ended)

    def close(self) -> None:
        """Use none any more, and give up waiting for those that load."""
        for server, _ in self._servers.values():
            server.close()
        for _, thread in self._servers.values():
            thread.shutdown()
        # One that had only just become a user when it was closed.
        for server, _ in self._servers.values():
            server.close()

    def _keys_of_others(self, endpoint: Endpoint) -> set[str]:
        """The variables that only other endpoints name: a key is for the endpoint that names it."""
        others = {name for one in self._settings.endpoints.values() for name in one.variables}
        return others - set(endpoint.variables)


@contextmanager
def servers_kept(settings: Settings) -> Iterator[None]:
    """Let servers that others start in the block go on until its end. Starts none; raises OSError."""
    used = [server_folder(settings, one).enter() for one in settings.endpoints.values() if one.start]
    try:
        yield
    finally:
        for descriptor in used:
            os.close(descriptor)
