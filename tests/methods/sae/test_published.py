import json
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, Response

from diffing.methods.sae import published_labels
from diffing.models.cache import Store
from tests.methods.sae.test_method import make_pairs, method, parts  # noqa: F401 - the fixture
from tests.servers.openai_server import Body, OpenAIServer


def test_labels_beside_the_sae_are_used_with_their_source(parts: tuple[str, str]) -> None:  # noqa: F811
    file = Path(parts[1]) / published_labels.FILE
    file.write_text(json.dumps({"0": "the letter z", "5": "never active"}))
    try:
        discovery = method(parts).find_hypotheses(make_pairs(60))
    finally:
        file.unlink()
    rows = {row["index"]: (row["label"], row["label_source"]) for row in discovery.tables["features"]}
    assert rows == {0: ("the letter z", "labels.json"), 2: (None, None)}
    assert discovery.hypotheses[1].text.startswith(
        '<MODEL>\'s responses activate feature 0 ("the letter z") more often'
    )


@pytest.mark.parametrize("text", ["", "[]", "no json"])
def test_a_damaged_file_brings_none(text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / published_labels.FILE).write_text(text)
    assert published_labels.labels_of_folder(tmp_path, [1]) == {}
    assert "its labels are left out" in caplog.text


def test_explanations_are_fetched_once(tmp_path: Path) -> None:
    import threading
    import time

    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.routing import Route

    asked: list[str] = []

    def answer(request: Request) -> JSONResponse:
        asked.append(request.url.path)
        explained = [{"description": " greetings "}] if request.url.path.endswith("/7") else []
        return JSONResponse({"explanations": explained})

    app = Starlette(routes=[Route("/api/feature/{rest:path}", answer)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    store = Store(tmp_path / "store.sqlite")
    for _ in range(2):
        found = published_labels.labels_of_neuronpedia("gpt2-small/8-res-jb", [7, 9], store, url=url)
        assert found == {7: published_labels.PublishedLabel("greetings", "Neuronpedia")}
    assert asked == ["/api/feature/gpt2-small/8-res-jb/7", "/api/feature/gpt2-small/8-res-jb/9"]
    server.should_exit = True
    thread.join()


def test_out_of_reach_brings_none(caplog: pytest.LogCaptureFixture) -> None:
    assert published_labels.labels_of_neuronpedia("x/y", [1], None, url="http://127.0.0.1:9") == {}
    assert "Neuronpedia gives no labels for x/y (ConnectError)" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        "[" * 500 + "]" * 500,
        '{"explanations": ' + "[" * 100_000,
        "<html></html>",
        '{"explanations": "' + "x" * 9_000_000 + '"}',
    ],
    ids=lambda body: body[:20],
)
def test_what_cannot_be_read_brings_none_and_is_not_kept(
    body: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path / "store.sqlite")
    good = {"explanations": [{"description": None}, "odd", {"description": " greetings \ud800"}]}
    with OpenAIServer(lambda request: Response(json.dumps(good), media_type="application/json")) as server:
        server.fail_next(Body(body, "application/json"))
        assert published_labels.labels_of_neuronpedia("x/y", [1], store, url=server.url) == {}
        assert "Neuronpedia gives no labels for x/y" in caplog.text
        found = published_labels.labels_of_neuronpedia("x/y", [1], store, url=server.url)
    assert found == {1: published_labels.PublishedLabel("greetings ?", "Neuronpedia")}


@pytest.mark.parametrize("answer", [[], {}, {"explanations": 5}, {"explanations": [{"description": 5}]}, "text", None])
def test_an_answer_of_another_form_holds_no_label(answer: object) -> None:
    with OpenAIServer(lambda request: JSONResponse(answer)) as server:
        assert published_labels.labels_of_neuronpedia("x/y", [1], None, url=server.url) == {}
