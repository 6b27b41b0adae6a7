"""All input and output of Lesionforge. Three kinds of module live here:

stages (one per stage of dvc.yaml, same name): read params, read inputs, call one function, write outs;
commands: run by hand with ``python -m pipeline.<command>``;
what they share: ``params/``, ``isic/``, ``dermoscopy/``, ``training/``, ``metrics/`` and the small modules beside them.
"""

import os
from time import perf_counter

STARTED = perf_counter()  # before any heavy import, so that a stage's elapsed time includes them

# Threads that wait by spinning take the cores from those that work, and threads that sleep at once lose time waking.
# Classifier step of two threads on two cores: 89 ms alone and 2,300 ms beside a busy process as libgomp comes, 148 and
# 203 ms without spinning, 83 and 280 ms with this count. Read when torch is imported; changes no result.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

# No result may depend on the machine's cores or on what else is set here. The decompositions of numpy's BLAS differ in
# their last bits by its threads. A limit of OpenMP's below compute.threads would change sums, or have torch wait for
# ever for threads that never come. Read when numpy and torch are imported.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_DYNAMIC": "false"}
os.environ.pop("OMP_THREAD_LIMIT", None)
