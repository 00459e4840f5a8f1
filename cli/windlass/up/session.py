"""One run of an installation, from start to stop."""

import asyncio
from dataclasses import dataclass

from windlass.up.blueprint import Blueprint, RuntimeChoice
from windlass.up.client_config import Profile, write_client_config
from windlass.up.front_door import FrontDoor
from windlass.up.lock import RunningLock
from windlass.up.more_runners import Preparation, preparation
from windlass.up.narrator import Narrator
from windlass.up.ports import LOOPBACK
from windlass.up.service_settings import Surroundings
from windlass.up.stop_signals import StopSignals, stop_signals
from windlass.up.supervision_tree import SupervisionTree
from windlass.up.tasks import finishes_before, together

_ASK_FOR_APPS_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Session:
    """What one `windlass up` works with; it holds the locks for as long as this runs."""

    blueprint: Blueprint
    surroundings: Surroundings
    runtime: RuntimeChoice
    lock: RunningLock
    door: FrontDoor
    narrator: Narrator

    async def run(self, inherited: int) -> None:
        """Start everything, keep it running until a signal asks to stop, and stop it.

        Raises:
            UpError: it could not be started; what had started is stopped again.
        """
        tree = SupervisionTree(self.blueprint, self.surroundings, inherited, self.door, self.narrator)
        with stop_signals() as stop, preparation(self.surroundings.home) as more:
            try:
                if await finishes_before(tree.start(), stop.requested):
                    await finishes_before(
                        together([tree.keep(), self._welcome(), self._prepare_more(more)]), stop.requested
                    )
                    await self._say_what_goes_on()
            finally:
                await self._stop(tree, stop)

    async def _welcome(self) -> None:
        profile = self._profile
        self.lock.announce(self._own_url)
        is_default = write_client_config(self.surroundings.home, profile)
        if self.runtime.reason:
            self.narrator.warn(self.runtime.reason)
        link = await self.blueprint.sign_in_link(self.surroundings.home)
        self.narrator.show(self._summary(link, is_default=is_default))
        await self.blueprint.after_ready(self.surroundings.home, self.narrator)

    async def _prepare_more(self, more: Preparation) -> None:
        try:
            await self.blueprint.prepare_more(self.runtime.runtime, self.narrator)
        finally:
            more.end()

    async def _say_what_goes_on(self) -> None:
        try:
            async with asyncio.timeout(_ASK_FOR_APPS_SECONDS):
                apps = await self.blueprint.apps_left_running(self.surroundings.home)
        except TimeoutError:
            self.narrator.warn("Stopping. Which apps go on running could not be found out.")
            return
        self.narrator.say(
            f"Stopping. These apps go on running, and answer again once the proxy is back: {', '.join(apps)}."
            if apps
            else "Stopping."
        )

    async def _stop(self, tree: SupervisionTree, stop: StopSignals) -> None:
        if not await finishes_before(tree.stop(), stop.forced):
            self.narrator.warn("Stopping at once.")
            await tree.kill()

    @property
    def _profile(self) -> Profile:
        around = self.surroundings
        return Profile(
            installation=around.installation.id,
            team=around.installation.team,
            api_url=f"http://{LOOPBACK}:{around.ports.gateway}",
            token=around.credentials.api_token,
        )

    @property
    def _own_url(self) -> str:
        """The host that the router gives to Windlass itself."""
        return f"http://windlass.localhost:{self.surroundings.ports.public}"

    def _summary(self, link: str | None, *, is_default: bool) -> dict[str, str]:
        around = self.surroundings
        client = (
            "uses this installation"
            if is_default
            else f"uses another; for this one set WINDLASS_HOME={around.home.root}"
        )
        return {
            "Windlass": self._own_url,
            "Sign in": link or "run `windlass login-link`, and open the link that it prints",
            "API": self._profile.api_url,
            "Apps": f"http://<alias>.localhost:{around.ports.public}",
            "Runtime": self.runtime.runtime,
            "Command": f"windlass {client}",
            "State": str(around.home.root),
            "Logs": str(around.home.logs),
            "Stop": "Ctrl-C, or `windlass down`",
        }
