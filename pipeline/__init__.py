"""All input and output of Lesionforge. Three kinds of module live here:

stages (one per stage of dvc.yaml, same name): read params, read inputs, call one function, write outs;
commands: run by hand with ``python -m pipeline.<command>``;
what they share: ``params/``, ``isic/``, ``dermoscopy/``, ``training/``, ``metrics/`` and the small modules beside them.
"""

import os
from time import perf_counter

STARTED = perf_counter()  # before any heavy import, so that a stage's elapsed time includes them

# Threads that wait by spinning take the cores from those that work: with another busy process on two cores a
# training step is 10 to 40 times slower. Must be set before torch is imported; changes no result.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
