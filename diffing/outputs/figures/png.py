"""A picture as PNG, for places that show no SVG, such as link previews. The same on every machine."""

from importlib.resources import as_file, files

from diffing.outputs.figures.svg import FONT


def png_of(svg: bytes) -> bytes:
    """The pixels of a picture's file, with the font of this package and no other, so that servers need none.

    Args:
        svg: What `Picture.file` or `preview` gives, in its size.
    """
    from resvg_py import svg_to_bytes

    with as_file(files(__package__).joinpath("fonts", "DejaVuSans.ttf")) as font:
        return svg_to_bytes(
            svg_string=svg.decode(), skip_system_fonts=True, font_files=[str(font)], font_family=FONT,
            sans_serif_family=FONT,
        )  # fmt: skip
