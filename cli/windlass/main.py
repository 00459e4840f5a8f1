"""The `windlass` command."""

import sys

from windlass.errors import CommandError
from windlass.lazy import Target, lazy_group

_COMMANDS = {
    "up": Target("windlass.up.command:up", "Run a whole installation on this machine, until Ctrl-C."),
    "down": Target("windlass.up.command:down", "Stop the installation that `windlass up` runs here."),
    "deploy": Target("windlass.commands.deploy:deploy", "Deploy a commit of a Git repository, and watch it go live."),
    "redeploy": Target("windlass.commands.redeploy:redeploy", "Deploy the commit of a deployment again."),
    "ps": Target("windlass.commands.ps:ps", "List deployments: what is live, what is under way, what ended how."),
    "logs": Target("windlass.commands.logs:logs", "Show the lines of a deployment's builds and containers."),
    "rollback": Target("windlass.commands.rollback:rollback", "Let a project answer with an earlier version again."),
    "promote": Target(
        "windlass.commands.promote:promote", "Let an environment answer with any deployment that was live."
    ),
    "rollout": Target("windlass.commands.rollout:rollout", "Send a part of an environment's requests to a deployment."),
    "release": Target(
        "windlass.commands.release:release", "Let an environment that was rolled back take pushes again."
    ),
    "scale": Target("windlass.commands.scale:scale", "Let what is live run in so many containers."),
    "restart": Target("windlass.commands.restart:restart", "Replace the containers of what is live, one by one."),
    "run": Target("windlass.commands.run_once:run_once", "Run a command once in a release of a project."),
    "cancel": Target("windlass.commands.cancel:cancel", "End a deployment before its cutover."),
    "env": Target("windlass.commands.env:app", "Set, remove and list a project's variables."),
    "project": Target("windlass.commands.project:app", "Show and change a project's settings."),
    "credentials": Target(
        "windlass.commands.credentials:app", "Give the builder what private repositories and images need."
    ),
    "environments": Target("windlass.commands.environments:app", "List environments, and say which pushes go there."),
    "domains": Target(
        "windlass.commands.domains:domains", "Let hosts of your own answer with an environment, or list them."
    ),
    "webhook": Target("windlass.commands.webhook:webhook", "Show how pushes are announced, and the secrets for it."),
    "explain": Target("windlass.commands.explain:explain", "Say what a deployment waits for, or how it ended."),
    "nodes": Target("windlass.commands.nodes:nodes", "List the machines: what is built, what waits, what is left."),
    "volumes": Target("windlass.commands.volumes:volumes", "List volumes with their sizes, or remove one for ever."),
    "events": Target("windlass.commands.events:events", "Show the events of the log."),
    "login-link": Target("windlass.commands.login_link:login_link", "Make a one-time link to the dashboard."),
    "tokens": Target("windlass.commands.tokens:app", "Create, list and revoke API tokens."),
    "rebuild": Target("windlass.commands.rebuild:rebuild", "Fold a service's rows from the log anew."),
    "verify": Target("windlass.commands.verify:verify", "Check that what always holds does hold."),
    "gc": Target("windlass.commands.gc:gc", "Delete the releases that nothing needs any more, or list them."),
    "restore-events": Target("windlass.up.restoring:restore_events", "Make a lost log again from the raw copy."),
    "quarantine": Target("windlass.commands.quarantine:app", "Let a service pass over an event that it cannot read."),
    "keys": Target("windlass.commands.keys:app", "Show and rotate the keys that encrypt the values of variables."),
    "dead-letters": Target("windlass.commands.dead_letters:app", "List, retry and discard what services gave up."),
    "audit": Target("windlass.commands.audit:audit", "Show what was refused to whom, and what operators did."),
    "doctor": Target("windlass.commands.doctor:doctor", "Check the installation, and say what to do."),
}

windlass = lazy_group("windlass", "Deploy commits, watch them go live, go back.", _COMMANDS)


def main() -> None:
    """Run the command; whatever is wrong is said in two sentences, with an exit code."""
    try:
        windlass.main(prog_name="windlass")
    except CommandError as error:
        sys.stderr.write(f"{error.what}\n{error.remedy}\n")
        sys.exit(error.exit_code)
