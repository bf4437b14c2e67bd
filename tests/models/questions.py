"""Conversations of one question, which the tests of models ask."""

from diffing.types import Conversation, Message


def user(text: str) -> Conversation:
    return (Message("user", text),)


def users(count: int) -> list[Conversation]:
    return [user(f"question {i}") for i in range(count)]
