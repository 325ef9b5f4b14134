"""The command line. A command lives for a moment: a tenth of it is saved where the collector of garbage does not look
through the libraries while they load, and pydantic does not look for plugins, of which there are none."""

import gc
import os

gc.set_threshold(50_000, 20, 20)
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
