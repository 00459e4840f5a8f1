"""Whether the proxies serve what the rows say."""

from dataclasses import dataclass
from datetime import timedelta

from windlass_eventlog.errors import CannotVerifyError
from windlass_eventlog.operations import Checked, Finding, Invariant, Report
from windlass_eventlog.operations.verifying import Check, Looked
from windlass_router.application.projections import ROUTES
from windlass_router.application.proxy import NotConfirmedError, NotWrittenError
from windlass_router.application.publisher import Publisher

_ANSWER_WITHIN = timedelta(seconds=2)
_RESTART = "The router writes the routes when it starts: restart it, and see its log and the proxy's."


@dataclass(frozen=True, slots=True)
class VerifyingRoutes:
    """Reads what was handed over to the proxies, and asks them what they serve; changes neither."""

    publisher: Publisher

    def checks(self) -> list[Check]:
        return [Check("asks the proxies what they serve", self._look)]

    async def _look(self, report: Report) -> Looked:
        del report
        found = await self.publisher.rows.kept(ROUTES, {})
        names = self.publisher.proxy.names
        checked = [
            Checked(invariant=Invariant.ROUTES, what="addresses", count=sum(len(one.row.pointers) for one in found)),
            Checked(invariant=Invariant.ROUTES, what="proxies", count=len(names)),
        ]
        return Looked(checked, await self._findings(", ".join(names)))

    async def _findings(self, names: str) -> list[Finding]:
        try:
            unchanged = await self.publisher.unchanged()
        except NotWrittenError as error:
            raise CannotVerifyError(str(error)) from error
        if unchanged is None:
            what = "The configuration that lies there is not what the router's rows say."
            return [Finding.of(Invariant.ROUTES, "outdated-routes", f"proxy {names}", what, _RESTART)]
        try:
            disabled = await self.publisher.proxy.serving(unchanged.mark, _ANSWER_WITHIN)
        except NotConfirmedError as error:
            return [Finding.of(Invariant.ROUTES, "not-served", f"proxy {error.proxy}", str(error), _RESTART)]
        return [
            Finding.of(Invariant.ROUTES, "disabled-route", f"router {name}", f"The proxy disabled it: {why}", _RESTART)
            for name, why in disabled.items()
        ]
