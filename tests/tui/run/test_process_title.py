import subprocess
import sys
from pathlib import Path

import pytest

_CODE = """
import sys
from pathlib import Path
from fetalstream.tui.run.process_title import hide_addresses
hide_addresses()
print(Path("/proc/self/cmdline").read_bytes().decode().replace(chr(0), "|"))
print("|".join(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_command_line_that_others_see_has_no_password_and_the_program_still_has_it():
    given = ["run", "rtsp://viewer:S3cr@et#x@192.0.2.5:554/cam", "--x=srt://h:9?passphrase=s3cret", "phantom:7"]
    argv = [sys.executable, "-c", _CODE, *given]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    seen, own = done.stdout.strip().rsplit("\n", 1)
    assert own == "|".join(given)
    assert "S3cr" not in seen
    assert "s3cret" not in seen
    words = [word.strip() for word in seen.split("|")]
    assert words[-4:] != given[-4:]
    assert words[-5:-1] == ["run", "rtsp://192.0.2.5:554", "--x=srt://h:9", "phantom:7"]
    assert Path(words[0]).name.startswith("python")
