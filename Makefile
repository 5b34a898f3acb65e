# make run    the demo on the shipped model.onnx, at http://127.0.0.1:7860
# make test   every check: style and tests
# make train  the shipped model and its reports again, from DATA and WEIGHTS
# make bench  how fast it is, beside other engines, in bench/results.md and README; about a quarter of an hour
# make hardening  what breaks files, servers, disks and trainings, with the figures in reports/hardening and README
# make clients  other programs that load the model, which some tests ask: transformers, Optimum, transformers.js
# make clients-report  how far those agree with the model, in reports/clients and README; takes DATA
# make licences  the licences of the packages at run time, in reports/packages
# make packages  these, and what pip-audit knows against the packages; asks a service on the internet
# make screenshots  the page on the examples, as README shows it

PYTHON ?= python3
DATA ?= ../shared/data/faces
WEIGHTS ?= imagenet

.PHONY: run test hardening clients clients-report train reports bench licences packages screenshots

run: .venv/installed
	.venv/bin/python app.py

test: .venv-test/installed
	.venv-test/bin/ruff check .
	.venv-test/bin/ruff format --check .
	.venv-test/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

hardening: .venv-test/installed
	.venv-test/bin/python -m pytest tests/hardening -n 2 --dist loadfile --figures reports/hardening/hardening.json

clients: .venv-clients/installed

clients-report: .venv-test/installed .venv-clients/installed
	PYTHONPATH=. .venv-test/bin/python tests/clients.py --data $(DATA)

train: .venv-test/installed
	.venv-test/bin/python -m train fit --recipe shipped --data $(DATA) --weights $(WEIGHTS) --out runs/shipped
	.venv-test/bin/python -m export onnx runs/shipped --out model.onnx
	.venv-test/bin/python -m export quantize --data $(DATA)
	set -e; for file in curves.png history.csv; do \
	  cp runs/shipped/$$file reports/shipped/.partial-$$file; \
	  mv reports/shipped/.partial-$$file reports/shipped/$$file; done
	$(MAKE) reports

reports: .venv-test/installed
	.venv-test/bin/python -m train audit --data $(DATA) --out reports/audit
	.venv-test/bin/python -m train evaluate --data $(DATA) --split test --out reports/shipped/test --readme README.md
	.venv-test/bin/python -m train evaluate --data $(DATA) --split cross --out reports/shipped/cross --readme README.md

bench: .venv-bench/installed
	.venv-bench/bin/python -m bench --readme README.md $(if $(wildcard $(DATA)),--data $(DATA))

screenshots: .venv-test/installed
	PYTHONPATH=. .venv-test/bin/python tests/screenshots.py reports/page

licences: .venv/installed .venv-test/installed
	PYTHONPATH=. .venv-test/bin/python tests/packages.py licences --python .venv/bin/python \
	  --tool .venv-test/bin/pip-licenses

packages: licences .venv-audit/installed
	PYTHONPATH=. .venv-test/bin/python tests/packages.py audit --python .venv/bin/python \
	  --tool .venv-audit/bin/pip-audit

# A virtual environment counts as installed only when the last step has gone through.
.venv/installed: requirements.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv-test/installed: requirements.txt requirements-scan.txt requirements-train.txt requirements-test.txt tests/node/package.json
	$(PYTHON) -m venv .venv-test
	.venv-test/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	! command -v npm >/dev/null || npm install --silent --prefix tests/node
	touch $@

# TensorFlow and torch both, hundreds of megabytes, which no test needs.
.venv-bench/installed: requirements.txt requirements-scan.txt requirements-train.txt requirements-bench.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	touch $@

# Node's packages come without their install scripts, which would download code for graphics cards.
.venv-clients/installed: requirements-clients.txt tests/node_clients/package.json
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-clients.txt
	! command -v npm >/dev/null || npm install --silent --ignore-scripts --prefix tests/node_clients
	touch $@

.venv-audit/installed:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check "pip-audit>=2.9,<3"
	touch $@
