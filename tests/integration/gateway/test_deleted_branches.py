"""A branch that is deleted at GitHub: its address is told to go, once, where it has one; all else is explained."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from support.github_scene import Scene, scene
from support.github_sender import REPOSITORY, Payload, deleted_branch, payload, push
from windlass_contracts.events import AliasesChanged, BranchDeleted
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_gateway.application.projections import DEPLOYMENTS

FEATURE = "feature/x"


async def previewed(here: Scene) -> UUID:
    """Return what is live at the address of a branch."""
    await here.api("PUT", "/projects/shop/environments/preview", {"branches": ["feature/*"]})
    answer = await here.github.deliver(push(FEATURE))
    deployment = UUID(answer.json()["projects"][0]["deployment"])
    await here.gateway.make_live(deployment, "shop--preview")
    await point(here, deployment)
    return deployment


async def point(here: Scene, deployment: UUID, why: str = "cutover", *, gone: bool = False) -> None:
    found = await here.gateway.rows.get(DEPLOYMENTS, deployment)
    assert found is not None
    alias = Alias(kind="branch", name="shop--git--feature-x--0a1b2c3d", environment=found.row.environment)
    identity = DeploymentId(deployment)
    move = AliasMove(alias=alias, before=identity) if gone else AliasMove(alias=alias, after=identity)
    key = AggregateKey.of_project(found.row.team, found.row.project, Aggregate.ROUTES)
    await here.gateway.append(key, AliasesChanged(why=why, moves=(move,)))


def deletions(here: Scene) -> list[BranchDeleted]:
    events = [here.gateway.log.at(number).event for number in range(1, here.gateway.log.length + 1)]
    return [event for event in events if isinstance(event, BranchDeleted)]


def delete_event(ref: str, kind: str = "branch") -> Payload:
    return {"ref": ref, "ref_type": kind, "repository": payload("push")["repository"]}


async def page_of(here: Scene, deployment: UUID) -> str:
    async with here.gateway.browser() as browser:
        return (await browser.get(f"/deployments/{deployment}")).text


async def test_the_address_of_a_deleted_branch_is_told_to_go_once_however_often_that_is_delivered() -> None:
    delivery = str(uuid4())
    async with scene() as here:
        deployment = await previewed(here)
        first = await here.github.deliver(deleted_branch(FEATURE), delivery=delivery)
        again = await here.github.deliver(deleted_branch(FEATURE), delivery=delivery)
        by_event = await here.github.deliver(delete_event(FEATURE), "delete")
        page = await page_of(here, deployment)
    assert {one.status_code for one in (first, again, by_event)} == {202}
    assert deletions(here) == [BranchDeleted(branch=FEATURE)]
    (outcome,) = first.json()["projects"]
    assert outcome["outcome"] == "address-goes"
    goes_at = datetime.fromisoformat(outcome["until"])
    assert abs(goes_at - here.gateway.now() - timedelta(hours=1)) < timedelta(minutes=1)
    assert f"The branch {FEATURE} was deleted" in page


async def test_a_branch_that_is_pushed_again_keeps_its_address_and_may_be_deleted_again() -> None:
    async with scene() as here:
        deployment = await previewed(here)
        await here.github.deliver(deleted_branch(FEATURE))
        await here.github.deliver(push(FEATURE))
        page = await page_of(here, deployment)
        await here.github.deliver(deleted_branch(FEATURE))
    assert "was deleted" not in page
    assert len(deletions(here)) == 2


async def test_a_branch_whose_first_deployment_is_under_way_is_told_to_go_too() -> None:
    async with scene() as here:
        await here.api("PUT", "/projects/shop/environments/preview", {"branches": ["feature/*"]})
        await here.github.deliver(push(FEATURE))
        answer = await here.github.deliver(deleted_branch(FEATURE))
    assert answer.status_code == 202
    assert len(deletions(here)) == 1


async def test_an_address_that_is_gone_is_shown_no_more() -> None:
    async with scene() as here:
        deployment = await previewed(here)
        await here.github.deliver(deleted_branch(FEATURE))
        await point(here, deployment, "branch-deleted", gone=True)
        page = await page_of(here, deployment)
    assert "was deleted" not in page


@pytest.mark.parametrize(
    ("content", "event", "why"),
    [
        (deleted_branch("other"), "push", "no address here"),
        (delete_event("other"), "delete", "no address here"),
        (delete_event("v1", "tag"), "delete", "The tag v1"),
        (delete_event("a..b"), "delete", "none that Git allows"),
        (delete_event("x", "note"), "delete", None),
        ({"ref": "x"}, "delete", None),
    ],
)
async def test_what_gives_up_no_address_is_explained_and_nothing_is_appended(
    content: Any,  # noqa: ANN401 - JSON
    event: str,
    why: str | None,
) -> None:
    async with scene() as here:
        await previewed(here)
        end = here.gateway.log.length
        answer = await here.github.deliver(content, event)
    assert here.gateway.log.length == end
    assert answer.status_code == (422 if why is None else 200)
    assert (why or "") in answer.text


async def test_every_project_of_the_repository_answers_for_itself() -> None:
    async with scene("shop", "site", git=REPOSITORY) as here:
        await previewed(here)
        answer = await here.github.deliver(deleted_branch(FEATURE))
    assert [one["outcome"] for one in answer.json()["projects"]] == ["address-goes", "ignored"]
    assert "shop" in answer.json()["sentence"]
