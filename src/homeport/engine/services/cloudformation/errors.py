"""CloudFormation's errors.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from homeport.engine.wire.errors import AwsError


def invalid(message: str) -> AwsError:
    """A ValidationError: what most mistakes in templates and requests answer with."""
    return AwsError("ValidationError", message)


def format_error(message: str) -> AwsError:
    """A template that is not shaped as one."""
    return invalid(f"Template format error: {message}")


def template_error(message: str) -> AwsError:
    """A template whose functions are used wrongly."""
    return invalid(f"Template error: {message}")
