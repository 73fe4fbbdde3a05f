"""The player's page, as its user sees it."""

import pytest

LOOKS = [
    (1280, "light"),
    (390, "dark"),
    pytest.param(1280, "dark", marks=pytest.mark.slow),
    pytest.param(390, "light", marks=pytest.mark.slow),
]
"""Widths and colours of a page; the first two have each of them once."""


class Player:
    """A page with the player, as its user sees it."""

    def __init__(self, page):
        self.page = page

    def press(self, key, times=1):
        for _ in range(times):
            self.page.keyboard.press(key)

    def text(self, selector):
        return self.page.inner_text(selector)

    @property
    def count(self):
        return self.text("#count")

    def facts(self):
        terms = self.page.locator("#facts dt").all_inner_texts()
        return dict(zip(terms, self.page.locator("#facts dd").all_inner_texts(), strict=True))

    def numbers(self):
        """What is written above and below each wire, by the place of the value."""
        return self.page.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll("g.value")].map((g) => {
                const text = (kind) => g.querySelector("text." + kind)?.textContent ?? "";
                return [g.id.slice(1), [text("data"), text("grad")]];
            }))"""
        )

    def marked(self, name):
        return self.page.evaluate(f"[...document.querySelectorAll('#canvas .{name}')].map((e) => e.id)")
