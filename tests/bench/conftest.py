"""The benchmark counts CPU and memory as Unix systems do; on others there is nothing to test."""

from __future__ import annotations

import os

collect_ignore_glob = [] if hasattr(os, "wait4") else ["test_*.py"]
