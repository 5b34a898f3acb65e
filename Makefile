# make run    the demo on the shipped model.onnx, at http://127.0.0.1:7860
# make test   every check: style and tests
# make train  the shipped model and its report again, from DATA and WEIGHTS

PYTHON ?= python3
DATA ?= ../shared/data/faces
WEIGHTS ?= imagenet
RECIPE ?= paper
SPLIT ?= test

.PHONY: run test train

run: .venv/installed
	.venv/bin/python app.py

test: .venv-test/installed
	.venv-test/bin/ruff check .
	.venv-test/bin/ruff format --check .
	.venv-test/bin/python -m pytest

train: .venv-test/installed
	.venv-test/bin/python -m train fit --recipe $(RECIPE) --data $(DATA) --weights $(WEIGHTS) --out runs/$(RECIPE)
	.venv-test/bin/python -m export onnx runs/$(RECIPE) --out model.onnx
	.venv-test/bin/python -m train evaluate --model model.onnx --data $(DATA) --split $(SPLIT) \
		--out reports/$(RECIPE).json --readme README.md
	cp runs/$(RECIPE)/curves.png reports/$(RECIPE)_curves.png
	cp runs/$(RECIPE)/history.csv reports/$(RECIPE)_history.csv

# A virtual environment counts as installed only when the last step has gone through.
.venv/installed: requirements.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv-test/installed: requirements.txt requirements-train.txt requirements-test.txt
	$(PYTHON) -m venv .venv-test
	.venv-test/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	touch $@
