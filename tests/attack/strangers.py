"""Tokens that do not hold, and callers who may not: nothing opens, nothing is told."""

from tests.attack.report import Result
from tests.integration.app import test_authorisation as rights
from tests.integration.app.people import World
from tests.integration.app.test_tokens import BAD, Forge


async def forged_tokens(world: World) -> Result:
    """Call with every token that does not hold."""
    result = Result("forged and malformed tokens")
    ann = await world.person("forged")
    for name, make in BAD.items():
        said = {"Authorization": f"Bearer {make(Forge(world.stack, ann.user_id))}"}
        for method, path in (("GET", "/api/me"), ("GET", "/api/conversations")):
            reply = await world.call(method, path, headers=said)
            result.saw(str(reply.status))
            result.require(reply.status == 401, f"{name}: {method} {path} is {reply.status}")
            result.require(b"Traceback" not in reply.body, f"{name}: a traceback in the answer")
    return result


async def missing_rights(world: World) -> Result:
    """Make every call in every role, former members, strangers and the blocked among them."""
    result = Result("every call in every role")
    scenes = await rights.scenes(world)
    for role in ("anonymous", "stranger", "former", "blocked", "member", "owner"):
        for row in rights.ROWS:
            expected = row.results.split()[rights.ROLES.index(role)]
            answer = await row.ask(scenes[role])
            result.saw(answer)
            result.require(answer == expected, f"{row.function} as {role}: {answer}")
    return result
