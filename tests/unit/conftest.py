"""What makes tests with fresh clients and accounts quick: botocore's service models are read once, and moto knows one machine image."""

from __future__ import annotations

import os
from pathlib import Path

import botocore.loaders

os.environ.setdefault("MOTO_AMIS_PATH", str(Path(__file__).parent / "amis.json"))

LOADER = botocore.loaders.create_loader()


def shared_loader(search_path_string: str | None = None) -> botocore.loaders.Loader:
    return LOADER if search_path_string is None else botocore.loaders.Loader(extra_search_paths=[search_path_string])


botocore.loaders.create_loader = shared_loader
