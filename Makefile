# make run    the demo on the shipped model.onnx, at http://127.0.0.1:7860
# make check  style, types and the fast tests, in a minute or so
# make test   style, types and all tests but those of the next five
# make test-training  trainings and what measures them, which take TensorFlow
# make test-hardening  a sample of what breaks files, scans, servers, disks, trainings, browsers and graphics cards;
#   `hardening` has it all
# make test-clients  what other programs make of the model; installs these first, as `make clients` does
# make test-gradio  what depends on Gradio, with its lowest version in requirements.txt; `test` has the highest
# make test-space  the Space in an environment that pip has just made for it
# make train  the shipped model and its reports again, from DATA, MORE and WEIGHTS, and its videos from CLIPS, where they are there
# make reports  the reports on model.onnx again: on DATA, and on what it was trained on, which is DATA and MORE
# make bench  how fast it is, beside other engines, in bench/results.md and docs/speed.md; about a quarter of an hour
# make hardening  what breaks files, servers, disks and trainings, with the figures in reports/hardening and docs/hardening.md
# make clients  other programs that load the model, which `test-clients` and some other tests ask: transformers, Optimum,
#   transformers.js
# make clients-report  how far those agree with the model, in reports/clients and docs/publishing.md; takes DATA
# make web-reports  how far the page in web/ agrees with Python, in reports/web and docs/web.md, and what a visit costs, in
#   bench/results.md and docs/speed.md; takes DATA, of whose split it draws so many PICTURES by chance, all where that is empty
# make licences  the licences of the packages at run time, in reports/packages
# make packages  these, and what pip-audit knows against the packages; asks a service on the internet
# make screenshots  the page on the examples, as README shows it

PYTHON ?= python3
DATA ?= ../shared/data/faces ../shared/data/faces2
CLIPS ?= ../shared/data/clips
# Folders to train on as well, as `python -m train collect` makes them
MORE ?=
WEIGHTS ?= imagenet
PICTURES ?= 100
# What says that Node's packages of these folders are there, where there is npm.
packages = $(if $(shell command -v npm),$(patsubst %,%/node_modules/.package-lock.json,$(1)))

.PHONY: run style check test test-training test-hardening test-clients test-gradio test-space hardening clients clients-report train reports bench web-reports licences packages screenshots

run: .venv/installed
	.venv/bin/python app.py

style: .venv-test/installed
	.venv-test/bin/ruff check .
	.venv-test/bin/ruff format --check .
	.venv-test/bin/mypy

check: style
	.venv-test/bin/python -m pytest tests/unit -m "not slow" -n 2 --dist loadfile --no-loadscope-reorder

test: style
	.venv-test/bin/python -m pytest tests/unit tests/page tests/web -n 3 --dist loadfile --no-loadscope-reorder

test-training: .venv-test/installed
	.venv-test/bin/python -m pytest tests/training -n 2 --dist loadfile

test-hardening: .venv-test/installed
	.venv-test/bin/python -m pytest tests/hardening -n 3 --dist loadfile

test-clients: .venv-test/installed .venv-clients/installed
	REQUIRE_CLIENTS=1 .venv-test/bin/python -m pytest tests/clients

test-gradio: .venv-gradio/installed
	.venv-gradio/bin/python -m pytest tests/page -m gradio

test-space: .venv-test/installed
	REQUIRE_SPACE=1 .venv-test/bin/python -m pytest tests/page/test_space.py -k pip

hardening: .venv-test/installed
	.venv-test/bin/python -m pytest tests/hardening -n 2 --dist loadfile --figures reports/hardening/hardening.json

clients: .venv-clients/installed

clients-report: .venv-test/installed .venv-clients/installed
	.venv-test/bin/python -m scripts.clients --data $(firstword $(DATA))

train: .venv-test/installed
	.venv-test/bin/python -m train fit --recipe shipped --data $(DATA) $(MORE) --weights $(WEIGHTS) --out runs/shipped --resume-from train/checkpoints/next
	.venv-test/bin/python -m export onnx runs/shipped --out model.onnx
	$(if $(wildcard $(CLIPS)/manifest.csv),.venv-test/bin/python -m train video-rule --data $(CLIPS) --trained-on $(DATA) $(MORE))
	.venv-test/bin/python -m export quantize --data $(DATA) $(MORE)
	set -e; for file in curves.png history.csv; do \
	  cp runs/shipped/$$file reports/shipped/.partial-$$file; \
	  mv reports/shipped/.partial-$$file reports/shipped/$$file; done
	$(MAKE) reports

reports: .venv-test/installed
	.venv-test/bin/python -m train audit --data $(DATA) $(MORE) --out reports/audit
	.venv-test/bin/python -m train evaluate --data $(DATA) --split test --out reports/shipped/test --docs docs/accuracy.md
	.venv-test/bin/python -m train evaluate --data $(DATA) --split cross --out reports/shipped/cross --docs docs/accuracy.md
	.venv-test/bin/python -m train battery --data $(DATA) --out reports/battery --docs docs/accuracy.md
	$(if $(wildcard $(CLIPS)/manifest.csv),.venv-test/bin/python -m train evaluate-videos --data $(CLIPS) --trained-on $(DATA) $(MORE) --out reports/videos --docs docs/accuracy.md)
	.venv-test/bin/python -m train thorough --data $(DATA) --out reports/thorough
	.venv-test/bin/python -m train crowds --data $(DATA) --out reports/crowds --docs docs/accuracy.md
	.venv-test/bin/python -m scripts.write_readme

bench: .venv-bench/installed
	.venv-bench/bin/python -m bench --docs docs/speed.md $(addprefix --data ,$(firstword $(wildcard $(DATA))))

web-reports: .venv-test/installed
	.venv-test/bin/python -m scripts.web_parity --data $(firstword $(DATA)) --split test --docs docs/web.md $(addprefix --pictures ,$(PICTURES))
	.venv-test/bin/python -m scripts.web_parity --data $(firstword $(DATA)) --split test --docs docs/web.md --int8 $(addprefix --pictures ,$(PICTURES))
	.venv-test/bin/python -m bench web --docs docs/speed.md

screenshots: .venv-test/installed
	.venv-test/bin/python -m scripts.screenshots reports/page

licences: .venv/installed .venv-test/installed
	.venv-test/bin/python -m scripts.packages licences --python .venv/bin/python \
	  --tool .venv-test/bin/pip-licenses

packages: licences .venv-audit/installed
	.venv-test/bin/python -m scripts.packages audit --python .venv/bin/python \
	  --tool .venv-audit/bin/pip-audit

# A virtual environment counts as installed only when the last step has gone through.
.venv/installed: requirements.txt pyproject.toml
	@echo "Installing the packages into .venv, which takes a minute or two the first time"
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -e .
	touch $@

.venv-test/installed: requirements.txt requirements-scan.txt requirements-train.txt requirements-test.txt pyproject.toml \
  $(call packages,tests/node web)
	@echo "Installing the packages into .venv-test, which takes some minutes the first time"
	$(PYTHON) -m venv .venv-test
	.venv-test/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt -e .
	touch $@

# Without install scripts, which would download code for graphics cards.
%/node_modules/.package-lock.json: %/package.json
	npm install --silent --ignore-scripts --prefix $*
	touch $@

# The lowest version of Gradio that requirements.txt allows, and what that asks for; all else is taken from .venv-test.
.venv-gradio/installed: .venv-test/installed requirements.txt
	rm -rf .venv-gradio
	$(PYTHON) -m venv .venv-gradio
	.venv-test/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
	  > "$$(.venv-gradio/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/test.pth"
	.venv-gradio/bin/python -m pip install --quiet --disable-pip-version-check \
	  "gradio==$$(sed -n 's/^gradio>=\([0-9.]*\),.*/\1/p' requirements.txt).*"
	touch $@

# TensorFlow and torch both, hundreds of megabytes, which no test needs.
.venv-bench/installed: requirements.txt requirements-scan.txt requirements-train.txt requirements-bench.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	touch $@

.venv-clients/installed: requirements-clients.txt $(call packages,tests/node_clients)
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-clients.txt
	touch $@

.venv-audit/installed:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check "pip-audit>=2.9,<3"
	touch $@
