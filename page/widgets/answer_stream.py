"""Faults of the client of Gradio's page that cost answers on slow and broken networks, mended in the browser. The parts
of the server that are replaced stand in page/server/gradio_patches.py.

Why: the server ends a stream of answers, with the message `close_stream`, when no other answer is due. The page may ask
for the next event before this message has come. Its client sees a stream that is still open and opens no other; then
the message comes, the stream ends, and the answer to that event waits on the server for ever. The client also takes a
stream that ends without this message, as a proxy may cut it, for one that is still open; and it opens one for an event
whose answer it has, which the server never ends.
Here the client gets one stream for as long as an answer is due, or will be, which goes on with what the server sends
next, and always ends with `close_stream`. Where the server cannot be reached, or the stream is cut, upon which the
server gives up what it was to answer, the client is told first that every event that is due has failed.
Needed: tests/page/test_late_close.py::test_a_verdict_comes_although_the_end_of_the_stream_before_is_late, and
test_a_stream_that_breaks_is_told_and_the_next_photograph_is_judged there.
Can go: when Gradio's client opens a stream again that was closed or cut while it still waited for an event.
"""

import json

from page import texts

KEEP_LISTENING = """() => {
    const PAUSES = [500, 1500, 4000];  // milliseconds, before the server is asked for a stream again that it refused
    const ask = window.fetch;
    const due = new Set();  // events without an answer
    const early = new Set();  // events whose answer came before the receipt of the question
    const receipts = new EventTarget();
    let asking = 0;  // questions without a receipt
    let seen = false;  // whether there was a question: a visitor may be quicker than this script
    const join = async (what, how) => {
        asking++;
        seen = true;
        try {
            const receipt = await ask(what, how);
            const {event_id} = receipt.ok ? await receipt.clone().json() : {};
            if (event_id && !early.delete(event_id)) due.add(event_id);
            return receipt;
        } finally {
            asking--;
            receipts.dispatchEvent(new Event("receipt"));
        }
    };
    const isAnyDue = async () => {
        while (asking && !due.size)
            await new Promise(resolve => receipts.addEventListener("receipt", resolve, {once: true}));
        return due.size > 0;
    };
    const reached = async (what, how) => {
        for (let tries = 0; ; tries++) {
            try {
                const answer = await ask(what, how);
                if (answer.ok) return answer;
                throw new Error(`The server refused a stream of answers: ${answer.status}`);
            } catch (fault) {
                if (what.signal?.aborted || tries === PAUSES.length) throw fault;
            }
            await new Promise(resolve => setTimeout(resolve, PAUSES[tries]));
        }
    };
    // Shows the client what the server sends, but for the end; throws where that is not the server's own.
    const passOn = async ({body}, show) => {
        const reader = body.pipeThrough(new TextDecoderStream()).getReader();
        for (let rest = "", closed = false; ;) {
            const {done, value} = await reader.read();
            if (done && closed) return;
            if (done) throw new Error("A stream of answers was cut");
            const messages = (rest + value).split("\\n\\n");
            rest = messages.pop();
            for (const message of messages) {
                const {msg, event_id, message: why} = JSON.parse(message.slice("data:".length));
                if (msg === "unexpected_error") throw new Error(`The server has given up: ${why}`);
                if (msg === "process_completed" && !due.delete(event_id)) early.add(event_id);
                closed = msg === "close_stream";
                if (!closed) show(message);
            }
        }
    };
    const listen = async (what, how, show) => {
        const tell = said => show(`data: ${JSON.stringify(said)}`);
        try {
            while (await isAnyDue()) await passOn(await reached(what, how), show);
        } catch (fault) {
            if (what.signal?.aborted) throw fault;
            console.error(fault);
            const output = {error: FAILED, visible: true};
            for (const event_id of due) tell({msg: "process_completed", event_id, success: false, output});
            due.clear();
        }
        tell({msg: "close_stream", event_id: null});
    };
    window.fetch = async (what, how) => {
        const {pathname} = new URL(what.url ?? what, document.baseURI);
        if (pathname.endsWith("/queue/join")) return join(what, how);
        if (!seen || !pathname.endsWith("/queue/data")) return ask(what, how);
        const start = async shown => {
            await listen(what, how, message => shown.enqueue(`${message}\\n\\n`));
            shown.close();
        };
        const body = new ReadableStream({start}).pipeThrough(new TextEncoderStream());
        return new Response(body, {headers: {"Content-Type": "text/event-stream"}});
    };
}""".replace("FAILED", json.dumps(texts.SERVER_FAILED))
