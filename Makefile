# make repro   the whole pipeline          make test    the test suite
# make check   lint, types, tests          make proof   the long proofs
# make lock    renew requirements.lock
SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.8
ACTIVATE := source .venv/bin/activate
# Another version of these may give other results: versions.txt has theirs, and every stage depends on it.
DECIDING := diffusers|efficientnet-pytorch|numpy|pandas|pillow|piq|scikit-learn|scipy|torch|torchsampler|torchvision
# A process per core, each on one thread: the tests' arrays are too small to share. A file's tests stay together,
# for what they share takes minutes to make.
SUITE := OMP_NUM_THREADS=1 python -m pytest -m "not proof" -n logical --dist loadfile

.PHONY: repro test check proof lock

repro: .venv/.complete
	$(ACTIVATE) && dvc repro

test: .venv/.complete
	$(ACTIVATE) && $(SUITE)

check: .venv/.complete
	$(ACTIVATE) && ruff check . && ruff format --check . && mypy && $(SUITE)

proof: .venv/.complete
	$(ACTIVATE) && python -m pytest -m proof

# uv is fetched by pip at a fixed version, then installs exactly what the lock says, hashes checked. Bytecode is
# compiled here once: where PYTHONDONTWRITEBYTECODE is set, every stage would compile torch again, 4 s of its start.
.venv/.complete: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lesionforge needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv --clear .venv
	$(ACTIVATE) && pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(ACTIVATE) && uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	touch $@

lock: .venv/.complete
	$(ACTIVATE) && uv pip compile pyproject.toml --extra dev --extra diffusion --extra parquet --universal --generate-hashes --quiet --upgrade \
	  --custom-compile-command "make lock" -o requirements.lock
	sed -nE 's/^(($(DECIDING))==[^\\]*[^ \\]).*/\1/p' requirements.lock > versions.txt
