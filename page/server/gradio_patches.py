"""The parts of Gradio that are replaced, because nothing that Gradio supports does the same. To be imported before
Gradio is.

Each says why, which test shows that Gradio still needs it, and when it can go. Gradio's versions that these fit are the
pin in requirements.txt, both ends of which .ci/run tries.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType, SimpleNamespace

import page.server.bootstrap  # noqa: F401  before Gradio
from page.texts import KEEP_MINUTES

# 1. No stubs for editors.
#
# Why: while Gradio is imported it parses its own source once for each component and writes a .pyi file beside it, which
# takes half of the import's time and needs a writable installation. For components of page/ it would write into page/.
# Needed: tests/page/test_gradio_patches.py::test_gradio_writes_stubs_for_editors_and_this_page_does_not
# Can go: when Gradio has a setting against it, or writes them when it is built.

STUB_WRITER = "gradio.component_meta"


def _write_no_stub(*component: object) -> None:
    """In place of `create_or_modify_pyi`."""


class _StubWriterFinder(MetaPathFinder):
    """Imports the module of the stub writer with a writer that writes nothing."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != STUB_WRITER:
            return None
        spec = PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            module.create_or_modify_pyi = _write_no_stub

        spec.loader.exec_module = exec_module
        return spec


if STUB_WRITER in sys.modules:  # where Gradio was imported before, as by tests
    sys.modules[STUB_WRITER].create_or_modify_pyi = _write_no_stub
sys.meta_path.insert(0, _StubWriterFinder())

# isort: split
from gradio import Blocks, queueing, route_utils, routes, state_holder  # noqa: E402  after the above
from starlette.datastructures import FormData  # noqa: E402
from starlette.formparsers import MultiPartException  # noqa: E402

# 2. The upload parser: fields that are no files are bounded, and what is left of an upload that fails is deleted.
#
# Why: Gradio bounds the files of an upload, but keeps every other field in memory, however large. The temporary files
# of an upload that was cut off, or for which the disk had no room, stay until they are swept.
# Needed: tests/page/test_gradio_patches.py::test_a_failed_upload_leaves_nothing_and_fields_are_bounded
# Can go: when Gradio's own parser passes that test.

MAX_FIELD = 2**16  # bytes of a field that is no file; Gradio's own page sends none


class BoundedParser(route_utils.GradioMultiPartParser):
    """Gradio's parser of uploads, with both."""

    async def parse(self) -> FormData:
        try:
            return await super().parse()
        except BaseException:
            for file in self._files_to_close_on_error:
                with suppress(OSError):  # on a full disk, what is still in the buffer cannot be written
                    file.close()
                Path(file.name).unlink(missing_ok=True)
            raise

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        super().on_part_data(data, start, end)
        if self._current_part.file is None and len(self._current_part.data) > MAX_FIELD:
            raise MultiPartException("A field of this upload is too large.")


route_utils.GradioMultiPartParser = BoundedParser

# 3. Session memory: no descriptions of components, and an end after KEEP_MINUTES.
#
# Why: Gradio keeps a description of every component, with the values last shown, for every session, so that a state of
# the page can be linked to, which this page does not offer: 0.15 MB and 12 ms for every call of a program. It forgets a
# session only when `state_session_capacity` others have come, never after a time; this page promises one.
# Needed: tests/page/test_gradio_patches.py::test_gradio_keeps_descriptions_and_idle_sessions_and_this_page_does_not
# Can go: when sessions can be made to expire, and `SessionState` describes components only where they are linked to.


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

# 4. The queue looks less often whether there are events.
#
# Why: Gradio looks a thousand times a second, day and night, also while nobody is there, and so no core ever rests.
# Needed: tests/page/test_gradio_patches.py::test_gradio_looks_for_events_without_a_rest_and_this_page_does_not
# Can go: when Gradio has a setting for it, or waits for events instead of looking for them.

QUEUE_SECONDS = 0.01  # between two looks; an event waits half of that on average


class Queue(queueing.Queue):
    """Gradio's queue, with longer rests."""

    def __init__(self, *arguments: object, **named: object):
        super().__init__(*arguments, **named)
        self.sleep_when_free = max(self.sleep_when_free, QUEUE_SECONDS)


queueing.Queue = Queue
