"""What can be done with a result: link to it, download it, publish it, put it into a card, compare again."""

from diffing.view.share.share_components import share_part

__all__ = ["share_part"]
