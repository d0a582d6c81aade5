"""Requests to a provider's API by its own client, never repeated, with the secrets taken out of all that comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.ledger.reading import error_text, shown
from daydreaming.llm.answers import STATUS_CURES
from daydreaming.llm.batches.service import SHORTEST_TIMEOUT_S, ServiceError
from daydreaming.llm.credentials import Credentials
from daydreaming.llm.secrets_hidden import Secrets


class HttpDoor:
    """A client of the package `openai` or `anthropic`, asked for raw answers."""

    def __init__(self, package: Any, client_class: Any, endpoint: Endpoint, given: Credentials):
        import httpx2

        self._package = package
        self._name = endpoint.name
        self._secrets = Secrets(given.secret)
        # To read the certificates takes as long as several requests.
        is_encrypted = given.base_url.startswith("https://")
        timeout = httpx2.Timeout(max(SHORTEST_TIMEOUT_S, endpoint.timeout_s))
        self.client = client_class(
            base_url=given.base_url,
            api_key=given.key,
            # What is repeated in silence is bought twice.
            max_retries=0,
            timeout=timeout,
            default_headers=given.headers,
            default_query=dict[str, object](given.query),
            http_client=httpx2.Client(timeout=timeout, follow_redirects=False, verify=is_encrypted),
        )

    def json(self, method: str, path: str, *, has: str = "id", **options: Any) -> dict[str, Any]:
        """The JSON object of an answer, which `has` a key. Raises ServiceError, for others of status 200 too."""
        content = self.content(method, path, **options)
        try:
            body = orjson.loads(content)
        except ValueError:
            body = None
        if not isinstance(body, dict) or has not in body:
            said = body.get("error") if isinstance(body, dict) else None
            what = error_text(said) if said else shown(content)
            message = f"Endpoint {self._name!r} answered with no batch: {what}"
            raise ServiceError(message, perhaps_done=True, perhaps_gone=True)
        return body

    def rows(self, path: str, after: str, limit: int) -> Iterator[dict[str, Any]]:
        """The rows of a list, page by page. `after` names the parameter that asks for the page after an id."""
        query: dict[str, object] = {"limit": limit}
        while True:
            page = self.json("get", path, has="data", options={"params": query})
            rows = page["data"] or []
            yield from rows
            if not rows or not page.get("has_more"):
                return
            query[after] = rows[-1]["id"]

    def content(self, method: str, path: str, **options: Any) -> bytes:
        """The body of an answer of status 2xx, without secrets. Raises ServiceError."""
        import httpx2

        try:
            send = getattr(self.client, method)
            response = send(path, cast_to=httpx2.Response, **options)
            content, _ = self._secrets.hide(response.content)
            if not 200 <= response.status_code < 300:
                raise self._refused(response.status_code, content)
            return content
        except self._package.APIStatusError as error:
            content, _ = self._secrets.hide(error.response.content)
            raise self._refused(error.status_code, content) from None
        except (self._package.APIError, httpx2.TransportError, httpx2.InvalidURL) as error:
            cause = error.__cause__ or error
            unsent = isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.UnsupportedProtocol)
            why = self._secrets.hide_in_text(str(cause) or type(cause).__name__)
            message = f"No answer of endpoint {self._name!r}: {' '.join(why.split())[:300]}."
            raise ServiceError(message, perhaps_done=not unsent) from None

    def _refused(self, status: int, content: bytes) -> ServiceError:
        try:
            body = orjson.loads(content)
            text = error_text(body["error"])
        except (ValueError, KeyError, TypeError):
            text = shown(content)
        cure = STATUS_CURES.get(status, "") if status != 404 else ""
        message = f"Endpoint {self._name!r} answered with status {status}: {text.rstrip('.')}. {cure}".strip()
        # What a server says of a mistake of ours, it has not done; what it says of its own, it may have done.
        return ServiceError(message, perhaps_done=status >= 500 or status in (408, 409), is_gone=status == 404)
