"""Strict JAX: 64-bit, no silent promotion of dtype or rank, warnings are errors."""

import itertools
import os
import zlib

# Programs of tests run once: they are not worth optimising.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=0 "
    "--xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_parallel_codegen_split_count=1",
)

import jax
import matplotlib as mpl
import pytest

mpl.use("Agg")
jax.config.update("jax_num_cpu_devices", 2)  # so that sharding is real
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def getkey(request):
    """A fresh key per call; the test's name is the seed."""
    keys = map(jax.random.key, itertools.count(zlib.crc32(request.node.name.encode())))
    return lambda: next(keys)
