"""Runs a job, given as `module:function`, in a process of its own: `python -m windlass.up.job_process TARGET`."""

import asyncio
import importlib
import sys


def job_command(target: str) -> list[str]:
    """Return the command that runs the job with the settings in its environment."""
    return [sys.executable, "-m", "windlass.up.job_process", target]


def main(target: str) -> None:
    """Run the job to its end."""
    module, _, function = target.partition(":")
    asyncio.run(getattr(importlib.import_module(module), function)(lambda: None))


if __name__ == "__main__":
    main(sys.argv[1])
