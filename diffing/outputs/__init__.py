"""Writes reports for people and other programs: web page, pictures, files, Hub dataset and model card section.

The output packages do not import each other. They share only the modules in this folder, such as `phrasing`.
"""
