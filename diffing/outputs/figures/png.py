"""Converts an SVG picture to PNG, for places that show no SVG, such as link previews.

The result is the same on every machine.
"""

from importlib.resources import as_file, files

from diffing.outputs.figures.svg import FONT


def png_of(svg: bytes) -> bytes:
    """Renders an SVG file as PNG, with only the font of this package, so that servers need no fonts.

    Args:
        svg: A file from `preview`; the PNG has its size.
    """
    from resvg_py import svg_to_bytes

    with as_file(files(__package__).joinpath("fonts", "DejaVuSans.ttf")) as font:
        return svg_to_bytes(
            svg_string=svg.decode(), skip_system_fonts=True, font_files=[str(font)], font_family=FONT,
            sans_serif_family=FONT,
        )  # fmt: skip
