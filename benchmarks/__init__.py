"""Measurements, run by hand and never by the tests: ``python -m benchmarks`` for all, or one module of it.

Arithmetic runs on one core: the libraries' own threads are switched off before they are loaded.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
