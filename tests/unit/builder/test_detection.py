"""How a source is built and started is found in its files."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_builder.domain.detection import TELLING_FILES, BrokenManifestError, Listing, NothingToStartError, detect
from windlass_builder.domain.detection.recipes import POETRY, PYPROJECT, REQUIREMENTS, UV_LOCK
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.events.deployment import Recipe

NOTHING_SET = DeploymentConfig()


def listing(*names: str, **texts: str) -> Listing:
    return Listing(frozenset(names) | frozenset(texts), texts)


def requiring(packages: str, *names: str, **programs: str) -> Listing:
    texts = {"requirements.txt": packages} | {f"{name}.py": text for name, text in programs.items()}
    return Listing(frozenset(names) | frozenset(texts), texts)


def described(text: str, *names: str) -> Listing:
    return Listing(frozenset({"pyproject.toml", *names}), {"pyproject.toml": text})


def package(manifest: object, *names: str) -> Listing:
    return Listing(frozenset({"package.json", *names}), {"package.json": json.dumps(manifest)})


def told(recipe: Recipe) -> tuple[str, str | None, str | None]:
    return recipe.runner, recipe.start_command, recipe.detected_by


def test_a_lone_program_needs_no_build_and_is_started_as_it_is() -> None:
    recipe = detect(NOTHING_SET, listing("server.py", "README.md"))
    assert told(recipe) == ("python", "exec python3 server.py", "entry-point")
    assert recipe.build_command is None


@pytest.mark.parametrize(
    ("files", "start", "why"),
    [
        (requiring("FastAPI>=0.1\nuvicorn", "main.py"), "exec uvicorn main:app", "fastapi"),
        (requiring("fastapi", main="api: FastAPI = FastAPI(\n)"), "exec uvicorn main:api", "fastapi"),
        (requiring("fastapi", "app/main.py"), "exec uvicorn app.main:app", "fastapi"),
        (requiring("starlette\nuvicorn[standard]", "app.py"), "exec uvicorn app:app", "uvicorn"),
        (requiring("flask", "app.py"), "exec flask --app app run", "flask"),
        (requiring("flask", "app/__init__.py"), "exec flask --app app run", "flask"),
        (requiring("flask\ngunicorn", "app.py"), "exec gunicorn --bind 0.0.0.0:$PORT app:app", "gunicorn"),
        (requiring("flask\ngunicorn", main="site = flask.Flask(__name__)"), "main:site", "gunicorn"),
        (requiring("gunicorn", wsgi="application = make()"), "wsgi:application", "gunicorn"),
        (requiring("django", "manage.py", "shop/wsgi.py"), "exec python3 manage.py runserver --noreload", "django"),
        (requiring("Django\ngunicorn", "manage.py", "shop/wsgi.py"), "shop.wsgi:application", "django"),
        (requiring("Django\nuvicorn", "manage.py", "shop/asgi.py"), "uvicorn shop.asgi:application", "django"),
        (described('[project]\ndependencies=["fastapi[standard]>=1"]', "main.py"), "uvicorn main:app", "fastapi"),
        (described('[tool.poetry.dependencies]\npython="^3.11"\nflask="*"', "app.py"), "flask --app app", "flask"),
        (described('[build-system]\n[project]\nscripts={shop="shop:main"}'), "exec shop", "project-script"),
        (described('[build-system]\n[project]\nscripts={a="x:y", serve="x:z"}'), "exec serve", "project-script"),
    ],
)
def test_python_project_is_started_as_its_framework_wants(files: Listing, start: str, why: str) -> None:
    runner, command, reason = told(detect(NOTHING_SET, files))
    assert (runner, reason) == ("python", why)
    assert command is not None
    assert start in command
    assert "PORT" in command or why == "project-script"


@pytest.mark.parametrize(
    ("files", "build"),
    [
        (described("[project]", "main.py", "uv.lock"), UV_LOCK),
        (described("[project]", "main.py", "requirements.txt"), REQUIREMENTS),
        (described("[project]", "main.py"), PYPROJECT),
        (described("[tool.poetry]\nname='x'", "main.py", "poetry.lock"), f"{POETRY} --no-root"),
        (described("[project]", "main.py", "poetry.lock"), f"{POETRY} --no-root"),
        (described("[tool.poetry]\nname='x'", "main.py"), f"{POETRY} --no-root"),
        (described("[build-system]\n[tool.poetry.scripts]\nx='x:y'", "poetry.lock"), POETRY),
        (described("[tool.ruff]\nline-length = 120", "main.py"), None),
    ],
)
def test_python_project_is_installed_by_the_tool_that_made_its_lock(files: Listing, build: str | None) -> None:
    assert detect(NOTHING_SET, files).build_command == build


def test_a_package_whose_name_only_begins_alike_is_not_taken_for_it() -> None:
    assert detect(NOTHING_SET, requiring("flasky==1\n", "app.py")).detected_by == "entry-point"


@pytest.mark.parametrize(
    ("files", "start", "why"),
    [
        (package({"scripts": {"start": "node server.js"}}), "exec node server.js", "start-script"),
        (package({"scripts": {"start": "next start"}}), "next start", "start-script"),
        (package({"scripts": {"start": "A=1 node x.js && y"}}), "A=1 node x.js && y", "start-script"),
        (package({"scripts": {"start": "node .", "prestart": "x"}}), "exec npm run start", "start-script"),
        (package({"dependencies": {"next": "15"}}), "exec next start --hostname 0.0.0.0 --port $PORT", "next"),
        (package({"main": "./src/index.js"}, "src/index.js"), "exec node src/index.js", "package-main"),
        (package({"main": "src"}, "src/index.js"), "exec node src/index.js", "package-main"),
        (package({"main": "index.js"}, "server.js"), "exec node server.js", "entry-point"),
        (package({}, "app.js"), "exec node app.js", "entry-point"),
        (listing("index.js"), "exec node index.js", "entry-point"),
        (
            package({"scripts": {"build": "vite build"}, "devDependencies": {"vite": "7"}}, "index.html"),
            "exec windlass-static dist",
            "vite",
        ),
        (
            package({"scripts": {"build": "x"}, "dependencies": {"@docusaurus/core": "3"}}),
            "exec windlass-static build",
            "docusaurus",
        ),
        (package({"scripts": {"build": "./make"}}), "exec windlass-static dist build out public", "build-script"),
    ],
)
def test_node_project_is_started_as_its_manifest_says(files: Listing, start: str, why: str) -> None:
    assert told(detect(NOTHING_SET, files)) == ("node", start, why)


@pytest.mark.parametrize(
    ("manifest", "names", "build"),
    [
        ({}, ["package-lock.json"], "npm ci --include=dev"),
        ({}, [], "npm install --include=dev"),
        ({}, ["pnpm-lock.yaml"], "pnpm install --frozen-lockfile --prod=false"),
        ({}, ["yarn.lock"], "yarn install --frozen-lockfile --production=false"),
        ({"packageManager": "pnpm@10.1.0+sha512.ab"}, ["yarn.lock"], "pnpm install --no-frozen-lockfile --prod=false"),
        ({"packageManager": "yarn@4.1.0"}, ["yarn.lock"], "yarn-berry install --immutable"),
        ({"packageManager": "yarn@1.22.0"}, [], "yarn install --production=false"),
        ({"packageManager": "bun@1; rm -rf /"}, ["package-lock.json"], "npm ci --include=dev"),
    ],
)
def test_node_project_is_installed_by_the_tool_that_made_its_lock(
    manifest: dict[str, object], names: list[str], build: str
) -> None:
    started = {"start": "node x"}
    manifest = {**manifest, "dependencies": {"left-pad": "1"}}
    assert detect(NOTHING_SET, package({**manifest, "scripts": started}, *names)).build_command == build
    scripts = {**started, "build": "tsc"}
    manager = build.partition(" ")[0]
    built = detect(NOTHING_SET, package({**manifest, "scripts": scripts}, *names)).build_command
    assert built == f"{build} && {manager} run build"


def test_a_node_project_that_asks_for_nothing_is_not_built() -> None:
    files = package({"scripts": {"start": "node x"}, "dependencies": {}}, "package-lock.json")
    assert detect(NOTHING_SET, files).build_command is None


def test_a_lock_of_yarn_2_is_told_from_one_of_yarn_1() -> None:
    manifest = '{"scripts": {"start": "node x"}, "devDependencies": {"left-pad": "1"}}'
    texts = {"package.json": manifest, "yarn.lock": "# x\n\n__metadata:\n  version: 8\n"}
    assert detect(NOTHING_SET, Listing(frozenset(texts), texts)).build_command == "yarn-berry install --immutable"


@pytest.mark.parametrize(
    ("names", "start", "why"),
    [
        (("index.html", "main.js"), "exec windlass-static", "index-html"),
        (("public/index.html",), "exec windlass-static public", "public-folder"),
    ],
)
def test_pages_are_served_as_they_are(names: tuple[str, ...], start: str, why: str) -> None:
    for files in (listing(*names), package({}, *names)):
        recipe = detect(NOTHING_SET, files)
        assert told(recipe) == ("static", start, why)
        assert recipe.build_command is None


@pytest.mark.parametrize(
    ("files", "runner"),
    [
        (requiring("flask", "app.py", "package.json"), "python"),
        (Listing(frozenset({"pyproject.toml", "package.json", "server.js"}), {"pyproject.toml": "[tool.x]"}), "node"),
        (listing("main.py", "package.json", "server.js"), "node"),
        (listing("main.py", "index.html"), "python"),
    ],
)
def test_of_several_languages_the_described_program_wins(files: Listing, runner: str) -> None:
    assert detect(NOTHING_SET, files).runner == runner


def test_the_runner_that_is_asked_for_wins_over_what_would_be_found() -> None:
    files = requiring("flask", "app.py", "package.json", "server.js", "index.html")
    for runner, why in (("python", "flask"), ("node", "entry-point"), ("static", "index-html")):
        recipe = detect(DeploymentConfig(runner=runner), files)
        assert (recipe.runner, recipe.detected_by) == (runner, why)
    with pytest.raises(NothingToStartError, match=r"on the runner static: .*index\.html"):
        detect(DeploymentConfig(runner="static"), listing("main.py"))


def test_the_procfile_wins_over_what_is_detected() -> None:
    files = Listing(
        frozenset({"main.py", "Procfile"}), {"Procfile": "release: ./migrate\r\nweb:  python3 -m site.serve \r\n"}
    )
    assert told(detect(NOTHING_SET, files)) == ("python", "python3 -m site.serve", "procfile")


@pytest.mark.parametrize(
    ("command", "names", "runner"),
    [
        ("node web.js", ["web.js"], "node"),
        ("npm start", ["package.json"], "node"),
        ("./run", ["package.json"], "node"),
        ("./run", ["package.json", "requirements.txt"], "python"),
        ("npm start", ["package.json", "requirements.txt"], "node"),
        ("windlass-static --single www", [], "static"),
        ("windlass-static dist", ["package.json"], "node"),
    ],
)
def test_a_command_without_a_runner_gets_the_one_that_it_speaks_of(command: str, names: list[str], runner: str) -> None:
    assert detect(DeploymentConfig(start_command=command), listing(*names)).runner == runner
    procfile = Listing(frozenset({*names, "Procfile"}), {"Procfile": f"web: {command}"})
    assert told(detect(NOTHING_SET, procfile)) == (runner, command, "procfile")


def test_the_configuration_wins_over_all() -> None:
    config = DeploymentConfig(build_command="make", start_command="./run")
    files = Listing(frozenset({"Procfile", "requirements.txt"}), {"Procfile": "web: other"})
    recipe = detect(config, files)
    assert (recipe.build_command, recipe.start_command, recipe.detected_by) == ("make", "./run", "configuration")


def test_a_source_that_says_nothing_is_refused_with_the_ways_out() -> None:
    with pytest.raises(NothingToStartError, match=r"start command.*Procfile.*main\.py.*package\.json.*index\.html"):
        detect(NOTHING_SET, listing("README.md"))


@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 200_000, '{"a":' * 50_000, "1" * 200_000, '{"scripts": {"start": "\\ud800"}}', '{"scripts": []}', "null",
        '{"scripts": {"start": 5}, "main": {}, "dependencies": "next"}', '{"scripts": {"start": "a\\nb"}}', "\x00",
        '{"main": "\\u0000"}', '{"packageManager": ["npm"]}', "a = " + "[" * 100_000, "[project]\ndependencies = 5",
        "[project]\nscripts = ['a']\n[build-system]", '[build-system]\n[project.scripts]\n"$(id)" = "x"',
        "[tool]\npoetry = 1", "\n".join(f"a{n}." + "a." * 1_900 + "a = 1" for n in range(65)), "web: \x00", "web:\x0b",
    ],
)  # fmt: skip
def test_hostile_texts_say_nothing_and_break_nothing(hostile: str) -> None:
    names = frozenset({*TELLING_FILES, "README.md"}) - {"main.py", "app.py"}
    recipe = detect(NOTHING_SET, Listing(names, dict.fromkeys(TELLING_FILES, hostile)))
    assert recipe.start_command == "exec python3 server.py"


NAMES = st.sampled_from(
    sorted(TELLING_FILES | {"index.html", "public/index.html", "server.js", "manage.py", "shop/wsgi.py", "uv.lock"})
)
PACKAGES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["scripts", "start", "build", "main", "dependencies", "next", "packageManager", "prestart"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
TEXTS = st.text() | PACKAGES.map(json.dumps) | st.text().map("web: {}".format)
RUNNERS = st.sampled_from([None, "python", "node", "static", "php"])


@given(st.sets(NAMES), st.dictionaries(st.sampled_from(sorted(TELLING_FILES)), TEXTS), RUNNERS)
def test_every_listing_is_detected_or_refused(names: set[str], texts: dict[str, str], runner: str | None) -> None:
    files = Listing(frozenset(names), texts)
    try:
        recipe = detect(DeploymentConfig(runner=runner), files)
    except (NothingToStartError, BrokenManifestError):
        return
    assert recipe.start_command is not None
    assert recipe.detected_by is not None
    assert recipe.runner == runner or runner is None
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


TRAILING_COMMA = '{\n  "scripts": {\n    "start": "node x.js",\n  }\n}\n'
GARBAGE = bytes(range(128, 256)).decode(errors="replace")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"package.json": TRAILING_COMMA}, r"^package\.json, line 4: it is no JSON: .*comma"),
        ({"package.json": TRAILING_COMMA, "server.js": ""}, r"^package\.json, line 4: "),
        ({"package.json": "", "server.js": ""}, r"^package\.json: it is empty"),
        ({"package.json": "[]", "server.js": ""}, r"^package\.json: it holds no JSON object"),
        ({"package.json": "{" * 5, "index.js": ""}, r"^package\.json, line 1: it is no JSON"),
        ({"package.json": GARBAGE, "index.js": ""}, r"^package\.json, line 1: it is no text in UTF-8"),
        ({"package.json": '{"a":' * 50_000, "index.js": ""}, r"^package\.json: it is nested too deeply"),
        (
            {"package.json": '{"dependencies": {"x": "1"}, "main": "x.js"}', "package-lock.json": "{", "x.js": ""},
            r"^package-lock\.json, line 1: it is no JSON",
        ),
        ({"pyproject.toml": "[project\nname = 1", "main.py": ""}, r"^pyproject\.toml, line 1: it is no TOML"),
        ({"pyproject.toml": '[project]\nname = "x', "main.py": ""}, r"^pyproject\.toml, line 2: it is no TOML"),
        ({"pyproject.toml": "[project]\nname = \n", "main.py": ""}, r"^pyproject\.toml, line 2: it is no TOML"),
        ({"pyproject.toml": "a = 1\n[project]\nx", "README.md": ""}, r"^pyproject\.toml, line 3: "),
        ({"pyproject.toml": GARBAGE, "main.py": ""}, r"^pyproject\.toml, line 1: it is no text"),
        ({"requirements.txt": "flask\n" + GARBAGE, "main.py": ""}, r"^requirements\.txt, line 2: it is no text"),
    ],
)
def test_a_file_that_the_build_would_stumble_over_is_named_with_its_line(files: dict[str, str], says: str) -> None:
    with pytest.raises(BrokenManifestError, match=says):
        detect(NOTHING_SET, Listing(frozenset(files), files))


@pytest.mark.parametrize(
    "config", [DeploymentConfig(build_command="make", start_command="./run"), DeploymentConfig(runner="static")]
)
def test_a_broken_file_that_nothing_reads_is_nobodys_business(config: DeploymentConfig) -> None:
    files = {"package.json": "{", "pyproject.toml": "[", "index.html": ""}
    assert detect(config, Listing(frozenset(files), files)).start_command


def test_what_a_broken_file_holds_is_not_repeated() -> None:
    secret = "hunter2"  # noqa: S105 - of this test
    for text in (f'{{"a": "{secret}', f'{{"a": {secret}}}', f'{{"{secret}"}}'):
        with pytest.raises(BrokenManifestError) as refused:
            detect(NOTHING_SET, Listing(frozenset({"package.json"}), {"package.json": text}))
        assert secret not in str(refused.value)
    for text in (f"{secret} = {secret}", f"[{secret}]\n[{secret}]", f'a = "{secret}', f"{secret} = 1\n{secret} = 2"):
        with pytest.raises(BrokenManifestError) as refused:
            detect(NOTHING_SET, described(text, "main.py"))
        assert secret not in str(refused.value)
