"""The events of the tabs with their components, outside a server."""

import gradio as gr

from deepfake_detect import Detector
from page.tabs.album import Albums, album_tab
from page.tabs.photo import Photographs
from page.tabs.photo_view import lay_out
from page.tabs.video import Videos, video_tab


def photographs(detector: Detector) -> Photographs:
    events = Photographs(detector)
    with gr.Blocks():
        events.connect(*lay_out([], ""))
    return events


def album(detector: Detector) -> Albums:
    events = Albums(detector)
    with gr.Blocks():
        photo, _ = lay_out([], "")
        album_tab(events, photo, gr.Tabs())
    return events


def videos(detector: Detector) -> Videos:
    events = Videos(detector)
    with gr.Blocks():
        video_tab(events)
    return events
