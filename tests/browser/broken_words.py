"""Words of tables that are broken inside or cut off."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Page

FIND: Final = """() => {
    const WORD = /[^\\s\\u2e80-\\u9fff\\uff00-\\uffef\\u200b]+/g;
    // Ids and foreign texts may be longer than a phone is wide.
    const LONGEST = 24;
    const faults = [];
    const cells = "table td, table th, .card-row, .two-lines > *";
    const isForeign = "code, pre, .raw, .id, [data-breaks]";
    for (const cell of document.querySelectorAll(cells)) {
        if (!cell.checkVisibility({visibilityProperty: true})) continue;
        const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        for (let node = texts.nextNode(); node; node = texts.nextNode()) {
            const holder = node.parentElement;
            if (holder.closest("td, th") !== cell.closest("td, th")) continue;
            if (holder.closest(`.material-symbols-outlined, .sr-only, svg, ${isForeign}`)) continue;
            if (!holder.checkVisibility({visibilityProperty: true})) continue;
            // Chinese may break between any two characters, so a word is what is not Chinese.
            for (const word of node.data.matchAll(WORD)) {
                if (word[0].length > LONGEST) continue;
                const range = document.createRange();
                range.setStart(node, word.index);
                range.setEnd(node, word.index + word[0].length);
                const lines = [...range.getClientRects()].filter((line) => line.width > 1);
                const tops = new Set(lines.map((line) => Math.round(line.top / 4)));
                // A hyphen, a slash and the like let a line end.
                const breaks = word[0].split(/(?<=[-\\/?–—…])/).length;
                if (tops.size > breaks) faults.push(`broken: ${word[0]} (${cell.className})`);
            }
        }
        // What ends in "…" is meant to, and is whole on its own page.
        if (getComputedStyle(cell).textOverflow !== "ellipsis"
            && !cell.querySelector(".cut, .truncate")
            && getComputedStyle(cell).overflowX !== "visible"
            && cell.clientWidth && cell.scrollWidth > cell.clientWidth + 1)
            faults.push(`clipped: ${cell.innerText.trim().slice(0, 60)} (${cell.className})`);
    }
    return [...new Set(faults)];
}"""


def broken_words(page: Page) -> list[str]:
    found: list[str] = page.evaluate(FIND)
    return found
