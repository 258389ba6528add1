"""Files of the real PyTorch and Lightning; run by `make test-torch`."""

import argparse
import pathlib

import jax
import numpy as np
import pytest
from official_like import TINY, tiny_params, tiny_state_dict

from glacierjax.checkpoints import params_from_torch, params_to_torch, read_torch, write_torch
from glacierjax.core.errors import InputError

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]
torch = pytest.importorskip("torch", reason="PyTorch is not installed; `make test-torch` installs it")


def test_torch_reads_what_is_written_here(tmp_path):
    state_dict, _ = params_to_torch(tiny_params("tyrion"), "tyrion", TINY)
    arrays = state_dict | {"scalar": np.array(3), "empty": np.zeros((0, 2), np.float16), "flag": np.array([True])}
    write_torch(tmp_path / "ours.pth", arrays)
    for options in ({}, {"mmap": True}):
        read = torch.load(tmp_path / "ours.pth", weights_only=True, **options)
        assert list(read) == list(arrays)
        for name, array in arrays.items():
            assert read[name].numpy().dtype == array.dtype
            np.testing.assert_array_equal(read[name].numpy(), array)


def test_tensors_of_torch_are_read(tmp_path):
    x = torch.arange(60, dtype=torch.float32).reshape(3, 4, 5)
    tensors = {
        "plain": x,
        "transposed": x.transpose(0, 2),
        "part": x[1:, ::2, 3:],
        "expanded": x[0, 0].expand(7, 5),
        "double": x.double(),
        "half": x.half(),
        "index": x.long(),
        "bool": x > 3,
        "byte": x.byte(),
        "parameter": torch.nn.Parameter(x),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "channels_last": torch.rand(1, 3, 4, 5).contiguous(memory_format=torch.channels_last),
    }
    torch.save(tensors | {"bfloat": x.bfloat16()}, tmp_path / "theirs.pth")
    read = read_torch(tmp_path / "theirs.pth")
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(read[name], tensor.detach().numpy(), err_msg=name)
        assert read[name].dtype == tensor.detach().numpy().dtype
    np.testing.assert_array_equal(read["bfloat"].astype(np.float32), x.bfloat16().float().numpy())


def test_module_state_with_newer_pickle_protocol_is_read(tmp_path):
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    torch.save(module.state_dict(), tmp_path / "module.pth", pickle_protocol=4)
    read = read_torch(tmp_path / "module.pth")
    for name, tensor in module.state_dict().items():
        np.testing.assert_array_equal(read[name], tensor.numpy())


def test_old_format_is_refused(tmp_path):
    torch.save({"w": torch.zeros(3)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    with pytest.raises(InputError, match=r"before 1\.6"):
        read_torch(tmp_path / "old.pth")


def test_whole_pickled_module_is_refused(tmp_path):
    torch.save(torch.nn.Linear(2, 3), tmp_path / "module.pth")
    with pytest.raises(InputError, match="no tensors"):
        read_torch(tmp_path / "module.pth")


def test_checkpoint_of_lightning_is_read_to_the_last_tensor(tmp_path):
    lightning = pytest.importorskip("lightning.pytorch", reason="Lightning is not installed")
    official = {name: torch.from_numpy(np.copy(array)) for name, array in tiny_state_dict("tyrion").items()}

    class Module(lightning.LightningModule):
        """Holds tensors under the official names below `model.`, and trains one of them."""

        def __init__(self, settings, folder):
            super().__init__()
            self.save_hyperparameters()
            self.model = torch.nn.Module()
            for name, tensor in official.items():
                owner = self.model
                *parts, last = name.split(".")
                for part in parts:
                    if part not in owner._modules:
                        owner.add_module(part, torch.nn.Module())
                    owner = owner._modules[part]
                if tensor.is_floating_point():
                    owner.register_parameter(last, torch.nn.Parameter(tensor))
                else:
                    owner.register_buffer(last, tensor)

        def training_step(self, batch, _):
            loss = sum((p * batch[0].mean()).sum() for p in self.parameters())
            self.log("loss", loss)
            return loss

        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), lr=1e-3, momentum=0.9)
            return [optimizer], [
                {"scheduler": torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer), "monitor": "loss"}
            ]

    module = Module(argparse.Namespace(lr=0.1), pathlib.Path("some/where"))
    callbacks = [
        lightning.callbacks.ModelCheckpoint(dirpath=tmp_path / "best", monitor="loss"),
        lightning.callbacks.EarlyStopping("loss"),
    ]
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(4, 2)), batch_size=2)
    trainer = lightning.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        callbacks=callbacks,
        enable_progress_bar=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(module, data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    content = torch.load(tmp_path / "last.ckpt", weights_only=False)
    assert {"optimizer_states", "callbacks", "loops", "lr_schedulers", "hyper_parameters"} <= content.keys()
    assert content["optimizer_states"][0]["state"]

    mapping = read_torch(tmp_path / "last.ckpt")
    assert list(mapping) == list(content["state_dict"])
    for name, tensor in content["state_dict"].items():
        np.testing.assert_array_equal(mapping[name], tensor.numpy())
    params, report = params_from_torch(mapping, "tyrion", TINY)
    assert report.prefix == "model." and not report.missing and not report.unknown
    trained = {name.removeprefix("model."): tensor for name, tensor in content["state_dict"].items()}
    expected, _ = params_from_torch({name: tensor.numpy() for name, tensor in trained.items()}, "tyrion", TINY)
    jax.tree.map(np.testing.assert_array_equal, params, expected)
