"""Systems Manager Parameter Store: what the engine runs of it."""

from __future__ import annotations

from homeport.engine.services.service import Service
from homeport.engine.services.ssm import labels, parameters, values

SERVICE = Service("ssm", modules=(parameters, values, labels), reconcilers=(parameters.EXPIRY,))
