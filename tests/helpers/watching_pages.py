"""Waiting for a page of Gradio, and acting in it at a moment that a test might miss."""


def whole(page) -> None:
    """Wait until all of the page is there: after its parts, what is heard of videos is made."""
    page.wait_for_selector("#photo input[type=file]", state="attached")
    page.wait_for_selector("#film-card-status", state="attached")


def click_when(page, button: str, card: str, words: str) -> None:
    """Click a button as soon as it is shown and a card says words (a regular expression), however briefly that is: the
    page itself watches for it from now on, and `window.clicked` tells whether it has come."""
    page.evaluate(
        """([button, card, words]) => {
            window.clicked = false;
            new MutationObserver((_, watching) => {
                const shown = document.querySelector(button), said = document.querySelector(card)?.textContent ?? "";
                if (!shown?.checkVisibility() || !RegExp(words).test(said)) return;
                watching.disconnect();
                shown.click();
                window.clicked = true;
            }).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
        }""",
        [button, card, words],
    )
