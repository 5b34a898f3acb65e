"""A fault of the client of Gradio's page that costs answers on slow networks, mended in the browser. The parts of the
server that are replaced stand in page/server/gradio_patches.py.

Why: the server ends a stream of answers, with the message `close_stream`, when no other answer is due. The page may ask
for the next event before this message has come. Its client sees a stream that is still open and opens no other; then
the message comes, the stream ends, and the answer to that event waits on the server for ever. Here the message is kept
from the client while an answer is due, or will be, and the stream that it sees goes on with what the server sends next.
Needed: tests/page/test_late_close.py::test_a_verdict_comes_although_the_end_of_the_stream_before_is_late
Can go: when Gradio's client opens a stream again that was closed while it still waited for an event.
"""

KEEP_LISTENING = """() => {
    const ask = window.fetch;
    const due = new Set();  // events without an answer
    const early = new Set();  // events whose answer came before the receipt of the question
    let asking = 0;  // questions without a receipt
    const join = async (what, how) => {
        asking++;
        try {
            const receipt = await ask(what, how);
            const {event_id} = receipt.ok ? await receipt.clone().json() : {};
            if (event_id && !early.delete(event_id)) due.add(event_id);
            return receipt;
        } finally {
            asking--;
        }
    };
    window.fetch = async (what, how) => {
        const {pathname} = new URL(what.url ?? what, document.baseURI);
        if (pathname.endsWith("/queue/join")) return join(what, how);
        const answer = await ask(what, how);
        return answer.ok && pathname.endsWith("/queue/data") ? endless(answer, () => ask(what, how)) : answer;
    };
    const endless = (answer, askAgain) => {
        let reader;
        const open = ({body}) => { reader = body.pipeThrough(new TextDecoderStream()).getReader(); };
        const start = async shown => {
            open(answer);
            for (let rest = "", closed = false; ;) {
                const {done, value} = await reader.read();
                if (done && closed) {
                    open(await askAgain());
                    closed = false;
                    continue;
                }
                if (done) return shown.close();
                const messages = (rest + value).split("\\n\\n");
                rest = messages.pop();
                for (const message of messages) {
                    const {msg, event_id} = JSON.parse(message.slice("data:".length));
                    if (msg === "process_completed" && !due.delete(event_id)) early.add(event_id);
                    closed = msg === "close_stream" && due.size + asking > 0;
                    if (!closed) shown.enqueue(`${message}\\n\\n`);
                }
            }
        };
        const body = new ReadableStream({start, cancel: reason => reader.cancel(reason)});
        return new Response(body.pipeThrough(new TextEncoderStream()), answer);
    };
}"""
