import errno
import os
import socket
from pathlib import Path

import pytest
from report_samples import write_whole

from bulkzcrm.errors import OutputError, StoppedError
from bulkzcrm.report import delete_leftovers, prepared_report, write_aside


def fill(content: bytes):
    def write(stream):
        stream.write(content)

    return write


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refusing(*refused: str):
    """Return what renames as the system does, except onto these names, as when another program holds them open."""

    def replace(aside: Path, target: Path) -> None:
        if target.name in refused:
            raise PermissionError(errno.EACCES, "The process cannot access the file", str(target))
        aside.replace(target)

    return replace


def test_the_folder_is_made_and_the_path_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    placed = write_whole(Path("a folder/deeper"), "results.csv", fill(b"new"))
    assert placed.path == tmp_path / "a folder" / "deeper" / "results.csv"
    assert placed.path.read_bytes() == b"new"
    assert placed.note == ""


def test_nothing_stands_under_the_name_before_the_file_is_whole(tmp_path):
    seen = []

    def write(stream):
        stream.write(b"half")
        stream.flush()
        seen.extend(names(tmp_path))

    write_whole(tmp_path, "results.csv", write)
    assert seen
    assert "results.csv" not in seen
    assert names(tmp_path) == ["results.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, StoppedError("Stopped.", "Resume.")])
def test_when_writing_breaks_off_the_older_file_stays_and_nothing_else_is_left(tmp_path, error):
    (tmp_path / "results.csv").write_bytes(b"older")

    def write(stream):
        stream.write(b"half")
        raise error

    with pytest.raises(error if isinstance(error, type) else type(error)):
        write_whole(tmp_path, "results.csv", write)
    assert names(tmp_path) == ["results.csv"]
    assert (tmp_path / "results.csv").read_bytes() == b"older"


def test_a_file_that_is_open_elsewhere_is_left_alone_and_the_new_one_put_beside_with_a_note(tmp_path):
    (tmp_path / "results.csv").write_bytes(b"older")
    placed = write_whole(tmp_path, "results.csv", fill(b"new"), replace=refusing("results.csv"))
    assert placed.path == tmp_path / "results (2).csv"
    assert placed.path.read_bytes() == b"new"
    assert (tmp_path / "results.csv").read_bytes() == b"older"
    assert "results.csv could not be replaced" in placed.note
    assert "results (2).csv" in placed.note
    assert names(tmp_path) == ["results (2).csv", "results.csv"]


def test_beside_means_the_first_free_name(tmp_path):
    (tmp_path / "results (2).csv").write_bytes(b"also open")
    placed = write_whole(tmp_path, "results.csv", fill(b"new"), replace=refusing("results.csv"))
    assert placed.path.name == "results (3).csv"
    assert (tmp_path / "results (2).csv").read_bytes() == b"also open"


def test_when_all_names_beside_are_taken_the_error_says_so_and_nothing_is_left(tmp_path):
    for number in range(2, 100):
        (tmp_path / f"results ({number}).csv").touch()
    with pytest.raises(OutputError, match="may not write"):
        write_whole(tmp_path, "results.csv", fill(b"new"), replace=refusing("results.csv"))
    assert len(names(tmp_path)) == 98


def test_a_folder_under_the_file_s_name_is_left_alone(tmp_path):
    (tmp_path / "results.csv").mkdir()
    placed = write_whole(tmp_path, "results.csv", fill(b"new"))
    assert placed.path.name == "results (2).csv"
    assert (tmp_path / "results.csv").is_dir()


def test_a_folder_that_lets_nothing_be_renamed_is_an_error_with_a_cure_and_no_half_file(tmp_path):
    def replace(aside: Path, target: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(OutputError) as caught:
        write_whole(tmp_path, "results.csv", fill(b"new"), replace=replace)
    assert "results.csv" in caught.value.message
    assert "--output" in caught.value.cure
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "may not write"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_an_error_of_the_system_is_told_in_plain_words_with_the_file_and_a_cure(tmp_path, number, said):
    def write(stream):
        stream.write(b"half")
        raise OSError(number, os.strerror(number))

    with pytest.raises(OutputError) as caught:
        write_whole(tmp_path, "results.csv", write)
    assert said in caught.value.message
    assert str(tmp_path / "results.csv") in caught.value.message
    assert caught.value.cure.endswith(".")
    assert names(tmp_path) == []


def test_a_file_where_the_folder_should_be_is_an_error_with_a_cure(tmp_path):
    (tmp_path / "out").write_text("a file")
    for folder in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(OutputError, match="is a file and not a folder"):
            write_whole(folder, "results.csv", fill(b"new"))
    assert (tmp_path / "out").read_text() == "a file"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such folders")
def test_a_folder_without_the_right_to_write_is_an_error_with_a_cure(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.access(closed, os.W_OK):
        pytest.skip("this user may write anywhere")
    with pytest.raises(OutputError, match="may not write"):
        write_whole(closed, "results.csv", fill(b"new"))


@pytest.mark.skipif(os.name != "posix", reason="permissions of files are a thing of POSIX")
def test_the_file_has_the_permissions_that_the_user_gives_new_files(tmp_path):
    (tmp_path / "other").touch()
    placed = write_whole(tmp_path, "results.csv", fill(b"new"))
    assert placed.path.stat().st_mode == (tmp_path / "other").stat().st_mode


def left_by(owner: str, name: str = "results.csv") -> str:
    return f".{name}.{owner.replace('/', '~')}.0a1b2c3d4e5f.part"


DEAD = f"{socket.gethostname()}/{os.getpid()}/00000000"
"""Of this process's number, but no name that it goes by: the system has given the number to this one since."""
ELSEWHERE = "elsewhere/1/00000000"


@pytest.mark.parametrize("name", ["results.csv", "failed.csv", "summary.json", "summary (2).json", "results.xlsx"])
def test_what_a_killed_report_left_is_deleted(tmp_path, name):
    (tmp_path / left_by(DEAD, name)).write_text("rows")
    delete_leftovers(tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", [left_by(ELSEWHERE), ".results.csv.0a1b2c3d4e5f.part"])
def test_what_nobody_can_ask_about_is_deleted_after_a_day(tmp_path, name):
    """Whether a process of another machine lives; an earlier version did not say whose a file is."""
    file = tmp_path / name
    file.write_text("rows")
    written = file.stat().st_mtime
    delete_leftovers(tmp_path, now=written + 24 * 3600)
    assert names(tmp_path) == [name]
    delete_leftovers(tmp_path, now=written + 24 * 3600 + 1)
    assert names(tmp_path) == []


def test_what_a_living_process_writes_is_left_alone(tmp_path):
    aside = write_aside(tmp_path, "results.csv", fill(b"rows"))
    delete_leftovers(tmp_path)
    assert aside.put_in_place().path.read_bytes() == b"rows"


def test_nothing_else_is_ever_deleted(tmp_path):
    foreign = [
        left_by(DEAD)[1:],
        left_by(DEAD, "notes.csv"),
        left_by(DEAD) + "ial",
        left_by(DEAD).replace("0a1b", "mine"),
        "results.csv",
        ".results.csv.part",
        ".results.csv.download.part",
    ]
    for name in foreign:
        (tmp_path / name).write_text("mine")
    (tmp_path / left_by(DEAD)).mkdir()
    (tmp_path / left_by(DEAD, "failed.csv")).symlink_to(tmp_path / "results.csv")
    before = names(tmp_path)
    delete_leftovers(tmp_path, now=2**40)
    assert names(tmp_path) == before


def test_a_folder_that_is_not_there_has_no_leftovers(tmp_path):
    delete_leftovers(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_report_tidies_up_after_one_that_was_killed(tmp_path):
    (tmp_path / left_by(DEAD)).write_text("rows")
    with prepared_report(tmp_path, (), lambda: iter(())):
        assert left_by(DEAD) not in names(tmp_path)
