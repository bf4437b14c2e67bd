"""Discussions and pull requests."""

import difflib
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.hub.answers import Refusal
from tests.hub.call import Call, route
from tests.hub.routes.repos import REPO
from tests.hub.store import MAIN, Repository, Signature
from tests.hub.talk import Discussion, Event
from tests.hub.webhooks import comment_of, envelope
from tests.hub.world import World

PAGE = 10


def routes(world: World) -> list[Route]:
    one = f"{REPO}/discussions/{{num}}"
    return [
        route(world, "GET", f"{REPO}/discussions", listing),
        route(world, "POST", f"{REPO}/discussions", create),
        route(world, "GET", one, details),
        route(world, "POST", f"{one}/comment", comment),
        route(world, "POST", f"{one}/comment/{{event}}/edit", edit_comment),
        route(world, "POST", f"{one}/comment/{{event}}/hide", hide_comment),
        route(world, "POST", f"{one}/status", change_status),
        route(world, "POST", f"{one}/title", rename),
        route(world, "POST", f"{one}/merge", merge),
    ]


def check_open_to_talk(repo: Repository) -> None:
    if repo.discussions_disabled:
        raise Refusal(403, "Discussions are disabled for this repo")


def open_discussion(call: Call, repo: Repository, title: str, text: str, *, base: str | None) -> Discussion:
    """A new one with its first comment; a pull request where `base` is given. Nothing is announced yet."""
    check_open_to_talk(repo)
    author, now = call.signed_in(), call.world.now()
    if not 3 <= len(title) <= 200:
        raise Refusal(400, "The title must have 3 to 200 characters")
    status = "open" if base is None else "draft"
    discussion = Discussion(len(repo.discussions) + 1, title, author, base is not None, status, now, base)
    discussion.say(author, now, text)
    repo.discussions.append(discussion)
    if base is not None:
        repo.refs[discussion.ref] = base
    return discussion


def _of(call: Call, repo: Repository) -> Discussion:
    check_open_to_talk(repo)
    num = call.part("num")
    found = repo.discussion(int(num)) if num.isdecimal() else None
    if found is None:
        raise Refusal(404, "Discussion not found")
    return found


def _shown(repo: Repository, discussion: Discussion) -> dict[str, Any]:
    return {
        "num": discussion.num,
        "title": discussion.title,
        "author": {"name": discussion.author, "type": "user"},
        "createdAt": discussion.created_at,
        "status": discussion.status,
        "isPullRequest": discussion.is_pull_request,
        "numComments": len(discussion.comments),
        "repo": {"name": repo.id, "type": repo.kind},
    }


def listing(call: Call) -> Response:
    repo = call.repo
    check_open_to_talk(repo)
    kind, status, author = (call.query.get(key) for key in ("type", "status", "author"))
    found = [
        each
        for each in reversed(repo.discussions)
        if kind in (None, "all", "pull_request" if each.is_pull_request else "discussion")
        and status in (None, "all", "open" if each.status in ("open", "draft") else "closed")
        and author in (None, each.author)
    ]
    start = int(call.query.get("p", 0)) * PAGE
    page = [_shown(repo, each) for each in found[start : start + PAGE]]
    return JSONResponse({"count": len(found), "start": start, "discussions": page})


def create(call: Call) -> Response:
    repo, asked = call.repo, call.json()
    base = repo.head if asked.get("pullRequest") else None
    discussion = open_discussion(call, repo, asked["title"], asked.get("description", ""), base=base)
    call.world.announce(repo, "create", "discussion", discussion)
    if base is not None:
        call.world.announce_push(repo, discussion.ref, None)
    return JSONResponse({"num": discussion.num, "pullRequest": discussion.is_pull_request})


def details(call: Call) -> Response:
    repo = call.repo
    discussion = _of(call, repo)
    shown = {**_shown(repo, discussion), "events": discussion.events}
    if discussion.is_pull_request:
        merged = {} if discussion.merge_commit is None else {"mergeCommitId": discussion.merge_commit}
        shown["changes"] = {"base": MAIN, **merged}
        shown["filesWithConflicts"] = [] if discussion.status == "merged" else repo.conflicts(discussion)
        if "diff" in call.query:
            shown["diff"] = _diff(repo, discussion)
    return JSONResponse(shown)


def _diff(repo: Repository, pull: Discussion) -> str:
    assert pull.base is not None
    before, text = repo.history[pull.base].tree, ""
    for path, entry in repo.changes(pull).items():
        sides = [
            [] if each is None else repo.blobs.read(each).decode("utf-8", "replace").splitlines(keepends=True)
            for each in (before.get(path), entry)
        ]
        text += f"diff --git a/{path} b/{path}\n"
        text += "".join(difflib.unified_diff(*sides, f"a/{path}", f"b/{path}"))
    return text


def comment(call: Call) -> Response:
    repo, author = call.repo, call.signed_in()
    event = _of(call, repo).say(author, call.world.now(), call.json()["comment"])
    _announce_comment(call, "create", event)
    return JSONResponse({"newMessage": event})


def _announce_comment(call: Call, action: str, event: Event) -> None:
    repo = call.repo
    discussion = _of(call, repo)
    about = comment_of(envelope(call.world.endpoint, repo, discussion), event)
    call.world.announce(repo, action, "discussion.comment", discussion, comment=about)


def _own_comment(call: Call) -> Event:
    author = call.signed_in()
    events = _of(call, call.repo).events
    event = next((e for e in events if e["id"] == call.part("event") and e["type"] == "comment"), None)
    if event is None:
        raise Refusal(404, "Comment not found")
    if event["author"]["name"] != author:
        raise Refusal(403, "This is a comment of somebody else")
    return event


def edit_comment(call: Call) -> Response:
    event = _own_comment(call)
    data, text = event["data"], call.json()["content"]
    data["history"].append(data["latest"])
    data["latest"] = {**data["latest"], "raw": text, "html": text, "updatedAt": call.world.now()}
    data["edited"] = True
    _announce_comment(call, "update", event)
    return JSONResponse({"updatedComment": event})


def hide_comment(call: Call) -> Response:
    event = _own_comment(call)
    event["data"]["hidden"] = True
    event["data"]["latest"] = {**event["data"]["latest"], "raw": "", "html": ""}
    _announce_comment(call, "update", event)
    return JSONResponse({"updatedComment": event})


def _author_or_writer(call: Call, discussion: Discussion) -> str:
    name = call.signed_in()
    return name if name == discussion.author else call.writer(call.repo)


def change_status(call: Call) -> Response:
    repo, asked = call.repo, call.json()
    discussion = _of(call, repo)
    author = _author_or_writer(call, discussion)
    if discussion.status == "merged":
        raise Refusal(400, "The pull request is merged")
    if asked.get("comment"):
        discussion.say(author, call.world.now(), asked["comment"])
    discussion.status = asked["status"]
    event = discussion.add("status-change", author, call.world.now(), {"status": discussion.status})
    call.world.announce(repo, "update", "discussion", discussion)
    return JSONResponse({"newStatus": event})


def rename(call: Call) -> Response:
    repo, title = call.repo, call.json()["title"]
    discussion = _of(call, repo)
    author = _author_or_writer(call, discussion)
    event = discussion.add("title-change", author, call.world.now(), {"from": discussion.title, "to": title})
    discussion.title = title
    call.world.announce(repo, "update", "discussion", discussion)
    return JSONResponse({"newTitle": event})


def merge(call: Call) -> Response:
    repo = call.repo
    pull = _of(call, repo)
    author = call.writer(repo)
    if not pull.is_pull_request or pull.status in ("closed", "merged"):
        raise Refusal(400, f"This cannot be merged: it is {pull.status}")
    if repo.conflicts(pull):
        raise Refusal(409, "There are conflicts: " + ", ".join(repo.conflicts(pull)))
    before = repo.head
    if (text := call.json().get("comment")) is not None:
        pull.say(author, call.world.now(), text)
    signature = Signature(author, call.world.now(), f"{pull.title} (#{pull.num})")
    pull.merge_commit = repo.commit(MAIN, repo.merged(pull), signature).sha
    pull.status = "merged"
    pull.add("status-change", author, call.world.now(), {"status": "merged"})
    call.world.announce(repo, "update", "discussion", pull)
    call.world.announce_push(repo, MAIN, before)
    return JSONResponse({"mergeCommitId": pull.merge_commit})
