"""All input and output of Lesionforge. Three kinds of module live here:

stages (one per stage of dvc.yaml, same name): read params, read inputs, call one function, write outs;
commands: run by hand with ``python -m pipeline.<command>``;
what they share: ``params/``, ``isic/``, ``dermoscopy/``, ``training/``, ``metrics/`` and the small modules
``stage``, ``store``, ``images``, ``checkpoints``, ``resume``, ``seeding``, ``progress`` and ``errors``.
"""

from time import perf_counter

STARTED = perf_counter()  # before any heavy import, so that a stage's elapsed time includes them
