"""Files that are written whole or not at all: what was there keeps its rights, and devices are written to."""

import os
import stat
import threading

import pytest

from autograd.files import write_file

posix = pytest.mark.skipif(os.name != "posix", reason="modes, owners and pipes are POSIX's")


def left_over(folder):
    return [path.name for path in folder.iterdir() if path.name.endswith(".part")]


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o755, 0o200])
def test_a_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "model.json"
    path.write_text("old")
    path.chmod(mode)
    write_file(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    path.chmod(0o600)
    assert path.read_bytes() == b"new"


@posix
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_mode_that_every_new_file_has(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_file(tmp_path / "new", b"content")
        (tmp_path / "ordinary").write_bytes(b"content")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root gives files away")
def test_a_file_keeps_its_owner_and_group(tmp_path):
    path = tmp_path / "model.json"
    path.write_text("old")
    os.chown(path, 12345, 23456)
    path.chmod(0o4755)
    write_file(path, b"new")
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12345, 23456, 0o4755)


@posix
def test_the_content_is_never_more_public_than_the_file_it_replaces(tmp_path, monkeypatch):
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o600)
    modes = []
    synchronise = os.fsync

    def look(descriptor):
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        synchronise(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    write_file(path, b"new")
    assert modes[0] == 0o600  # of the new file, before it had the name
    assert len(modes) == 2  # and the folder is synchronised too, in which the name stands


@posix
def test_a_read_only_file_is_refused_and_untouched(tmp_path):
    path = tmp_path / "model.json"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match=r"cannot write .*choose a file that may be written"):
        write_file(path, b"new")
    assert path.read_text() == "old"
    assert left_over(tmp_path) == []


@posix
@pytest.mark.parametrize("linked", [False, True])
def test_a_named_pipe_is_written_to(tmp_path, linked):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = pipe
    if linked:
        path = tmp_path / "link"
        path.symlink_to(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write_file(path, b"content")
    reader.join(10)
    assert received == [b"content"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@posix
def test_a_device_is_written_to():
    from pathlib import Path

    write_file(Path(os.devnull), b"content")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116 - a device, not a path of ours


@pytest.mark.parametrize("name", ["missing/file", "folder", "file/inside"])
def test_what_cannot_be_written_is_one_error_that_leaves_nothing(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    with pytest.raises(OSError, match="cannot write"):
        write_file(tmp_path / name, b"new")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "old"


def test_a_write_that_is_interrupted_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.json"
    path.write_text("old")

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(path, b"new")
    assert path.read_text() == "old"
    assert left_over(tmp_path) == []
