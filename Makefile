PY := .venv/bin/python

.PHONY: check
check:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy libs services cli tests bench
	.venv/bin/lint-imports
	$(PY) -m pytest -q tests/unit tests/contract
