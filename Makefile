# Every word a developer needs, a line each. `.venv` makes itself; a second run installs nothing.
PYTHON ?= python3
BIN := .venv/bin
SAM ?= sam
READY := .venv/.ready

.PHONY: run test check serve bench quality build deploy sam-local browser lock clean

run: $(READY)            ## the whole loop: sample shop, or USERS=… EVENTS=… [ITEMS=…] [PLAN=…]
	@$(BIN)/nudge run $(if $(USERS),--users $(USERS)) $(if $(EVENTS),--events $(EVENTS)) $(if $(ITEMS),--items $(ITEMS)) $(if $(PLAN),--plan $(PLAN)) $(ARGS)

test: $(READY)           ## every test but those that need containers or a browser
	@$(BIN)/pytest -m "not sam_local and not browser" -n auto --dist loadfile $(ARGS)

check: $(READY)          ## style, types, arrows, template
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports && $(BIN)/python -m local.translate lint

serve: $(READY)          ## the API, the outbox and the report page on localhost
	@$(BIN)/nudge serve $(ARGS)

bench: $(READY)          ## ratios, measured side by side in this run
	@$(BIN)/python -m benchmarks.speed $(ARGS)

quality: $(READY)        ## figures on public data, beside published ones
	@$(BIN)/python -m benchmarks.quality $(ARGS)

build: $(READY)          ## what is deployed: .aws-sam/build, with bytecode
	@$(BIN)/python -m local.build --sam $(SAM)

deploy: build            ## to your AWS account
	$(SAM) deploy --guided

sam-local: build         ## the built functions in real containers (needs docker and sam)
	@SAM=$(SAM) $(BIN)/pytest -m sam_local tests/sam_local $(ARGS)

browser: $(READY)        ## the pages in a real browser (needs Debian's chromium)
	@$(BIN)/pytest -m browser tests/browser $(ARGS)

lock: $(READY)           ## requirements.txt from requirements.in
	@$(BIN)/uv pip compile -q --upgrade --generate-hashes --python-version 3.13 --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" requirements.in -o requirements.txt

clean:
	rm -rf .venv .aws-sam build

$(READY): requirements.txt pyproject.toml .python-version
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import sys; sys.exit("Nudge needs Python 3.13; this is %d.%d" % sys.version_info[:2] if sys.version_info[:2] != (3, 13) else 0)'
	@test -x $(BIN)/uv || $(BIN)/pip install -q --disable-pip-version-check "$$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.txt)"
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes requirements.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-build-isolation --no-deps -e .
	@touch $(READY)
