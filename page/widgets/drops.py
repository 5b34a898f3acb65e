"""A file that is dropped on the wrong tab, or beside every box, goes to the right one. In the browser: Gradio would
refuse it there by its type, or the browser would open it."""

import json

from page import texts

VIDEO_NAME = r"\.(mp4|m4v|mov|avi|mkv|webm)$"  # of files of which the browser does not know that they are videos
PATIENCE = 600  # times a tenth of a second in which a tab has to open
DROPS = f"""() => {{
    const tabs = {json.dumps({"photo": texts.PHOTO_TAB, "album": texts.ALBUM_TAB, "film": texts.VIDEO_TAB})};
    const isFilm = file => file.type.startsWith("video/") || /{VIDEO_NAME}/i.test(file.name);
    const rightBox = (files, box) => {{
        if (files.length === 1 && isFilm(files[0])) return "film";
        return files.length === 1 && box !== "album" ? "photo" : "album";
    }};
    let given = 0;  // how often files were: the last ones count
    const give = async (box, files) => {{
        const own = ++given;
        [...document.querySelectorAll("[role=tab]")].find(tab => tab.textContent.trim() === tabs[box])?.click();
        for (let tries = 0; tries < {PATIENCE} && own === given; tries++) {{
            const input = document.querySelector(`#${{box}} input[type=file]`);
            if (input) {{
                const list = new DataTransfer();
                for (const file of files) list.items.add(file);
                input.files = list.files;
                input.dispatchEvent(new Event("change", {{bubbles: true}}));
                return;
            }}
            // What lies in the box makes room, as before another file is dropped there.
            document.querySelector(`#${{box}} button:is([aria-label*="emove" i], [aria-label*="lear" i])`)?.click();
            await new Promise(resolve => setTimeout(resolve, 100));
        }}
    }};
    const take = (event, files, box) => {{
        const right = files.length ? rightBox(files, box) : box;
        if (right === box) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        give(right, files);
    }};
    const boxOf = event => event.target.closest?.("#photo, #album, #film")?.id;
    document.addEventListener("dragover", event => event.preventDefault());
    document.addEventListener("drop", event => take(event, [...event.dataTransfer.files], boxOf(event)), true);
    document.addEventListener("change", event => {{
        if (boxOf(event) && event.target.type === "file") take(event, [...event.target.files], boxOf(event));
    }}, true);
}}"""
