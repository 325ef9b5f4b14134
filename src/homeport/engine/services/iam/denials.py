"""A refusal, as each service words and codes it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.iam.evaluation import Decision, Question, denial
from homeport.engine.services.seal import Seal
from homeport.engine.wire.call import Call
from homeport.engine.wire.errors import AwsError

ENCODED = "authorization message"
"""The purpose under which encoded authorization messages are sealed."""


def refusal(call: Call, question: Question, decision: Decision, seal: Seal) -> AwsError:
    """The error that the caller gets."""
    if question.principal.type == "Anonymous":
        return AwsError("AccessDenied", "Access Denied", 403)
    sentence = denial(question, decision)
    protocol = call.operation.service_model.metadata["protocol"]
    if call.service == "s3":
        quoted = f'on resource: "{question.resource}"'
        return AwsError("AccessDenied", sentence.replace(f"on resource: {question.resource}", quoted, 1), 403)
    if call.service == "ec2":
        message = seal.close(_encoded(question, decision), ENCODED)
        return AwsError(
            "UnauthorizedOperation",
            f"You are not authorized to perform this operation. {sentence}. "
            f"Encoded authorization failure message: {message}",
            403,
        )
    if call.service == "sns":
        return AwsError("AuthorizationError", sentence, 403)
    if protocol in ("query", "rest-xml"):
        return AwsError("AccessDenied", sentence, 403)
    return AwsError("AccessDeniedException", sentence, 403 if protocol == "rest-json" else 400)


def told(question: Question, decision: Decision) -> dict[str, Any]:
    """The decision as the audit trail keeps it; what else the call asked for is added as `also`."""
    by = decision.by
    return {
        "allowed": decision.allowed,
        "action": question.action,
        "resource": question.resource,
        "policyType": decision.layer.value,
        **({"explicitDeny": True} if decision.explicit else {}),
        **({"policy": by.source, "statement": by.statement} if by else {}),
    }


def _encoded(question: Question, decision: Decision) -> dict[str, Any]:
    by = decision.by
    matched = [{"statementId": by.statement, "sourcePolicyId": by.source}] if by else []
    return {
        "allowed": False,
        "explicitDeny": decision.explicit,
        "matchedStatements": {"items": matched},
        "failures": {"items": []},
        "context": {
            "principal": {"id": question.principal.id, "arn": question.principal.arn},
            "action": question.action,
            "resource": question.resource,
            "conditions": {
                "items": [
                    {"key": key, "values": {"items": [{"value": value} for value in values]}}
                    for key, values in sorted(question.context.items())
                ]
            },
        },
    }
