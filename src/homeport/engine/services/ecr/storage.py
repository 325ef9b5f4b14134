"""The engine's one LayerFiles."""

from __future__ import annotations

from homeport.engine.services.ecr.files import LayerFiles
from homeport.engine.services.engine import Engine


def layer_files(engine: Engine) -> LayerFiles:
    """The layer files of the engine's data folder."""
    return engine.part(_open)


def _open(engine: Engine) -> LayerFiles:
    return LayerFiles(engine.config.data)
