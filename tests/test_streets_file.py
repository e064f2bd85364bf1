import json
import pickle
import shutil
import zipfile

import numpy as np
import pytest
from streets import layer

from geoplan.errors import OutputError, SourceError
from geoplan.reach import load_streets, read_streets, streets_file, write_streets

A, B, C, D = (0, 0), (100, 0), (200, 0), (200, 100)
ARRAYS = ("xy", "start", "end", "length_m", "forward_ms", "backward_ms", "shape_at", "shape_xy", "linkable")


@pytest.fixture(scope="module")
def streets():
    lines = [[A, B], [B, C], [B, D], [(900, 900), (910, 900)]]
    return read_streets(layer(lines, way=["yes", "", "", ""]), oneway="way", min_subgraph=1)


@pytest.fixture
def path(streets, tmp_path):
    return write_streets(streets, tmp_path / "a.streets")


def altered(path, **changes):
    """Write the file anew with other members or another head; its checksum stays what it was."""
    with zipfile.ZipFile(path) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    head = {**json.loads(members["streets.json"]), **changes.pop("head", {})}
    members |= {"streets.json": json.dumps(head).encode(), **changes}
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members.items():
            if content is not None:
                packed.writestr(name, content)
    return path


def test_what_is_loaded_is_what_was_written(streets, path):
    again = load_streets(path)
    for name in ARRAYS:
        assert getattr(again, name).dtype == getattr(streets, name).dtype, name
        assert getattr(again, name).tolist() == getattr(streets, name).tolist(), name
    assert (again.mode, again.crs, again.record) == (streets.mode, streets.crs, streets.record)
    assert again.dropped.equals(streets.dropped)
    assert again.graph.cost_ms.tolist() == streets.graph.cost_ms.tolist()


def test_islands_are_kept_in_the_file(tmp_path):
    streets = read_streets(layer([[A, B], [B, C], [B, D], [(900, 900), (910, 900)]]), min_subgraph=3)
    assert len(streets.dropped) == 1
    assert load_streets(write_streets(streets, tmp_path / "a.streets")).dropped.equals(streets.dropped)


def test_the_same_streets_give_the_same_bytes(path, tmp_path):
    again = write_streets(load_streets(path), tmp_path / "b.streets")
    assert again.read_bytes() == path.read_bytes()


def test_the_name_of_the_file_says_nothing(streets, path, tmp_path):
    other = shutil.move(path, tmp_path / "something.else")
    assert load_streets(other).length_m.tolist() == streets.length_m.tolist()


def test_nothing_is_left_beside_the_file(path):
    assert [item.name for item in path.parent.iterdir()] == ["a.streets"]


def test_an_old_file_stays_when_writing_fails(streets, path, monkeypatch):
    before = path.read_bytes()

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(streets_file, "_pack", fails)
    with pytest.raises(OutputError, match=r"a\.streets: the streets cannot be written \(no space left on device\)"):
        write_streets(streets, path)
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == ["a.streets"]


def test_a_folder_that_is_not_there_is_told(streets, tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_streets(streets, tmp_path / "no" / "a.streets")


@pytest.mark.parametrize("name", ARRAYS)
def test_a_changed_number_is_found_out(path, name):
    with zipfile.ZipFile(path) as packed:
        content = bytearray(packed.read(f"{name}.npy"))
    content[-1] ^= 1
    with pytest.raises(SourceError, match="its content is not what its checksum says"):
        load_streets(altered(path, **{f"{name}.npy": bytes(content)}))


@pytest.mark.parametrize("head", [{"mode": "drive"}, {"crs": "EPSG:3067"}, {"record": {}}, {"sha256": "0"}])
def test_a_changed_record_is_found_out(path, head):
    with pytest.raises(SourceError, match="its content is not what its checksum says"):
        load_streets(altered(path, head=head))


def test_every_cut_and_every_flipped_byte_is_found_out(path):
    whole = path.read_bytes()
    for length in np.linspace(1, len(whole) - 1, 40).astype(int):
        path.write_bytes(whole[:length])
        with pytest.raises(SourceError):
            load_streets(path)
    found_out = 0
    for place in np.linspace(0, len(whole) - 1, 150).astype(int):
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        path.write_bytes(bytes(broken))
        try:
            again = load_streets(path)
        except SourceError:
            found_out += 1
        else:  # what is flipped is nothing that is read, such as a date
            path.write_bytes(whole)
            assert again.record == load_streets(path).record
    assert found_out > 120


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty: it has 0 bytes"),
        (b"<html>", "this is not a file of streets"),
        (b"PK\x03\x04junk", "it is damaged or was cut short"),
    ],
)
def test_files_of_another_kind_are_told(tmp_path, content, said):
    (tmp_path / "a.streets").write_bytes(content)
    with pytest.raises(SourceError, match=rf"^a\.streets: .*{said}"):
        load_streets(tmp_path / "a.streets")


def test_other_zips_and_other_versions_are_told(path, tmp_path):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        packed.writestr("stops.txt", "stop_id")
    with pytest.raises(SourceError, match="this is not a file of streets"):
        load_streets(tmp_path / "b.zip")
    with pytest.raises(SourceError, match=r"of version 99 of the format\. Expected: version 1"):
        load_streets(altered(path, head={"version": 99}))
    with pytest.raises(SourceError, match="damaged"):
        load_streets(altered(path, head={"version": 1, "format": "something"}))


def test_pickled_content_is_never_opened(path):
    with pytest.raises(SourceError):
        load_streets(altered(path, **{"xy.npy": pickle.dumps([1])}))


def test_a_copy_for_a_worker_leaves_the_index_behind(streets):
    assert streets.index
    assert streets.graph
    copy = pickle.loads(pickle.dumps(streets))  # noqa: S301  made here
    assert set(vars(copy)) <= {*ARRAYS, "mode", "crs", "dropped", "record"}
    assert copy.graph.to.tolist() == streets.graph.to.tolist()
