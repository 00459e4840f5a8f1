"""What `windlass doctor` says of the walls around apps: the firewall's rules, or what a container meets there."""

from collections.abc import Sequence

from windlass.commands.verdict import Check, Verdict
from windlass.provisioning.commands import output_of
from windlass.provisioning.errors import CommandFailedError, FirewallError
from windlass.provisioning.firewall import by_hand, missing_rules, pool_of_projects
from windlass.provisioning.runner_images import PYTHON

_SECONDS = 20
_REFUSED, _OPEN, _SILENT = "refused", "open", "silent"
# The firewall answers at once, as nobody else does: what no cloud answers at is silent.
_TRY = f"""
import errno, socket
try:
    socket.create_connection(("169.254.169.254", 80), 1).close()
    print("{_OPEN}")
except OSError as error:
    print("{_REFUSED}" if error.errno == errno.EHOSTUNREACH else "{_SILENT}")
"""
_GOOD = "Apps and builds cannot reach cloud metadata, nor the Docker API over TCP"


def check_isolation(engine: str) -> Check:
    """Look at the rules where we may, and from inside of a container where we may not."""
    try:
        missing = missing_rules(pool_of_projects())
    except FirewallError as error:
        return _from_inside(engine, error)
    if not missing:
        return Check("isolation", Verdict.GOOD, f"{_GOOD}: all rules of the firewall are there.")
    says = f"{len(missing)} rules of the firewall are missing, such as: {missing[0]}. Apps may reach cloud metadata."
    return Check("isolation", Verdict.BAD, says, f"Start `windlass up` again as root, or run: {by_hand()}")


def _from_inside(engine: str, unseen: FirewallError) -> Check:
    try:
        met = _met(engine)
    except CommandFailedError as error:
        *_, last = ("it said nothing.", *error.last_words.splitlines())
        says = f"{unseen.what} No container could try it either: {last}"
        return Check("isolation", Verdict.WARNING, says, unseen.remedy)
    if met == _REFUSED:
        return Check("isolation", Verdict.GOOD, f"{_GOOD}: a container was refused there.")
    if met == _OPEN:
        says = "A container reaches this machine's cloud metadata, which may give it the machine's own keys."
        return Check("isolation", Verdict.BAD, says, unseen.remedy)
    says = f"{unseen.what} A container met nobody at the address of cloud metadata, and no rule that refuses it."
    return Check("isolation", Verdict.BAD, says, unseen.remedy)


def _met(engine: str) -> str:
    docker = ["docker", "--host", engine]
    networks = output_of([*docker, "network", "ls", "--quiet", "--filter", "label=dev.windlass.role=network"])
    network = networks.split()[0] if networks else "bridge"
    return output_of([*docker, *_locked_up(network), PYTHON.tag, "python3", "-c", _TRY], seconds=_SECONDS)


def _locked_up(network: str) -> Sequence[str]:
    return ("run", "--rm", "--cap-drop=ALL", "--security-opt=no-new-privileges", f"--network={network}")
