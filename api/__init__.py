"""The doors: HTTP app, command line, settings, and the questions that they all ask."""

from pathlib import Path

import geo
from api.kernels import keep_kernels

# Before the first kernel is imported, which is when numba looks for a folder.
keep_kernels(Path(geo.__file__).parent)
