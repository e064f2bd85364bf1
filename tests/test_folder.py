"""The run folder: the old one, whole, or the new one, whole."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from strategies import snapshot

from geoplan.errors import OutputError
from geoplan.run import atomic_folder


def _write(target, text="new"):
    with atomic_folder(target) as work:
        (work / "manifest.json").write_text(f'{{"geoplan": "{text}"}}', encoding="utf-8")


def test_a_new_folder_appears_only_when_it_is_complete(tmp_path):
    target = tmp_path / "run"
    with atomic_folder(target) as work:
        (work / "a").write_text("x", encoding="utf-8")
        assert work.parent == tmp_path  # on the same file system, so that the last step is a rename
        assert not target.exists()
    assert snapshot(tmp_path) == {"run": None, "run/a": b"x"}


def test_an_earlier_run_is_replaced_and_nothing_is_left_of_it(tmp_path):
    _write(tmp_path / "run", "old")
    (tmp_path / "run/extra.png").write_text("x", encoding="utf-8")
    _write(tmp_path / "run", "new")
    assert snapshot(tmp_path) == {"run": None, "run/manifest.json": b'{"geoplan": "new"}'}


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "run").mkdir()
    _write(tmp_path / "run")
    assert (tmp_path / "run/manifest.json").is_file()


def test_a_run_can_be_read_by_others(tmp_path):
    _write(tmp_path / "run")
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o755


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_whatever_ends_the_writing_leaves_the_earlier_run_and_nothing_else(failure, tmp_path):
    _write(tmp_path / "run", "old")
    before = snapshot(tmp_path)
    with pytest.raises(failure), atomic_folder(tmp_path / "run") as work:  # noqa: PT012  what is written is lost
        (work / "half").write_text("x", encoding="utf-8")
        raise failure
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("step", [1, 2])
def test_an_interruption_between_the_two_renames_keeps_the_earlier_run(step, failure, tmp_path, monkeypatch):
    _write(tmp_path / "run", "old")
    before = snapshot(tmp_path)
    rename, calls = Path.rename, []

    def interrupted(self, target):
        calls.append(target)
        if len(calls) == step:
            raise failure
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(OutputError if failure is OSError else failure):
        _write(tmp_path / "run", "new")
    assert snapshot(tmp_path) == before


def test_folders_made_on_the_way_are_taken_back_when_it_fails(tmp_path):
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "a/b/run"):
        raise RuntimeError
    assert snapshot(tmp_path) == {}


def test_folders_on_the_way_that_others_use_meanwhile_stay(tmp_path):
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "a/b/run"):  # noqa: PT012  it fails after the note
        (tmp_path / "a/note").write_text("x", encoding="utf-8")
        raise RuntimeError
    assert snapshot(tmp_path) == {"a": None, "a/note": b"x"}


@pytest.mark.parametrize("manifest", [None, "[]", '{"name": "a web page"}', "not JSON", '{"version": 1'])
def test_a_folder_that_is_no_run_is_never_replaced(manifest, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.doc").write_text("ten years", encoding="utf-8")
    if manifest is not None:
        (tmp_path / "mine/manifest.json").write_text(manifest, encoding="utf-8")
    before = snapshot(tmp_path)
    with pytest.raises(OutputError, match="this is not a folder that geoplan wrote"):
        _write(tmp_path / "mine")
    assert snapshot(tmp_path) == before


def test_a_link_to_a_run_stays_a_link(tmp_path):
    _write(tmp_path / "2012", "old")
    (tmp_path / "latest").symlink_to("2012")
    _write(tmp_path / "latest", "new")
    assert (tmp_path / "latest").readlink() == Path("2012")
    assert (tmp_path / "2012/manifest.json").read_bytes() == b'{"geoplan": "new"}'


def test_a_full_disk_is_told_as_such(tmp_path):
    said = r"run: the folder cannot be written \(no space left on device\)"
    with pytest.raises(OutputError, match=said), atomic_folder(tmp_path / "run"):
        raise OSError(28, "No space left on device")
    assert snapshot(tmp_path) == {}
