"""What a build is told whatever runtime it runs on: where package managers keep what they fetched, and to behave."""

from collections.abc import Mapping


def build_environment(cache: str) -> Mapping[str, str]:
    """Return the environment of builds whose project's cache is the folder `cache`."""
    return {
        "UV_CACHE_DIR": f"{cache}/uv",
        "UV_LINK_MODE": "copy",  # the cache is another file system, and nothing of a release is shared with it
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_COMPILE_BYTECODE": "1",  # once here instead of at each start
        "PIP_CACHE_DIR": f"{cache}/pip",
        "POETRY_CACHE_DIR": f"{cache}/poetry",
        "NPM_CONFIG_CACHE": f"{cache}/npm",
        "npm_config_store_dir": f"{cache}/pnpm",
        # The one that the runner has is used, whatever package.json asks for: another would be fetched at each build.
        "npm_config_manage_package_manager_versions": "false",
        "YARN_CACHE_FOLDER": f"{cache}/yarn",
        "YARN_GLOBAL_FOLDER": f"{cache}/yarn-berry",
        "YARN_NODE_LINKER": "node-modules",  # programs are started by Node itself, which knows no other way
        "YARN_ENABLE_TELEMETRY": "0",
        "NEXT_TELEMETRY_DISABLED": "1",
        "ASTRO_TELEMETRY_DISABLED": "1",
    }
