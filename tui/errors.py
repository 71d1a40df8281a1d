"""Errors that a person can do something about, on the top floor.

There are two roots, since ``tui`` imports nothing of the floors below but the wire. ``tui.cli`` catches both; every
other exception that reaches it is unexpected::

    streamer.errors.UserError
    ├── streamer.errors.SourceError              a source cannot be used
    ├── pipeline.errors.ModelError               weights are absent, damaged, or do not fit
    ├── pipeline.errors.ConfigError              a model file, a prompt file or an option cannot be used
    └── pipeline.errors.EngineFault              the model gives nothing usable any more
        └── pipeline.errors.DeviceFault          the accelerator failed; a new process may use it again
    tui.errors.UserError
    ├── tui.errors.UsageError                    wrong usage (exit code 2; all others 1)
    ├── tui.settings.settings.SettingsError      a configuration cannot be used
    ├── tui.state.scan_protocol.ProtocolError    a protocol of views cannot be used
    ├── tui.feed.protocol.RequestFailed          the engine did not answer, or refused
    │   ├── tui.feed.control_client.NoAnswer
    │   └── tui.feed.control_client.NoEndpoint
    ├── tui.run.foreground.RunFailed             a live run came to nothing
    ├── tui.record.replay.RecordingError         a folder is no session, or cannot be read
    ├── tui.record.retention.RetentionError      nothing may be removed from a folder
    ├── tui.export.errors.ExportError            a session cannot be exported as asked
    ├── tui.commands.analyze.Interrupted         a signal ended an analysis; its results are kept
    ├── tui.commands.explain.ExplainError        maps of a session cannot be drawn
    └── tui.commands.search.SearchError          a session cannot be searched
"""

from __future__ import annotations


class UserError(Exception):
    """Something that a person can mend. ``str()`` is one line that says what is wrong and what to do."""


class UsageError(UserError):
    """Options that do not go together; the process ends with code 2, as for any wrong usage."""
