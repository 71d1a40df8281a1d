"""open_clip and torchvision are imported here alone: quiet imports, building a model, its tokenizer, its towers."""

from __future__ import annotations

import contextlib
import copy
import functools
import logging
import sys
import warnings
from collections.abc import Callable, Generator
from typing import Any, Protocol

import torch

from fetalstream.pipeline.errors import ModelError

Architecture = str | dict[str, Any]
"""A name that open_clip knows, or an embedded open_clip model config (``embed_dim``, ``vision_cfg``, ``text_cfg``)."""


class Tokenizer(Protocol):
    """A function from sentences to token numbers, (N, context_length) int64."""

    def __call__(self, texts: list[str], context_length: int | None = None) -> torch.Tensor: ...


@functools.cache
def import_open_clip() -> Any:
    """Import and return the ``open_clip`` module.

    Raises:
        ModelError: open_clip or torchvision is not installed or does not fit the installed torch.
    """
    try:
        with _missing_vision_operators_skipped(), warnings.catch_warnings():
            # Deprecated spellings inside the libraries, which we cannot mend.
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            warnings.filterwarnings("ignore", category=FutureWarning)
            import open_clip
    except (ImportError, RuntimeError, AttributeError) as error:
        raise ModelError(f"open_clip does not load ({_first_line(error)}): reinstall torch and torchvision") from error
    return open_clip


@contextlib.contextmanager
def _missing_vision_operators_skipped() -> Generator[None]:
    """Let torchvision be imported without its compiled operators, which only detection models need.

    A CPU build of torch beside the general torchvision wheel cannot load them, and importing torchvision then fails
    when it registers shapes for operators that do not exist. Only its transforms, plain Python, are used here.
    """
    if "torchvision" in sys.modules:
        yield
        return
    register = torch.library.register_fake

    def lenient(op: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(op, str) and op.startswith("torchvision::") and not _operator_exists(op):
            return _decorator_that_does_nothing
        return register(op, *args, **kwargs)

    torch.library.register_fake = lenient
    try:
        yield
    finally:
        torch.library.register_fake = register


def _operator_exists(name: str) -> bool:
    # The extension defines the operators, and torchvision loads it before it registers shapes.
    return bool(torch._C._jit_get_schemas_for_operator(name))  # pyright: ignore[reportPrivateUsage]


def _decorator_that_does_nothing(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def build(architecture: Architecture, *, seed: int | None) -> torch.nn.Module:
    """Build an architecture on the CPU in float32, in evaluation mode, without gradients.

    Args:
        architecture: what to build; an embedded config is not changed.
        seed: seed of the random weights; None leaves their memory unset, for a checkpoint that overwrites all of it.

    Raises:
        ModelError: open_clip has no such name, or cannot build the config.
    """
    open_clip = import_open_clip()
    config = _model_config(architecture)
    custom = config.pop("custom_text", False) or "hf_model_name" in config.get("text_cfg", {})
    kind = open_clip.CustomTextCLIP if custom else open_clip.CLIP
    config.get("vision_cfg", {})["timm_model_pretrained"] = False
    config.get("text_cfg", {})["hf_model_pretrained"] = False
    draws = _DeferredInit()
    try:
        with torch.random.fork_rng(devices=[]), _quiet(), draws:
            torch.manual_seed(0 if seed is None else seed)  # some layers draw constants of a few numbers by themselves
            model: torch.nn.Module = kind(**config)
    except Exception as error:  # open_clip, timm and transformers raise whatever their configs trip over
        raise ModelError(f"the architecture cannot be built: {_first_line(error)}") from error
    if seed is not None:
        draws.initialize(model, torch.Generator().manual_seed(seed))
    return model.eval().requires_grad_(False)


def names_text_tower(architecture: Architecture) -> bool:
    """Return whether the text tower or its tokenizer is fetched by a name on the Hugging Face Hub."""
    text = _model_config(architecture)["text_cfg"]
    return bool(text.get("hf_tokenizer_name") or text.get("hf_model_name"))


def tokenizer(architecture: Architecture) -> Tokenizer:
    """Make the tokenizer that belongs to an architecture.

    Raises:
        ModelError: the tokenizer's files or library are missing.
    """
    open_clip = import_open_clip()
    text = _model_config(architecture)["text_cfg"]
    length = text.get("context_length", 77)
    name = text.get("hf_tokenizer_name")
    try:
        if name:
            from open_clip.tokenizer import HFTokenizer

            made: Any = HFTokenizer(name, context_length=length, **text.get("tokenizer_kwargs", {}))
        else:
            made = open_clip.SimpleTokenizer(context_length=length, **text.get("tokenizer_kwargs", {}))
    except Exception as error:  # transformers raises OSError, ImportError and its own kinds
        raise ModelError(f"the tokenizer {name or 'of open_clip'} cannot be loaded: {_first_line(error)}") from error
    return made


def image_size(model: torch.nn.Module) -> int:
    """Return the pixels per side of the model's square input.

    Raises:
        ModelError: the input is not square.
    """
    tower: Any = model.visual
    size = tower.image_size
    height, width = size if isinstance(size, (tuple, list)) else (size, size)
    if height != width:
        raise ModelError(f"the architecture's input is {width}x{height}, only square inputs are supported")
    return int(height)


def image_tower(model: torch.nn.Module) -> torch.nn.Module:
    """Return the image tower of a model."""
    tower: torch.nn.Module = model.visual  # pyright: ignore[reportAssignmentType]
    return tower


def has_batch_norms(tower: torch.nn.Module) -> bool:
    """Return whether a tower has batch norms, which can be folded into its convolutions."""
    return any(isinstance(part, torch.nn.BatchNorm2d) for part in tower.modules())


def reparameterized(tower: torch.nn.Module) -> torch.nn.Module:
    """Merge branches that only training needs, in place, if timm knows how to; return the tower."""
    from timm.utils.model import reparameterize_model

    return reparameterize_model(tower, inplace=True)


def is_causal(model: torch.nn.Module) -> bool:
    """Return whether the text tower has a causal mask: a token attends to itself and earlier ones only."""
    return getattr(text_tower(model), "attn_mask", None) is not None


def encode_text(model: torch.nn.Module, tokens: torch.Tensor) -> torch.Tensor:
    """Encode sentences as features, (N, D) float32, not normalised: the values of ``model.encode_text``, but faster.

    A causal tower that pools at the end token never attends to the padding after the longest sentence, so the padding
    is cut off. Other towers attend to it, and keep it.

    Args:
        model: a model from ``build``.
        tokens: (N, context_length) int64.
    """
    if not reads_causally(model):
        return model.encode_text(tokens).float()  # pyright: ignore[reportCallIssue]
    tower = text_tower(model)
    ends = tokens.argmax(dim=-1)  # the end token has the highest number of the vocabulary
    length = int(ends.max()) + 1
    x = tower.token_embedding(tokens[:, :length]) + tower.positional_embedding[:length]
    x = tower.transformer(x, attn_mask=tower.attn_mask[:length, :length])
    return projected(tower, x[torch.arange(len(x), device=x.device), ends])


def reads_causally(model: torch.nn.Module) -> bool:
    """Return whether the text tower is causal and pools at the end token."""
    tower = text_tower(model)
    pool = getattr(tower, "text_pool_type", getattr(tower, "pool_type", None))
    return is_causal(model) and pool == "argmax" and getattr(tower, "cls_emb", None) is None


def projected(tower: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Normalise and project the hidden states at the end tokens, (N, width), to features (N, D) float32."""
    hidden = tower.ln_final(hidden)
    projection = tower.text_projection
    if projection is None:
        return hidden.float()
    return (projection(hidden) if isinstance(projection, torch.nn.Linear) else hidden @ projection).float()


def text_tower(model: torch.nn.Module) -> Any:
    """Return the module that holds the text tower's parts."""
    # open_clip's CLIP keeps the text tower's parts at its top, CustomTextCLIP in a module of its own.
    return getattr(model, "text", model)


def _model_config(architecture: Architecture) -> dict[str, Any]:
    if isinstance(architecture, dict):
        return copy.deepcopy(architecture)
    config: dict[str, Any] | None = import_open_clip().get_model_config(architecture)
    if config is None:
        raise ModelError(f"open_clip knows no architecture {architecture!r}: see open_clip.list_models()")
    return copy.deepcopy(config)


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Keep notices of timm and open_clip to developers off the user's terminal."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            warnings.filterwarnings("ignore", category=FutureWarning)
            yield
    finally:
        logging.disable(level)


class _DeferredInit(torch.overrides.TorchFunctionMode):
    """Skips random initialisation while a model is built; ones, zeros and masks are still written.

    Layers initialise themselves and towers do it once more: 12 s for FetalCLIP, overwritten by a checkpoint.
    """

    _draws = frozenset({"normal_", "uniform_", "trunc_normal_", "kaiming_uniform_", "kaiming_normal_"})

    def __init__(self) -> None:
        super().__init__()
        # The storages are kept alive: freed memory could be reused for another weight, which would then be redrawn.
        self._unset: dict[int, torch.UntypedStorage] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") not in self._draws:
            return func(*args, **(kwargs or {}))
        tensor: torch.Tensor = args[0] if args else kwargs["tensor"]
        storage = tensor.untyped_storage()
        self._unset[storage.data_ptr()] = storage
        return tensor

    def initialize(self, model: torch.nn.Module, generator: torch.Generator) -> None:
        """Draw every skipped weight once: variance 2/fan-in for convolutions, 1/fan-in for other matrices."""
        with torch.no_grad():
            for weight in model.parameters():
                if weight.untyped_storage().data_ptr() in self._unset:
                    fan_in = weight.numel() / weight.shape[0]
                    variance = 4e-4 if weight.ndim < 2 else (2 if weight.ndim == 4 else 1) / fan_in
                    weight.normal_(0.0, variance**0.5, generator=generator)


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
