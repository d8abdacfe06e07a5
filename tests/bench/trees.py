"""What is measured is always a copy: of the working tree as it is at the start, or of a commit."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from .processes import ROOT

__all__ = ["commit_name", "committed", "working_tree"]

_PACKAGE = "bulkzcrm"
_GIT = shutil.which("git") or "git"


def working_tree(folder: Path) -> Path:
    """Copy the package as it lies here, so that nobody's editing disturbs a measurement; return the copy's folder."""
    shutil.copytree(ROOT / _PACKAGE, folder / _PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def committed(commit: str, folder: Path) -> Path:
    """Unpack the package as it is in a commit. Raises `ValueError` for what is no commit with the package in it."""
    words = [_GIT, "archive", "--format=tar", commit, _PACKAGE]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, check=False)  # noqa: S603 - git, and no shell
    if ended.returncode:
        raise ValueError(f"{commit}: {ended.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=io.BytesIO(ended.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def commit_name(commit: str | None) -> str:
    """Return the short name of a commit; without one, that of the working tree. Blank where there is no repository."""

    def said(*words: str) -> str:
        ended = subprocess.run(  # noqa: S603 - git, and no shell
            [_GIT, *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return ended.stdout.strip() if ended.returncode == 0 else ""

    name = said("rev-parse", "--short", commit or "HEAD")
    return f"{name} and changes" if commit is None and said("status", "--porcelain", "--", _PACKAGE) else name
