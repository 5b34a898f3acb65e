"""How programs call each endpoint, in words and as snippets that work as they are pasted."""

import json
import re
import shlex
from typing import NamedTuple
from urllib.parse import quote

from page import texts


class Call(NamedTuple):
    """What a call of an endpoint needs."""

    name: str  # of the endpoint, without the slash
    parameter: str  # that takes the file
    file: str  # what a file of the program's own is called here
    several: bool = False  # whether it takes a list of files

    def listed(self, value: str) -> str:
        """A value as the parameter takes it, in any of the languages."""
        return f"[{value}]" if self.several else value


CALLS = {
    call.name: call
    for call in (
        Call("predict", "image", "photo.jpg"),
        Call("analyze", "image", "photo.jpg"),
        Call("analyze_batch", "images", "photo.jpg", True),
        Call("analyze_video", "video", "clip.mp4"),
    )
}
# {address} is the page's, with a slash at its end, {api} that of its API, {url} that of a file of the page, each as a
# literal of the language; {name} and {parameter} are those of the endpoint, {value} its file, or a list of it, in the
# language, {file} the name under which it is kept.
PYTHON = """from gradio_client import Client, handle_file

client = Client({address})
result = client.predict(
    {parameter}={value},
    api_name="/{name}",
)
print(result)
"""
JAVASCRIPT = """import { Client } from "@gradio/client";

const client = await Client.connect({address});
const file = await (await fetch({url})).blob();
const { data } = await client.predict("/{name}", { {parameter}: {value} });
console.log(data[0]);
process.exit(); // in Node.js, which would wait for the client's open connection
"""
SHELL = """api={api}
curl -s -o {file} {url}
path=$(curl -s -F files=@{file} "$api/upload" | tr -d '[]"')
data='{"data": [{value}]}'
event=$(curl -s "$api/call/{name}" -H 'Content-Type: application/json' -d "$data" | cut -d'"' -f4)
curl -sN "$api/call/{name}/$event"
"""
COMMAND = """{command} predict {address} /{name} {value}
"""  # {command} is filled in by the list of the API


def snippets(call: Call, address: str, sample: str) -> dict[str, str]:
    """Programs that call an endpoint with a file of the page, by language as the list of the API names those.

    Args:
        address: of the page, with a slash at its end, as whoever asks has called it: any text; or "{address}", to be
            filled in later by what needs no quoting inside quotes.
        sample: path of the file among the uploads.
    """
    url = f"{address}gradio_api/file={quote(sample)}"
    file = {"path": url, "meta": {"_type": "gradio.FileData"}}
    values = {
        "python": (PYTHON, json.dumps, call.listed(f"handle_file({json.dumps(url)})")),
        "javascript": (JAVASCRIPT, json.dumps, call.listed("file")),
        "bash": (SHELL, shlex.quote, call.listed("""{"path": "'"$path"'"}""")),
        "cli": (COMMAND, shlex.quote, shlex.quote(json.dumps({call.parameter: [file] if call.several else file}))),
    }
    filled = {}
    for language, (template, literal, value) in values.items():
        parts = {"value": value, "url": literal(url), "address": literal(address), "name": call.name,
                 "api": literal(f"{address}gradio_api"), "parameter": call.parameter, "file": call.file}  # fmt: skip
        # At once: what is filled in may itself hold braces
        filled[language] = re.sub(rf"{{({'|'.join(parts)})}}", lambda part: parts[part[1]], template)  # noqa: B023
    return filled


def right_call(endpoint: str) -> str:
    """How to send a file to an endpoint, in sentences; "" for what only the page itself calls."""
    if endpoint not in CALLS:
        return ""
    call = CALLS[endpoint]
    own_file = f'handle_file("{call.file}")'
    return texts.RIGHT_CALL.format(
        name=endpoint,
        python=f"{call.parameter}={call.listed(own_file)}",
        javascript=f"{call.parameter}: {call.listed('file')}",
        json=call.listed('{"path": "what that answers"}'),
    )
