"""Compile the libraries in this folder that a child process loads with LD_PRELOAD."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

needs_preload = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler"
)


def compile_library(name: str, folder: Path) -> Path:
    """Compile `name`.c into the folder. Returns the library's path."""
    library, source = folder / f"{name}.so", Path(__file__).parent / f"{name}.c"
    options = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror"]
    subprocess.run(["cc", *options, "-o", str(library), str(source), "-ldl"], check=True)
    return library
