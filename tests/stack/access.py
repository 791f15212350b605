"""Who may ask: credentials, query parameters, and the errors of the API."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from typing import Iterable, Optional
from urllib.parse import parse_qsl

import wire

TRY_AGAIN = "Failed to fetch items. Please try again with valid parameters."
NOT_VALID = "is not valid."


class ApiError(Exception):
    """An answer other than 200, in the API's own form."""

    def __init__(self, status: int, code: int, message: str, errors: Optional[dict[str, list[str]]] = None) -> None:
        super().__init__(message)
        self.status = status
        self._body = {"error_message": message, "error_code": code, "errors": errors or {}}

    def text(self) -> str:
        """The JSON body."""
        return wire.dump(self._body)


def invalid(parameter: str, reason: str = NOT_VALID) -> ApiError:
    """The generic answer to a parameter that cannot be."""
    return ApiError(422, 141, TRY_AGAIN, {parameter: [reason]})


def unknown_content_type(uid: str) -> ApiError:
    """The answer to a content type that is not there."""
    message = f"The Content Type '{uid}' was not found. Please try again."
    return ApiError(422, 118, message, {"uid": [NOT_VALID]})


def unknown_entry() -> ApiError:
    """The answer to an entry that is not there."""
    return ApiError(422, 141, "The requested object doesn't exist.", {"uid": [NOT_VALID]})


def unknown_asset() -> ApiError:
    """The answer to an asset that is not there, or not in that locale."""
    return ApiError(404, 145, "Asset was not found.", {"uid": [NOT_VALID]})


class Query:
    """The query parameters of a request, each given at most once."""

    def __init__(self, text: str) -> None:
        try:
            pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
        except ValueError:
            raise ApiError(400, 400, "Bad request: the query string cannot be read.") from None
        self._values: dict[str, str] = {}
        for name, value in pairs:
            if name in self._values:
                raise invalid(name, "is given more than once.")
            self._values[name] = value

    def get(self, name: str) -> Optional[str]:
        """A parameter, None when it is not there."""
        return self._values.get(name)

    def names(self) -> set[str]:
        """The parameters that are there."""
        return set(self._values)

    def flag(self, name: str) -> bool:
        """Whether a parameter is `true`."""
        value = self._values.get(name, "false")
        if value not in ("true", "false"):
            raise invalid(name)
        return value == "true"

    def number(self, name: str, default: int, least: int = 0) -> int:
        """A parameter as a whole number."""
        value = self._values.get(name, str(default))
        if not (value.isascii() and value.isdigit()) or int(value) < least:
            raise invalid(name)
        return int(value)

    def known_only(self, allowed: Iterable[str]) -> None:
        """Refuses a parameter that is not in `allowed`."""
        for name in sorted(self.names() - set(allowed) - {"api_key", "access_token", "branch"}):
            raise invalid(name, "is not allowed here.")


@dataclass(frozen=True)
class Credentials:
    """What the stack accepts. A second token and environment exist so that mixing them up can be answered rightly."""

    api_key: str = "bltlocalstack0000"
    token: str = "cslocaldeliverytoken5ec7e7"
    environment: str = "production"
    branch: str = "main"
    other_token: str = "cslocaldeliverytoken57a61n"
    other_environment: str = "staging"
    environment_uid: str = "bltb0a7e1f4c93d2586"
    organization: str = "blt0c4a9e2d7f615b83"

    def client_environment(self, url: str) -> dict[str, str]:
        """The variables that point a client to the stack at `url`."""
        return {
            "CONTENTSTACK_API_KEY": self.api_key,
            "CONTENTSTACK_DELIVERY_TOKEN": self.token,
            "CONTENTSTACK_ENVIRONMENT": self.environment,
            "CONTENTSTACK_HOST": url,
        }

    def check(self, headers: Message, query: Query, needs_environment: bool) -> str:
        """The environment that is asked for; ApiError when the request may not be answered."""

        def given(name: str) -> Optional[str]:
            return headers.get(name) or query.get(name)

        if given("api_key") != self.api_key:
            raise ApiError(412, 109, "We can't find that Stack. Please try again.", {"api_key": [NOT_VALID]})
        token = given("access_token")
        environments = {self.token: self.environment, self.other_token: self.other_environment}
        if token not in environments:
            message = "You're not allowed in here unless you're logged in."
            raise ApiError(401, 105, message, {"access_token": [NOT_VALID]})
        branch = given("branch")
        if branch is not None and branch != self.branch:
            raise invalid("branch")
        environment = query.get("environment")
        if environment is None and not needs_environment:
            return environments[token]
        if environment not in environments.values():
            raise invalid("environment")
        if environments[token] != environment:
            raise invalid("access_token", "environment or access token is not matched.")
        return environment
