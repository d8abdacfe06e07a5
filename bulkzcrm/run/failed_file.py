"""Files of a report that people mend: known by what they held when they were written, and else left alone.

These are `failed.csv` and the workbook.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias, final

from bulkzcrm.journal import Run
from bulkzcrm.model import Json

__all__ = ["WORKBOOK_WRITTEN", "FailedFile"]

_WRITTEN: Final = "failed_sha256"
"""Under this word a run keeps what its `failed.csv` held, by folder, the latest last."""
WORKBOOK_WRITTEN: Final = "workbook_sha256"
"""And under this one what its workbook held."""
_MOST_FOLDERS: Final = 20
_MOST_HASHES: Final = 4
"""The file that stands, the one that is to take its place, and those of processes that died between the two."""
_MOST_BYTES: Final = 64_000_000
"""So much is read in a quarter of a second, while others wait."""

_Identity: TypeAlias = tuple[int, ...]


@final
class FailedFile:
    """The name under which a `new` file can be put into a folder, and what is kept of that.

    It is called `name` unless somebody's corrections stand there; the run keeps what it held under the word `kept_as`.

    A file is the run's own if it holds what a report of the run has ever put there, or into any other folder: one that
    was moved is known, too. Any other one may hold corrections.
    """

    def __init__(self, folder: Path, new: Path | None, *, name: str = "failed.csv", kept_as: str = _WRITTEN) -> None:
        self._folder = folder
        self._name = Path(name)
        self._kept_as = kept_as
        self._new = "" if new is None else _sha256(new)
        self._seen: dict[str, tuple[_Identity, str]] = {}

    def written(self, new: Path) -> None:
        """Tell where the new file lies until it is put in place, if it was not there before."""
        self._new = _sha256(new)

    def name(self, run: Run, *, briefly: bool = False) -> str:
        """Return a name under which nobody's corrections stand at this moment.

        What has been read before is read once more only if it has changed; `briefly`, while others wait, nothing large
        is read, and counts as corrections.
        """
        return self._free(run, briefly=briefly)[0]

    def word(self, run: Run) -> dict[str, Json]:
        """Return what the run is to keep before the new file may stand: that it is its own, as is what stands now."""
        _, standing = self._free(run, briefly=True)
        kept, place = _kept(run, self._kept_as), str(self._folder.resolve())
        latest = [standing, self._new] if standing else [self._new]
        earlier = [each for each in kept.pop(place, []) if each not in latest]
        kept[place] = list(dict.fromkeys([*earlier, *latest]))[-_MOST_HASHES:]
        return {self._kept_as: dict(list(kept.items())[-_MOST_FOLDERS:])}

    def _free(self, run: Run, *, briefly: bool) -> tuple[str, str | None]:
        """Return a name, and what the run has once written under it, if anything stands there."""
        own = {each for hashes in _kept(run, self._kept_as).values() for each in hashes}
        number, name = 1, self._name.name
        while (standing := self._standing(name, briefly=briefly)) is not None and standing not in own:
            number += 1
            name = f"{self._name.stem} ({number}){self._name.suffix}"
        return name, standing

    def _standing(self, name: str, *, briefly: bool) -> str | None:
        path = self._folder / name
        try:
            # Before it is read: what is written to it meanwhile must make a difference.
            status = path.stat()
        except FileNotFoundError:
            return None
        except OSError:
            return ""
        identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if self._seen.get(name, ((), ""))[0] != identity:
            if briefly and status.st_size > _MOST_BYTES:
                return ""
            self._seen[name] = (identity, _sha256(path))
        return self._seen[name][1]


def _kept(run: Run, word: str) -> dict[str, list[str]]:
    kept = run.lookups.get(word)
    if isinstance(kept, str):
        # As earlier versions kept it: the latest alone, in whichever folder.
        return {"": [kept]}
    if not isinstance(kept, Mapping):
        return {}
    return {place: [str(each) for each in hashes] for place, hashes in kept.items() if isinstance(hashes, list)}


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        # What cannot be read cannot be told from something that somebody has changed.
        return ""
