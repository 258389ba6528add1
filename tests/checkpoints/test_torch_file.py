"""Reading PyTorch files without PyTorch: what is read, what is never run, what is an error."""

import io
import os
import pickle
import re
import zipfile

import ml_dtypes
import numpy as np
import pytest

from glacierjax.checkpoints import read_torch, write_torch
from glacierjax.checkpoints.torch_file import RECORD, read_record
from glacierjax.core.errors import InputError

ARRAYS = {
    "float": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "half": np.linspace(-1, 1, 5).astype(np.float16),
    "bfloat": np.linspace(-1, 1, 7).astype(ml_dtypes.bfloat16),
    "double": np.array([[1e-300]]),
    "index": np.array([[1, -(2**40)]]),
    "scalar": np.array(3, np.int32),
    "empty": np.zeros((0, 3), np.float32),
    "flag": np.array([True, False]),
}


def archive(path, stream, storages=(), **options):
    """A file in the layout of PyTorch with a given pickle stream."""
    with zipfile.ZipFile(path, "w", **options) as file:
        file.writestr("archive/data.pkl", stream)
        file.writestr("archive/byteorder", b"little")
        for key, data in enumerate(storages):
            file.writestr(f"archive/data/{key}", data)
        file.writestr("archive/version", b"3\n")
    return path


class Global:
    """Pickles as the global `module.name`, called with `args` and then given `state`."""

    def __init__(self, name, *args, state=None):
        self.name, self.args, self.state = name, args, state


class Pickler(pickle._Pickler):
    """Writes pickles with names of globals that do not exist."""

    def __init__(self, *args):
        super().__init__(*args)
        self.dispatch = {**pickle._Pickler.dispatch, Global: Pickler.save_call, Storage: Pickler.save_storage}

    def save_call(self, call):
        module, _, name = call.name.rpartition(".")
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        self.save(call.args)
        self.write(pickle.REDUCE)
        if call.state is not None:
            self.save(call.state)
            self.write(pickle.BUILD)

    def save_storage(self, storage):
        self.write(pickle.MARK)
        self.save("storage")
        self.write(pickle.GLOBAL + f"torch\n{storage.kind}\n".encode())
        for item in (storage.key, "cpu", storage.length):
            self.save(item)
        self.write(pickle.TUPLE + pickle.BINPERSID)


class Storage:
    def __init__(self, key, length, kind="FloatStorage"):
        self.key, self.length, self.kind = key, length, kind


def stream_of(content):
    file = io.BytesIO()
    Pickler(file, 2).dump(content)
    return file.getvalue()


def tensor(offset, shape, strides, storage=None):
    return Global("torch._utils._rebuild_tensor_v2", storage or Storage("0", 12), offset, shape, strides, False, None)


NUMBERS = np.arange(12, dtype=np.float32)


def read_content(tmp_path, content):
    return read_torch(archive(tmp_path / "file.pth", stream_of(content), [NUMBERS.tobytes()]))


def test_every_type_survives_writing_and_reading_bit_for_bit(tmp_path):
    write_torch(tmp_path / "a.pth", ARRAYS)
    read = read_torch(tmp_path / "a.pth")
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype and read[name].shape == array.shape
        assert read[name].tobytes() == array.tobytes()


def test_same_arrays_give_the_same_bytes(tmp_path):
    for name in ("a.pth", "b.pth"):
        write_torch(tmp_path / name, ARRAYS)
    assert (tmp_path / "a.pth").read_bytes() == (tmp_path / "b.pth").read_bytes()


def test_strided_views_share_a_storage(tmp_path):
    content = {
        "transposed": tensor(0, (4, 3), (1, 4)),
        "part": tensor(5, (2, 2), (4, 1)),
        "spread": tensor(2, (3,), (0,)),
    }
    read = read_content(tmp_path, content)
    table = NUMBERS.reshape(3, 4)
    np.testing.assert_array_equal(read["transposed"], table.T)
    np.testing.assert_array_equal(read["part"], table[1:, 1:3])
    np.testing.assert_array_equal(read["spread"], [2, 2, 2])
    assert not read["part"].flags.writeable


def test_parameters_and_nested_state_dicts_are_found(tmp_path):
    parameter = Global("torch._utils._rebuild_parameter", tensor(0, (3,), (1,)), True, None)
    ordered = Global("collections.OrderedDict", [["w", parameter]], state={"_metadata": {"version": 1}})
    np.testing.assert_array_equal(read_content(tmp_path, {"model": ordered, "epoch": 3})["w"], [0, 1, 2])


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (13,), (1,)),
        (12, (1,), (1,)),
        (0, (2, 2), (11, 1)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (2,), (1, 1)),
        (0, (2**62, 2**62), (0, 0)),
        (0, (13,), (0,)),
        (13, (0,), (1,)),
    ],
)
def test_view_beyond_its_storage_is_refused(tmp_path, offset, shape, strides):
    with pytest.raises(InputError, match=r"file\.pth: "):
        read_content(tmp_path, {"w": tensor(offset, shape, strides)})


def test_storage_of_another_length_than_claimed_is_refused(tmp_path):
    with pytest.raises(InputError, match="48 bytes where 1000 numbers"):
        read_content(tmp_path, {"w": tensor(0, (1000,), (1,), Storage("0", 1000))})


def test_missing_storage_is_refused(tmp_path):
    with pytest.raises(InputError, match="data/7 is missing"):
        read_content(tmp_path, {"w": tensor(0, (1,), (1,), Storage("7", 12))})


@pytest.mark.parametrize(
    "attack",
    [
        Global("os.system", "touch executed"),
        Global("posix.system", "touch executed"),
        Global("builtins.exec", "open('executed', 'w')"),
        Global("builtins.getattr", Global("builtins.__import__", "os"), "system"),
        Global("glacierjax.checkpoints.torch_file.Path", "executed"),
    ],
    ids=lambda attack: attack.name,
)
def test_nothing_in_a_file_is_executed(tmp_path, monkeypatch, attack):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "system", lambda *_: pytest.fail("executed"))
    # Beside the weights it stays inert; among them it is refused.
    read = read_content(tmp_path, {"state_dict": {"w": tensor(0, (2,), (1,))}, "callbacks": attack})
    assert list(read) == ["w"]
    with pytest.raises(InputError, match="no tensor of numbers"):
        read_content(tmp_path, {"w": tensor(0, (2,), (1,)), "x": attack})
    assert not (tmp_path / "executed").exists()


def test_unknown_objects_accept_state_items_and_members(tmp_path):
    queue = Global("collections.deque", [1, 2], state={"a": 1})
    odd = Global("my.Class", Global("pathlib.PosixPath", "a", "b"), queue, state=({"x": 1}, {"y": 2}))
    content = {"hyper_parameters": odd, "state_dict": {"w": tensor(0, (2,), (1,))}, "loops": {queue.name: [odd]}}
    assert list(read_content(tmp_path, content)) == ["w"]


def test_stream_cannot_change_what_later_files_get(tmp_path):
    def changed(name):
        """A stream that sets attributes of an allowed global."""
        module, _, last = name.rpartition(".")
        target = pickle.GLOBAL + f"{module}\n{last}\n".encode()
        state = pickle.dumps((None, {"dtype": 1, "__call__": 2, "__new__": 3}), 2)[2:-1]
        return pickle.PROTO + b"\x02" + target + state + pickle.BUILD + pickle.STOP

    for name in ("torch._utils._rebuild_tensor_v2", "torch.FloatStorage", "collections.OrderedDict", "os.system"):
        with pytest.raises(InputError, match="damaged or not of PyTorch"):
            read_torch(archive(tmp_path / "bad.pth", changed(name)))
    assert list(read_content(tmp_path, {"w": tensor(0, (2,), (1,))})) == ["w"]


def test_memo_bomb_is_refused_without_reserving_memory(tmp_path):
    stream = pickle.PROTO + b"\x02" + pickle.NONE + pickle.LONG_BINPUT + b"\xff\xff\xff\x7f" + pickle.STOP
    with pytest.raises(InputError, match="memo number"):
        read_torch(archive(tmp_path / "bomb.pth", stream))


def test_compressed_archive_is_refused(tmp_path):
    stream = stream_of({"w": tensor(0, (2,), (1,), Storage("0", 10**6))})
    path = archive(tmp_path / "bomb.pth", stream, [bytes(4 * 10**6)], compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="compressed"):
        read_torch(path)


def test_truncated_file_is_refused_wherever_it_ends(tmp_path):
    write_torch(tmp_path / "a.pth", ARRAYS)
    whole = (tmp_path / "a.pth").read_bytes()
    for length in range(0, len(whole) - 1, 97):
        (tmp_path / "part.pth").write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"part\.pth: ") as caught:
            read_torch(tmp_path / "part.pth")
        assert "\n" not in str(caught.value)


def test_damaged_byte_is_refused_or_leaves_the_numbers_alone(tmp_path):
    write_torch(tmp_path / "a.pth", {"w": NUMBERS})
    whole = (tmp_path / "a.pth").read_bytes()
    for position in range(0, len(whole), 7):
        (tmp_path / "b.pth").write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        try:
            read = read_torch(tmp_path / "b.pth")
        except InputError:
            continue
        np.testing.assert_array_equal(read["w"], NUMBERS)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not a whole PyTorch file"),
        (b"\x89PNG\r\n", "not a whole PyTorch file"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.rest", "before 1.6"),
    ],
)
def test_file_that_is_no_zip_archive_is_refused(tmp_path, content, problem):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(InputError, match=problem):
        read_torch(tmp_path / "x.pth")


def test_an_encrypted_record_is_refused(tmp_path):
    path = tmp_path / "weights.pth"
    write_torch(path, ARRAYS, {"task": "segmentation"})
    data = bytearray(path.read_bytes())
    for signature, flags, length in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):  # of an entry, of the directory
        name = f"archive/{RECORD}".encode()
        starts = [place.start() for place in re.finditer(re.escape(signature), data)]
        (start,) = (start for start in starts if data[start + length :].startswith(name))
        data[start + flags] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"weights\.pth: its {RECORD} is not readable \(.*encrypted"):
        read_record(path)


def test_missing_file_and_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_torch(tmp_path / "none.pth")
    with pytest.raises(InputError, match="cannot be read"):
        read_torch(tmp_path)


def test_zip_archive_of_another_program_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", a=NUMBERS)
    with pytest.raises(InputError, match="not one of PyTorch"):
        read_torch(tmp_path / "a.npz")


def test_two_state_dicts_in_one_file_are_refused(tmp_path):
    part = {"w": tensor(0, (2,), (1,))}
    with pytest.raises(InputError, match="'state_dict' and 'model'"):
        read_content(tmp_path, {"state_dict": part, "model": part})


def test_object_without_tensors_is_refused(tmp_path):
    with pytest.raises(InputError, match="no tensors"):
        read_content(tmp_path, {"state_dict": {"epoch": 3}})


def test_existing_file_is_not_overwritten(tmp_path):
    write_torch(tmp_path / "a.pth", ARRAYS)
    with pytest.raises(InputError, match="exists already"):
        write_torch(tmp_path / "a.pth", ARRAYS)
