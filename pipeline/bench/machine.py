"""The machine is described here, with the highest rate at which it could run a model."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any, Final

import torch

_CPU_SIDE: Final = 2048
_CUDA_SIDE: Final = 8192
_FLAGS: Final = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8")


def about() -> dict[str, Any]:
    """Describe the processor, its cores and relevant instructions, the graphics card, and versions."""
    name, flags = platform.processor() or platform.machine(), list[str]()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = dict(line.split(":", 1) for line in cpuinfo.read_text().splitlines() if ":" in line)
        plain = {key.strip(): value.strip() for key, value in lines.items()}
        name = plain.get("model name", name)
        flags = [flag for flag in _FLAGS if flag in plain.get("flags", "").split()]
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "cpu": name, "cores": os.cpu_count(), "cpu_flags": flags, "gpu": gpu, "torch": str(torch.__version__),
        "python": platform.python_version(), "date": time.strftime("%Y-%m-%d"),
    }  # fmt: skip


def matmul_flops(device: torch.device, dtype: torch.dtype, repeats: int = 5) -> float:
    """Measure floating-point operations a second of multiplying large square matrices; the best of ``repeats`` runs."""
    side = _CUDA_SIDE if device.type == "cuda" else _CPU_SIDE
    left = torch.randn(side, side, device=device).to(dtype)
    right = torch.randn(side, side, device=device).to(dtype)
    best_s = float("inf")
    with torch.inference_mode():
        for _ in range(repeats + 1):  # the first one warms up
            begun = time.perf_counter()
            torch.matmul(left, right)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            best_s = min(best_s, time.perf_counter() - begun)
    return 2 * side**3 / best_s


def flops_an_image(tower: torch.nn.Module, size: int) -> int:
    """Count the floating-point operations of an image tower for one picture of ``size`` pixels a side."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    weight = next(tower.parameters())
    fused = torch.backends.mha.get_fastpath_enabled()
    # Fused attention is one operation that cannot be counted, so it is computed in its parts here.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            tower(torch.zeros(1, 3, size, size, device=weight.device, dtype=weight.dtype))
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return counter.get_total_flops()
