import io

from fetalstream.tui.commands.progress import IN_A_LOG_S, ON_TERMINAL_S, Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def test_a_log_gets_a_line_now_and_then():
    out, clock = io.StringIO(), Clock()
    with Progress("clip.mp4", 342, out, clock) as progress:
        for _ in range(80):
            clock.now_s += IN_A_LOG_S / 40
            progress.step()
    assert out.getvalue() == "clip.mp4: 40 of 342 frames, 4 a second\nclip.mp4: 80 of 342 frames, 4 a second\n"


def test_a_terminal_gets_one_line_that_goes_away():
    out, clock = Terminal(), Clock()
    with Progress("clip.mp4", None, out, clock) as progress:
        clock.now_s = ON_TERMINAL_S
        progress.step()
    assert out.getvalue() == "\r\x1b[Kclip.mp4: 1 frames, 5 a second\r\x1b[K"
