"""What Gradio remembers of those who call it, and for how long: faces are nobody's to keep, nor what was said of them.

By itself, Gradio keeps a description of every component with every session, for links to a state of the page, which
this page does not offer: 0.15 MB, which take 12 ms to write. Every call of a program is a session, of which 10 000 are
kept.
"""

import os
from datetime import datetime, timedelta
from types import SimpleNamespace

from gradio import Blocks, routes, state_holder

from detect.texts import KEEP_MINUTES


class Session(state_holder.SessionState):
    """A session without the descriptions of components."""

    def __init__(self, blocks: Blocks):
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks={}))

    def _update_config(self, key: int) -> None:
        pass

    def _update_value_in_config(self, key: int, value: object) -> None:
        pass


class Sessions(state_holder.StateHolder):
    """The sessions, of which those that are not used for KEEP_MINUTES are forgotten."""

    def delete_all_expired_state(self) -> None:
        """What Gradio calls every second."""
        super().delete_all_expired_state()
        oldest = datetime.now() - timedelta(minutes=KEEP_MINUTES)
        for session in [session for session, used in list(self.time_last_used.items()) if used < oldest]:
            self.forget(session)

    def forget(self, session: str) -> None:
        """Let go of a session, and of what waits to be sent to it."""
        with self.lock:
            self.session_data.pop(session, None)
            self.time_last_used.pop(session, None)
        self.blocks._queue.pending_messages_per_session.pop(session, None)
        self.blocks._queue.pending_event_ids_session.pop(session, None)


state_holder.SessionState = Session
routes.StateHolder = Sessions
# Gradio counts its calls up anew at the end of each, for a page that is not shown: 18 ms for the 10 000 that it keeps.
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
