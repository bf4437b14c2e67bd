"""Trains for two steps and pushes, as a script of a user does. `python -m tests.annotate.trains FOLDER PROMPTS`."""

import logging
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

from diffing import annotate_on_push
from diffing.annotate.settings import AnnotatorSettings
from diffing.annotate.trainer_integration import annotation_callback


def arguments(folder: Path, name: str) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(folder / name),
        hub_model_id=f"alice/{name}",
        push_to_hub=True,
        max_steps=2,
        save_strategy="steps",
        save_steps=2,
        save_only_model=True,
        per_device_train_batch_size=2,
        learning_rate=1e-3,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )


def main(folder: Path, prompts: Path) -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    torch.set_num_threads(1)
    drawn = {"prompts": str(prompts), "max_new_tokens": 8, "temperature": 0.8}
    settings = AnnotatorSettings(card="commit", run=drawn, folder=str(folder / "state"))
    refused = AnnotatorSettings(card="commit", run=drawn, folder=str(folder / "state"), namespace="mallory")
    tokenizer = AutoTokenizer.from_pretrained("alice/base")
    ids = tokenizer("What a good question that is, and how good it is to be asked.", return_tensors="pt").input_ids[0]
    rows = [{"input_ids": ids, "labels": ids} for _ in range(4)]

    def trainer(name: str, *callbacks: object) -> Trainer:
        model = AutoModelForCausalLM.from_pretrained("alice/base")
        return Trainer(
            model, arguments(folder, name), train_dataset=rows, processing_class=tokenizer, callbacks=list(callbacks)
        )

    pushing = trainer("pushed")
    pushing.train()
    annotate_on_push(pushing, settings)
    pushing.push_to_hub()
    trainer("trained", annotation_callback(settings)).train()
    failing = trainer("refused", annotation_callback(refused))
    failing.train()
    print("the training went on")  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
