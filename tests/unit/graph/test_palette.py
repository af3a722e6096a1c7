"""Text and borders have the contrast that WCAG 2.2 asks for, on light and on dark pages."""

from __future__ import annotations

import pytest

from gen_infra.graph.model import COLUMNS
from gen_infra.graph.palette import DARK, LIGHT, Palette, tone_of
from tests.unit.graph.graphs import prod


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_and_borders_can_be_seen(palette: Palette) -> None:
    for text in (palette.ink, palette.muted):
        assert contrast(text, palette.paper) >= 4.5
    assert contrast(palette.line, palette.paper) >= 3
    for name, tone in palette.tones.items():
        for text in (palette.ink, palette.muted, tone.label):
            assert contrast(text, tone.fill) >= 4.5, (name, text)
        assert contrast(tone.stroke, palette.paper) >= 3, name


def test_both_palettes_have_every_tone() -> None:
    assert LIGHT.tones.keys() == DARK.tones.keys()
    drawn = prod()
    kinds = {node.kind: tone_of(node, drawn) for node in drawn.nodes}
    assert {*kinds.values()} <= LIGHT.tones.keys()
    assert {*kinds} <= {kind for column in COLUMNS for kind in column}
