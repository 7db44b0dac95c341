"""The form of a request's address, for logs: parameters by name, so that it holds no identifier and no typed text."""

from collections.abc import Mapping
from typing import Any

UNMATCHED = "unmatched"


def template(scope: Mapping[str, Any]) -> str:
    """For example "/api/v1/cases/:case_id/candidates"; "unmatched" when no route took the request.

    From the address itself, since a route of an included router knows its own part of it alone.
    """
    if "route" not in scope:
        return UNMATCHED
    names = {str(value): name for name, value in scope.get("path_params", {}).items()}
    parts = str(scope["path"]).split("/")
    return "/".join(f":{names[part]}" if part in names else part for part in parts)
