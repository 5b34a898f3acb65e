"""How programs call this page, in three languages that work as they are pasted: with the page's own address, and one of
its examples as the file."""

from html import escape

from page.calls import CALLS, snippets

NAMES = {"python": "Python", "javascript": "JavaScript", "bash": "Any other"}
COPY = "Copy"
CSS = """
#developers pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 0.5rem;
    background: var(--background-fill-secondary); }
#developers button { margin-left: 0.5rem; padding: 0.2rem 0.6rem; font-size: var(--text-sm); }
#developers .copied::after { content: " ✓"; }
"""
ADDRESS = "{address}"  # of the page, with a slash at its end, which only the browser knows
# The address is filled in when the page is there. What Gradio's drawer says of the Model Context Protocol is left out
# where the server does not speak it.
FILL = """() => {
    const address = new URL("./", location.href).href.replaceAll("'", "%27");  // the only quote that addresses have
    const fill = () => {
        if (!window.gradio_config?.mcp_server)
            for (const language of document.querySelectorAll("li.snippet"))
                if (language.textContent.trim() === "MCP") language.style.display = "none";
        for (const code of document.querySelectorAll("#developers code"))
            if (code.textContent.includes("{address}"))
                code.textContent = code.textContent.replaceAll("{address}", address);
    };
    new MutationObserver(fill).observe(document.body, {childList: true, subtree: true});
    fill();
    document.addEventListener("click", async ({target}) => {
        const button = target.closest?.("#developers [data-copies]");
        if (!button) return;
        const code = document.getElementById(button.dataset.copies);
        getSelection().selectAllChildren(code);  // which the person can copy where the browser refuses
        await navigator.clipboard?.writeText(code.textContent);
        button.classList.toggle("copied", Boolean(navigator.clipboard));
    });
}"""


def developers_html(sample: str) -> str:
    """The snippets, each under the name of its language; `sample`: path of the file among the uploads."""
    written = snippets(CALLS["analyze"], ADDRESS, sample)
    return "".join(
        f'<h3>{name} <button type="button" class="sm secondary" data-copies="snippet-{language}" '
        f'aria-label="{COPY}: {name}">{COPY}</button></h3>'
        f'<pre><code id="snippet-{language}">{escape(written[language])}</code></pre>'
        for language, name in NAMES.items()
    )
