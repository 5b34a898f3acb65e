"""What each update of a job holds, as Gradio needs it: see `page.jobs._with_earlier`."""

import gradio as gr
from albums import GROUP, REAL
from tabs import album

from page.batch import Named
from page.jobs import _with_earlier


def test_an_update_repeats_what_the_earlier_ones_set_whatever_gradio_takes_out_of_them():
    given = [
        {"table": "rows", "file": gr.update(value=None, visible=False), "stop": gr.update(visible=True)},
        {"card": "half"},
        {"card": "whole", "table": gr.skip(), "file": gr.update(value="a.csv", visible=True)},
        {"file": gr.update(visible=True), "table": None},
    ]  # fmt: skip
    seen = []
    for update in _with_earlier(each for each in given):
        seen.append({part: dict(value) if isinstance(value, dict) else value for part, value in update.items()})
        for value in update.values():
            if isinstance(value, dict):
                value.pop("value", None)
    assert seen[1] == seen[0] | {"card": "half"}
    assert seen[2] == seen[1] | {"card": "whole", "file": gr.update(value="a.csv", visible=True)}
    assert seen[3] == seen[2] | {"table": None}


def test_a_run_that_was_replaced_leaves_nothing_for_gradio_to_show_once_more(detector):
    events = album(detector)
    run = events.runs.open()
    steps = events.watch([Named(str(file), file.name) for file in (REAL, GROUP) * 9], run)
    first = next(steps)
    assert REAL.name in first[events.view.results[0]], "nothing of another run may stand beside the first"
    events.runs.replace(run)
    *_, last = steps
    assert last == gr.skip()
