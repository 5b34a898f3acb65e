"""Networks on which the word that a stream of answers is closed comes late, or on which streams break, in a real
browser."""

from collections.abc import Iterator

import pytest
from photo_tab import REAL, VERDICT, answer, answered, remove, upload
from stream_proxy import TELL_RECEIPTS, StreamProxy
from waiting import PATIENCE

from page import texts
from page.widgets.answer_stream import KEEP_LISTENING

# A server that answers what is asked, in this order, and with a stream that never ends where nothing more is due; gives
# what the client reads of two streams. Events "a" and "b" are asked for before them; the receipt of "b" may come only
# when its answer has been read.
CLIENT = """async ([script, streams, late, patience]) => {
    const event = said => "data: " + JSON.stringify(said) + "\\n\\n";
    const ids = ["a", "b"];
    let give;
    const given = new Promise(resolve => { give = resolve; });
    window.fetch = async address => {
        if (!address.endsWith("/queue/join"))
            return new Response(streams.length ? streams.shift().map(event).join("") : new ReadableStream());
        const event_id = ids.shift();
        if (late && event_id === "b") await given;
        return new Response(JSON.stringify({event_id}));
    };
    eval(`(${script})()`);
    const read = async () => {
        const found = [], reader = (await fetch("https://page/queue/data")).body.getReader();
        for (let part; !(part = await reader.read()).done;) {
            const said = JSON.parse(new TextDecoder().decode(part.value).slice("data:".length));
            found.push(said.msg + (said.output?.error ? " with an error" : ""));
            if (said.event_id === "b") give();
        }
        return found;
    };
    const join = () => fetch("https://page/queue/join");
    await join();
    const receipt = join();
    if (!late) await receipt;
    const tired = new Promise((_, fail) => setTimeout(() => fail(new Error("A stream does not end")), patience));
    return Promise.race([tired, (async () => [await read(), await receipt.then(read)])()]);
}"""
DONE_A, DONE_B, END = (
    {"msg": "process_completed", "event_id": "a", "output": {}},
    {"msg": "process_completed", "event_id": "b", "output": {}},
    {"msg": "close_stream", "event_id": None},
)
GIVEN_UP = {"msg": "unexpected_error", "event_id": None, "message": "404: Not Found"}


@pytest.fixture
def network(server) -> Iterator[StreamProxy]:
    with StreamProxy(server[0]).running() as proxy:
        yield proxy


@pytest.fixture
def page(network, browser):
    page = browser.new_page()
    page.add_init_script(TELL_RECEIPTS)
    page.goto(network.url)
    page.wait_for_selector("#photo input[type=file]", state="attached")
    yield page
    page.close()


def judge_another(page):
    remove(page)
    page.locator("#card h2").wait_for(state="detached")
    upload(page, REAL)
    assert VERDICT.search(answer(page))


@pytest.mark.gradio
def test_a_verdict_comes_although_the_end_of_the_stream_before_is_late(page):
    upload(page, REAL)  # whose second question finds that the client still opens streams
    assert VERDICT.search(answer(page))
    judge_another(page)


@pytest.mark.gradio
def test_a_stream_that_is_refused_once_is_asked_for_again(page, network):
    network.refused = {2}
    upload(page, REAL)
    assert VERDICT.search(answer(page)) and network.streams > 2


@pytest.mark.gradio
@pytest.mark.parametrize(("how", "streams"), [("refused", range(2, 6)), ("cut", [2]), ("cut", [1])])
def test_a_stream_that_breaks_is_told_and_the_next_photograph_is_judged(page, network, how, streams):
    setattr(network, how, set(streams))
    page.evaluate("window.sameVisit = true")
    upload(page, REAL)
    assert texts.FAILED in answer(page) and texts.SERVER_FAILED in answered(page).inner_text()
    judge_another(page)
    assert page.evaluate("window.sameVisit") and network.streams > max(streams)


@pytest.mark.parametrize(
    ("streams", "late", "read"),
    [
        ([[DONE_A, END], [DONE_B, END]], False, ["process_completed", "process_completed", "close_stream"]),
        ([[DONE_A, DONE_B, END]], True, ["process_completed", "process_completed", "close_stream"]),
        ([[DONE_A]], False, ["process_completed", "process_completed with an error", "close_stream"]),
        ([[DONE_A, END], [GIVEN_UP]], False, ["process_completed", "process_completed with an error", "close_stream"]),
        ([[DONE_A, DONE_B]], False, ["process_completed", "process_completed", "close_stream"]),
    ],
    ids=["an answer is due", "the receipt comes last", "cut", "given up", "cut when nothing is due"],
)
def test_a_stream_goes_on_while_an_answer_is_due_and_no_longer(browser, streams, late, read):
    page = browser.new_page()
    found = page.evaluate(CLIENT, [KEEP_LISTENING, streams, late, 1000 * PATIENCE])
    assert found == [read, ["close_stream"]]  # of the second stream, for which nothing is due
    page.close()
