"""How programs call this page, in three languages that work as they are pasted: with the page's own address, and one of
its examples as the file."""

from html import escape
from urllib.parse import quote

# {address} is the page's, with a slash at its end, which only the browser knows; {sample} the path of a file.
PYTHON = """from gradio_client import Client, handle_file

client = Client("{address}")
print(client.predict(image=handle_file("{address}gradio_api/file={sample}"), api_name="/analyze"))
"""
JAVASCRIPT = """import { Client } from "@gradio/client";

const client = await Client.connect("{address}");
const picture = await (await fetch("{address}gradio_api/file={sample}")).blob();
const { data } = await client.predict("/analyze", { image: picture });
console.log(data[0]);
process.exit();
"""
SHELL = """api={address}gradio_api
curl -s -o photo.jpg $api/file={sample}
path=$(curl -s -F files=@photo.jpg $api/upload | tr -d '[]"')
data='{"data": [{"path": "'"$path"'"}]}'
event=$(curl -s $api/call/analyze -H 'Content-Type: application/json' -d "$data" | cut -d'"' -f4)
curl -sN $api/call/analyze/$event
"""
SNIPPETS = {"python": PYTHON, "javascript": JAVASCRIPT, "shell": SHELL}
NAMES = {"python": "Python", "javascript": "JavaScript", "shell": "Any other"}
CSS = "#developers pre { overflow-x: auto; padding: 0.5rem; background: var(--background-fill-secondary); }\n"
# The address is filled in when the page is there.
FILL = """() => {
    const fill = () => {
        for (const code of document.querySelectorAll("#developers code"))
            if (code.textContent.includes("{address}"))
                code.textContent = code.textContent.replaceAll("{address}", new URL("./", location.href).href);
    };
    new MutationObserver(fill).observe(document.body, {childList: true, subtree: true});
    fill();
}"""


def developers_html(sample: str) -> str:
    """The snippets, each under the name of its language; `sample`: path of the file among the uploads."""
    return "".join(
        f'<h3>{NAMES[language]}</h3><pre tabindex="0"><code id="snippet-{language}">'
        f"{escape(text.replace('{sample}', quote(sample)))}</code></pre>"
        for language, text in SNIPPETS.items()
    )
