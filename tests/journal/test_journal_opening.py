from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from journal_samples import new_run
from old_formats import old_journal

from bulkzcrm.errors import JournalError, OutputError
from bulkzcrm.journal import Journal
from bulkzcrm.journal.migrations import MIGRATIONS
from bulkzcrm.journal.opening import APPLICATION_ID, SCHEMA_VERSION, journal_mode
from bulkzcrm.journal.place import FILE_NAME, make_place, network_file_system

posix_only = pytest.mark.skipif(os.name != "posix", reason="other systems keep permissions elsewhere")
unless_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="root may write what is read-only for everybody else"
)


def raw(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def pragma(path: Path, name: str) -> int:
    connection = sqlite3.connect(path)
    value = connection.execute(f"PRAGMA {name}").fetchone()[0]
    connection.close()
    return value


def test_a_new_journal_is_marked_as_ours(home):
    with Journal.open(home) as journal:
        assert journal.path == home / FILE_NAME
    assert pragma(home / FILE_NAME, "application_id") == APPLICATION_ID == int.from_bytes(b"bzcj", "big")
    assert pragma(home / FILE_NAME, "user_version") == SCHEMA_VERSION


@posix_only
def test_folder_and_file_are_private_whatever_the_umask(home):
    before = os.umask(0)
    try:
        with Journal.open(home) as journal:
            journal.add_run(new_run())
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()}
    finally:
        os.umask(before)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert modes[FILE_NAME] == 0o600
    assert set(modes.values()) == {0o600}


@posix_only
def test_the_file_is_private_before_anything_is_written_to_it(home):
    before = os.umask(0)
    try:
        path = make_place(home)
    finally:
        os.umask(before)
    assert path.stat().st_size == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@posix_only
def test_a_journal_that_others_could_read_is_taken_away_from_them(home):
    Journal.open(home).close()
    (home / FILE_NAME).chmod(0o644)
    Journal.open(home).close()
    assert stat.S_IMODE((home / FILE_NAME).stat().st_mode) == 0o600


def test_what_was_written_is_there_after_opening_again(home):
    with Journal.open(home) as journal:
        journal.add_run(new_run())
        written = journal.run(new_run().id)
    with Journal.open(home) as journal:
        assert journal.run(written.id) == written


def test_an_empty_file_becomes_a_journal(home):
    home.mkdir()
    (home / FILE_NAME).touch()
    with Journal.open(home) as journal:
        assert journal.runs() == []


def test_first_comers_at_the_same_time_make_one_journal(home):
    failures: list[Exception] = []
    start = threading.Barrier(8)

    def come(place: int) -> None:
        try:
            start.wait()
            with Journal.open(home) as journal:
                journal.add_run(new_run(f"run-{place}"))
        except Exception as error:  # noqa: BLE001  whatever it is, the test tells
            failures.append(error)

    threads = [threading.Thread(target=come, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Journal.open(home) as journal:
        assert len(journal.runs()) == 8


def test_another_programs_database_is_refused_and_left_untouched(home):
    home.mkdir()
    raw(home / FILE_NAME, "CREATE TABLE theirs (a)", "INSERT INTO theirs VALUES (1)")
    before = (home / FILE_NAME).read_bytes()
    with pytest.raises(JournalError, match="belongs to another program") as caught:
        Journal.open(home)
    assert "BULKZCRM_HOME" in caught.value.cure
    assert (home / FILE_NAME).read_bytes() == before


def test_a_database_marked_by_another_program_is_refused(home):
    home.mkdir()
    raw(home / FILE_NAME, "PRAGMA application_id = 7", "PRAGMA user_version = 1")
    with pytest.raises(JournalError, match="belongs to another program"):
        Journal.open(home)


def test_a_newer_journal_is_refused_and_left_untouched(home):
    Journal.open(home).close()
    raw(home / FILE_NAME, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = (home / FILE_NAME).read_bytes()
    with pytest.raises(JournalError, match="newer bulkzcrm") as caught:
        Journal.open(home)
    assert "Update bulkzcrm" in caught.value.cure
    assert (home / FILE_NAME).read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_untouched(home):
    home.mkdir()
    (home / FILE_NAME).write_bytes(b"Dear diary, " * 500)
    with pytest.raises(JournalError, match="not a journal"):
        Journal.open(home)
    assert (home / FILE_NAME).read_bytes() == b"Dear diary, " * 500


def test_a_folder_in_the_files_place_is_refused(home):
    (home / FILE_NAME).mkdir(parents=True)
    with pytest.raises(JournalError, match="is not a file"):
        Journal.open(home)


def test_a_file_in_the_folders_place_is_refused(home):
    home.write_text("I was here first.")
    with pytest.raises(JournalError, match="cannot be made"):
        Journal.open(home)


@unless_root
def test_a_read_only_journal_is_refused(home):
    Journal.open(home).close()
    (home / FILE_NAME).chmod(0o400)
    with pytest.raises(JournalError, match="may be read but not written"):
        Journal.open(home)


@unless_root
def test_a_folder_that_may_not_be_written_is_refused(home):
    home.mkdir(mode=0o500)
    with pytest.raises(JournalError, match="cannot be made"):
        Journal.open(home)


def damage(home: Path, share: float) -> None:
    """Overwrite the end of a journal that holds something, from a share of its pages on."""
    with Journal.open(home) as journal:
        for place in range(200):
            journal.add_run(new_run(f"run-{place:03}", notes=("A long note. " * 50,)))
    pages = (home / FILE_NAME).stat().st_size // 4096
    kept = max(1, int(pages * share))
    with (home / FILE_NAME).open("r+b") as file:
        file.seek(kept * 4096)
        file.write(b"\xa5" * ((pages - kept) * 4096))


def test_a_journal_whose_tables_are_damaged_is_refused(home):
    damage(home, 0.0)
    with pytest.raises(JournalError, match="is damaged"):
        Journal.open(home)


def test_a_journal_whose_rows_are_damaged_says_so_when_they_are_read(home):
    damage(home, 0.5)
    with Journal.open(home) as journal, pytest.raises(OutputError, match="is damaged"):
        journal.runs(limit=1000)


def test_commits_are_durable_and_references_hold(journal):
    settings = {
        name: journal._database.all(f"PRAGMA {name}")[0][0]
        for name in ("synchronous", "foreign_keys", "trusted_schema", "busy_timeout", "journal_mode")
    }
    full = 2
    assert settings == {
        "synchronous": full,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "busy_timeout": 10_000,
        "journal_mode": journal_mode(sqlite3.sqlite_version_info),
    }


@pytest.mark.parametrize(("version", "mode"), [((3, 40, 1), "truncate"), ((3, 51, 2), "truncate"), ((3, 51, 3), "wal")])
def test_a_write_ahead_log_is_used_only_where_it_cannot_corrupt(version, mode):
    assert journal_mode(version) == mode


def test_a_temporary_journal_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Journal.temporary() as journal:
        journal.add_run(new_run())
        assert journal.path is None
        assert len(journal.runs()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/ann/.local", "nfs4"),
        ("/home/ann/disk/x", None),
        ("/srv/with blank/x", "cifs"),
        ("/srv/other", None),
        ("/homeless", None),
    ],
)
@posix_only
def test_a_network_drive_is_known_by_the_deepest_mount(path, kind):
    mounts = (
        "/dev/sda / ext4 rw 0 0\n"
        "server:/home /home nfs4 rw 0 0\n"
        "/dev/sdb /home/ann/disk ext4 rw 0 0\n"
        "//server/share /srv/with\\040blank cifs rw 0 0\n"
        "\n"
    )
    assert network_file_system(Path(path), mounts) == kind


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: connection.execute(f"PRAGMA table_info({name})").fetchall() for name in names}
    found["indexes"] = sorted(connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'"))
    connection.close()
    return found


def test_a_journal_of_the_first_format_becomes_one_of_the_present_and_keeps_what_it_holds(home, tmp_path):
    path = old_journal(home)
    with Journal.open(home) as journal:
        known = journal.organisation("org-1")
        assert (known.learned_limit, known.credits_remaining) == (8, 900)
        journal.add_run(new_run())
    assert pragma(path, "user_version") == SCHEMA_VERSION
    Journal.open(tmp_path / "new").close()
    assert tables(path) == tables(tmp_path / "new" / FILE_NAME)


def test_an_update_that_breaks_off_leaves_the_old_journal_as_it_was(home, monkeypatch):
    path = old_journal(home)
    before = tables(path)
    broken = (*MIGRATIONS[:-1], (*MIGRATIONS[-1], "DROP TABLE nothing_of_that_name;"))
    with monkeypatch.context() as patch:
        patch.setattr("bulkzcrm.journal.opening.MIGRATIONS", broken)
        with pytest.raises(JournalError):
            Journal.open(home)
    assert tables(path) == before
    assert pragma(path, "user_version") == 1
    Journal.open(home).close()


def test_two_that_open_an_old_journal_at_once_update_it_once(home):
    old_journal(home)
    failures = []

    def open_it() -> None:
        try:
            Journal.open(home).close()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is asked for
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_journal_can_be_opened_once_more_beside_itself(home):
    with Journal.open(home) as journal:
        beside = journal.beside()
        beside.add_run(new_run())
        beside.close()
        assert [run.id for run in journal.runs()] == [new_run().id]


def test_a_journal_that_has_gone_cannot_be_opened_beside_itself(home):
    with Journal.open(home) as journal:
        (home / FILE_NAME).unlink()
        with pytest.raises(OutputError, match="could not be opened"):
            journal.beside()
        assert not (home / FILE_NAME).exists()


def test_a_temporary_journal_is_open_once():
    with Journal.temporary() as journal, pytest.raises(ValueError, match="temporary"):
        journal.beside()
