"""What a model string says, and that it is read and printed without a loss."""

import string
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffing.errors import SettingError
from diffing.model_ref import (
    ModelPlace,
    ModelRef,
    being_typed,
    by_providers,
    parse_local_spec,
    parse_spec,
    read_hub_link,
    read_ref,
    without_addresses,
    without_folders,
)

SHA, OTHER_SHA, DIGEST = "0123456789abcdef" * 2 + "01234567", "f" * 40, "0123456789ab"
WORDS = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=12)
REPOSITORIES = st.tuples(WORDS, WORDS).map("/".join)
REVISIONS = st.one_of(WORDS, st.sampled_from((SHA, "refs/pr/3", "v1.0")))
HOSTS = st.tuples(WORDS, st.integers(1, 65535), WORDS).map(lambda each: f"{each[0]}:{each[1]}/{each[2]}")
LOADING = st.sampled_from((None, "bfloat16", "4bit#bfloat16", "template=0123456789ab", "float16#one-at-a-time"))


def hub_refs(revisions: st.SearchStrategy[str | None]) -> st.SearchStrategy[ModelRef]:
    def with_adapter(base: ModelRef, adapter: ModelRef | None) -> ModelRef:
        return replace(base, adapter=adapter)

    part = st.builds(ModelRef, st.just(ModelPlace.HUB), REPOSITORIES, revisions)
    return st.builds(with_adapter, part, st.none() | part)


SERVED = st.builds(ModelRef, st.just(ModelPlace.PROVIDERS), REPOSITORIES, provider=st.none() | WORDS)
RECORDED = st.builds(ModelRef, st.just(ModelPlace.RECORDED), WORDS.map("{}.jsonl".format))
SPECS = st.one_of(
    hub_refs(st.none() | REVISIONS),
    hub_refs(st.none() | REVISIONS).map(lambda ref: replace(ref, marked=True)),
    SERVED,
    st.builds(ModelRef, st.just(ModelPlace.OPENAI), WORDS, address=st.none() | HOSTS.map("https://{}".format)),
    RECORDED,
    st.builds(ModelRef, st.just("toy"), WORDS),
)
FOLDERS = st.builds(ModelRef, st.just(ModelPlace.FOLDER), WORDS, st.just(DIGEST))
IDS = st.one_of(
    st.builds(replace, hub_refs(st.sampled_from((SHA, OTHER_SHA))) | FOLDERS, loading=LOADING),
    st.builds(lambda base, adapter: adapter.on(base), hub_refs(st.just(SHA)), FOLDERS),
    SERVED,
    st.builds(ModelRef, st.just(ModelPlace.OPENAI), WORDS, address=HOSTS),
    st.builds(replace, RECORDED, revision=st.just(DIGEST)),
    st.builds(ModelRef, st.just(ModelPlace.SCRIPTED), WORDS),
    st.builds(ModelRef, st.just(ModelPlace.NAMED), WORDS),
)


@given(SPECS)
def test_what_a_user_types_is_read_as_it_is_printed(ref: ModelRef) -> None:
    assert parse_spec(str(ref)) == ref
    assert str(parse_spec(str(ref))) == str(ref)


@given(IDS)
def test_an_id_in_a_report_is_read_as_it_is_printed(ref: ModelRef) -> None:
    assert read_ref(str(ref)) == ref
    assert str(read_ref(str(ref))) == str(ref)


@given(st.text(st.characters(codec=None, categories=None)) | st.text("ab/@+#:.~", max_size=20))
def test_any_text_is_an_id_and_keeps_every_letter(text: str) -> None:
    for form in ("", "openai:", "providers:", "recorded:", "scripted:", "local:"):
        ref = read_ref(form + text)
        assert str(ref) == form + text
        assert "#" not in str(ref.published) or not ref.runs_here
        called = (ref.short, ref.short_at_revision, ref.plain, ref.plain_at_commit, ref.source, *ref.repositories)
        assert all(isinstance(each, str) for each in (*called, str(ref.unpinned)))


@given(st.text(st.characters(codec=None, categories=None)) | st.text("ab/@+#:.~\n", max_size=20))
def test_a_spec_is_read_without_loss_or_refused_in_one_line(text: str) -> None:
    try:
        said = str(parse_spec(text))
    except SettingError as error:
        said = str(error)
    assert said == text or ("\n" not in said and len(said) < 400)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("", "A model is empty"),
        (" ", "A model is empty"),
        ("a\nb", "a control character"),
        ("org/name@", "is none of them"),
        (":x", "is none of them"),
        ("hub:org/name", "is none of them"),
        ("local:", "is none of them"),
        ("a" * 5000, "at most 4,095 bytes"),
    ],
)
def test_what_names_no_model_is_refused(spec: str, says: str) -> None:
    with pytest.raises(SettingError, match=says):
        parse_spec(spec)


def test_folders_and_files_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("tuned", "a+b@c", "org/name", "odd:name"):
        (tmp_path / name).mkdir(parents=True)
        for spec in (name, str(tmp_path / name)):
            ref = parse_spec(spec)
            assert (ref.place, ref.folder, str(ref)) == (ModelPlace.FOLDER, tmp_path / name, spec)
    assert str(parse_spec("local:tuned+org/adapter@v1")) == "local:tuned+org/adapter@v1"
    assert parse_local_spec("tuned+a+b@c").parts == (parse_spec("tuned"), parse_spec("a+b@c"))
    (tmp_path / "answers.jsonl").touch()
    recorded = parse_spec("recorded:answers.jsonl+missing.jsonl")
    assert (recorded.name, recorded.companion) == ("answers.jsonl", "missing.jsonl")
    assert str(recorded) == "recorded:answers.jsonl+missing.jsonl"
    assert recorded.source == "answers.jsonl+missing.jsonl"
    assert without_folders(f"recorded:{tmp_path}/answers.jsonl+q.jsonl") == "recorded:answers.jsonl+q.jsonl"


@pytest.mark.parametrize(
    ("model_id", "published", "short", "at_revision"),
    [
        (f"org/name@{SHA}#4bit#bfloat16", f"org/name@{SHA}", "name", "name@0123456"),
        (f"o/b@{SHA}+o/a@{OTHER_SHA}#bfloat16", f"o/b@{SHA}+o/a@{OTHER_SHA}", "b+a", "b@0123456+a@fffffff"),
        (f"tuned@{DIGEST}", f"tuned@{DIGEST}", "tuned", "tuned@0123456"),
        ("providers:org/name:groq", "providers:org/name:groq", "name", "name"),
        ("openai:org/name@localhost:8000/v1", "openai:org/name", "name", "name@localhost:8000/v1"),
        (f"recorded:answers.jsonl@{DIGEST}", f"recorded:answers.jsonl@{DIGEST}", "answers", "answers@0123456"),
        ("recorded:/x/answers.jsonl+/y/asked.jsonl", "recorded:/x/answers.jsonl+/y/asked.jsonl", "answers+asked",
         "answers+asked"),
        ("scripted:a#b", "scripted:a#b", "a#b", "a#b"),
        ("mistral:7b", "mistral:7b", "mistral:7b", "mistral:7b"),
    ],
)  # fmt: skip
def test_what_is_published_and_what_a_model_is_called(
    model_id: str, published: str, short: str, at_revision: str
) -> None:
    ref = read_ref(model_id)
    assert (str(ref.published), ref.short, ref.short_at_revision) == (published, short, at_revision)


@pytest.mark.parametrize(
    ("spec", "model_id", "expected"),
    [
        ("org/name", f"org/name@{SHA}#bfloat16", f"org/name@{SHA}"),
        ("gpt2", f"gpt2@{SHA}", f"gpt2@{SHA}"),
        ("local:org/name@main", f"org/name@{SHA}", f"org/name@{SHA}"),
        ("o/b+o/a", f"o/b@{SHA}+o/a@{OTHER_SHA}", f"o/b@{SHA}+o/a@{OTHER_SHA}"),
        ("tuned", f"tuned@{DIGEST}", None),
        ("o/b+tuned", f"o/b@{SHA}+tuned@{DIGEST}", None),
        ("org/other", f"org/name@{SHA}", None),
        ("recorded:org/name", f"org/name@{SHA}", None),
        ("providers:org/name", "providers:org/name:auto", None),
    ],
)
def test_a_command_gives_the_commit_that_was_found(spec: str, model_id: str, expected: str | None) -> None:
    pinned = read_ref(spec).pinned_to(read_ref(model_id))
    assert (None if pinned is None else str(pinned)) == expected


def test_an_adapter_takes_the_revision() -> None:
    adapted = read_ref("org/tuned").on(read_ref(f"org/base@{SHA}"))
    assert str(adapted.at("v2")) == f"org/base@{SHA}+org/tuned@v2"
    assert str(adapted.at(OTHER_SHA).loaded("bfloat16").unpinned) == "org/base+org/tuned#bfloat16"


def test_text_that_names_models_among_other_things() -> None:
    assert being_typed("org/base+org/na@v") == ("org/base+", "org/na")
    assert being_typed(" providers:org/na") == (" providers:", "org/na")
    assert by_providers("org/name:groq") == "providers:org/name:groq"
    raters = "openai:a@http://h:1/v1, openai:b@2024@https://user.example/v1, org/c@v1"
    assert without_addresses(raters) == "openai:a, openai:b@2024, org/c@v1"
    same = "providers:a, openai:, openai:@https://h, x@https://h"
    assert without_addresses(same) == same
    assert without_addresses("x=openai:a@https://h@https://k openai:openai:b@http://h") == "x=openai:a openai:openai:b"


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("https://huggingface.co/org/name", "org/name"),
        (" http://www.huggingface.co/org/name/ ", "org/name"),
        ("hf.co/org/name?library=transformers#card", "org/name"),
        ("HuggingFace.co/models/org/name", "org/name"),
        ("https://huggingface.co/org/name/tree/main", "org/name"),
        ("https://huggingface.co/org/name/tree/v1.0", "org/name@v1.0"),
        ("huggingface.co/org/name/blob/refs%2Fpr%2F3/config.json", "org/name@refs/pr/3"),
        ("huggingface.co/org/name/resolve/refs/pr/3/config.json", "org/name@refs/pr/3"),
        (f"https://hf.co/org/name/commit/{SHA}", f"org/name@{SHA}"),
        ("https://huggingface.co/org/name/discussions/4", "org/name"),
    ],
)
def test_a_link_to_a_model_is_read_as_its_name(link: str, name: str) -> None:
    ref = read_hub_link(link)
    assert ref == parse_spec(name)
    assert str(ref) == name


@pytest.mark.parametrize(
    "text", ["org/name", "name", "", "huggingface/transformers", "openai:m@https://host/v1", "a b"]
)
def test_what_is_no_link_is_not_read_as_one(text: str) -> None:
    assert read_hub_link(text) is None


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("https://huggingface.co/datasets/org/name", "This is a link to a dataset: expected a link to a model"),
        ("hf.co/spaces/org/name", "This is a link to a Space: expected a link to a model"),
        ("https://example.com/org/name", "This is not a link to the Hugging Face Hub"),
        ("https://huggingface.co/org", "This link names no model"),
        ("https://huggingface.co/org/na%20me", "This link names no model"),
        ("https://huggingface.co/org/name/tree/a%0Ab", "This link names no revision of the model"),
        ("https://huggingface.co/org/name/tree/..", "This link names no revision of the model"),
    ],
)
def test_a_link_to_something_else_is_refused_in_one_line(link: str, told: str) -> None:
    with pytest.raises(SettingError) as refused:
        read_hub_link(link)
    assert str(refused.value).startswith(told)
    assert "\n" not in str(refused.value)


def test_only_a_model_of_the_hub_has_a_page_there() -> None:
    hub = "https://huggingface.co"
    assert read_ref(f"org/name@{SHA}").hub_page == f"{hub}/org/name/tree/{SHA}"
    assert read_ref("org/name").hub_page == f"{hub}/org/name"
    assert read_ref(f"org/base@{SHA}+org/adapter@{OTHER_SHA}").hub_page == f"{hub}/org/adapter/tree/{OTHER_SHA}"
    assert read_ref("providers:org/name:together").hub_page == f"{hub}/org/name"
    for elsewhere in (f"base@{DIGEST}", f"org/name@{DIGEST}", "gpt2", "recorded:org/answers", "openai:org/name"):
        assert read_ref(elsewhere).hub_page is None, elsewhere
