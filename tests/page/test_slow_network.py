"""What the tab of one photograph says while a slow network keeps the server's first answer, in a real browser."""

import pytest
from photo_tab import REAL, VERDICT, answer, upload

from page import texts

SAID = """() => {
    window.said = [];
    const region = document.getElementById("card-status");
    new MutationObserver(() => window.said.push(region.textContent)).observe(region, {childList: true});
}"""


@pytest.mark.gradio
def test_a_photograph_is_said_to_be_judged_before_the_server_has_answered(first_tab):
    page, held, slow = first_tab, [], True
    page.locator("#card-status").wait_for(state="attached")
    page.evaluate(SAID)
    page.route("**/queue/join*", lambda route: held.append(route) if slow else route.continue_())
    with page.expect_request("**/queue/join*"):
        upload(page, REAL)
    page.locator("#card h2").get_by_text(texts.PHOTO_JUDGING).wait_for()
    assert held  # the question has not reached the server
    slow = False
    for route in held:
        route.continue_()
    assert VERDICT.search(answer(page))
    told = page.evaluate("window.said")
    assert len(told) == 2 and told[0].startswith(texts.PHOTO_JUDGING), told
