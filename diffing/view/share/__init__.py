"""The actions for a result: link to it, download it, publish it, write it into a model card, or compare again."""

from diffing.view.share.share_components import share_part

__all__ = ["share_part"]
