"""Presets: named combinations of a reader model and an SAE that was trained on it. To add one, add an entry."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SaePreset:
    """A reader model with an SAE that was trained on it."""

    sae: str
    """The SAE as `release/sae_id` in the registry of sae-lens."""
    reader: str
    """The reader's id on the Hub."""
    note: str
    """A short description that helps to choose a preset."""
    gated: bool = False
    """Whether the reader is gated: its owner must grant access to each account."""


PRESETS = {
    "gpt2": SaePreset(
        "gpt2-small-res-jb/blocks.8.hook_resid_pre",
        "openai-community/gpt2",
        "base, 24,576 latents; smallest with labels; runs on a CPU",
    ),
    "pythia-70m": SaePreset(
        "pythia-70m-deduped-res-sm/blocks.4.hook_resid_post",
        "EleutherAI/pythia-70m-deduped",
        "base, 32,768 latents; runs on a CPU",
    ),
    "gemma-3-270m-it": SaePreset(
        "gemma-scope-2-270m-it-res/layer_12_width_16k_l0_medium",
        "google/gemma-3-270m-it",
        "smallest instruct reader; runs on a CPU",
        gated=True,
    ),
    "gemma-3-1b-it": SaePreset(
        "gemma-scope-2-1b-it-res/layer_13_width_16k_l0_medium", "google/gemma-3-1b-it", "Gemma Scope 2", gated=True
    ),
    "gemma-3-4b-it": SaePreset(
        "gemma-scope-2-4b-it-res/layer_17_width_65k_l0_medium", "google/gemma-3-4b-it", "Gemma Scope 2", gated=True
    ),
    "qwen2.5-7b": SaePreset(
        "qwen2.5-7b-instruct-andyrdt/resid_post_layer_15_trainer_1",
        "Qwen/Qwen2.5-7B-Instruct",
        "131,072 latents with labels",
    ),
    "llama-3.1-8b": SaePreset(
        "goodfire-llama-3.1-8b-instruct/layer_19",
        "meta-llama/Llama-3.1-8B-Instruct",
        "Goodfire, 65,536 latents",
        gated=True,
    ),
    "llama-3.3-70b": SaePreset(
        "goodfire-llama-3.3-70b-instruct/layer_50",
        "meta-llama/Llama-3.3-70B-Instruct",
        "Goodfire, the paper's",
        gated=True,
    ),
}
"""The presets by name, from the smallest reader to the largest."""
