"""A team with everything that a page can show."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from support.dashboard_story import DashboardStory
from support.probed import Probed
from windlass_contracts.events import InspectionFailed, SourceInspected
from windlass_contracts.events.deployment import Recipe
from windlass_contracts.events.inspection import Head
from windlass_contracts.ids import DeploymentId
from windlass_contracts.logs import LogLine
from windlass_eventlog.clock import utc_now
from windlass_eventlog.logs.port import Stream
from windlass_gateway.application.access import Permission
from windlass_gateway.application.domains import ManagingDomains
from windlass_gateway.application.projections import DEPLOYMENTS
from windlass_gateway.application.tokens import ManagingTokens
from windlass_gateway.domain.configuration import ConfigChange, LimitsChange

INSPECTED = SourceInspected(
    commit="4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    branch="main",
    recipe=Recipe(
        runner="node",
        build_command="npm ci --include=dev && npm run build",
        start_command="npm run start",
        detected_by="start-script",
    ),
    branches=(Head(name="feature/moon", commit="b" * 40), Head(name="main", commit="a" * 40)),
    tags=(Head(name="v1.0", commit="c" * 40),),
    duration_ms=640,
)
NOT_FOUND = InspectionFailed(code="not-found", reason="The repository was not found, or needs credentials.")
BUILD_LOG = (
    "\x1b[1m$ uv sync --locked\x1b[0m",
    "Resolved 42 packages in \x1b[32m310ms\x1b[0m",
    "Prepared 40 packages in 1.92s",
    "\x1b[33mwarning:\x1b[0m `tzdata` is yanked (reason: wrong tables)",
    "Installed 42 packages in 61ms",
    *(f" \x1b[32m+\x1b[0m package-{number}==1.{number}.0" for number in range(1, 41)),
    "Collected static files: 214 copied, 0 unchanged.",
)


def coloured_lines() -> list[LogLine]:
    """Return lines in every colour that a terminal has, of every kind."""
    escape = "\x1b["
    colours = "".join(f"{escape}{one}mtext{escape}0m {escape}{one + 10}mtext{escape}0m " for one in range(30, 38))
    bright = "".join(f"{escape}{one}mtext{escape}0m {escape}{one + 10}mtext{escape}0m " for one in range(90, 98))
    styles = "".join(f"{escape}{one}mtext{escape}0m " for one in (1, 2, 3, 4, 7, 9, "38;5;208", "48;2;20;90;200"))
    texts: tuple[tuple[Stream, str], ...] = (
        ("note", "Fetching feature/refunds of https://git.example.com/harbour/shop"),
        ("out", colours),
        ("out", bright),
        ("out", styles),
        ("out", "Downloading 10 %\rDownloading 100 %"),
        ("err", f"{escape}31merror{escape}0m: Traceback (most recent call last):"),
        ("out", "<script>alert(1)</script> \N{RIGHT-TO-LEFT OVERRIDE}backwards " + "x" * 300),
    )
    begin = int(utc_now().timestamp()) * 1_000_000_000
    return [
        LogLine(time_ns=begin + number * 1_000_000, stream=stream, text=text)
        for number, (stream, text) in enumerate(texts)
    ]


async def harbour(story: DashboardStory) -> Mapping[str, DeploymentId]:
    """Tell of the team; return the ids by what they are of."""
    telling = _Harbour(story)
    await telling.shop_grows()
    await telling.shop_tries_refunds()
    await telling.shop_is_live()
    await telling.shop_has_domains()
    await telling.others_deploy()
    await telling.repositories_are_looked_into()
    await ManagingTokens(story.gateway).create(story.caller, "Nightly deploys", [Permission.DEPLOY])
    for deployment in (telling.told["shop-live"], telling.told["api-failed"]):
        await story.write_log(deployment, "build-1", *BUILD_LOG)
    await telling.crew_is_being_built()
    await story.settled()
    await telling.environments_were_probed()
    return telling.told


@dataclass
class _Harbour:
    """Its projects, one after the other."""

    story: DashboardStory
    told: dict[str, DeploymentId] = field(default_factory=dict)

    async def shop_grows(self) -> None:
        """Deploy its first four versions."""
        subjects = ("Start the shop", "Take orders", "Ship to islands too", "Send invoices")
        self.story.ago(days=12)
        for number, subject in enumerate(subjects, start=1):
            self.story.ago(days=12 - 2 * number)
            variables = {"DATABASE_URL": "postgres://db", "STRIPE_KEY": "sk"} if number == 1 else None
            version = await self.story.deploy("shop", subject=subject, author="Ada Lindqvist", variables=variables)
            await self.story.live(version)
            self.told[f"shop-{number}"] = version

    async def shop_tries_refunds(self) -> None:
        """Deploy to staging: it fails first, then goes live."""
        branch, environment, author = "feature/refunds", "staging", "Tomás Ruiz"
        self.story.ago(days=1)
        failed = await self.story.deploy(
            "shop", branch, subject="Refund in one click", author=author, environment=environment
        )
        await self.story.write(failed, "build-1", *coloured_lines())
        await self.story.fail(failed)
        self.story.ago(hours=7)
        tested = await self.story.deploy(
            "shop", branch, subject="Refund in one click, tested", author=author, environment=environment
        )
        await self.story.live(tested)
        self.told |= {"shop-failed": failed, "shop-staging": tested}

    async def shop_is_live(self) -> None:
        self.story.ago(minutes=42)
        self.told["shop-live"] = await self.story.deploy(
            "shop",
            subject="Show the delivery date before the payment",
            author="Ada Lindqvist",
            variables={"MAIL_FROM": "shop@example.com"},
            config=ConfigChange(limits=LimitsChange(memory_mib=768)),
        )
        await self.story.live(self.told["shop-live"])

    async def shop_has_domains(self) -> None:
        managing = ManagingDomains(self.story.gateway, "localhost")
        for host, environment in (("harbour.example", "production"), ("Bücher-und-Karten.harbour.example", "staging")):
            await managing.assign(self.story.caller, "shop", host, environment)
        await self.story.settled()

    async def others_deploy(self) -> None:
        """Deploy the pages, which go live, and the interface of the tides, which fails at last."""
        self.story.ago(days=3)
        self.told["docs"] = await self.story.deploy("docs", subject="Describe how refunds work", author="Mei Tanaka")
        await self.story.live(self.told["docs"])
        self.story.ago(hours=3)
        live = await self.story.deploy("tide-api", subject="Cache the tables of tides", author="Mei Tanaka")
        await self.story.live(live)
        self.story.ago(minutes=9)
        failed = await self.story.deploy("tide-api", subject="Upgrade to Python 3.13", author="Noor Haddad")
        await self.story.fail(failed)
        self.told |= {"api-live": live, "api-failed": failed}

    async def environments_were_probed(self) -> None:
        """Let the monitor have kept something of them: a lot, little, and trouble."""
        kept = {"shop-live": Probed(days=90), "shop-staging": Probed(days=1, gaps=True), "docs": Probed(days=3)}
        for name, probed in {**kept, "api-live": Probed(days=20, trouble=True)}.items():
            found = await self.story.gateway.rows.get(DEPLOYMENTS, self.told[name])
            assert found is not None
            probed.known_to(self.story.gateway, found.row.project, found.row.environment)

    async def repositories_are_looked_into(self) -> None:
        self.told["found"] = DeploymentId(await self.story.inspect(INSPECTED))
        self.told["unreadable"] = DeploymentId(await self.story.inspect(NOT_FOUND))
        self.told["looking"] = DeploymentId(await self.story.inspect(None))

    async def crew_is_being_built(self) -> None:
        """Build with a log that is longer than the window."""
        self.story.ago(seconds=20)
        self.told["crew"] = await self.story.deploy(
            "crew-rota", subject="Swap shifts with one tap", author="Noor Haddad"
        )
        await self.story.build(self.told["crew"])
        await self.story.write(self.told["crew"], "build-1", *(coloured_lines() * 20))
