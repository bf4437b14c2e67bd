"""Parses and prints the strings that name models, such as `org/name@revision`, `base+adapter` or `openai:name@URL`."""

from diffing.model_ref.hub_links import read_hub_link
from diffing.model_ref.parse import (
    as_asked_again,
    by_providers,
    is_recorded,
    is_remote,
    local_parts,
    parse_local_spec,
    parse_recorded_spec,
    parse_spec,
    read_ref,
)
from diffing.model_ref.ref import ModelPlace, ModelRef, is_hub_name
from diffing.model_ref.text import (
    being_typed,
    file_name_of,
    possible_paths,
    without_addresses,
    without_folders,
    without_revision,
)

__all__ = [
    "ModelPlace",
    "ModelRef",
    "as_asked_again",
    "being_typed",
    "by_providers",
    "file_name_of",
    "is_hub_name",
    "is_recorded",
    "is_remote",
    "local_parts",
    "parse_local_spec",
    "parse_recorded_spec",
    "parse_spec",
    "possible_paths",
    "read_hub_link",
    "read_ref",
    "without_addresses",
    "without_folders",
    "without_revision",
]
