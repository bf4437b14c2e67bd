"""Opens a published crosscoder; its layout is recognised by the keys of its weights, never by a name."""

from diffing.errors import ModelError
from diffing.methods.crosscoder.published import dictionary_learning, model_diffing, saved_here
from diffing.methods.crosscoder.published.contents import PublishedContents, read_contents
from diffing.methods.crosscoder.published.layout import PublishedWeights
from diffing.methods.crosscoder.published.location import FilesBelow, find_files
from diffing.methods.inside.kept_dictionaries import DIFFERENCE


def read_published(spec: str, *, allow_pickle: bool = False) -> PublishedWeights:
    """Opens a published crosscoder.

    Args:
        spec: `org/name[@revision][/folder]` of the Hub, or a folder.
        allow_pickle: Whether pickles may be opened; even then only tensors are read from them.

    Raises:
        SettingError: The spec names nothing, the weights are a pickle without consent, or not one file is there.
        ModelError: The files are damaged, or hold no crosscoder of a known layout.
        HubError: The Hub refuses or cannot be reached.
    """
    files = find_files(spec)
    contents = read_contents(files, allow_pickle=allow_pickle)
    if saved_here.recognises(contents):
        below = FilesBelow(files, DIFFERENCE)
        return saved_here.read(contents, read_contents(below, allow_pickle=False) if below.sizes() else None)
    return _read(contents)


def _read(contents: PublishedContents) -> PublishedWeights:
    keys = set(contents.tensors)
    if dictionary_learning.recognises(keys):
        return dictionary_learning.read(contents)
    if model_diffing.recognises(keys):
        return model_diffing.read(contents)
    some = ", ".join(sorted(keys)[:3])
    raise ModelError(
        f"{contents.name} holds no crosscoder of a known layout: expected weights such as encoder.weight or W_enc, got "
        f"{some or 'none'!r:.150}. Name another one"
    )
